//! Stamping: reserve a number, prepare, record the intent, sign once for each container, seal, verify our own output,
//! complete with all of them.
//!
//! *Invariant:* whatever fails after a number is set aside voids the attempt with a record; a crash at any point leaves
//! an attempt that start-up voids. Nothing is signed before the intent is on disk, nothing is issued before our own
//! verification has passed.

use super::model::{Caller, Idempotency, Recovery, StampOrder};
use super::requests::{authorise, internal, invalid, verified};
use super::verification::Question;
use super::{Prepared, Service, ServiceError};
use crate::crypto::Digest;
use crate::format::Format;
use crate::licensing::{
    Bilingual, Container, Date, DocumentKind, DuplicateNote, EQUIVALENCE, Holder, Licence, LicenceNumber,
    LicenceSchema, LicenceTerms, ReplacedLicence, RequestLink,
};
use crate::port::token::Role;
use crate::port::{
    CompletedForm, Completion, FormDigest, IdempotencyKey, Intent, KeySigner, LicenceRecord, NumberSeries,
    RegistryError, Reservation, Reserved, SealedForm, StampingId, StampingPurpose, StoredRequest, Unknown,
};
use crate::report::{Decision, Time, ValidationReport};
use crate::verify::DeclaredApplicant;
use std::sync::Arc;
use uuid::Uuid;

/// Reasons of a void, as the journal has them.
const CUT_SHORT: &str = "cut-short";

/// A container, sealed and verified.
struct Signed {
    form: SealedForm,
    document: Arc<[u8]>,
    /// What our own verification rested on.
    facts: Option<Digest>,
}

impl Service {
    /// Stamps the result of a registered request: the service's licence, permit or order, or a reasoned refusal where
    /// reasons are given.
    ///
    /// # Errors
    /// [`ServiceError`]; then nothing was issued, and a number that had been set aside is voided.
    pub fn stamp_licence(
        &self,
        caller: &Caller,
        order: &StampOrder,
        idempotency: Option<&Idempotency>,
    ) -> Result<LicenceRecord, ServiceError> {
        self.stamp_by_order(caller, order, None, idempotency)
    }

    /// Stamps a licence in the place of another, for a registered request of the same applicant and service.
    ///
    /// # Errors
    /// As [`Service::stamp_licence`].
    pub fn reissue(
        &self,
        caller: &Caller,
        number: &LicenceNumber,
        order: &StampOrder,
        idempotency: Option<&Idempotency>,
    ) -> Result<LicenceRecord, ServiceError> {
        self.stamp_by_order(caller, order, Some(number), idempotency)
    }

    /// Seals the content of a licence once more; the duplicate says that it is one.
    ///
    /// # Errors
    /// As [`Service::stamp_licence`].
    pub fn duplicate(
        &self,
        caller: &Caller,
        number: &LicenceNumber,
        idempotency: Option<&Idempotency>,
    ) -> Result<LicenceRecord, ServiceError> {
        authorise(caller, &[Role::Officer])?;
        let operation = format!("duplicate {number}");
        let key = idempotency.map(|idempotency| idempotency_key(caller, &operation, idempotency));
        if let Some(answer) = self.answer_of_before(key.as_ref())? {
            return Ok(answer);
        }
        let at = self.proven_time()?;
        let original = self.licence_record(number)?;
        let first = original
            .documents
            .first()
            .ok_or_else(|| ServiceError::StoreDamaged { what: format!("licence {number} has no document") })?;
        let sealed = self.stored_document(&first.digest)?;
        let content = self.content_of(&sealed).map(|content| content.licence);
        let content = content.filter(|content| content.number == *number).ok_or_else(|| {
            ServiceError::StoreDamaged { what: format!("the document of licence {number} cannot be read") }
        })?;
        let service = self.service(&original.service)?;
        let note = DuplicateNote { kind: original.kind, document: first.digest, date: Date::in_kazakhstan(at) };
        self.stamp(
            Reservation {
                purpose: StampingPurpose::Duplicate { of: number.clone() },
                series: self.licence_series(service, at),
                at,
                actor: caller.id.clone(),
                idempotency: key,
            },
            |_| Ok(content.duplicate(note)),
        )
    }

    /// Voids every attempt that a crash cut short. To be called at start-up, before anything is stamped.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer; then nothing may be stamped.
    pub fn recover(&self) -> Result<Recovery, ServiceError> {
        let at = self.clock.now();
        let mut recovery = Recovery::default();
        for unfinished in self.registry.unfinished()? {
            self.registry.void(unfinished.id, CUT_SHORT, at)?;
            recovery.voided.push(unfinished.number);
        }
        Ok(recovery)
    }

    fn stamp_by_order(
        &self,
        caller: &Caller,
        order: &StampOrder,
        replaces: Option<&LicenceNumber>,
        idempotency: Option<&Idempotency>,
    ) -> Result<LicenceRecord, ServiceError> {
        authorise(caller, &[Role::Officer])?;
        let operation = replaces.map_or_else(|| "stamp".to_owned(), |number| format!("reissue {number}"));
        let key = idempotency.map(|idempotency| idempotency_key(caller, &operation, idempotency));
        if let Some(answer) = self.answer_of_before(key.as_ref())? {
            return Ok(answer);
        }
        let at = self.proven_time()?;
        let issue_date = Date::in_kazakhstan(at);
        order.terms.check(issue_date)?;
        if replaces.is_some() && order.terms.reasons.is_some() {
            return Err(invalid("/reasons", "a refusal to reissue answers its request, and replaces nothing"));
        }
        let request = self
            .registry
            .stored_request(&order.request)?
            .ok_or_else(|| ServiceError::Unknown(Unknown::Request(order.request.clone())))?;
        let service = self.service(&request.record.service)?;
        let purpose = match replaces {
            Some(number) => StampingPurpose::Reissue { request: order.request.clone(), replaces: number.clone() },
            None => StampingPurpose::Result {
                request: order.request.clone(),
                kind: if order.terms.reasons.is_some() { DocumentKind::ReasonedRefusal } else { service.result },
            },
        };
        let replaced = match replaces {
            None => None,
            Some(number) => {
                Some(ReplacedLicence { number: number.clone(), issue_date: self.licence_record(number)?.issue_date })
            }
        };
        self.check_request_again(caller, &request, at)?;
        let kind = purpose.kind();
        self.stamp(
            Reservation {
                purpose,
                series: self.licence_series(service, at),
                at,
                actor: caller.id.clone(),
                idempotency: key,
            },
            |number| Ok(self.draw_up(number, kind, &request, service, &order.terms, issue_date, replaced)),
        )
    }

    /// The stored report must be the one that accepted the request, and the request must be acceptable still: a
    /// verdict grows old, and a certificate is revoked after it was good (attack 32).
    fn check_request_again(&self, caller: &Caller, request: &StoredRequest, at: Time) -> Result<(), ServiceError> {
        let damaged = |what: &str| ServiceError::StoreDamaged { what: format!("{}: {what}", request.record.number) };
        let stored =
            self.registry.report(request.record.verification)?.ok_or_else(|| damaged("the report is missing"))?;
        if stored.digest != request.record.report {
            return Err(damaged("the report is another"));
        }
        let report: ValidationReport =
            serde_json::from_slice(&stored.json).map_err(|_| damaged("the report cannot be read"))?;
        let accepted = report.accept().map_err(|_| damaged("the report does not accept it"))?;
        if accepted.report().document.digest != request.record.document.to_string() {
            return Err(damaged("the report is about another document"));
        }
        let judged = self.judge_again(request, at)?;
        let verified = verified(&judged)?;
        let report = self.new_report(&judged, &verified, at, &caller.id)?;
        if judged.report.accept().is_err() {
            self.registry.record_report(report)?;
            return Err(ServiceError::NotAcceptable { report: verified.json, retryable: verified.retryable });
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // Each is a different source of a licence's fields.
    fn draw_up(
        &self,
        number: &LicenceNumber,
        kind: DocumentKind,
        request: &StoredRequest,
        service: &crate::licensing::Service,
        terms: &LicenceTerms,
        issue_date: Date,
        replaces: Option<ReplacedLicence>,
    ) -> Licence {
        let authority = &self.settings.authority;
        let or = |given: &Option<Bilingual>, otherwise: &Bilingual| given.as_ref().unwrap_or(otherwise).clone();
        let [kk, ru] = EQUIVALENCE;
        Licence {
            schema: LicenceSchema::V1,
            demonstration: self.settings.demonstration.clone(),
            kind,
            title: kind.title(),
            number: number.clone(),
            issue_date,
            valid_until: terms.valid_until,
            service: service.id.clone(),
            holder: Holder {
                iin: request.record.iin.clone(),
                bin: request.record.bin.clone(),
                issued_to: terms.issued_to.clone(),
            },
            activity: or(&terms.activity, &service.activity),
            special_conditions: terms.special_conditions.clone(),
            issuing_body: or(&terms.issuing_body, &authority.body),
            head: terms.head.as_ref().unwrap_or(&authority.head).clone(),
            city: or(&terms.city, &authority.city),
            reasons: terms.reasons.clone(),
            annexes: terms.annexes.clone(),
            request: RequestLink {
                number: request.record.number.clone(),
                document: request.record.document,
                report: request.record.report,
            },
            replaces,
            duplicate: None,
            equivalence: Bilingual::new(kk, ru),
        }
    }

    /// The order of events, once.
    fn stamp(
        &self,
        reservation: Reservation,
        draw_up: impl FnOnce(&LicenceNumber) -> Result<Licence, ServiceError>,
    ) -> Result<LicenceRecord, ServiceError> {
        let signer = self
            .signer
            .as_deref()
            .ok_or_else(|| ServiceError::NotSigned { cause: "no key is configured".to_owned(), retryable: false })?;
        let at = reservation.at;
        self.check_signer(signer, at)?;
        let (id, number) = match self.registry.reserve(reservation)? {
            Reserved::Answered { answer } => return Ok(*answer),
            Reserved::Number { id, number } => (id, number),
        };
        let outcome = draw_up(&number).and_then(|licence| self.seal(signer, id, &licence, at));
        if let Err(error) = &outcome {
            match self.registry.void(id, error.code(), self.clock.now()) {
                // Over already: completed after all, or voided by a start-up.
                Ok(()) | Err(RegistryError::Unknown(_)) => {}
                // The store does not answer: start-up will find the attempt and void it.
                Err(_) => {}
            }
        }
        outcome
    }

    fn seal(
        &self,
        signer: &dyn KeySigner,
        id: StampingId,
        licence: &Licence,
        at: Time,
    ) -> Result<LicenceRecord, ServiceError> {
        let cms = self.stamping.prepare(Container::Cms, licence, signer, at)?;
        let others: Vec<(Container, Prepared)> = Container::ALL
            .into_iter()
            .filter(|container| *container != Container::Cms)
            .map(|container| Ok((container, self.stamping.prepare(container, licence, signer, at)?)))
            .collect::<Result<_, ServiceError>>()?;
        self.registry.record_intent(Intent {
            id,
            content: cms.content,
            forms: others
                .iter()
                .map(|(container, prepared)| FormDigest { container: *container, digest: prepared.content })
                .collect(),
            certificate: Digest::sha256(signer.certificate()),
            at,
        })?;
        let Signed { form: cms, document, facts } = self.sign_and_verify(signer, Container::Cms, cms, licence, at)?;
        let mut forms = Vec::with_capacity(others.len());
        for (container, prepared) in others {
            let Signed { form, document, .. } = self.sign_and_verify(signer, container, prepared, licence, at)?;
            forms.push(CompletedForm { form, document });
        }
        Ok(self.registry.complete(Completion {
            id,
            service: licence.service.clone(),
            holder: licence.holder.clone(),
            issue_date: licence.issue_date,
            valid_until: licence.valid_until,
            digest: cms.digest,
            document,
            content: cms.content,
            forms,
            facts,
            at,
        })?)
    }

    /// Signs one container, once, and verifies what came out: the seal is TOTAL-PASSED and says this licence.
    fn sign_and_verify(
        &self,
        signer: &dyn KeySigner,
        container: Container,
        prepared: Prepared,
        licence: &Licence,
        at: Time,
    ) -> Result<Signed, ServiceError> {
        let signature = signer.sign(&prepared.to_be_signed)?;
        let document = (prepared.seal)(&signature)?;
        // XML is sealed at level B: there is no time-stamp for it yet.
        let document = if container == Container::Cms { self.sealed_at_level(document)? } else { document };
        // A time-stamp is of a moment after the one in which the number was set aside.
        let judged = self.judge_seal(&document, self.clock.now().max(at))?;
        let facts = self.keep_facts(&judged, at)?;
        let code = judged.report.refusal.as_ref().map_or_else(String::new, |refusal| refusal.code.clone());
        let says = self.stamping.content(&document);
        let same_content = says.is_some_and(|says| says.licence == *licence && says.digest == prepared.content);
        if judged.report.accept().is_err() || !same_content {
            return Err(ServiceError::OwnOutputRefused { code });
        }
        let form = SealedForm { container, digest: judged.document, content: prepared.content };
        Ok(Signed { form, document: document.into(), facts })
    }

    /// Validity, revocation and use of the authority's own certificate, before anything is signed (Order 500/НҚ, p. 4).
    fn check_signer(&self, signer: &dyn KeySigner, at: Time) -> Result<(), ServiceError> {
        let policy = self
            .verification
            .policy(super::licences::LICENCE_POLICY)
            .ok_or_else(|| internal("no policy for licences"))?;
        let report = self.verification.verify(&Question {
            report_id: &Uuid::now_v7().to_string(),
            at,
            received_at: None,
            document: signer.certificate(),
            format: Some(Format::Certificate),
            content: None,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &policy,
        });
        if report.decision == Decision::Accepted {
            return Ok(());
        }
        let retryable = report.retryable;
        let code = report.refusal.map_or_else(String::new, |refusal| refusal.code);
        Err(ServiceError::SignerNotUsable { code, retryable })
    }

    fn licence_series(&self, service: &crate::licensing::Service, at: Time) -> NumberSeries {
        NumberSeries {
            format: self.settings.licence_numbers.clone(),
            permit_type: service.permit_type,
            year: Date::in_kazakhstan(at).year(),
        }
    }

    fn answer_of_before(&self, key: Option<&IdempotencyKey>) -> Result<Option<LicenceRecord>, ServiceError> {
        match key {
            None => Ok(None),
            Some(key) => Ok(self.registry.answered(key)?),
        }
    }
}

/// The key with the digest of the call: the same body sent to another call is another call.
fn idempotency_key(caller: &Caller, operation: &str, idempotency: &Idempotency) -> IdempotencyKey {
    let call = [operation.as_bytes(), b"\n", &idempotency.body].concat();
    IdempotencyKey { actor: caller.id.clone(), key: idempotency.key.clone(), body: Digest::sha256(&call) }
}
