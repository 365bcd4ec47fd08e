//! Giving recorded reports again from what they rested on: the same octets, or an alarm.
//!
//! *Invariant:* nothing but what was kept enters a replay: no fact of today, no clock.

use super::model::{Caller, VerificationParameters};
use super::requests::{authorise, declared, format, internal};
use super::{Service, ServiceError};
use crate::crypto::Digest;
use crate::licensing;
use crate::pki::{Certificate, Crl, OcspResponse, RevocationList};
use crate::port::token::Role;
use crate::port::{EvidenceStore, FactsRecord, RegistryError, ReplayableReport};
use crate::report::{CheckId, Outcome, Reason, SOFTWARE, SignatureReport, Time, ValidationReport};
use crate::verify::certificate::{Unavailable, ValidationContext};
use crate::verify::policy::Policy;
use crate::verify::{DeclaredApplicant, ServiceRules, VerificationInputs, replay as message, verify};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Reports given again between two looks at the registry.
const PAGE: usize = 64;
/// Records of facts held in memory at a time: each may hold lists of many megabytes.
const MAX_FACTS: usize = 4;

/// What giving a report again came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ReplayOutcome {
    /// The same octets.
    Same,
    /// The same octets, but for the name of the software.
    SameByOtherSoftware {
        /// What judged then.
        recorded: String,
    },
    /// Another report: an alarm.
    Differs {
        /// Where, as a JSON Pointer.
        at: String,
    },
    /// Something that it rested on was kept and is gone, or is not what it was: an alarm.
    Damaged {
        /// What.
        what: String,
    },
    /// Something that it rested on was never kept: documents that were verified and not registered, reports of before.
    NotKept {
        /// What.
        what: &'static str,
    },
}

impl ReplayOutcome {
    /// Whether somebody has to look.
    pub fn is_alarm(&self) -> bool {
        matches!(self, ReplayOutcome::Differs { .. } | ReplayOutcome::Damaged { .. })
    }
}

/// A report given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayedReport {
    /// Its position in the order of recording, from 1.
    pub position: u64,
    /// Its id.
    pub id: Uuid,
    /// What it came to.
    #[serde(flatten)]
    pub outcome: ReplayOutcome,
}

/// What a walk over the reports amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplaySummary {
    /// Reports looked at.
    pub reports: u64,
    /// Given again octet by octet.
    pub same: u64,
    /// The same but for the name of the software.
    pub by_other_software: u64,
    /// Of which something was never kept.
    pub not_kept: u64,
    /// Alarms.
    pub alarms: u64,
}

/// What a verdict was asked beside the document, as it is kept with the report.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordedParameters {
    pub(super) parameters: VerificationParameters,
    /// When the document arrived, where that was before.
    pub(super) received_at: Option<Time>,
}

/// The facts of a verdict, read back.
struct PastFacts {
    trust_anchors: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    lists: Vec<Arc<dyn RevocationList>>,
    responses: Vec<OcspResponse>,
    unavailable: Vec<Unavailable>,
    policy: Policy,
}

impl PastFacts {
    fn read(evidence: &dyn EvidenceStore, digest: &Digest) -> Result<PastFacts, RegistryError> {
        let damaged = |what: String| RegistryError::Damaged { what };
        let object =
            |digest: &Digest| evidence.object(digest)?.ok_or_else(|| damaged(format!("evidence {digest} is not kept")));
        let unreadable = |digest: &Digest| damaged(format!("evidence {digest} cannot be read"));
        let record: FactsRecord = serde_json::from_slice(&object(digest)?).map_err(|_| unreadable(digest))?;
        let certificates = |digests: &[Digest]| -> Result<Vec<Certificate>, RegistryError> {
            let read = |digest: &Digest| Certificate::parse(&object(digest)?).map_err(|_| unreadable(digest));
            digests.iter().map(read).collect()
        };
        let list = |digest: &Digest| {
            let list = Crl::parse(&object(digest)?).map_err(|_| unreadable(digest))?;
            Ok(Arc::new(list) as Arc<dyn RevocationList>)
        };
        let response = |digest: &Digest| OcspResponse::parse(&object(digest)?).map_err(|_| unreadable(digest));
        Ok(PastFacts {
            trust_anchors: certificates(&record.trust_anchors)?,
            intermediates: certificates(&record.intermediates)?,
            lists: record.lists.iter().map(list).collect::<Result<_, RegistryError>>()?,
            responses: record.responses.iter().map(response).collect::<Result<_, RegistryError>>()?,
            unavailable: record
                .unavailable
                .into_iter()
                .map(|silent| Unavailable { source: silent.source, cause: silent.cause })
                .collect(),
            policy: serde_json::from_slice(&object(&record.policy)?).map_err(|_| unreadable(&record.policy))?,
        })
    }
}

/// Facts that were read, for the reports that share them.
#[derive(Default)]
struct Readings(Mutex<HashMap<Digest, Arc<PastFacts>>>);

impl Readings {
    fn of(&self, evidence: &dyn EvidenceStore, digest: &Digest) -> Result<Arc<PastFacts>, RegistryError> {
        // Held while reading: reports of one day wait for one reading of the day's lists.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = known.get(digest) {
            return Ok(Arc::clone(facts));
        }
        let facts = Arc::new(PastFacts::read(evidence, digest)?);
        if known.len() >= MAX_FACTS {
            known.clear();
        }
        known.insert(*digest, Arc::clone(&facts));
        Ok(facts)
    }
}

impl Service {
    /// Gives every report after a position again, in the order of recording; telling may break the walk off.
    ///
    /// # Errors
    /// [`ServiceError`] where the registry cannot be walked; what does not fit is told.
    pub fn replay(
        &self,
        caller: &Caller,
        after: u64,
        tell: &mut dyn FnMut(&ReplayedReport) -> ControlFlow<()>,
    ) -> Result<ReplaySummary, ServiceError> {
        authorise(caller, &[Role::Auditor])?;
        let evidence = self.evidence.as_deref().ok_or_else(|| internal("this registry keeps no evidence"))?;
        let readings = Readings::default();
        let mut summary = ReplaySummary::default();
        let mut position = after;
        loop {
            let page = self.registry.reports_after(position, PAGE)?;
            let Some(last) = page.last() else { return Ok(summary) };
            position = last.position;
            let replayed: Vec<ReplayedReport> = page
                .par_iter()
                .map(|report| {
                    let outcome = self.replay_one(evidence, &readings, report);
                    ReplayedReport { position: report.position, id: report.id, outcome }
                })
                .collect();
            for report in &replayed {
                summary.count(&report.outcome);
                if tell(report).is_break() {
                    return Ok(summary);
                }
            }
        }
    }

    fn replay_one(
        &self,
        evidence: &dyn EvidenceStore,
        readings: &Readings,
        report: &ReplayableReport,
    ) -> ReplayOutcome {
        let Some(facts) = &report.facts else { return ReplayOutcome::NotKept { what: "facts" } };
        let document = match self.registry.document(&report.document) {
            Ok(Some(document)) => document,
            Ok(None) => return ReplayOutcome::NotKept { what: "document" },
            Err(error) => return ReplayOutcome::Damaged { what: error.to_string() },
        };
        let again = readings
            .of(evidence, facts)
            .map_err(ServiceError::from)
            .and_then(|facts| self.verify_as_then(report, &document, &facts));
        match again {
            Ok(again) => compare(&report.json, &again),
            Err(error) => ReplayOutcome::Damaged { what: error.to_string() },
        }
    }

    fn verify_as_then(
        &self,
        report: &ReplayableReport,
        document: &[u8],
        facts: &PastFacts,
    ) -> Result<Vec<u8>, ServiceError> {
        let damaged = |what: &str| ServiceError::StoreDamaged { what: format!("report {}: {what}", report.id) };
        let recorded: ValidationReport =
            serde_json::from_slice(&report.json).map_err(|_| damaged("it cannot be read"))?;
        let parameters: Option<RecordedParameters> = report
            .parameters
            .as_deref()
            .map(serde_json::from_slice)
            .transpose()
            .map_err(|_| damaged("its parameters cannot be read"))?;
        let (mut applicant, mut rules, mut container) = (DeclaredApplicant::default(), None, None);
        if let Some(RecordedParameters { parameters, .. }) = &parameters {
            applicant = declared(&parameters.applicant)?;
            container = format(parameters.format.as_deref())?;
            let service = parameters.service.as_deref().map(|id| self.service(id)).transpose()?;
            rules = service.map(licensing::Service::rules);
        }
        let rules: Option<ServiceRules> = rules;
        let content = report.content.as_ref().map(|digest| self.stored_document(digest)).transpose()?;
        let mut again = verify(&VerificationInputs {
            report_id: &recorded.id,
            at: recorded.validation_time,
            received_at: parameters.as_ref().and_then(|parameters| parameters.received_at),
            document,
            format: container,
            content: content.as_deref(),
            declared: applicant,
            service: rules.as_ref(),
            policy: &facts.policy,
            context: ValidationContext {
                trust_anchors: &facts.trust_anchors,
                intermediates: &facts.intermediates,
                lists: &facts.lists,
                responses: &facts.responses,
                unavailable: &facts.unavailable,
                now: Some(report.judged_at),
                ..ValidationContext::default()
            },
        });
        // Whether the registry had seen a signature or a message before is a fact of then, and the report is where it is
        // kept.
        let replayed = |outcome: &Outcome| matches!(outcome.failure(), Some(Reason::SavMessageReplayed { .. }));
        let seen = |then: &SignatureReport| then.checks.outcome(CheckId::NotSeenBefore).clone();
        if recorded.signatures.iter().any(|then| replayed(&seen(then))) {
            message::refuse(&mut again);
        }
        for (signature, then) in again.signatures.iter_mut().zip(&recorded.signatures) {
            signature.checks.record(CheckId::NotSeenBefore, seen(then));
        }
        serde_json::to_vec(&again).map_err(internal)
    }
}

impl ReplaySummary {
    fn count(&mut self, outcome: &ReplayOutcome) {
        self.reports += 1;
        match outcome {
            ReplayOutcome::Same => self.same += 1,
            ReplayOutcome::SameByOtherSoftware { .. } => self.by_other_software += 1,
            ReplayOutcome::NotKept { .. } => self.not_kept += 1,
            ReplayOutcome::Differs { .. } | ReplayOutcome::Damaged { .. } => self.alarms += 1,
        }
    }
}

fn compare(recorded: &[u8], again: &[u8]) -> ReplayOutcome {
    if recorded == again {
        return ReplayOutcome::Same;
    }
    let read = |octets: &[u8]| serde_json::from_slice::<serde_json::Value>(octets).unwrap_or_default();
    let (recorded, mut again) = (read(recorded), read(again));
    let software = recorded.get("software").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    if let Some(name) = again.get_mut("software") {
        *name = software.clone().into();
    }
    match first_difference(&recorded, &again) {
        Some(at) => ReplayOutcome::Differs { at },
        None if software != SOFTWARE => ReplayOutcome::SameByOtherSoftware { recorded: software },
        // The same values in other octets: an order of fields, a number's form.
        None => ReplayOutcome::Differs { at: String::new() },
    }
}

/// The JSON Pointer of the first value that is not the same.
fn first_difference(one: &serde_json::Value, other: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let missing = other.keys().find(|key| !one.contains_key(*key)).map(|key| format!("/{key}"));
            let differing = one.iter().find_map(|(key, value)| match other.get(key) {
                Some(other) => first_difference(value, other).map(|rest| format!("/{key}{rest}")),
                None => Some(format!("/{key}")),
            });
            differing.or(missing)
        }
        (Value::Array(one), Value::Array(other)) => {
            let differing = one.iter().zip(other).enumerate();
            let mut differing = differing
                .filter_map(|(at, (one, other))| first_difference(one, other).map(|rest| format!("/{at}{rest}")));
            differing.next().or_else(|| (one.len() != other.len()).then(|| format!("/{}", one.len().min(other.len()))))
        }
        (one, other) => (one != other).then(String::new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_named_by_its_place() {
        let report = json!({"software": SOFTWARE, "signatures": [{"level": "B", "checks": [1, 2]}], "x": null});
        let octets = |value: &serde_json::Value| serde_json::to_vec(value).unwrap();
        let against = |other: serde_json::Value| compare(&octets(&report), &octets(&other));
        let differs = |at: &str| ReplayOutcome::Differs { at: at.into() };
        assert_eq!(against(report.clone()), ReplayOutcome::Same);
        for (pointer, value) in
            [("/signatures/0/level", json!("T")), ("/signatures/0/checks/1", json!(3)), ("/x", json!(0))]
        {
            let mut other = report.clone();
            *other.pointer_mut(pointer).unwrap() = value;
            assert_eq!(against(other), differs(pointer));
        }
        let mut longer = report.clone();
        longer["signatures"][0]["checks"] = json!([1, 2, 3]);
        assert_eq!(against(longer), differs("/signatures/0/checks/2"));
        let mut more = report.clone();
        more["y"] = json!(1);
        assert_eq!(against(more), differs("/y"));
        let other_order = json!({"x": null, "signatures": report["signatures"], "software": SOFTWARE});
        assert_eq!(against(other_order), differs(""));
        let mut older = report.clone();
        older["software"] = json!("tamga 0.0.1");
        let by_older = ReplayOutcome::SameByOtherSoftware { recorded: "tamga 0.0.1".into() };
        assert_eq!(compare(&octets(&older), &octets(&report)), by_older);
    }
}
