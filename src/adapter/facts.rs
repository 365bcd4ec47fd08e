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
    service::{Question, Verification},
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
}
