//! The question that every use case puts to the verification room.

use crate::format::Format;
use crate::port::GatheredFacts;
use crate::report::{Time, ValidationReport};
use crate::verify::policy::Policy;
use crate::verify::{DeclaredApplicant, ServiceRules};
use std::sync::Arc;

/// A document and how to judge it; trust, intermediates and revocation data are the installation's.
pub struct Question<'a> {
    /// Id of the report to be written.
    pub report_id: &'a str,
    /// The time for which the verdict holds.
    pub at: Time,
    /// When the document arrived, where it is judged again later.
    pub received_at: Option<Time>,
    /// The document.
    pub document: &'a [u8],
    /// What the caller says it is.
    pub format: Option<Format>,
    /// Detached content.
    pub content: Option<&'a [u8]>,
    /// Whom the caller declares.
    pub declared: DeclaredApplicant,
    /// The service's own rules.
    pub service: Option<&'a ServiceRules>,
    /// The policy.
    pub policy: &'a Policy,
}

/// Gathers the facts of the installation (trust anchors, intermediates, revocation data) and judges.
pub trait Verification: Send + Sync {
    /// A policy by name.
    fn policy(&self, id: &str) -> Option<Policy>;

    /// Judges; total.
    fn verify(&self, question: &Question<'_>) -> ValidationReport;

    /// The facts that are at hand now, as a verdict under this policy would rest on them; `None` where they cannot be kept.
    fn facts(&self, policy: &Policy) -> Option<Arc<GatheredFacts>> {
        let _ = policy;
        None
    }

    /// Judges, and tells what the verdict rested on.
    fn judge(&self, question: &Question<'_>) -> VerdictWithFacts {
        VerdictWithFacts { report: self.verify(question), facts: None, now: question.at }
    }

    /// Whether a judgement may wait for somebody else's answer.
    fn may_wait(&self) -> bool {
        false
    }

    /// How often a fact was known from before, by the kind of fact.
    fn hit_rates(&self) -> Vec<(&'static str, HitRate)> {
        Vec::new()
    }
}

/// How often a fact was known from before, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HitRate {
    /// Asked for and known.
    pub hits: u64,
    /// Asked for and not known.
    pub misses: u64,
}

/// A verdict with what it rested on.
pub struct VerdictWithFacts {
    /// The report.
    pub report: ValidationReport,
    /// The facts that were at hand; `None` where they cannot be kept.
    pub facts: Option<Arc<GatheredFacts>>,
    /// The present of the verdict.
    pub now: Time,
}
