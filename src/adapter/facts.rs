//! What an installation knows when it judges: anchors, intermediates, revocation data, policies.
//!
//! *Invariant:* a judgement sees one set of facts from beginning to end, whatever is replaced meanwhile.

use crate::{
    adapter::asking::Asking,
    adapter::revocation_store::RevocationStore,
    adapter::signature_cache::KnownSignatures,
    pki::{Certificate, RevocationList},
    port::Clock,
    report::{Time, ValidationReport},
    service::{HitRate, Question, Verification},
    verify::{VerificationInputs, certificate::ValidationContext, policy::Policy, verify},
};
use std::sync::{Arc, PoisonError, RwLock};

/// Facts for judging, and the room that judges.
pub struct Facts {
    clock: Arc<dyn Clock>,
    anchors: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    policies: Vec<Policy>,
    lists: RwLock<Arc<[Arc<dyn RevocationList>]>>,
    store: Option<Arc<RevocationStore>>,
    asking: Option<Asking>,
    signatures: KnownSignatures,
}

/// A verdict about an earlier moment than this many seconds ago asks nobody: a responder speaks of now.
const PRESENT_SECONDS: i64 = 300;

impl Facts {
    /// Facts without revocation data.
    pub fn new(
        clock: Arc<dyn Clock>,
        anchors: Vec<Certificate>,
        intermediates: Vec<Certificate>,
        policies: Vec<Policy>,
    ) -> Facts {
        Facts {
            clock,
            anchors,
            intermediates,
            policies,
            lists: RwLock::new(Arc::new([])),
            store: None,
            asking: None,
            signatures: KnownSignatures::default(),
        }
    }

    /// Puts these lists in the place of the ones before.
    pub fn replace_lists(&self, lists: Vec<Arc<dyn RevocationList>>) {
        *self.lists.write().unwrap_or_else(PoisonError::into_inner) = lists.into();
    }

    /// The same facts, and whatever lists a store has in force at the time of a judgement.
    #[must_use]
    pub fn with_store(self, store: Arc<RevocationStore>) -> Facts {
        Facts { store: Some(store), ..self }
    }

    /// The same facts, and what the network answers where they leave something open.
    #[must_use]
    pub fn with_network(self, asking: Asking) -> Facts {
        Facts { asking: Some(asking), ..self }
    }

    /// The trust anchors.
    pub fn anchors(&self) -> &[Certificate] {
        &self.anchors
    }

    /// How many lists are current, and how many there are.
    pub fn current_lists(&self, at: Time) -> (usize, usize) {
        let lists = self.lists();
        (lists.iter().filter(|list| list.scope().is_current_at(at)).count(), lists.len())
    }

    fn lists(&self) -> Arc<[Arc<dyn RevocationList>]> {
        let given = Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner));
        let Some(store) = &self.store else { return given };
        let stored = store.lists();
        let stored = stored.iter().map(|list| Arc::clone(list) as Arc<dyn RevocationList>);
        given.iter().cloned().chain(stored).collect()
    }
}

impl Verification for Facts {
    fn policy(&self, id: &str) -> Option<Policy> {
        self.policies.iter().find(|policy| policy.id == id).cloned().or_else(|| Policy::built_in(id))
    }

    fn verify(&self, question: &Question<'_>) -> ValidationReport {
        let (lists, now) = (self.lists(), self.clock.now());
        let inputs = VerificationInputs {
            report_id: question.report_id,
            at: question.at,
            received_at: question.received_at,
            document: question.document,
            format: question.format,
            content: question.content,
            declared: question.declared.clone(),
            service: question.service,
            policy: question.policy,
            context: ValidationContext {
                trust_anchors: &self.anchors,
                intermediates: &self.intermediates,
                lists: &lists,
                now: Some(now),
                cache: Some(&self.signatures),
                ..ValidationContext::default()
            },
        };
        match &self.asking {
            Some(asking) if question.at >= now.plus_seconds(-PRESENT_SECONDS) => asking.verify(&inputs),
            _ => verify(&inputs),
        }
    }

    fn may_wait(&self) -> bool {
        self.asking.is_some()
    }

    fn hit_rates(&self) -> Vec<(&'static str, HitRate)> {
        vec![("signature", self.signatures.signature_hits()), ("certificate", self.signatures.certificate_hits())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration::{Holder, Key, KeyKind, RevokedEntry, World};
    use crate::pki::Crl;
    use crate::report::Decision;
    use crate::service::signing::{SigningOrder, sign_cms};
    use crate::stamp::Encapsulation;
    use crate::verify::DeclaredApplicant;
    use std::sync::atomic::{AtomicI64, Ordering};

    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> Time {
            Time::from_unix(self.0.load(Ordering::Relaxed))
        }
    }

    fn list(der: Vec<u8>) -> Arc<dyn RevocationList> {
        Arc::new(Crl::parse(&der).unwrap())
    }

    /// Attack 33: whatever is remembered, time, revocation and policy are judged anew.
    #[test]
    fn a_revocation_that_arrives_now_refuses_the_very_next_request() {
        let world = World::new("2026-11-22T02:00:00Z".parse().unwrap(), KeyKind::P256).unwrap();
        let key = Key::cached(KeyKind::P256, "applicant").unwrap();
        let signer = world.authority.issue(&world.template(&Holder::person(), key.spki()), key).unwrap();
        let certificate = Certificate::parse(&signer.certificate).unwrap();
        let order = SigningOrder {
            content: b"request",
            encapsulation: Encapsulation::Attached,
            certificate: &certificate,
            chain: std::slice::from_ref(&world.authority.certificate),
            at: world.at,
        };
        let document = sign_cms(&order, signer.key.private()).unwrap().document;
        let clock = Arc::new(Hands(AtomicI64::new(world.at.unix())));
        let anchors = vec![Certificate::parse(&world.root.certificate).unwrap()];
        let facts = Facts::new(Arc::clone(&clock) as _, anchors, Vec::new(), Vec::new());
        let (of_root, of_authority) = (world.crl().issue(&world.root).unwrap(), world.crl().issue(&world.authority));
        facts.replace_lists(vec![list(of_root.clone()), list(of_authority.unwrap())]);
        let verdict = |policy: &Policy| {
            let report = facts.verify(&Question {
                report_id: "0",
                at: clock.now(),
                received_at: Some(clock.now()),
                document: &document,
                format: None,
                content: None,
                declared: DeclaredApplicant::default(),
                service: None,
                policy,
            });
            (report.decision, report.refusal.map(|refusal| refusal.code))
        };
        let policy = Policy::default();
        for _ in 0..3 {
            assert_eq!(verdict(&policy), (Decision::Accepted, None));
        }
        let rates = facts.hit_rates();
        assert!(rates.iter().all(|(_, rate)| rate.hits > rate.misses), "the caches are warm: {rates:?}");

        let stricter = Policy {
            algorithms: vec![crate::verify::policy::AlgorithmEnd { name: "P-256".to_owned(), until: None }],
            ..Policy::default()
        };
        assert_eq!(verdict(&stricter), (Decision::Refused, Some("sav-algorithm-not-allowed".to_owned())));

        let entry = RevokedEntry::new(&signer.serial_number, world.at).reason(1);
        let revoking = world.crl().revoke(entry).issue(&world.authority).unwrap();
        facts.replace_lists(vec![list(of_root.clone()), list(revoking)]);
        assert_eq!(verdict(&policy), (Decision::Refused, Some("rev-revoked".to_owned())));

        // The issuer takes it back, and then the certificate ends.
        facts.replace_lists(vec![list(of_root), list(world.crl().issue(&world.authority).unwrap())]);
        assert_eq!(verdict(&policy), (Decision::Accepted, None));
        clock.0.store(certificate.not_after().plus_seconds(1).unix(), Ordering::Relaxed);
        assert_eq!(verdict(&policy), (Decision::Refused, Some("xcv-expired".to_owned())));
    }
}
