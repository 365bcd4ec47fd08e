//! Attacks 10 to 20 of the design's list on CMS, each named after the defect it looks for.

use crate::fixture::Fixture;
use crate::message::{
    ALGORITHM_PROTECTION, CONTENT_TYPE, ID_DATA, MESSAGE_DIGEST, Message, SIGNING_CERTIFICATE_V2, SIGNING_TIME,
    attribute, content_info, issuer_and_serial, signing_certificate,
};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use tamga::asn1::{Oid, Reader, Tag, encode, oid};
use tamga::crypto::{DigestAlgorithm, SignatureAlgorithm};
use tamga::demonstration::{Holder, Key, KeyKind, extension};
use tamga::pki::extension::KeyUsage;

const CONTENT: &[u8] = b"licence for ten kilometres";

fn refused(fixture: &Fixture, document: &[u8], code: &str, defect: &str) {
    let verdict = fixture.judge(document, None);
    assert!(verdict.refused_with(code), "{defect}: holds {} with {:?}, not {code}", verdict.holds(), verdict.codes());
}

fn ecdsa() -> (Fixture, Message) {
    let fixture = Fixture::new(KeyKind::P256);
    let message = Message::new(&fixture.signer, CONTENT);
    (fixture, message)
}

#[test]
fn the_message_without_a_defect_is_accepted() {
    for kind in KeyKind::ALL {
        let fixture = Fixture::new(kind);
        let document = Message::new(&fixture.signer, CONTENT).sign(&fixture.signer);
        let verdict = fixture.judge_alone(&document, None);
        assert!(verdict.holds(), "{kind:?}: {:?}", verdict.codes());
    }
}

// Attack 10.

#[test]
fn signed_attributes_shown_as_a_content() {
    let (fixture, message) = ecdsa();
    let attributes = encode::set_of(&message.attributes);
    let value = fixture.signer.key.private().sign(&message.algorithm, &attributes).unwrap();
    // The same signature value, over the same octets, which now claim to be the content.
    let forged = Message { content: Some(encode::octet_string(&attributes)), ..message };
    refused(&fixture, &forged.assemble(None, &value), "sav-attribute-missing", "attributes as content");
}

#[test]
fn content_type_that_is_not_data() {
    let (fixture, message) = ecdsa();
    let tst_info = oid!(1, 2, 840, 113549, 1, 9, 16, 1, 4);
    let renamed = Message { content_type: tst_info, ..message.clone() };
    assert!(!fixture.judge(&renamed.sign(&fixture.signer), None).holds(), "the attribute says data");
    let consistent = renamed.with(CONTENT_TYPE, attribute(CONTENT_TYPE, &[encode::oid(tst_info)]));
    assert!(!fixture.judge(&consistent.sign(&fixture.signer), None).holds(), "a time-stamp's content is no request");
    let attribute_differs = message.with(CONTENT_TYPE, attribute(CONTENT_TYPE, &[encode::oid(tst_info)]));
    let document = attribute_differs.sign(&fixture.signer);
    refused(&fixture, &document, "sav-attribute-inconsistent", "contentType differs from eContentType");
}

// Attack 11.

#[test]
fn signed_attributes_out_of_order() {
    let (fixture, message) = ecdsa();
    let mut unordered: Vec<Vec<u8>> = message.attributes.clone();
    unordered.sort();
    unordered.reverse();
    let octets = encode::element(Tag::SET, &[&unordered.concat()]);
    refused(&fixture, &message.sign_octets(&fixture.signer, &octets), "fc-malformed", "unordered SET OF");
    // Signed in DER order and transmitted in another.
    let sorted = encode::set_of(&message.attributes);
    let value = fixture.signer.key.private().sign(&message.algorithm, &sorted).unwrap();
    refused(&fixture, &message.assemble(Some(&octets), &value), "fc-malformed", "re-ordered after signing");
}

#[test]
fn a_signing_time_among_the_unsigned_attributes() {
    let (fixture, message) = ecdsa();
    let attributes = encode::set_of(&message.attributes);
    let value = fixture.signer.key.private().sign(&message.algorithm, &attributes).unwrap();
    let with_unsigned = |unsigned: Vec<u8>| {
        let mut signed = attributes.clone();
        signed[0] = 0xa0;
        let signer_info = encode::sequence(&[
            &encode::small_unsigned(1),
            &message.signer,
            &message.digest_identifier,
            &signed,
            &message.signature_identifier,
            &encode::octet_string(&value),
            &encode::implicit_set_of(Tag(0xa1), &[unsigned]),
        ]);
        message.enclose(&[signer_info])
    };
    let harmless = attribute(oid!(1, 3, 6, 1, 4, 1, 99999, 3), &[encode::null()]);
    assert!(fixture.judge(&with_unsigned(harmless), None).holds());
    let time = || encode::time("2026-11-22T02:00:00Z".parse().unwrap());
    for (kind, value) in
        [(SIGNING_TIME, time()), (CONTENT_TYPE, encode::oid(ID_DATA)), (MESSAGE_DIGEST, encode::octet_string(&[7; 32]))]
    {
        let document = with_unsigned(attribute(kind, &[value]));
        refused(&fixture, &document, "sav-attribute-inconsistent", &format!("{kind} unsigned"));
    }
}

#[test]
fn values_of_a_signed_attribute_out_of_order() {
    let (fixture, message) = ecdsa();
    let values = [encode::octet_string(b"b"), encode::octet_string(b"a")];
    let kind = oid!(1, 3, 6, 1, 4, 1, 99999, 2);
    let mut sorted = values.clone();
    sorted.sort();
    assert!(fixture.judge(&message.clone().and(attribute(kind, &sorted)).sign(&fixture.signer), None).holds());
    let document = message.and(attribute(kind, &values)).sign(&fixture.signer);
    refused(&fixture, &document, "fc-malformed", "an attribute whose values are no SET OF in DER");
}

#[test]
fn signed_attributes_in_ber() {
    let (fixture, message) = ecdsa();
    let mut sorted = message.attributes.clone();
    sorted.sort();
    let body = sorted.concat();
    let length = u8::try_from(body.len()).expect("fits one octet");
    for header in [&[0x31, 0x82, 0, length][..], &[0x31, 0x80]] {
        let mut octets = [header, &body].concat();
        if header[1] == 0x80 {
            octets.extend([0, 0]);
        }
        refused(&fixture, &message.sign_octets(&fixture.signer, &octets), "fc-malformed", "BER attributes");
    }
}

#[test]
fn a_malformed_signer_certificate_is_not_called_missing() {
    let (fixture, message) = ecdsa();
    let twice = extension::key_usage(KeyUsage::NON_REPUDIATION);
    let mut template = fixture.world.template(&Holder::person(), fixture.signer.key.spki());
    template.extensions.push(twice.clone());
    template.extensions.push(twice);
    let certificate = template.issue(&fixture.world.authority).unwrap();
    assert!(tamga::pki::Certificate::parse(&certificate).is_err());
    // Its serial number, out of bytes that are no certificate: version, then the INTEGER.
    let mut fields = Reader::der(&certificate).sequence().unwrap().sequence().unwrap();
    fields.element().unwrap();
    let serial_number = fields.element().unwrap();
    let authority = tamga::pki::Certificate::parse(&fixture.world.authority.certificate).unwrap();
    let signer = encode::sequence(&[authority.subject().raw(), serial_number.raw]);
    let message = Message { certificates: vec![certificate], signer, ..message }.without(SIGNING_CERTIFICATE_V2);
    let document = message.sign(&fixture.signer);
    let verdict = fixture.judge_alone(&document, None);
    assert!(verdict.refused_with("xcv-certificate-malformed"), "{:?}", verdict.codes());
}

// Attack 12.

#[test]
fn required_attribute_missing() {
    let (fixture, message) = ecdsa();
    for kind in [CONTENT_TYPE, MESSAGE_DIGEST] {
        let document = message.clone().without(kind).sign(&fixture.signer);
        refused(&fixture, &document, "sav-attribute-missing", &format!("no {kind}"));
    }
}

#[test]
fn attribute_twice_or_with_two_values() {
    let (fixture, message) = ecdsa();
    let digest = |content: &[u8]| encode::octet_string(DigestAlgorithm::Sha256.digest(content).as_bytes());
    let time = |text: &str| encode::time(text.parse().unwrap());
    let pairs = [
        (CONTENT_TYPE, encode::oid(ID_DATA), encode::oid(oid!(1, 2, 840, 113549, 1, 7, 5))),
        (MESSAGE_DIGEST, digest(CONTENT), digest(b"another")),
        (SIGNING_TIME, time("2026-11-22T02:00:00Z"), time("2020-01-01T00:00:00Z")),
    ];
    for (kind, first, second) in pairs {
        let twice = message.clone().and(attribute(kind, std::slice::from_ref(&second))).sign(&fixture.signer);
        refused(&fixture, &twice, "sav-attribute-duplicated", &format!("{kind} twice"));
        let same_twice = message.clone().and(attribute(kind, std::slice::from_ref(&first))).sign(&fixture.signer);
        assert!(!fixture.judge(&same_twice, None).holds(), "{kind} twice the same");
        let mut values = [first, second];
        values.sort();
        let two_values = message.clone().with(kind, attribute(kind, &values)).sign(&fixture.signer);
        refused(&fixture, &two_values, "sav-attribute-duplicated", &format!("{kind} with two values"));
        let no_value = message.clone().with(kind, attribute(kind, &[])).sign(&fixture.signer);
        assert!(!fixture.judge(&no_value, None).holds(), "{kind} with no value");
    }
}

#[test]
fn message_digest_of_another_content() {
    let (fixture, message) = ecdsa();
    let other = encode::octet_string(DigestAlgorithm::Sha256.digest(b"another").as_bytes());
    let document = message.clone().with(MESSAGE_DIGEST, attribute(MESSAGE_DIGEST, &[other])).sign(&fixture.signer);
    refused(&fixture, &document, "cv-digest-mismatch", "digest of another content");
    let truncated = encode::octet_string(&DigestAlgorithm::Sha256.digest(CONTENT).as_bytes()[..20]);
    let document = message.with(MESSAGE_DIGEST, attribute(MESSAGE_DIGEST, &[truncated])).sign(&fixture.signer);
    refused(&fixture, &document, "cv-digest-mismatch", "truncated digest");
}

#[test]
fn empty_message_digest_of_a_content_that_is_not_there() {
    let (fixture, message) = ecdsa();
    let detached = Message { content: None, ..message };
    refused(&fixture, &detached.sign(&fixture.signer), "cv-signed-data-missing", "no content");
}

// Attack 13.

#[test]
fn digest_algorithms_that_do_not_agree() {
    let (fixture, message) = ecdsa();
    let sha512 = DigestAlgorithm::Sha512.to_identifier();
    let undeclared = Message { declared_digests: vec![sha512.clone()], ..message.clone() };
    refused(&fixture, &undeclared.sign(&fixture.signer), "sav-attribute-inconsistent", "digest not declared");
    // RFC 8933: the content under SHA-512, the attributes under SHA-256.
    let digest = encode::octet_string(DigestAlgorithm::Sha512.digest(CONTENT).as_bytes());
    let mixed = Message { declared_digests: vec![sha512.clone()], digest_identifier: sha512, ..message }
        .with(MESSAGE_DIGEST, attribute(MESSAGE_DIGEST, &[digest]));
    refused(&fixture, &mixed.sign(&fixture.signer), "sav-attribute-inconsistent", "two digests");
}

#[test]
fn algorithm_protection_that_names_other_algorithms() {
    let (fixture, message) = ecdsa();
    let protection = |digest: DigestAlgorithm, algorithm: SignatureAlgorithm| {
        let mut signature = algorithm.to_identifier().unwrap();
        signature[0] = 0xa1;
        attribute(ALGORITHM_PROTECTION, &[encode::sequence(&[&digest.to_identifier(), &signature])])
    };
    let honest = message.clone().and(protection(DigestAlgorithm::Sha256, message.algorithm));
    let verdict = fixture.judge(&honest.sign(&fixture.signer), None);
    assert!(verdict.holds(), "{:?}", verdict.codes());
    for (digest, algorithm) in [
        (DigestAlgorithm::Sha384, message.algorithm),
        (DigestAlgorithm::Sha256, SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256)),
    ] {
        let document = message.clone().and(protection(digest, algorithm)).sign(&fixture.signer);
        refused(&fixture, &document, "sav-attribute-inconsistent", "cmsAlgorithmProtection");
    }
}

#[test]
fn pss_without_parameters() {
    let fixture = Fixture::new(KeyKind::Rsa2048);
    let message = Message::new(&fixture.signer, CONTENT);
    let pss = SignatureAlgorithm::RsaPss { digest: DigestAlgorithm::Sha256, salt_len: 32 };
    let explicit = Message { algorithm: pss, signature_identifier: pss.to_identifier().unwrap(), ..message.clone() };
    let verdict = fixture.judge(&explicit.sign(&fixture.signer), None);
    assert!(verdict.holds(), "{:?}", verdict.codes());
    let bare = encode::sequence(&[&encode::oid(oid!(1, 2, 840, 113549, 1, 1, 10))]);
    let implicit = Message { signature_identifier: bare, ..explicit };
    refused(&fixture, &implicit.sign(&fixture.signer), "sav-algorithm-not-allowed", "PSS without parameters");
}

// Attack 14.

#[test]
fn attributes_of_another_type() {
    let (fixture, message) = ecdsa();
    let digest = DigestAlgorithm::Sha256.digest(CONTENT);
    let time = encode::time(crate::fixture::moment());
    let cases = [
        (MESSAGE_DIGEST, encode::element(Tag::UTF8_STRING, &[digest.as_bytes()])),
        (MESSAGE_DIGEST, encode::bit_string(digest.as_bytes())),
        (MESSAGE_DIGEST, encode::sequence(&[&encode::octet_string(digest.as_bytes())])),
        (CONTENT_TYPE, encode::octet_string(ID_DATA.as_bytes())),
        (CONTENT_TYPE, encode::null()),
        (SIGNING_TIME, encode::octet_string(&time)),
        (SIGNING_TIME, encode::string(Tag::UTF8_STRING, "261122020000Z")),
        (SIGNING_TIME, encode::string(Tag::UTC_TIME, "261122020000+0500")),
        (SIGNING_CERTIFICATE_V2, encode::octet_string(b"hash")),
        (SIGNING_CERTIFICATE_V2, encode::null()),
    ];
    for (kind, value) in cases {
        let document = message.clone().with(kind, attribute(kind, std::slice::from_ref(&value))).sign(&fixture.signer);
        refused(&fixture, &document, "sav-attribute-inconsistent", &format!("{kind} as {value:02x?}"));
    }
}

// Attack 15.

#[test]
fn another_certificate_over_the_same_key() {
    let (fixture, message) = ecdsa();
    let substitute = fixture.same_key_other_name();
    let swapped = Message {
        certificates: vec![substitute.certificate.clone()],
        signer: issuer_and_serial(&substitute.certificate),
        ..message
    };
    let document = swapped.sign(&fixture.signer);
    refused(&fixture, &document, "isc-certificate-reference-mismatch", "substituted certificate");
}

#[test]
fn the_reference_names_the_certificate_and_the_identifier_another() {
    let (fixture, message) = ecdsa();
    let both = Message {
        certificates: vec![fixture.signer.certificate.clone(), fixture.other.certificate.clone()],
        signer: issuer_and_serial(&fixture.other.certificate),
        ..message.clone()
    };
    assert!(!fixture.judge(&both.sign(&fixture.signer), None).holds());
    let listed_second = {
        let hash =
            |der: &[u8]| encode::sequence(&[&encode::octet_string(DigestAlgorithm::Sha256.digest(der).as_bytes())]);
        let list = encode::sequence(&[&hash(&fixture.other.certificate), &hash(&fixture.signer.certificate)]);
        attribute(SIGNING_CERTIFICATE_V2, &[encode::sequence(&[&list])])
    };
    let document = message.with(SIGNING_CERTIFICATE_V2, listed_second).sign(&fixture.signer);
    refused(&fixture, &document, "isc-certificate-reference-mismatch", "the signer's reference comes second");
}

#[test]
fn certificate_only_in_the_signers_imagination() {
    let (fixture, message) = ecdsa();
    let none = Message { certificates: vec![fixture.world.authority.certificate.clone()], ..message };
    let verdict = fixture.judge_alone(&none.sign(&fixture.signer), None);
    assert!(verdict.refused_with("isc-signing-certificate-missing"), "{:?}", verdict.codes());
}

#[test]
fn one_of_several_signers_is_broken() {
    let (fixture, message) = ecdsa();
    let good = message.sign(&fixture.signer);
    let by_other = Message::new(&fixture.other, CONTENT);
    let signer_info = |document: &[u8]| -> Vec<u8> {
        let mut content = tamga::asn1::Reader::der(document).sequence().unwrap();
        content.oid().unwrap();
        let mut data = content.element().unwrap().reader().unwrap().sequence().unwrap();
        let mut last = data.element().unwrap();
        while !data.is_empty() {
            last = data.element().unwrap();
        }
        last.reader().unwrap().element().unwrap().raw.to_vec()
    };
    let mut broken = by_other.sign(&fixture.other);
    *broken.last_mut().unwrap() ^= 1;
    let both = Message { certificates: [message.certificates.clone(), by_other.certificates].concat(), ..message };
    let verdict = fixture.judge(&both.enclose(&[signer_info(&good), signer_info(&broken)]), None);
    assert_eq!(verdict.report.signatures.len(), 2, "every signer is reported");
    assert!(verdict.refused_with("cv-signature-invalid"), "{:?}", verdict.codes());
    refused(&fixture, &both.enclose(&[]), "fc-no-signature", "no signer at all");
}

// Attack 16.

#[test]
fn nesting_without_end() {
    let (fixture, message) = ecdsa();
    for depth in [40, 2_000, 100_000] {
        let mut nested = Vec::new();
        nested.extend(std::iter::repeat_n([0x24, 0x80], depth).flatten());
        nested.extend(encode::octet_string(CONTENT));
        nested.extend(std::iter::repeat_n([0, 0], depth).flatten());
        let document = Message { content: Some(nested), ..message.clone() }.sign(&fixture.signer);
        refused(&fixture, &document, "fc-limit-exceeded", &format!("depth {depth}"));
    }
}

#[test]
fn giant_object_identifier() {
    let (fixture, message) = ecdsa();
    let giant: &'static [u8] = Vec::leak([vec![0xff; 1_000_000], vec![1]].concat());
    let document = message.and(attribute(Oid::from_static(giant), &[encode::null()])).sign(&fixture.signer);
    let started = std::time::Instant::now();
    assert!(!fixture.judge(&document, None).holds());
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn octets_after_every_structure() {
    let (fixture, message) = ecdsa();
    let good = message.sign(&fixture.signer);
    refused(&fixture, &[&good[..], &[5, 0]].concat(), "fc-malformed", "after ContentInfo");
    let mut content = tamga::asn1::Reader::der(&good).sequence().unwrap();
    content.oid().unwrap();
    let signed_data = content.element().unwrap().contents;
    let longer = {
        let mut reader = tamga::asn1::Reader::der(signed_data).sequence().unwrap();
        let mut parts = Vec::new();
        while !reader.is_empty() {
            parts.extend_from_slice(reader.element().unwrap().raw);
        }
        parts.extend(encode::null());
        encode::element(Tag::SEQUENCE, &[&parts])
    };
    refused(&fixture, &content_info(&longer), "fc-malformed", "inside SignedData");
}

// Attack 17.

/// A signature value whose block, raised to the public exponent, is what the forger wants.
fn raw_rsa(key: &Key, block: &[u8]) -> Vec<u8> {
    let private = rsa::RsaPrivateKey::from_pkcs8_der(key.pkcs8()).unwrap();
    let value = rsa::BigUint::from_bytes_be(block).modpow(private.d(), private.n());
    let octets = value.to_bytes_be();
    [vec![0; private.size() - octets.len()], octets].concat()
}

#[test]
fn garbage_after_the_digest_in_the_padding() {
    let fixture = Fixture::new(KeyKind::Rsa2048);
    let message = Message::new(&fixture.signer, CONTENT);
    let attributes = encode::set_of(&message.attributes);
    let digest = DigestAlgorithm::Sha256.digest(&attributes);
    let algorithm =
        |parameters: &[u8]| encode::sequence(&[&encode::oid(DigestAlgorithm::Sha256.oid().unwrap()), parameters]);
    let info = |parameters: &[u8], after: &[u8]| {
        encode::sequence(&[&algorithm(parameters), &encode::octet_string(digest.as_bytes()), after])
    };
    let honest = info(&encode::null(), &[]);
    let padded = |info: &[u8], ones: usize| {
        let mut block = [&[0, 1][..], &vec![0xff; ones], &[0], info].concat();
        block.resize(256, 0x5a);
        block
    };
    let verdict = fixture.judge(
        &message.assemble(Some(&attributes), &raw_rsa(&fixture.signer.key, &padded(&honest, 253 - honest.len()))),
        None,
    );
    assert!(verdict.holds(), "the block itself is right: {:?}", verdict.codes());
    let long_parameters = encode::octet_string(&[0x5a; 120]);
    let cases = [
        ("Bleichenbacher 2006: garbage after DigestInfo", padded(&honest, 8)),
        ("garbage in the parameters", padded(&info(&long_parameters, &[]), 253 - info(&long_parameters, &[]).len())),
        ("an element after the digest", {
            let longer = info(&encode::null(), &encode::null());
            padded(&longer, 253 - longer.len())
        }),
        ("block type 0", {
            let mut block = padded(&honest, 253 - honest.len());
            block[1] = 0;
            block
        }),
        ("a hole in the padding", {
            let mut block = padded(&honest, 253 - honest.len());
            block[20] = 0xfe;
            block
        }),
    ];
    for (defect, block) in cases {
        let document = message.assemble(Some(&attributes), &raw_rsa(&fixture.signer.key, &block));
        refused(&fixture, &document, "cv-signature-invalid", defect);
    }
}

#[test]
fn rsa_key_with_a_small_or_even_exponent_or_short() {
    let fixture = Fixture::new(KeyKind::Rsa2048);
    let message = Message::new(&fixture.signer, CONTENT);
    let private = rsa::RsaPrivateKey::from_pkcs8_der(fixture.signer.key.pkcs8()).unwrap();
    let modulus = private.n().to_bytes_be();
    let spki = |modulus: &[u8], exponent: &[u8]| {
        let key = encode::sequence(&[&encode::unsigned(modulus), &encode::unsigned(exponent)]);
        let rsa_encryption = encode::sequence(&[&encode::oid(oid!(1, 2, 840, 113549, 1, 1, 1)), &encode::null()]);
        encode::sequence(&[&rsa_encryption, &encode::bit_string(&key)])
    };
    for (defect, spki) in [
        ("e = 3", spki(&modulus, &[3])),
        ("e = 1", spki(&modulus, &[1])),
        ("even e", spki(&modulus, &[1, 0, 2])),
        ("1024 bits", spki(&modulus[..128], &[1, 0, 1])),
    ] {
        let certificate = fixture.certificate_over(&spki);
        let document = Message {
            signer: issuer_and_serial(&certificate),
            certificates: vec![certificate.clone()],
            ..message.clone()
        }
        .with(SIGNING_CERTIFICATE_V2, signing_certificate(&certificate))
        .sign(&fixture.signer);
        let verdict = fixture.judge_alone(&document, None);
        assert!(verdict.refused_with("sav-algorithm-not-allowed"), "{defect}: {:?}", verdict.codes());
    }
}

// Attack 18.

#[test]
fn ecdsa_values_that_prove_nothing() {
    let (fixture, message) = ecdsa();
    let attributes = encode::set_of(&message.attributes);
    let good = fixture.signer.key.private().sign(&message.algorithm, &attributes).unwrap();
    let order: Vec<u8> = [
        &[0xff; 4][..],
        &[0; 4],
        &[0xff; 8],
        &[0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51],
    ]
    .concat();
    let pair = |r: &[u8], s: &[u8]| encode::sequence(&[&encode::unsigned(r), &encode::unsigned(s)]);
    let cases = [
        ("(0, 0)", pair(&[0], &[0])),
        ("(1, 0)", pair(&[1], &[0])),
        ("(0, 1)", pair(&[0], &[1])),
        ("(n, n)", pair(&order, &order)),
        ("(1, n)", pair(&[1], &order)),
        ("nothing", Vec::new()),
        ("empty sequence", encode::sequence(&[])),
        ("negative", encode::sequence(&[&[2, 1, 0xff], &[2, 1, 0xff]])),
        ("octet after", [&good[..], &[0]].concat()),
        ("fixed length form", vec![1; 64]),
    ];
    for (defect, value) in cases {
        refused(&fixture, &message.assemble(Some(&attributes), &value), "cv-signature-invalid", defect);
    }
}

// Attack 19.

#[test]
fn key_on_a_curve_of_the_attackers_own() {
    let (fixture, message) = ecdsa();
    let point = {
        let mut inner = tamga::asn1::Reader::der(fixture.signer.key.spki()).sequence().unwrap();
        inner.sequence().unwrap();
        inner.element().unwrap().raw.to_vec()
    };
    // CVE-2020-0601: the point is the victim's public key, the generator is the attacker's.
    let field = encode::sequence(&[
        &encode::oid(oid!(1, 2, 840, 10045, 1, 1)),
        &encode::unsigned(&[&[0xff; 4][..], &[0; 3], &[1], &[0; 12], &[0xff; 12]].concat()),
    ]);
    let curve = encode::sequence(&[&encode::octet_string(&[1; 32]), &encode::octet_string(&[2; 32])]);
    let specified = encode::sequence(&[
        &encode::small_unsigned(1),
        &field,
        &curve,
        &encode::octet_string(&[4; 65]),
        &encode::unsigned(&[0xff; 32]),
    ]);
    for (defect, parameters) in [("explicit", specified), ("implicit", encode::null())] {
        let identifier = encode::sequence(&[&encode::oid(oid!(1, 2, 840, 10045, 2, 1)), &parameters]);
        let certificate = fixture.certificate_over(&encode::sequence(&[&identifier, &point]));
        let document = Message {
            signer: issuer_and_serial(&certificate),
            certificates: vec![certificate.clone()],
            ..message.clone()
        }
        .with(SIGNING_CERTIFICATE_V2, signing_certificate(&certificate))
        .sign(&fixture.signer);
        let verdict = fixture.judge_alone(&document, None);
        assert!(verdict.refused_with("sav-algorithm-not-allowed"), "{defect}: {:?}", verdict.codes());
    }
}

// Attack 20.

#[test]
fn weak_digests_by_name() {
    let fixture = Fixture::new(KeyKind::Rsa2048);
    let message = Message {
        signature_identifier: encode::sequence(&[&encode::oid(oid!(1, 2, 840, 113549, 1, 1, 1)), &encode::null()]),
        ..Message::new(&fixture.signer, CONTENT)
    };
    let verdict = fixture.judge(&message.sign(&fixture.signer), None);
    assert!(verdict.holds(), "rsaEncryption takes its digest from beside: {:?}", verdict.codes());
    let md5 = encode::sequence(&[&encode::oid(oid!(1, 2, 840, 113549, 2, 5)), &encode::null()]);
    let sha1 = DigestAlgorithm::Sha1.to_identifier();
    for weak in [md5, sha1] {
        let digest = encode::octet_string(DigestAlgorithm::Sha1.digest(CONTENT).as_bytes());
        let document = Message { declared_digests: vec![weak.clone()], digest_identifier: weak, ..message.clone() }
            .with(MESSAGE_DIGEST, attribute(MESSAGE_DIGEST, &[digest]));
        refused(&fixture, &document.sign(&fixture.signer), "sav-algorithm-not-allowed", "weak digest");
    }
}
