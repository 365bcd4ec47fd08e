//! What an installation knows when it judges: anchors, intermediates, revocation data, policies.
//!
//! *Invariant:* a judgement sees one set of facts from beginning to end, whatever is replaced meanwhile.

use crate::{
    adapter::asking::{Asking, Gathered},
    adapter::revocation_store::RevocationStore,
    adapter::signature_cache::KnownSignatures,
    crypto::Digest,
    pki::{Certificate, RevocationList},
    port::{Clock, EvidenceKind, EvidenceObject, FactsRecord, GatheredFacts, SilentSource},
    report::{SOFTWARE, Time, ValidationReport},
    service::{HitRate, Question, VerdictWithFacts, Verification, extension::Evidence},
    verify::{VerificationInputs, certificate::ValidationContext, policy::Policy, verify},
};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Policies of which the facts are remembered: the built-in ones and some files.
const MAX_POLICIES: usize = 32;

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
    records: Mutex<Vec<Record>>,
}

/// Facts of verdicts under one policy, as long as the lists are these.
struct Record {
    policy: Policy,
    lists: Vec<Digest>,
    facts: Arc<GatheredFacts>,
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
            records: Mutex::default(),
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

impl Facts {
    /// The facts at hand, ready to be kept; the same value for as long as nothing of them changes.
    fn record(&self, lists: &[Arc<dyn RevocationList>], policy: &Policy) -> Option<Arc<GatheredFacts>> {
        let known = || self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let digests: Vec<Digest> = lists.iter().map(|list| list.scope().digest).collect();
        if let Some(found) = known().iter().find(|known| known.policy == *policy && known.lists == digests) {
            return Some(Arc::clone(&found.facts));
        }
        let facts = Arc::new(self.record_with(lists, policy, &Gathered::default())?);
        let mut known = known();
        known.retain(|known| known.policy != *policy);
        // One for each policy in use; the one used longest goes.
        if known.len() >= MAX_POLICIES {
            known.remove(0);
        }
        known.push(Record { policy: policy.clone(), lists: digests, facts: Arc::clone(&facts) });
        Some(facts)
    }

    /// The facts at hand and what the network said for one verdict.
    fn record_with(
        &self,
        lists: &[Arc<dyn RevocationList>],
        policy: &Policy,
        gathered: &Gathered,
    ) -> Option<GatheredFacts> {
        let policy = EvidenceObject::new(EvidenceKind::Policy, serde_json::to_vec(policy).ok()?);
        let certificate = |one: &Certificate| EvidenceObject::new(EvidenceKind::Certificate, one.raw());
        let anchors: Vec<EvidenceObject> = self.anchors.iter().map(certificate).collect();
        let intermediates: Vec<EvidenceObject> =
            self.intermediates.iter().chain(&gathered.issuers).map(certificate).collect();
        let list = |list: &Arc<dyn RevocationList>| EvidenceObject {
            kind: EvidenceKind::RevocationList,
            digest: list.scope().digest,
            octets: list.raw().map(Arc::from),
        };
        let lists: Vec<EvidenceObject> = lists.iter().map(list).collect();
        let responses: Vec<EvidenceObject> = gathered
            .responses
            .iter()
            .map(|response| EvidenceObject::new(EvidenceKind::OcspResponse, response.raw()))
            .collect();
        let named = |objects: &[EvidenceObject]| objects.iter().map(|object| object.digest).collect();
        let record = FactsRecord {
            software: SOFTWARE.to_owned(),
            policy: policy.digest,
            trust_anchors: named(&anchors),
            intermediates: named(&intermediates),
            lists: named(&lists),
            responses: named(&responses),
            unavailable: gathered
                .unavailable
                .iter()
                .map(|silent| SilentSource { source: silent.source.clone(), cause: silent.cause.clone() })
                .collect(),
        };
        GatheredFacts::new(&record, [vec![policy], anchors, intermediates, lists, responses].concat()).ok()
    }

    fn judge_with(
        &self,
        question: &Question<'_>,
        lists: &[Arc<dyn RevocationList>],
        now: Time,
    ) -> (ValidationReport, Gathered) {
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
                lists,
                now: Some(now),
                cache: Some(&self.signatures),
                ..ValidationContext::default()
            },
        };
        match &self.asking {
            Some(asking) if question.at >= now.plus_seconds(-PRESENT_SECONDS) => asking.judge(&inputs),
            _ => (verify(&inputs), Gathered::default()),
        }
    }
}

impl Facts {
    /// What the network said of late.
    fn heard(&self, digest: &str) -> Option<Vec<u8>> {
        self.asking.as_ref()?.heard(&digest.parse().ok()?)
    }
}

impl Evidence for Facts {
    fn certificate(&self, digest: &str) -> Option<Vec<u8>> {
        let at_hand = self.intermediates.iter().find(|one| one.digest().to_string() == digest);
        at_hand.map(|one| one.raw().to_vec()).or_else(|| self.heard(digest))
    }

    fn list(&self, digest: &str) -> Option<Vec<u8>> {
        let lists = self.lists();
        let named = lists.iter().find(|list| list.scope().digest.to_string() == digest);
        if let Some(encoding) = named.and_then(|list| list.raw()) {
            return Some(encoding.to_vec());
        }
        let digest: Digest = digest.parse().ok()?;
        let octets = std::fs::read(self.store.as_ref()?.archived(&digest).ok()??).ok()?;
        (Digest::sha256(&octets) == digest).then_some(octets)
    }

    fn response(&self, digest: &str) -> Option<Vec<u8>> {
        self.heard(digest)
    }
}

impl Verification for Facts {
    fn policy(&self, id: &str) -> Option<Policy> {
        self.policies.iter().find(|policy| policy.id == id).cloned().or_else(|| Policy::built_in(id))
    }

    fn verify(&self, question: &Question<'_>) -> ValidationReport {
        self.judge_with(question, &self.lists(), self.clock.now()).0
    }

    fn facts(&self, policy: &Policy) -> Option<Arc<GatheredFacts>> {
        self.record(&self.lists(), policy)
    }

    fn judge(&self, question: &Question<'_>) -> VerdictWithFacts {
        let (lists, now) = (self.lists(), self.clock.now());
        let (report, gathered) = self.judge_with(question, &lists, now);
        let facts = match gathered.is_empty() {
            true => self.record(&lists, question.policy),
            false => self.record_with(&lists, question.policy, &gathered).map(Arc::new),
        };
        VerdictWithFacts { report, facts, now }
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
