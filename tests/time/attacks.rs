//! Attack 28 in all its forms: each is refused with its code, and no time comes out of it.

use crate::scene::{Scene, Token, certificate, failure, first_token, moment, signature_value, stamped};
use tamga::asn1::Tag;
use tamga::crypto::DigestAlgorithm;
use tamga::demonstration::{Credential, Key, KeyKind, Validity, extension};
use tamga::pki::extension::{id, purpose};
use tamga::pki::timestamp::CertificateRequested;
use tamga::report::{Decision, Time, TimestampOutcome};
use tamga::verify::policy::Severity;

struct Attack {
    scene: Scene,
    document: Vec<u8>,
    value: Vec<u8>,
}

impl Attack {
    fn new() -> Attack {
        let scene = Scene::new(moment(), KeyKind::P256);
        let document = scene.signed(b"a request");
        let value = signature_value(&document);
        Attack { scene, document, value }
    }

    fn before(&self) -> Time {
        moment().plus_seconds(-3600)
    }

    fn genuine(&self) -> Vec<u8> {
        self.scene.token(&self.value, self.before())
    }

    /// The token is refused as invalid with this code, the document with it, and the time stays now.
    fn refused(&self, token: &[u8], code: &str) {
        let report = self.scene.verify(&stamped(&self.document, token), moment(), Severity::Warn);
        assert_eq!(first_token(&report).code.as_deref(), Some(code));
        assert_eq!(first_token(&report).outcome, TimestampOutcome::Invalid, "{code}");
        assert_eq!(failure(&report), Some(code));
        assert_eq!((report.decision, report.best_signature_time), (Decision::Refused, moment()), "{code}");
        assert_eq!(report.signatures[0].level, "B");
    }

    /// The token is intact, its authority is not confirmed: nothing moves, and a strict policy refuses.
    fn unconfirmed(&self, token: &[u8], code: &str) {
        let document = stamped(&self.document, token);
        let report = self.scene.verify(&document, moment(), Severity::Warn);
        assert_eq!(first_token(&report).code.as_deref(), Some(code));
        assert_eq!(first_token(&report).outcome, TimestampOutcome::Unconfirmed, "{code}");
        assert_eq!((failure(&report), report.best_signature_time), (None, moment()), "{code}");
        assert_eq!(report.signatures[0].level, "B");
        let strict = self.scene.verify(&document, moment(), Severity::Refuse);
        assert_eq!(failure(&strict), Some(code));
        assert_ne!(strict.decision, Decision::Accepted);
    }

    fn by(&self, authority: &Credential) -> Vec<u8> {
        self.scene.token_of(authority, &self.value, self.before())
    }
}

#[test]
fn the_token_that_the_others_are_made_from_is_intact() {
    let attack = Attack::new();
    let report = attack.scene.verify(&stamped(&attack.document, &attack.genuine()), moment(), Severity::Warn);
    let token = first_token(&report);
    assert_ne!(token.outcome, TimestampOutcome::Invalid, "{:?}", token.code);
    assert_eq!(token.gen_time, Some(attack.before()));
    assert_eq!(token.policy.as_deref(), Some("1.2.398.3.3.2.6.4"));
    assert_eq!(token.serial_number.as_deref(), Some("010203"));
    assert!(token.authority.as_deref().unwrap().contains("TIME-STAMPING AUTHORITY"));
}

#[test]
fn a_token_of_another_signature_is_refused() {
    let attack = Attack::new();
    let other = attack.scene.signed(b"another request");
    let token = attack.scene.token(&signature_value(&other), attack.before());
    attack.refused(&token, "tsp-imprint-mismatch");
}

#[test]
fn a_token_over_the_wrong_octets_is_refused() {
    let attack = Attack::new();
    // Over the content, over the digest of the value, over nothing.
    for octets in [&b"a request"[..], DigestAlgorithm::Sha256.digest(&attack.value).as_bytes(), b""] {
        attack.refused(&attack.scene.token(octets, attack.before()), "tsp-imprint-mismatch");
    }
}

#[test]
fn a_token_with_a_weak_imprint_is_refused() {
    let attack = Attack::new();
    let mut token = Token::new(&attack.value, attack.before());
    token.imprint = DigestAlgorithm::Sha1.digest(&attack.value);
    attack.refused(&token.made_by(&attack.scene.authority, &attack.scene.world), "tsp-algorithm-not-allowed");
}

#[test]
fn a_token_with_an_altered_time_is_refused() {
    let attack = Attack::new();
    let mut token = attack.genuine();
    let text = b"20261122010000Z";
    let at = token.windows(text.len()).position(|window| window == text).unwrap();
    token[at + 3] = b'5';
    attack.refused(&token, "tsp-signature-invalid");
}

#[test]
fn a_token_with_an_altered_signature_is_refused() {
    let attack = Attack::new();
    let mut token = attack.genuine();
    *token.last_mut().unwrap() ^= 1;
    attack.refused(&token, "tsp-signature-invalid");
}

#[test]
fn an_authority_without_the_one_critical_purpose_is_refused() {
    let attack = Attack::new();
    let rows: [(&str, Vec<_>); 3] = [
        ("another purpose", vec![purpose::EMAIL_PROTECTION]),
        ("two purposes", vec![purpose::TIME_STAMPING, purpose::EMAIL_PROTECTION]),
        ("any purpose", vec![purpose::ANY]),
    ];
    for (_, purposes) in rows {
        let authority =
            attack.scene.other_authority(|template| template.with(extension::extended_key_usage(&purposes).critical()));
        attack.refused(&attack.by(&authority), "tsp-extended-key-usage");
    }
    let not_critical =
        attack.scene.other_authority(|t| t.with(extension::extended_key_usage(&[purpose::TIME_STAMPING])));
    attack.refused(&attack.by(&not_critical), "tsp-extended-key-usage");
    let absent = attack.scene.other_authority(|t| t.without(id::EXTENDED_KEY_USAGE));
    attack.refused(&attack.by(&absent), "tsp-extended-key-usage");
}

#[test]
fn a_signer_who_stamps_his_own_signature_is_refused() {
    let attack = Attack::new();
    attack.refused(&attack.by(&attack.scene.signer), "tsp-extended-key-usage");
}

/// CVE-2025-52556: a certificate out of the token, without a path to anything trusted.
#[test]
fn a_token_whose_certificate_has_no_path_proves_nothing() {
    let attack = Attack::new();
    let key = Key::cached(KeyKind::P256, "a stranger").unwrap();
    let template = attack.scene.world.timestamp_template(key.spki());
    let stranger = Credential::root(&template, key).unwrap();
    attack.unconfirmed(&attack.by(&stranger), "tsp-no-path");
}

#[test]
fn a_token_without_its_certificate_proves_nothing() {
    let attack = Attack::new();
    let mut token = Token::new(&attack.value, attack.before());
    token.certificate = CertificateRequested::No;
    attack.unconfirmed(&token.made_by(&attack.scene.authority, &attack.scene.world), "tsp-certificate-missing");
}

/// The same key, issuer and serial number in another certificate: the signed reference tells them apart.
#[test]
fn a_substituted_certificate_is_refused() {
    let attack = Attack::new();
    let token = attack.genuine();
    let genuine = attack.scene.authority.certificate.clone();
    let number = certificate(&attack.scene.authority).serial_number().to_vec();
    // One day longer: as many octets.
    let longer =
        attack.scene.other_authority(|t| t.validity(Validity::around(moment(), 365, 731)).serial_number(&number));
    let at = token.windows(genuine.len()).position(|window| window == genuine).unwrap();
    if longer.certificate.len() == genuine.len() {
        let token = [&token[..at], &longer.certificate, &token[at + genuine.len()..]].concat();
        attack.refused(&token, "tsp-certificate-reference-mismatch");
    } else {
        // An ECDSA value is now and then an octet shorter: the frame's lengths would not hold. Make it again.
        a_substituted_certificate_is_refused();
    }
}

#[test]
fn a_token_of_the_future_is_refused() {
    let attack = Attack::new();
    let token = attack.scene.token(&attack.value, moment().plus_seconds(301));
    attack.refused(&token, "tsp-time-implausible");
    let within_skew = attack.scene.token(&attack.value, moment().plus_seconds(300));
    let report = attack.scene.verify(&stamped(&attack.document, &within_skew), moment(), Severity::Warn);
    assert_ne!(first_token(&report).outcome, TimestampOutcome::Invalid);
    assert_eq!(report.best_signature_time, moment(), "never later than now");
}

#[test]
fn a_time_outside_the_authoritys_validity_is_refused() {
    let attack = Attack::new();
    let too_early = moment().plus_seconds(-366 * Validity::DAY);
    attack.refused(&attack.scene.token(&attack.value, too_early), "tsp-outside-validity");
}

#[test]
fn what_is_not_one_token_is_refused() {
    let attack = Attack::new();
    let token = attack.genuine();
    // A signed document in the place of a token.
    attack.refused(&attack.document, "tsp-malformed");
    // Anything else that is an element.
    attack.refused(&[Tag::SEQUENCE.0, 0], "tsp-malformed");
    attack.refused(&[Tag::NULL.0, 0], "tsp-malformed");
    // Two tokens in one frame.
    let doubled = crate::scene::with_repeated_signer(&token);
    attack.refused(&doubled, "tsp-malformed");
}

/// A good token beside a broken one does not hide it.
#[test]
fn a_broken_token_beside_a_good_one_is_refused() {
    let attack = Attack::new();
    let other = attack.scene.token(b"other octets", attack.before());
    let document = stamped(&stamped(&attack.document, &attack.genuine()), &other);
    let report = attack.scene.verify(&document, moment(), Severity::Warn);
    assert_eq!(report.signatures[0].timestamps.len(), 2);
    assert_eq!(failure(&report), Some("tsp-imprint-mismatch"));
    assert_eq!(report.decision, Decision::Refused);
}

/// Extending keeps the signature: nothing that it covers has moved.
#[test]
fn extending_keeps_every_signed_octet() {
    let attack = Attack::new();
    let extended = stamped(&attack.document, &attack.genuine());
    let before = attack.scene.verify(&attack.document, moment(), Severity::Warn);
    let after = attack.scene.verify(&extended, moment(), Severity::Warn);
    for check in [tamga::report::CheckId::ContentDigest, tamga::report::CheckId::SignatureValue] {
        assert_eq!(before.signatures[0].checks.outcome(check), after.signatures[0].checks.outcome(check));
        assert_eq!(after.signatures[0].checks.outcome(check), &tamga::report::Outcome::Passed);
    }
}
