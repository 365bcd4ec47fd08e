//! The world of these tests, and our verdict on a document in it.

use std::collections::BTreeSet;
use std::sync::Arc;
use tamga::demonstration::{Credential, Holder, KeyKind, World};
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::report::{Decision, Time, ValidationReport};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

pub fn moment() -> Time {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

/// A world over keys of one kind, and signers in it.
pub struct Fixture {
    pub world: World,
    pub signer: Credential,
    pub other: Credential,
    anchors: [Certificate; 1],
    lists: Vec<Arc<dyn RevocationList>>,
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
        let anchors = [Certificate::parse(&world.root.certificate).unwrap()];
        let list = |der: &Vec<u8>| Arc::new(Crl::parse(der).unwrap()) as Arc<dyn RevocationList>;
        let lists = world.crls().unwrap().iter().map(list).collect();
        Fixture { world, signer, other, anchors, lists }
    }

    /// A second certificate over the first signer's key.
    pub fn same_key_other_name(&self) -> Credential {
        let key = Arc::clone(&self.signer.key);
        self.world.authority.issue(&self.world.template(&Holder::first_head(), key.spki()), key).unwrap()
    }

    /// A certificate over a SubjectPublicKeyInfo of any content.
    pub fn certificate_over(&self, spki: &[u8]) -> Vec<u8> {
        self.world.template(&Holder::person(), spki).issue(&self.world.authority).unwrap()
    }

    /// Our verdict with everything at hand that the peer is given too.
    pub fn judge(&self, document: &[u8], content: Option<&[u8]>) -> Verdict {
        self.judge_with(document, content, &[&self.world.authority, &self.signer, &self.other])
    }

    /// Our verdict when the signer's certificate has to be in the document.
    pub fn judge_alone(&self, document: &[u8], content: Option<&[u8]>) -> Verdict {
        self.judge_with(document, content, &[&self.world.authority])
    }

    fn judge_with(&self, document: &[u8], content: Option<&[u8]>, at_hand: &[&Credential]) -> Verdict {
        let policy = Policy::built_in("signature").unwrap();
        let intermediates: Vec<Certificate> =
            at_hand.iter().map(|credential| Certificate::parse(&credential.certificate).unwrap()).collect();
        let report = verify(&VerificationInputs {
            report_id: "test",
            at: self.world.at.plus_seconds(120),
            received_at: None,
            document,
            format: Some(tamga::format::Format::Cms),
            content,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &policy,
            context: ValidationContext {
                trust_anchors: &self.anchors,
                intermediates: &intermediates,
                lists: &self.lists,
                ..ValidationContext::default()
            },
        });
        Verdict { report }
    }
}

/// Our verdict on a document.
pub struct Verdict {
    pub report: ValidationReport,
}

impl Verdict {
    pub fn holds(&self) -> bool {
        self.report.decision == Decision::Accepted
    }

    /// The codes of everything that stands against the document.
    pub fn codes(&self) -> BTreeSet<&str> {
        let failures = self.report.signatures.iter().flat_map(|signature| signature.checks.iter());
        let failures = failures.filter_map(|(_, outcome)| outcome.failure()).map(|reason| reason.code());
        failures.chain(self.report.refusal.iter().map(|refusal| refusal.code.as_str())).collect()
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
