//! Proof that lasts, as use cases: what is stamped gets its level, documents are extended, others' digests are stamped.

use super::extension::{Evidence, ExtendError, Extended, Extender, Level};
use super::model::Caller;
use super::requests::{authorise, internal, invalid};
use super::verification::Question;
use super::{Service, ServiceError};
use crate::port::token::Role;
use crate::port::{TimestampAuthority, TimestampError, TimestampResponder};
use crate::report::ValidationReport;
use crate::verify::DeclaredApplicant;
use crate::verify::policy::Policy;
use std::sync::Arc;
use uuid::Uuid;

/// The policy under which documents are extended where the caller names none: who signed is not asked.
const EXTENSION_POLICY: &str = "signature";

/// What makes proof last. Without any of it everything but proof works.
#[derive(Clone, Default)]
pub struct Proof {
    /// The level of what is stamped.
    pub level: Level,
    /// Makes tokens.
    pub authority: Option<Arc<dyn TimestampAuthority>>,
    /// Makes tokens for others.
    pub responder: Option<Arc<dyn TimestampResponder>>,
    /// Finds what verdicts rest on.
    pub evidence: Option<Arc<dyn Evidence + Send + Sync>>,
}

/// A document to be extended.
#[derive(Clone, Debug)]
pub struct ExtensionOrder {
    /// The document.
    pub document: Arc<[u8]>,
    /// Its content, where it travels apart.
    pub content: Option<Arc<[u8]>>,
    /// The level it shall have.
    pub to: Level,
    /// The policy under which it must be accepted.
    pub policy: Option<String>,
}

impl Service {
    /// Extends a document so that its proof lasts.
    ///
    /// # Errors
    /// [`ServiceError::NotAcceptable`] with the report where the document is not accepted as it is;
    /// [`ServiceError::NotExtended`].
    pub fn extend_document(&self, caller: &Caller, order: &ExtensionOrder) -> Result<Extended, ServiceError> {
        authorise(caller, &[Role::Portal, Role::Officer, Role::Auditor])?;
        if order.to == Level::B {
            return Err(invalid("/to", "is t, lt or lta"));
        }
        let name = order.policy.as_deref().unwrap_or(EXTENSION_POLICY);
        let policy = self.verification.policy(name).ok_or_else(|| invalid("/policy", "is not known"))?;
        self.extended(&order.document, order.content.as_deref(), order.to, &policy)
    }

    /// What was sealed, at the level that the installation gives its licences.
    pub(super) fn sealed_at_level(&self, document: Vec<u8>) -> Result<Vec<u8>, ServiceError> {
        if self.proof.level == Level::B {
            return Ok(document);
        }
        let policy = super::licences::LICENCE_POLICY;
        let policy = self.verification.policy(policy).ok_or_else(|| internal("no policy for licences"))?;
        Ok(self.extended(&document, None, self.proof.level, &policy)?.document)
    }

    /// Answers a TimeStampReq with a TimeStampResp; `None` where this is no time-stamping authority.
    pub fn answer_timestamp(&self, request: &[u8]) -> Option<Vec<u8>> {
        Some(self.proof.responder.as_ref()?.answer(request))
    }

    fn extended(
        &self,
        document: &[u8],
        content: Option<&[u8]>,
        to: Level,
        policy: &Policy,
    ) -> Result<Extended, ServiceError> {
        let judge = |document: &[u8]| -> ValidationReport {
            self.verification.verify(&Question {
                report_id: &Uuid::now_v7().to_string(),
                at: self.clock.now(),
                received_at: None,
                document,
                format: None,
                content,
                declared: DeclaredApplicant::default(),
                service: None,
                policy,
            })
        };
        let nothing = Nothing;
        let evidence: &dyn Evidence = match &self.proof.evidence {
            Some(evidence) => evidence.as_ref(),
            None => &nothing,
        };
        let extender = Extender { judge: &judge, evidence, authority: self.proof.authority.as_deref(), content };
        extender.extend(document, to).map_err(refused)
    }
}

/// No evidence at all.
struct Nothing;

impl Evidence for Nothing {
    fn certificate(&self, _digest: &str) -> Option<Vec<u8>> {
        None
    }

    fn list(&self, _digest: &str) -> Option<Vec<u8>> {
        None
    }

    fn response(&self, _digest: &str) -> Option<Vec<u8>> {
        None
    }
}

fn refused(error: ExtendError) -> ServiceError {
    match error {
        ExtendError::NotAccepted(report) => match serde_json::to_vec(&report) {
            Ok(json) => ServiceError::NotAcceptable { report: json.into(), retryable: report.retryable },
            Err(error) => internal(error),
        },
        ExtendError::Format(_) => invalid("/document", "is not CMS, and only CMS can be extended"),
        ExtendError::Timestamp(TimestampError::Unavailable { .. }) => {
            ServiceError::NotExtended { cause: error.to_string(), retryable: true }
        }
        other => ServiceError::NotExtended { cause: other.to_string(), retryable: false },
    }
}
