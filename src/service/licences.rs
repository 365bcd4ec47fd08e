//! Licences after they are stamped: their states, their documents, and what anyone may ask about one.

use super::model::{Caller, LicenceVerified, LicenceView, RegistryFinding, StateOrder};
use super::requests::{Judged, authorise, internal, invalid, verified};
use super::verification::{Question, VerdictWithFacts};
use super::{SealedContent, Service, ServiceError};
use crate::crypto::Digest;
use crate::format::armour;
use crate::licensing::{Container, Date, DocumentKind, Licence, LicenceAction, LicenceNumber};
use crate::port::token::Role;
use crate::port::{LicenceRecord, StateChange, Unknown};
use crate::report::Time;
use crate::verify::DeclaredApplicant;
use std::borrow::Cow;
use uuid::Uuid;

/// The policy of an authority's seal.
pub(super) const LICENCE_POLICY: &str = "licence";
/// Who stands in a report that anyone asked for.
const ANYONE: &str = "anyone";
/// The longest reason of a change of state, in characters.
const MAX_REASON_CHARS: usize = 4_000;

impl Service {
    /// Suspends, resumes or terminates a licence.
    ///
    /// # Errors
    /// [`crate::port::Conflict::Transition`] where its state does not allow it.
    pub fn change_state(
        &self,
        caller: &Caller,
        number: &LicenceNumber,
        action: LicenceAction,
        order: StateOrder,
    ) -> Result<LicenceView, ServiceError> {
        authorise(caller, &[Role::Officer])?;
        if !super::STATE_ACTIONS.contains(&action) {
            return Err(invalid("/action", "seals a document and needs an order"));
        }
        if let Some(reason) = &order.reason
            && (reason.trim().is_empty() || reason.chars().count() > MAX_REASON_CHARS)
        {
            return Err(invalid("/reason", "is empty or too long"));
        }
        let record = self.registry.change_state(StateChange {
            number: number.clone(),
            action,
            reason: order.reason,
            at: self.proven_time()?,
            actor: caller.id.clone(),
        })?;
        self.view(record)
    }

    /// A licence with its history.
    ///
    /// # Errors
    /// [`Unknown::Licence`].
    pub fn licence(&self, caller: &Caller, number: &LicenceNumber) -> Result<LicenceView, ServiceError> {
        authorise(caller, &[Role::Officer, Role::Auditor])?;
        self.view(self.licence_record(number)?)
    }

    /// The sealed document of a licence: the original, or the last of the kind that is asked for, in the first of these
    /// containers that it was sealed in; `None` where it was sealed in none of them.
    ///
    /// # Errors
    /// [`ServiceError::StoreDamaged`] where the octets are not the ones stored.
    pub fn licence_document(
        &self,
        caller: &Caller,
        number: &LicenceNumber,
        kind: Option<DocumentKind>,
        containers: &[Container],
    ) -> Result<Option<(Container, Vec<u8>)>, ServiceError> {
        authorise(caller, &[Role::Officer, Role::Auditor])?;
        let record = self.licence_record(number)?;
        let document = match kind {
            None => record.documents.first(),
            Some(kind) => record.documents.iter().rev().find(|document| document.kind == kind),
        };
        let document = document.ok_or_else(|| ServiceError::Unknown(Unknown::Licence(number.clone())))?;
        let sealed = containers.iter().find_map(|wanted| document.sealed().find(|form| form.container == *wanted));
        sealed.map(|form| Ok((form.container, self.stored_document(&form.digest)?))).transpose()
    }

    /// Judges a licence that anyone presents: the seal, and what the registry says about it.
    ///
    /// # Errors
    /// [`ServiceError`]; a verdict, whatever it is, is none.
    pub fn verify_licence(&self, document: &[u8]) -> Result<LicenceVerified, ServiceError> {
        let at = self.clock.now();
        let judged = self.judge_seal(document, at)?;
        let verified = verified(&judged)?;
        self.registry.record_report(self.new_report(&judged, &verified, at, ANYONE)?)?;
        Ok(LicenceVerified { verified, registry: self.registry_finding(document, &judged, at)? })
    }

    /// Judges a licence as [`Service::verify_licence`] does, at any time, and records nothing.
    ///
    /// # Errors
    /// [`ServiceError`]; a verdict, whatever it is, is none.
    pub fn audit_document(
        &self,
        caller: &Caller,
        document: &[u8],
        at: Option<Time>,
    ) -> Result<LicenceVerified, ServiceError> {
        authorise(caller, &[Role::Auditor])?;
        let at = at.unwrap_or_else(|| self.clock.now());
        let judged = self.judge_seal(document, at)?;
        Ok(LicenceVerified { verified: verified(&judged)?, registry: self.registry_finding(document, &judged, at)? })
    }

    pub(super) fn judge_seal(&self, document: &[u8], at: Time) -> Result<Judged, ServiceError> {
        let policy = self.verification.policy(LICENCE_POLICY).ok_or_else(|| internal("no policy for licences"))?;
        let id = Uuid::now_v7();
        let VerdictWithFacts { report, facts, now } = self.verification.judge(&Question {
            report_id: &id.to_string(),
            at,
            received_at: None,
            document,
            format: None,
            content: None,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &policy,
        });
        let document = report.document.digest.parse().map_err(internal)?;
        Ok(Judged { id, report, document, facts, now, parameters: None })
    }

    fn registry_finding(&self, document: &[u8], judged: &Judged, at: Time) -> Result<RegistryFinding, ServiceError> {
        let today = Date::in_kazakhstan(at);
        let in_force =
            |licence: &LicenceRecord| licence.state.in_force() && licence.valid_until.is_none_or(|last| today <= last);
        if let Some(number) = self.registry.licence_of_document(&judged.document)? {
            let licence = self.licence_record(&number)?;
            let issued =
                licence.documents.iter().find(|issued| issued.sealed().any(|form| form.digest == judged.document));
            let kind = issued.map_or(licence.kind, |issued| issued.kind);
            return Ok(RegistryFinding::Issued { kind, in_force: in_force(&licence), licence: Box::new(licence) });
        }
        let Some(content) = self.content_of(document) else { return Ok(RegistryFinding::NotALicence {}) };
        let SealedContent { licence: Licence { number, .. }, digest } = content;
        let issued = |licence: &LicenceRecord| {
            licence.documents.iter().flat_map(|document| document.sealed()).any(|form| form.content == digest)
        };
        Ok(match self.registry.licence(&number)? {
            None => RegistryFinding::NumberUnknown { number },
            Some(licence) if issued(&licence) => {
                RegistryFinding::Rewrapped { in_force: in_force(&licence), licence: Box::new(licence) }
            }
            Some(_) => RegistryFinding::OtherContent { number },
        })
    }

    /// What a sealed document says, in whatever armour it comes.
    pub(super) fn content_of(&self, document: &[u8]) -> Option<SealedContent> {
        let octets = armour::dearmour(document).unwrap_or(Cow::Borrowed(document));
        self.stamping.content(&octets)
    }

    pub(super) fn licence_record(&self, number: &LicenceNumber) -> Result<LicenceRecord, ServiceError> {
        self.registry.licence(number)?.ok_or_else(|| ServiceError::Unknown(Unknown::Licence(number.clone())))
    }

    pub(super) fn stored_document(&self, digest: &Digest) -> Result<Vec<u8>, ServiceError> {
        let missing = || ServiceError::StoreDamaged { what: format!("document {digest} is missing") };
        self.registry.document(digest)?.ok_or_else(missing)
    }

    fn view(&self, record: LicenceRecord) -> Result<LicenceView, ServiceError> {
        let history = self.registry.history(&record.number.0)?;
        Ok(LicenceView { record, history })
    }
}
