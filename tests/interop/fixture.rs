//! The world of these tests, and our verdict on a document in it.

use std::collections::BTreeSet;
use tamga::demonstration::{Credential, Holder, KeyKind, World};
use tamga::pki::Certificate;
use tamga::report::{CheckId, Outcome, Time, ValidationReport};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

/// What the signature itself decides; path and revocation have tests of their own.
const SIGNATURE_CHECKS: [CheckId; 6] = [
    CheckId::DocumentFormat,
    CheckId::SigningCertificate,
    CheckId::ContentDigest,
    CheckId::SignatureValue,
    CheckId::SignedAttributes,
    CheckId::Algorithms,
];

pub fn moment() -> Time {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

/// A world over keys of one kind, and signers in it.
pub struct Fixture {
    pub world: World,
    pub signer: Credential,
    pub other: Credential,
}

impl Fixture {
    pub fn new(kind: KeyKind) -> Fixture {
        Fixture::at(kind, moment())
    }

    /// A world of today: openssl claims the signing time of its clock.
    pub fn today(kind: KeyKind) -> Fixture {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Fixture::at(kind, Time::from_unix(i64::try_from(since.as_secs()).unwrap()))
    }

    fn at(kind: KeyKind, at: Time) -> Fixture {
        let world = World::new(at, KeyKind::P256).unwrap();
        let signer = world.holder(&Holder::person(), kind).unwrap();
        let other = world.holder(&Holder::first_head(), kind).unwrap();
        Fixture { world, signer, other }
    }

    /// A second certificate over the first signer's key.
    pub fn same_key_other_name(&self) -> Credential {
        let key = std::sync::Arc::clone(&self.signer.key);
        self.world.authority.issue(&self.world.template(&Holder::first_head(), key.spki()), key).unwrap()
    }

    /// A certificate over a SubjectPublicKeyInfo of any content.
    pub fn certificate_over(&self, spki: &[u8]) -> Vec<u8> {
        self.world.template(&Holder::person(), spki).issue(&self.world.authority).unwrap()
    }

    /// Our verdict with everything at hand that the peer is given too.
    pub fn judge(&self, document: &[u8], content: Option<&[u8]>) -> Verdict {
        let certificates = |ders: &[&Vec<u8>]| -> Vec<Certificate> {
            ders.iter().map(|der| Certificate::parse(der).unwrap()).collect()
        };
        let intermediates =
            certificates(&[&self.world.authority.certificate, &self.signer.certificate, &self.other.certificate]);
        self.judge_with(document, content, &intermediates)
    }

    /// Our verdict when only what the document carries is at hand.
    pub fn judge_alone(&self, document: &[u8], content: Option<&[u8]>) -> Verdict {
        self.judge_with(document, content, &[])
    }

    fn judge_with(&self, document: &[u8], content: Option<&[u8]>, intermediates: &[Certificate]) -> Verdict {
        let anchors = [Certificate::parse(&self.world.root.certificate).unwrap()];
        judge(document, content, &anchors, intermediates, self.world.at.plus_seconds(120))
    }
}

fn judge(
    document: &[u8],
    content: Option<&[u8]>,
    anchors: &[Certificate],
    intermediates: &[Certificate],
    at: Time,
) -> Verdict {
    let policy = Policy::built_in("signature").unwrap();
    let report = verify(&VerificationInputs {
        report_id: "test",
        at,
        document,
        format: Some(tamga::format::Format::Cms),
        content,
        declared: DeclaredApplicant::default(),
        service: None,
        policy: &policy,
        context: ValidationContext { trust_anchors: anchors, intermediates, ..ValidationContext::default() },
    });
    Verdict { report }
}

/// Our verdict on a document, as far as the signature decides it.
pub struct Verdict {
    pub report: ValidationReport,
}

impl Verdict {
    pub fn holds(&self) -> bool {
        !self.report.signatures.is_empty() && self.codes().is_empty()
    }

    /// The codes of everything that stands against the signatures.
    pub fn codes(&self) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        if self.report.signatures.is_empty() {
            codes.extend(self.report.refusal.iter().map(|refusal| refusal.code.clone()));
        }
        for signature in &self.report.signatures {
            for check in SIGNATURE_CHECKS {
                match signature.checks.outcome(check) {
                    Outcome::Passed | Outcome::Warned(_) => {}
                    Outcome::Failed(reason) => {
                        codes.insert(reason.code().to_owned());
                    }
                    Outcome::NotEvaluated => {
                        codes.insert(format!("not-evaluated {}", check.as_str()));
                    }
                }
            }
        }
        codes
    }

    /// Whether it is refused, and with this code among the reasons.
    pub fn refused_with(&self, code: &str) -> bool {
        !self.holds() && self.codes().contains(code)
    }

    /// Who signed what, when: what no altered octet outside the signed parts may change.
    pub fn who_signed_what(&self) -> Vec<(Option<String>, Option<Time>, Option<String>)> {
        let content = self.report.document.content_digest.clone();
        let signer = |s: &tamga::report::SignatureReport| s.signer.as_ref().map(|s| s.certificate_digest.clone());
        self.report.signatures.iter().map(|s| (signer(s), s.claimed_signing_time, content.clone())).collect()
    }
}
