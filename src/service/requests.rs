//! Verifying a document, registering a request.

use super::model::{Applicant, Caller, Novelty, Registered, RequestView, Submission, VerificationParameters, Verified};
use super::replay::RecordedParameters;
use super::verification::{Question, VerdictWithFacts};
use super::{Service, ServiceError};
use crate::crypto::Digest;
use crate::format::Format;
use crate::licensing::{self, Date, RequestNumber};
use crate::pki::identity::{Bin, Iin};
use crate::port::token::Role;
use crate::port::{
    GatheredFacts, NewReport, NewRequest, NumberSeries, Registration, RegistryError, SeenKey, StoredRequest, Unknown,
};
use crate::report::{CheckId, Outcome, Reason, Time, ValidationReport};
use crate::verify::policy::{IdentityRequirement, Policy};
use crate::verify::{DeclaredApplicant, ServiceRules, replay};
use std::sync::Arc;
use uuid::Uuid;

/// The policy of a request where the caller names none (contract §2).
const REQUEST_POLICY: &str = "request";

/// Parameters with every name resolved.
struct Resolved {
    format: Option<Format>,
    declared: DeclaredApplicant,
    rules: Option<ServiceRules>,
    policy: Policy,
    parameters: VerificationParameters,
}

/// A report with what is recorded of it.
pub(super) struct Judged {
    pub(super) id: Uuid,
    pub(super) report: ValidationReport,
    pub(super) document: Digest,
    pub(super) facts: Option<Arc<GatheredFacts>>,
    pub(super) now: Time,
    /// Parameters that give the report again.
    pub(super) parameters: Option<Vec<u8>>,
}

impl Service {
    /// Verifies a document and records the report.
    ///
    /// # Errors
    /// [`ServiceError`]; a verdict, whatever it is, is none.
    pub fn verify_request(&self, caller: &Caller, submission: &Submission) -> Result<Verified, ServiceError> {
        let (verified, report) = self.judged_request(caller, submission)?;
        self.registry.record_report(report)?;
        Ok(verified)
    }

    /// The same, and calls back when the report is on disk; itself it waits for nothing but the processor.
    pub fn verify_request_then(
        &self,
        caller: &Caller,
        submission: &Submission,
        answer: impl FnOnce(Result<Verified, ServiceError>) + Send + 'static,
    ) {
        match self.judged_request(caller, submission) {
            Ok((verified, report)) => {
                let kept = Box::new(move |kept: Result<(), RegistryError>| {
                    answer(kept.map(|()| verified).map_err(ServiceError::from));
                });
                self.registry.record_report_then(report, kept);
            }
            Err(error) => answer(Err(error)),
        }
    }

    fn judged_request(&self, caller: &Caller, submission: &Submission) -> Result<(Verified, NewReport), ServiceError> {
        authorise(caller, &[Role::Portal, Role::Auditor])?;
        let now = self.clock.now();
        let at = submission.parameters.validation_time.unwrap_or(now);
        if at > now {
            return Err(invalid("/validation_time", "lies in the future"));
        }
        if at < now {
            authorise(caller, &[Role::Auditor])?;
        }
        let resolved = self.resolve(&submission.parameters)?;
        let mut judged = self.judge(&resolved, &submission.document, submission.content.as_deref(), at, None)?;
        // An auditor looks at a message; a portal takes it.
        let taken = if caller.role == Role::Portal { replay::takes(&judged.report) } else { Vec::new() };
        if !taken.is_empty() && !self.registry.take_messages(&taken, now)? {
            replay::refuse(&mut judged.report);
        }
        let verified = verified(&judged)?;
        let report = self.new_report(&judged, &verified, now, &caller.id)?;
        Ok((verified, report))
    }

    /// Verifies a request and, where it is accepted, registers it under a number: once.
    ///
    /// # Errors
    /// [`ServiceError::NotAcceptable`] with the report, which is recorded.
    pub fn register_request(&self, caller: &Caller, submission: &Submission) -> Result<Registered, ServiceError> {
        authorise(caller, &[Role::Portal])?;
        let parameters = &submission.parameters;
        if parameters.validation_time.is_some() {
            return Err(invalid("/validation_time", "a request is judged when it arrives"));
        }
        let service = parameters.service.as_deref().ok_or_else(|| invalid("/service", "is missing"))?;
        let service = self.service(service)?;
        let resolved = self.resolve(parameters)?;
        if resolved.format == Some(Format::Certificate) {
            return Err(invalid("/format", "a certificate alone is no request"));
        }
        if resolved.policy.identity != IdentityRequirement::Required {
            return Err(invalid("/policy", "does not prove who applies"));
        }
        let at = self.clock.now();
        let judged = self.judge(&resolved, &submission.document, submission.content.as_deref(), at, None)?;
        let verified = verified(&judged)?;
        let report = self.new_report(&judged, &verified, at, &caller.id)?;
        let seen = seen_keys(&judged.report);
        let accepted = match judged.report.accept() {
            Ok(accepted) if accepted.report().document.format != Format::Certificate.as_str() => accepted,
            _ => {
                self.registry.record_report(report)?;
                return Err(ServiceError::NotAcceptable { report: verified.json, retryable: verified.retryable });
            }
        };
        debug_assert_eq!(accepted.report().id, verified.id.to_string());
        // Registering the same message again gives the same number, so that it need not be new; it is taken by this.
        let taken = replay::takes(accepted.report());
        if !taken.is_empty() {
            self.registry.take_messages(&taken, at)?;
        }
        let registration = self.registry.register_request(NewRequest {
            report,
            document: submission.document.clone(),
            content: submission.content.clone(),
            parameters: serde_json::to_vec(parameters).map_err(internal)?,
            service: service.id.clone(),
            edition: service.edition.clone(),
            iin: resolved.declared.iin.map(|iin| iin.as_str().to_owned()),
            bin: resolved.declared.bin.map(|bin| bin.as_str().to_owned()),
            seen,
            series: NumberSeries {
                format: self.settings.request_numbers.clone(),
                permit_type: service.permit_type,
                year: Date::in_kazakhstan(at).year(),
            },
            at,
            actor: caller.id.clone(),
        })?;
        let (record, novelty) = match registration {
            Registration::New(record) => (record, Novelty::New),
            Registration::Before(record) => (record, Novelty::Before),
        };
        Ok(Registered { record, verification: verified.json, novelty })
    }

    /// A registered request with its history.
    ///
    /// # Errors
    /// [`Unknown::Request`].
    pub fn request(&self, caller: &Caller, number: &RequestNumber) -> Result<RequestView, ServiceError> {
        authorise(caller, &[Role::Portal, Role::Officer, Role::Auditor])?;
        let record =
            self.registry.request(number)?.ok_or_else(|| ServiceError::Unknown(Unknown::Request(number.clone())))?;
        Ok(RequestView { record, history: self.registry.history(&number.0)? })
    }

    /// A recorded report, JSON as it was answered.
    ///
    /// # Errors
    /// [`ServiceError::StoreDamaged`] where it is not the one that was recorded.
    pub fn report(&self, caller: &Caller, id: Uuid) -> Result<Option<Vec<u8>>, ServiceError> {
        authorise(caller, &[Role::Portal, Role::Auditor])?;
        let stored = self.registry.report(id)?;
        // A portal sees its own reports; whether another's exists is not said.
        Ok(stored.filter(|report| caller.role == Role::Auditor || report.actor == caller.id).map(|report| report.json))
    }

    /// A service of the catalogue.
    pub(super) fn service(&self, id: &str) -> Result<&licensing::Service, ServiceError> {
        self.settings.catalogue.service(id).ok_or_else(|| invalid("/service", "is not in the catalogue"))
    }

    fn resolve(&self, parameters: &VerificationParameters) -> Result<Resolved, ServiceError> {
        let format = format(parameters.format.as_deref())?;
        let rules = parameters.service.as_deref().map(|id| self.service(id)).transpose()?;
        let policy = parameters.policy.as_deref().unwrap_or(REQUEST_POLICY);
        Ok(Resolved {
            format,
            declared: declared(&parameters.applicant)?,
            rules: rules.map(licensing::Service::rules),
            policy: self.verification.policy(policy).ok_or_else(|| invalid("/policy", "is not a known policy"))?,
            parameters: parameters.clone(),
        })
    }

    /// The row of a report. What it rested on is kept first: a report never refers to what is not there.
    pub(super) fn new_report(
        &self,
        judged: &Judged,
        verified: &Verified,
        at: Time,
        actor: &str,
    ) -> Result<NewReport, ServiceError> {
        Ok(NewReport {
            id: judged.id,
            at,
            actor: actor.to_owned(),
            decision: judged.report.decision,
            document: judged.document,
            json: verified.json.clone(),
            judged_at: judged.now,
            facts: self.keep_facts(judged, at)?,
            parameters: judged.parameters.clone(),
        })
    }

    /// Keeps what a verdict rested on; its digest.
    pub(super) fn keep_facts(&self, judged: &Judged, at: Time) -> Result<Option<Digest>, ServiceError> {
        let (Some(evidence), Some(facts)) = (&self.evidence, &judged.facts) else { return Ok(None) };
        evidence.keep(facts, at)?;
        Ok(Some(facts.digest))
    }

    /// Verifies anew what was registered, with the parameters it was registered with, at another time. What a message
    /// says about its freshness was for the moment it arrived.
    pub(super) fn judge_again(&self, request: &StoredRequest, at: Time) -> Result<Judged, ServiceError> {
        let parameters = serde_json::from_slice(&request.parameters)
            .map_err(|_| ServiceError::StoreDamaged { what: "parameters of a request cannot be read".to_owned() })?;
        let content = request.content.as_deref();
        self.judge(&self.resolve(&parameters)?, &request.document, content, at, Some(request.record.registered_at))
    }

    fn judge(
        &self,
        resolved: &Resolved,
        document: &[u8],
        content: Option<&[u8]>,
        at: Time,
        received_at: Option<Time>,
    ) -> Result<Judged, ServiceError> {
        let id = Uuid::now_v7();
        let VerdictWithFacts { mut report, facts, now } = self.verification.judge(&Question {
            report_id: &id.to_string(),
            at,
            received_at,
            document,
            format: resolved.format,
            content,
            declared: resolved.declared.clone(),
            service: resolved.rules.as_ref(),
            policy: &resolved.policy,
        });
        let seen = self.registry.seen(&seen_keys(&report))?.is_some();
        for signature in &mut report.signatures {
            let outcome = if seen { Outcome::Warned(Reason::SavSeenBefore {}) } else { Outcome::Passed };
            signature.checks.record(CheckId::NotSeenBefore, outcome);
        }
        let document = report.document.digest.parse().map_err(internal)?;
        let parameters = RecordedParameters { parameters: resolved.parameters.clone(), received_at };
        let parameters = Some(serde_json::to_vec(&parameters).map_err(internal)?);
        Ok(Judged { id, report, document, facts, now, parameters })
    }
}

/// Keys of the signatures: signed content, signer's certificate and claimed time. All three are under the signature,
/// so that another wrapping, unsigned attributes, a re-encoding or the other form of an ECDSA value make no new
/// document of an old one; nor does white space around an XML signature.
fn seen_keys(report: &ValidationReport) -> Vec<SeenKey> {
    let document = &report.document;
    let key = |signature: &crate::report::SignatureReport| {
        let content = signature.signed_digest.as_ref().or(document.content_digest.as_ref()).unwrap_or(&document.digest);
        let signer = signature.signer.as_ref()?;
        let time = signature.claimed_signing_time.map(|time| time.to_string()).unwrap_or_default();
        let text = format!("{content}\n{}\n{time}", signer.certificate_digest);
        Digest::sha256(text.as_bytes()).as_bytes().try_into().ok().map(SeenKey)
    };
    report.signatures.iter().filter_map(key).collect()
}

pub(super) fn verified(judged: &Judged) -> Result<Verified, ServiceError> {
    Ok(Verified {
        id: judged.id,
        decision: judged.report.decision,
        retryable: judged.report.retryable,
        refusal: judged.report.refusal.as_ref().map(|refusal| refusal.code.clone()),
        json: serde_json::to_vec(&judged.report).map_err(internal)?.into(),
    })
}

/// A container format by name; `None` to tell by its beginning.
pub(super) fn format(name: Option<&str>) -> Result<Option<Format>, ServiceError> {
    match name {
        None | Some("auto") => Ok(None),
        Some(name) => {
            let name = serde_json::Value::String(name.to_owned());
            Ok(Some(serde_json::from_value(name).map_err(|_| invalid("/format", "is not a known format"))?))
        }
    }
}

pub(super) fn declared(applicant: &Applicant) -> Result<DeclaredApplicant, ServiceError> {
    let digits = "is not twelve digits";
    Ok(DeclaredApplicant {
        iin: match applicant.iin.as_deref() {
            None => None,
            Some(text) => Some(Iin::parse(text).ok_or_else(|| invalid("/applicant/iin", digits))?),
        },
        bin: match applicant.bin.as_deref() {
            None => None,
            Some(text) => Some(Bin::parse(text).ok_or_else(|| invalid("/applicant/bin", digits))?),
        },
    })
}

pub(super) fn authorise(caller: &Caller, roles: &[Role]) -> Result<(), ServiceError> {
    if roles.contains(&caller.role) {
        return Ok(());
    }
    Err(ServiceError::Forbidden { needed: roles.first().map_or("none", |role| role.as_str()) })
}

pub(super) fn invalid(field: &str, problem: &str) -> ServiceError {
    ServiceError::Invalid { field: field.to_owned(), problem: problem.to_owned() }
}

pub(super) fn internal(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Internal { cause: error.to_string() }
}
