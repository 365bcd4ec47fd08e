//! Vectors of the standards, edges of the ranges, and properties.

#![allow(clippy::cast_possible_truncation, reason = "lengths of encodings below 256")]

use super::curve::{Curve, Scalar, multiply_public};
use super::field::{Element, Modulus};
use super::limbs::hex;
use super::parameters::{StandardExample256, StandardExample512};
use super::*;
use crate::asn1::{Reader, Tag};
use crate::crypto::{DigestAlgorithm, KeyError, PrivateKeyError, SignatureAlgorithm, SignatureError};
use proptest::prelude::*;

const SETS: [ParameterSet; 3] = [ParameterSet::Tc26A512, ParameterSet::Tc26A256, ParameterSet::CryptoProA];

fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn bytes<L: Limbs>(integer: L) -> Vec<u8> {
    let mut out = vec![0; L::WORDS * 8];
    integer.write_le_bytes(&mut out);
    out
}

/// An example of the standard: key, nonce, digest and what must come out.
fn example<C: Curve>(d: C::Limbs, k: C::Limbs, e: C::Limbs, q: (C::Limbs, C::Limbs), rs: (C::Limbs, C::Limbs)) {
    let secret = SecretScalar::<C>::from_le_bytes(&bytes(d)).unwrap();
    let public = secret.public_point();
    let expected = verify::point_from_bytes::<C>(&[bytes(q.0), bytes(q.1)].concat()).unwrap();
    assert!(public.x == expected.x && public.y == expected.y, "public key");
    let nonce = Scalar::<C>::from_integer(k).unwrap();
    let signature = secret.sign_with_nonce(Element::reduce(e), &nonce, GostByteOrder::Kazakh).unwrap();
    assert_eq!(signature, [bytes(rs.0), bytes(rs.1)].concat());
    verify::verify_digest(&public, &bytes(e), &signature, GostByteOrder::Kazakh).unwrap();
    let reversed: Vec<u8> = signature.iter().rev().copied().collect();
    verify::verify_digest(&public, &bytes(e), &reversed, GostByteOrder::Tc26).unwrap();
    assert_eq!(verify::verify_digest(&public, &bytes(k), &signature, GostByteOrder::Kazakh), Err(GostError::Mismatch));
}

/// RFC 7091 §7.1, GOST R 34.10-2012 §A.1.
#[test]
fn example_of_the_standard_with_256_bits() {
    example::<StandardExample256>(
        hex("7A929ADE789BB9BE10ED359DD39A72C11B60961F49397EEE1D19CE9891EC3B28"),
        hex("77105C9B20BCD3122823C8CF6FCC7B956DE33814E95B7FE64FED924594DCEAB3"),
        hex("2DFBC1B372D89A1188C09C52E0EEC61FCE52032AB1022E8E67ECE6672B043EE5"),
        (
            hex("7F2B49E270DB6D90D8595BEC458B50C58585BA1D4E9B788F6689DBD8E56FD80B"),
            hex("26F1B489D6701DD185C8413A977B3CBBAF64D1C593D26627DFFB101A87FF77DA"),
        ),
        (
            hex("41AA28D2F1AB148280CD9ED56FEDA41974053554A42767B83AD043FD39DC0493"),
            hex("01456C64BA4642A1653C235A98A60249BCD6D3F746B631DF928014F6C5BF9C40"),
        ),
    );
}

/// GOST R 34.10-2012 §A.2.
#[test]
fn example_of_the_standard_with_512_bits() {
    example::<StandardExample512>(
        hex(
            "0BA6048AADAE241BA40936D47756D7C93091A0E8514669700EE7508E508B102072E8123B2200A0563322DAD2827E2714A2636B7BFD18AADFC62967821FA18DD4",
        ),
        hex(
            "0359E7F4B1410FEACC570456C6801496946312120B39D019D455986E364F365886748ED7A44B3E794434006011842286212273A6D14CF70EA3AF71BB1AE679F1",
        ),
        hex(
            "3754F3CFACC9E0615C4F4A7C4D8DAB531B09B6F9C170C533A71D147035B0C5917184EE536593F4414339976C647C5D5A407ADEDB1D560C4FC6777D2972075B8C",
        ),
        (
            hex(
                "115DC5BC96760C7B48598D8AB9E740D4C4A85A65BE33C1815B5C320C854621DD5A515856D13314AF69BC5B924C8B4DDFF75C45415C1D9DD9DD33612CD530EFE1",
            ),
            hex(
                "37C7C90CD40B0F5621DC3AC1B751CFA0E2634FA0503B3D52639F5D7FB72AFD61EA199441D943FFE7F0C70A2759A3CDB84C114E1F9339FDF27F35ECA93677BEEC",
            ),
        ),
        (
            hex(
                "2F86FA60A081091A23DD795E1E3C689EE512A3C82EE0DCC2643C78EEA8FCACD35492558486B20F1C9EC197C90699850260C93BCBCD9C5C3317E19344E173AE36",
            ),
            hex(
                "1081B394696FFE8E6585E7A9362D26B6325F56778AADBC081C0BFBE933D52FF5823CE288E8C4F362526080DF7F70CE406A6EEB1F56919CB92A9853BDE73E5B4A",
            ),
        ),
    );
}

/// RFC 6986 §10, whose octets are written there from the last to the first.
#[test]
fn examples_of_the_digest() {
    let reversed = |digits: &str| unhex(digits).into_iter().rev().collect::<Vec<u8>>();
    let m1 = reversed(
        "323130393837363534333231303938373635343332313039383736353433323130393837363534333231303938373635343332313039383736353433323130",
    );
    let m2 = reversed(
        "fbe2e5f0eee3c820fbeafaebef20fffbf0e1e0f0f520e0ed20e8ece0ebe5f0f2f120fff0eeec20f120faf2fee5e2202ce8f6f3ede220e8e6eee1e8f0f2d1202ce8f0f2e5e220e5d1",
    );
    for (algorithm, message, expected) in [
        (
            DigestAlgorithm::Streebog512,
            &m1,
            "486f64c1917879417fef082b3381a4e211c324f074654c38823a7b76f830ad00fa1fbae42b1285c0352f227524bc9ab16254288dd6863dccd5b9f54a1ad0541b",
        ),
        (DigestAlgorithm::Streebog256, &m1, "00557be5e584fd52a449b16b0251d05d27f94ab76cbaa6da890b59d8ef1e159d"),
        (
            DigestAlgorithm::Streebog512,
            &m2,
            "28fbc9bada033b1460642bdcddb90c3fb3e56c497ccd0f62b8a2ad4935e85f037613966de4ee00531ae60f3b5a47f8dae06915d5f2f194996fcabf2622e6881e",
        ),
        (DigestAlgorithm::Streebog256, &m2, "508f7e553c06501d749a66fc28c6cac0b005746d97537fa85d9e40904efed29d"),
    ] {
        assert_eq!(algorithm.digest(message).as_bytes(), reversed(expected));
    }
}

/// GOST R 34.11-94 §A.3.1, the S-box of the example.
#[test]
fn examples_of_the_digest_of_1995() {
    for (message, expected) in [
        ("This is message, length=32 bytes", "b1c466d37519b82e8319819ff32595e047a28cb6f83eff1c6916a815a637fffa"),
        (
            "Suppose the original message has length = 50 bytes",
            "471aba57a60a770d3a76130635c1fbea4ef14de51f78b4ae57dd893b62f55208",
        ),
    ] {
        assert_eq!(DigestAlgorithm::Gost34311.digest(message.as_bytes()).as_bytes(), unhex(expected));
    }
}

fn order(set: ParameterSet) -> Vec<u8> {
    match set {
        ParameterSet::Tc26A512 => bytes(<Tc26A512 as Curve>::Scalar::PRIME),
        ParameterSet::Tc26A256 => bytes(<Tc26A256 as Curve>::Scalar::PRIME),
        ParameterSet::CryptoProA => bytes(<CryptoProA as Curve>::Scalar::PRIME),
    }
}

fn prime(set: ParameterSet) -> Vec<u8> {
    match set {
        ParameterSet::Tc26A512 => bytes(<Tc26A512 as Curve>::Base::PRIME),
        ParameterSet::Tc26A256 => bytes(<Tc26A256 as Curve>::Base::PRIME),
        ParameterSet::CryptoProA => bytes(<CryptoProA as Curve>::Base::PRIME),
    }
}

/// A little-endian integer plus a small one.
fn plus(mut integer: Vec<u8>, small: i16) -> Vec<u8> {
    let mut carry = small;
    for byte in &mut integer {
        let sum = i16::from(*byte) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    integer
}

fn key(set: ParameterSet, seed: u8) -> SecretKey {
    let mut scalar: Vec<u8> = (0..set.coordinate_len()).map(|i| seed.wrapping_mul(31).wrapping_add(i as u8)).collect();
    *scalar.last_mut().unwrap() = 0x11;
    SecretKey::from_le_bytes(set, &scalar).unwrap()
}

#[test]
fn components_out_of_range_are_refused() {
    for set in SETS {
        let secret = key(set, 1);
        let public = secret.public_key();
        let digest = vec![7; set.coordinate_len()];
        let signature = secret.sign_digest(&digest, &[9; HEDGE_LEN], GostByteOrder::Kazakh).unwrap();
        let (r, s) = signature.split_at(set.coordinate_len());
        let verify = |r: &[u8], s: &[u8]| public.verify_digest(&digest, &[r, s].concat(), GostByteOrder::Kazakh);
        assert_eq!(verify(r, s), Ok(()));
        let zero = vec![0; set.coordinate_len()];
        let all_ones = vec![0xff; set.coordinate_len()];
        for bad in [&zero, &order(set), &plus(order(set), 1), &prime(set), &all_ones] {
            assert_eq!(verify(bad, s), Err(GostError::ComponentOutOfRange), "r of {set:?}");
            assert_eq!(verify(r, bad), Err(GostError::ComponentOutOfRange), "s of {set:?}");
        }
        assert_eq!(verify(&zero, &zero), Err(GostError::ComponentOutOfRange), "the psychic signature");
        let one = plus(zero.clone(), 1);
        let last = plus(order(set), -1);
        for (r, s) in [(s, r), (&one[..], &one[..]), (&last, &last), (&one, s), (r, &last), (&last, &one)] {
            assert_eq!(verify(r, s), Err(GostError::Mismatch), "{set:?}");
        }
        // The other root: q − s, and q − r.
        let negated = |component: &[u8]| {
            let mut borrow = 0i16;
            order(set)
                .iter()
                .zip(component)
                .map(|(q, c)| {
                    let difference = i16::from(*q) - i16::from(*c) - borrow;
                    borrow = i16::from(difference < 0);
                    u8::try_from(difference & 0xff).unwrap()
                })
                .collect::<Vec<u8>>()
        };
        assert_eq!(verify(r, &negated(s)), Err(GostError::Mismatch));
        assert_eq!(verify(&negated(r), s), Err(GostError::Mismatch));
    }
}

#[test]
fn other_lengths_are_refused() {
    for set in SETS {
        let secret = key(set, 2);
        let public = secret.public_key();
        let len = set.coordinate_len();
        let digest = vec![7; len];
        let signature = secret.sign_digest(&digest, &[9; HEDGE_LEN], GostByteOrder::Kazakh).unwrap();
        for cut in [0, 1, len, 2 * len - 1] {
            assert_eq!(public.verify_digest(&digest, &signature[..cut], GostByteOrder::Kazakh), Err(GostError::Length));
        }
        for padded in [[&signature[..], &[0]].concat(), [&[0], &signature[..]].concat()] {
            assert_eq!(public.verify_digest(&digest, &padded, GostByteOrder::Kazakh), Err(GostError::Length));
        }
        assert_eq!(public.verify_digest(&digest[1..], &signature, GostByteOrder::Kazakh), Err(GostError::Length));
        assert_eq!(secret.sign_digest(&digest[1..], &[0; HEDGE_LEN], GostByteOrder::Kazakh), Err(GostError::Length));
        let point = public.to_point();
        assert_eq!(PublicKey::from_point(set, &point[1..]).unwrap_err(), GostError::Length);
        assert_eq!(PublicKey::from_point(set, &[&[4], &point[..]].concat()).unwrap_err(), GostError::Length);
        assert_eq!(PublicKey::from_point(set, &[]).unwrap_err(), GostError::Length);
        assert_eq!(SecretKey::from_le_bytes(set, &vec![1; len + 1]).unwrap_err(), GostError::Length);
        assert_eq!(SecretKey::from_be_bytes(set, &vec![1; len + 1]).unwrap_err(), GostError::Length);
    }
}

#[test]
fn points_that_are_no_keys_are_refused() {
    for set in SETS {
        let len = set.coordinate_len();
        let point = key(set, 3).public_key().to_point();
        assert_eq!(PublicKey::from_point(set, &point).unwrap().to_point(), point);
        let (x, y) = point.split_at(len);
        let from = |x: &[u8], y: &[u8]| PublicKey::from_point(set, &[x, y].concat()).map(|_| ());
        let zero = vec![0; len];
        assert_eq!(from(&zero, &zero), Err(GostError::NotOnCurve), "how infinity is often written");
        assert_eq!(from(y, x), Err(GostError::NotOnCurve), "swapped");
        assert_eq!(from(&plus(x.to_vec(), 1), y), Err(GostError::NotOnCurve));
        assert_eq!(from(&prime(set), y), Err(GostError::NotOnCurve));
        let big_endian: Vec<u8> = x.iter().rev().copied().collect();
        assert_eq!(from(&big_endian, y), Err(GostError::NotOnCurve));
    }
    // The curve with cofactor four: points on it, of order two and four.
    for (x, y) in [
        ("0100FE73F595FF158E974B44D478D9588744FE5C192AC47EA63075DCE7A14AAA", "00".repeat(32).as_str()),
        (
            "7F7F80C60535007538B45A5D95C39353BC5D80D1F36A9DC0ACE7C5118C2F5977",
            "81817DADF060FEA055E2F0E73EB54604CAE77D8A25C026BDF948B0CB5B71EECA",
        ),
    ] {
        let reversed = |digits: &str| unhex(digits).into_iter().rev().collect::<Vec<u8>>();
        let (x, y) = (reversed(x), reversed(y));
        let on_curve =
            Affine::<Tc26A256>::from_coordinates(Limbs::from_le_bytes(&x).unwrap(), Limbs::from_le_bytes(&y).unwrap());
        assert!(on_curve.is_some());
        let refused = PublicKey::from_point(ParameterSet::Tc26A256, &[x, y].concat());
        assert_eq!(refused.unwrap_err(), GostError::NotOnCurve);
    }
}

#[test]
fn scalars_out_of_range_are_refused() {
    for set in SETS {
        let len = set.coordinate_len();
        for bad in [vec![0; len], order(set), plus(order(set), 1), vec![0xff; len]] {
            assert_eq!(SecretKey::from_le_bytes(set, &bad).unwrap_err(), GostError::ScalarOutOfRange);
        }
        let last = SecretKey::from_le_bytes(set, &plus(order(set), -1)).unwrap().public_key();
        let first = SecretKey::from_be_bytes(set, &[1]).unwrap().public_key();
        assert_eq!(first.to_point()[..len], last.to_point()[..len], "d and q − d have one x");
        assert_ne!(first.to_point()[len..], last.to_point()[len..]);
        assert_eq!(SecretKey::from_be_bytes(set, &[]).unwrap_err(), GostError::ScalarOutOfRange);
    }
}

/// A digest of zero, or of the order, stands for one (RFC 7091 §6.1 step 2).
#[test]
fn a_digest_of_zero_counts_as_one() {
    for set in SETS {
        let secret = key(set, 4);
        let zero = vec![0; set.coordinate_len()];
        let signature = secret.sign_digest(&zero, &[1; HEDGE_LEN], GostByteOrder::Tc26).unwrap();
        for same in [zero.clone(), order(set), plus(zero, 1), plus(order(set), 1)] {
            assert_eq!(secret.public_key().verify_digest(&same, &signature, GostByteOrder::Tc26), Ok(()));
        }
    }
}

/// Keys whose multiples meet in the joint multiplication: Q = G, Q = −G, Q = 2G, Q = q/2·G.
#[test]
fn keys_that_meet_the_generator_verify() {
    for set in SETS {
        let half = {
            let mut half = order(set);
            for i in 0..half.len() {
                let above = half.get(i + 1).copied().unwrap_or(0);
                half[i] = half[i] >> 1 | above << 7;
            }
            half
        };
        let zero = vec![0; set.coordinate_len()];
        for scalar in [plus(zero.clone(), 1), plus(zero.clone(), 2), plus(zero.clone(), 3), plus(order(set), -1), half]
        {
            let secret = SecretKey::from_le_bytes(set, &scalar).unwrap();
            for digest in [plus(zero.clone(), 1), plus(zero.clone(), 2), vec![0x3c; set.coordinate_len()]] {
                let signature = secret.sign_digest(&digest, &[5; HEDGE_LEN], GostByteOrder::Kazakh).unwrap();
                let public = secret.public_key();
                assert_eq!(public.verify_digest(&digest, &signature, GostByteOrder::Kazakh), Ok(()));
                assert_eq!(public.prepare().verify_digest(&digest, &signature, GostByteOrder::Kazakh), Ok(()));
            }
        }
    }
}

/// `z1·G + z2·Q` is infinity when `s = r·d`: there is no x to compare.
#[test]
fn a_sum_at_infinity_is_refused() {
    fn at_infinity<C: Curve>(public: &affine::Key<C>, d: Scalar<C>) {
        let r = Scalar::<C>::reduce(hex_small::<C>(0x1234_5678));
        let s = r * d;
        let digest = vec![0x55; C::Limbs::WORDS * 8];
        let signature = [bytes(r.integer()), bytes(s.integer())].concat();
        assert_eq!(verify::verify_digest(public, &digest, &signature, GostByteOrder::Kazakh), Err(GostError::Mismatch));
    }
    fn hex_small<C: Curve>(word: u64) -> C::Limbs {
        C::Limbs::ZERO.add_word(word).0
    }
    mod affine {
        pub(super) type Key<C> = super::super::curve::Affine<C>;
    }
    fn run<C: Curve>() {
        let d = Scalar::<C>::reduce(hex_small::<C>(0xdead_beef_0000_0001));
        let public = multiply_public(&affine::Key::<C>::generator(), d.integer()).to_affine();
        at_infinity::<C>(&public, d);
    }
    run::<Tc26A512>();
    run::<Tc26A256>();
    run::<CryptoProA>();
}

#[test]
fn nonces_follow_key_digest_and_noise() {
    for set in SETS {
        let (one, other) = (key(set, 5), key(set, 6));
        let digest = vec![1; set.coordinate_len()];
        let sign = |key: &SecretKey, digest: &[u8], hedge: u8| {
            let signature = key.sign_digest(digest, &[hedge; HEDGE_LEN], GostByteOrder::Kazakh).unwrap();
            assert_eq!(key.public_key().verify_digest(digest, &signature, GostByteOrder::Kazakh), Ok(()));
            signature[..set.coordinate_len()].to_vec()
        };
        let r = sign(&one, &digest, 0);
        assert_eq!(r, sign(&one, &digest, 0));
        assert_ne!(r, sign(&one, &digest, 1));
        assert_ne!(r, sign(&other, &digest, 0));
        assert_ne!(r, sign(&one, &plus(digest.clone(), 1), 0));
        // Another seed, and the same one for a key that is opened again.
        assert_ne!(r, sign(&key(set, 5).with_noise(&[1; HEDGE_LEN]), &digest, 0));
        assert_eq!(r, sign(&key(set, 5).with_noise(&[0; HEDGE_LEN]), &digest, 0));
        assert_eq!(r, sign(&one, &digest, 0), "a signature leaves nothing behind");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn signatures_verify_and_any_bit_matters(
        scalar: [[u8; 32]; 2], digest: [[u8; 32]; 2], hedge: [u8; HEDGE_LEN], bit: usize, which in 0..3usize,
    ) {
        for set in SETS {
            let len = set.coordinate_len();
            let mut scalar = scalar.concat()[..len].to_vec();
            scalar[len - 1] &= 0x3f;
            let digest = digest.concat()[..len].to_vec();
            let Ok(secret) = SecretKey::from_le_bytes(set, &scalar) else { continue };
            for order in [GostByteOrder::Kazakh, GostByteOrder::Tc26] {
                let signature = secret.sign_digest(&digest, &hedge, order).unwrap();
                let public = secret.public_key();
                prop_assert_eq!(public.verify_digest(&digest, &signature, order), Ok(()));
                let flip = |octets: &[u8]| {
                    let mut octets = octets.to_vec();
                    let at = bit % (octets.len() * 8);
                    octets[at / 8] ^= 1 << (at % 8);
                    octets
                };
                match which {
                    0 => prop_assert!(public.verify_digest(&flip(&digest), &signature, order).is_err()),
                    1 => prop_assert!(public.verify_digest(&digest, &flip(&signature), order).is_err()),
                    _ => prop_assert!(PublicKey::from_point(set, &flip(&public.to_point()))
                        .map_or(true, |key| key.verify_digest(&digest, &signature, order).is_err())),
                }
                let prepared = public.prepare();
                prop_assert_eq!(prepared.verify_digest(&digest, &signature, order), Ok(()));
                prop_assert!(prepared.verify_digest(&digest, &flip(&signature), order).is_err());
                prop_assert!(prepared.verify_digest(&flip(&digest), &signature, order).is_err());
                let mut reversed = signature.clone();
                reversed.reverse();
                prop_assert!(public.verify_digest(&digest, &reversed, order).is_err());
            }
        }
    }
}

/// RFC 9215 §B.2: the certificate of the example on id-tc26-gost-3410-2012-256-paramSetA.
#[test]
fn example_certificate_verifies() {
    let certificate = unhex(concat!(
        "30820125 3081d3a0 03020102 02010a30 0a06082a 85030701 01030230 12311030 0e060355 04031307 4578616d",
        "706c6530 20170d30 31303130 31303030 3030305a 180f3230 35303132 33313030 30303030 5a301231 10300e06",
        "03550403 13074578 616d706c 65305e30 1706082a 85030701 01010130 0b06092a 85030701 02010101 03430004",
        "40742795 d4bee884 ddf2850f ec03ea3f af1844e0 1d9da60b 645093a5 5e26dfc3 9978f596 cf4d4d0c 6cf1d189",
        "43d94493 d16b9ec0 a16d512d 2e127cc4 691a6318 e2a31330 11300f06 03551d13 0101ff04 05300301 01ff300a",
        "06082a85 03070101 03020341 00140b4d a9124b09 cb0d5ce9 28ee8742 73a31012 9492ec0e 29369e3b 79124857",
        "8c1d0e1d a5be347c 6f1b5256 c7aeac20 0ad64ac7 7a6f5b3a 0e097318 e7ae6ee7 69",
    ));
    let (tbs, spki, signature) = parts(&certificate);
    let key = crate::crypto::PublicKey::from_spki(spki).unwrap();
    assert_eq!(key.name(), "GOST R 34.10-2012-256");
    let algorithm = SignatureAlgorithm::Gost2015 { digest: DigestAlgorithm::Streebog256, order: GostByteOrder::Tc26 };
    assert_eq!(key.verify(&algorithm, tbs, signature), Ok(()));
    assert_eq!(key.verify(&algorithm, &tbs[1..], signature), Err(SignatureError::Invalid));
    let kazakh = SignatureAlgorithm::Gost2015 { digest: DigestAlgorithm::Streebog256, order: GostByteOrder::Kazakh };
    assert_eq!(key.verify(&kazakh, tbs, signature), Err(SignatureError::KeyMismatch));
    assert_eq!(key.verify(&SignatureAlgorithm::Gost2004, tbs, signature), Err(SignatureError::KeyMismatch));
}

/// tbsCertificate, subjectPublicKeyInfo and signature of a certificate.
fn parts(certificate: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let mut outer = Reader::der(certificate).sequence().unwrap();
    let tbs = outer.expect(Tag::SEQUENCE).unwrap();
    let mut fields = tbs.reader().unwrap();
    for _ in 0..6 {
        fields.element().unwrap();
    }
    let spki = fields.element().unwrap().raw;
    outer.element().unwrap();
    (tbs.raw, spki, outer.element().unwrap().bit_string_octets().unwrap())
}

fn spki(key: &str, parameters: &[&str], octets: &[u8]) -> Vec<u8> {
    let oid = |dotted: &str| der::Encode::to_der(&der::asn1::ObjectIdentifier::new_unwrap(dotted)).unwrap();
    let wrap = |tag: u8, body: Vec<u8>| {
        let mut out = vec![tag];
        match body.len() {
            len @ 0..=0x7f => out.push(len as u8),
            len => out.extend([0x81, len as u8]),
        }
        out.extend(body);
        out
    };
    let parameters = wrap(0x30, parameters.iter().flat_map(|dotted| oid(dotted)).collect());
    let identifier = wrap(0x30, [oid(key), parameters].concat());
    let bits = wrap(3, [vec![0], wrap(4, octets.to_vec())].concat());
    wrap(0x30, [identifier, bits].concat())
}

#[test]
fn parameter_sets_of_tests_and_of_others_are_refused_by_name() {
    const KEY: &str = "1.2.398.3.10.1.1.2.2";
    const SET: &str = "1.2.398.3.10.1.1.2.2.1";
    const DIGEST: &str = "1.2.398.3.10.1.3.3";
    let point = key(ParameterSet::Tc26A512, 8).public_key().to_point();
    let from = |key: &str, parameters: &[&str]| {
        crate::crypto::PublicKey::from_spki(&spki(key, parameters, &point)).map(|key| key.name())
    };
    assert_eq!(from(KEY, &[SET, DIGEST]), Ok("GOST 34.10-2015-512".into()));
    assert_eq!(from(KEY, &[SET]), Ok("GOST 34.10-2015-512".into()));
    assert_eq!(from("1.2.643.7.1.1.1.2", &["1.2.643.7.1.2.1.2.1"]), Ok("GOST R 34.10-2012-512".into()));
    for (key, parameters) in [
        // id-tc26-gost-3410-2012-512-paramSetTest, and the set of the other country.
        ("1.2.643.7.1.1.1.2", &["1.2.643.7.1.2.1.2.0"][..]),
        (KEY, &["1.2.643.7.1.2.1.2.1", DIGEST]),
        (KEY, &[SET, "1.2.398.3.10.1.3.2"]),
        (KEY, &["1.2.398.3.10.1.1.2.1.1", DIGEST]),
    ] {
        assert!(matches!(from(key, parameters), Err(KeyError::NotAllowed(_))), "{key} {parameters:?}");
    }
    for (key, parameters) in [
        (KEY, &[][..]),
        (KEY, &[SET, DIGEST, DIGEST]),
        // A point of 512 bits under a key of 256.
        ("1.2.398.3.10.1.1.2.1", &["1.2.398.3.10.1.1.2.1.1"]),
    ] {
        assert_eq!(from(key, parameters), Err(KeyError::Malformed), "{key} {parameters:?}");
    }
}

#[test]
fn private_keys_open_in_each_of_their_encodings() {
    let scalar: Vec<u8> = (1..=32).collect();
    let big: Vec<u8> = scalar.iter().rev().copied().collect();
    let identifier = |key: &[u8], set: &[u8]| {
        let parameters = [&[0x30, set.len() as u8 + 2, 6, set.len() as u8][..], set].concat();
        [&[0x30, (key.len() + 2 + parameters.len()) as u8, 6, key.len() as u8][..], key, &parameters].concat()
    };
    let pkcs8 = |identifier: &[u8], inner: &[u8]| {
        let body = [&[2, 1, 0][..], identifier, &[4, inner.len() as u8], inner].concat();
        [&[0x30, body.len() as u8][..], &body].concat()
    };
    let kazakh = |arc: u8| oid_bytes(&format!("1.2.398.3.10.1.1.{arc}.1"));
    let set = |arc: u8| oid_bytes(&format!("1.2.398.3.10.1.1.{arc}.1.1"));
    for (arc, inner, parameters) in [
        (2, [&[4, 32][..], &scalar].concat(), ParameterSet::Tc26A256),
        (2, scalar.clone(), ParameterSet::Tc26A256),
        (1, [&[2, 32][..], &big].concat(), ParameterSet::CryptoProA),
    ] {
        let key = crate::crypto::PrivateKey::from_pkcs8(&pkcs8(&identifier(&kazakh(arc), &set(arc)), &inner)).unwrap();
        let point = SecretKey::from_le_bytes(parameters, &scalar).unwrap().public_key().to_point();
        assert!(key.spki().ends_with(&point));
        assert!(key.matches(&crate::crypto::PublicKey::from_spki(key.spki()).unwrap()));
        let value = key.sign(&key.default_algorithm(), b"message").unwrap();
        assert_ne!(value, key.sign(&key.default_algorithm(), b"message").unwrap(), "nonces are hedged");
    }
    for inner in [&[2, 1, 0][..], &[2, 1, 0xff], &[4, 1, 1], &[5, 0], &[]] {
        let refused = crate::crypto::PrivateKey::from_pkcs8(&pkcs8(&identifier(&kazakh(1), &set(1)), inner));
        assert_eq!(refused.unwrap_err(), PrivateKeyError::Rejected);
    }
}

fn oid_bytes(dotted: &str) -> Vec<u8> {
    der::asn1::ObjectIdentifier::new_unwrap(dotted).as_bytes().to_vec()
}
