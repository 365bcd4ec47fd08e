//! The auditor's walk through the registry: every document verified again, every row held against the seal and the
//! journal.
//!
//! Licences are taken page by page in the order of issue and judged on several threads, so memory does not grow with
//! the registry; a walk that was stopped goes on after the last licence it told about.
//!
//! *Invariant:* what the walk cannot read is a finding about that licence; the walk goes on.

use super::model::Caller;
use super::requests::authorise;
use super::{Service, ServiceError};
use crate::crypto::Digest;
use crate::licensing::{Container, DocumentKind, Licence, LicenceNumber, LicenceState};
use crate::port::token::Role;
use crate::port::{ChainBreak, DocumentRecord, JournalEntry, JournalEvent, LicenceRecord, SealedForm};
use crate::report::{Decision, Time, ValidationReport};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Licences judged between two looks at the registry: enough work for many threads, little memory.
const PAGE: usize = 256;

/// Something about a licence that is not as it was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum AuditFinding {
    /// Something of it cannot be read, or is not what was stored.
    Damaged {
        /// What was met.
        what: String,
    },
    /// The journal does not say that this document was stamped.
    NotInJournal {
        /// The document.
        document: Digest,
    },
    /// The journal leads to another state.
    StateDiffers {
        /// Where the journal leads.
        journal: LicenceState,
        /// What the registry says.
        registry: LicenceState,
    },
    /// The seal says something else than the registry.
    RecordDiffers {
        /// The field.
        field: &'static str,
    },
    /// The registered request is not the one that the seal names.
    RequestDiffers {
        /// What differs.
        field: &'static str,
    },
}

/// One document of a licence in one of its containers, judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditedDocument {
    /// Kind.
    pub kind: DocumentKind,
    /// Container.
    pub container: Container,
    /// Digest of the document.
    pub document: Digest,
    /// The decision on the seal.
    pub decision: Decision,
    /// Code of the first failing reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Until when the evidence in the document lasts: the end of its signers' certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<Time>,
}

/// One line of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditedLicence {
    /// The licence.
    pub number: LicenceNumber,
    /// Its state, where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<LicenceState>,
    /// Its documents, in each of their containers.
    pub documents: Vec<AuditedDocument>,
    /// What is not as it was issued; empty where all is well.
    pub findings: Vec<AuditFinding>,
}

impl AuditedLicence {
    /// Whether every seal verifies and nothing was found.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
            && !self.documents.is_empty()
            && self.documents.iter().all(|document| document.decision == Decision::Accepted)
    }
}

/// How a walk is to be made.
#[derive(Clone, Debug, Default)]
pub struct AuditOrder {
    /// The time to judge as of; now where it is not given.
    pub at: Option<Time>,
    /// Licences whose evidence lasts until before this time at most are counted as to be renewed.
    pub renew_before: Option<Time>,
    /// The last licence told by a walk that was cut short.
    pub after: Option<LicenceNumber>,
    /// Threads.
    pub jobs: usize,
    /// What the walk that was cut short had come to.
    pub so_far: AuditSummary,
}

/// What a walk amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditSummary {
    /// Licences told about.
    pub licences: u64,
    /// Their documents, each counted once whatever its containers.
    pub documents: u64,
    /// Licences that are not as they were issued.
    pub with_findings: u64,
    /// Licences with findings, without a document, or with a document that is refused.
    pub unsound: u64,
    /// Licences of which the worst is a document that a later try may settle.
    pub undetermined: u64,
    /// Documents by the decision on the seal.
    pub by_decision: BTreeMap<String, u64>,
    /// Documents by the code of their first failing reason.
    pub by_code: BTreeMap<String, u64>,
    /// Licences to be renewed before the time that was asked about.
    pub to_renew: u64,
    /// The first of them.
    pub renew_first: Vec<LicenceNumber>,
    /// The first row of the journal that does not fit, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal_break: Option<String>,
}

/// Licences to be renewed that a summary names.
const MAX_RENEW_FIRST: usize = 100;

impl AuditSummary {
    fn count(&mut self, line: &AuditedLicence, renew_before: Option<Time>) {
        self.licences += 1;
        let is_document = |sealed: &&AuditedDocument| sealed.container == Container::Cms;
        self.documents += line.documents.iter().filter(is_document).count() as u64;
        self.with_findings += u64::from(!line.findings.is_empty());
        match line.documents.iter().map(|document| document.decision).max() {
            Some(Decision::Accepted) if line.findings.is_empty() => {}
            Some(Decision::Undetermined) if line.findings.is_empty() => self.undetermined += 1,
            _ => self.unsound += 1,
        }
        for document in &line.documents {
            *self.by_decision.entry(document.decision.as_str().to_owned()).or_default() += 1;
            if let Some(code) = &document.refusal {
                *self.by_code.entry(code.clone()).or_default() += 1;
            }
        }
        let ends =
            |document: &AuditedDocument| document.renew_before.zip(renew_before).is_some_and(|(end, by)| end < by);
        if line.documents.iter().any(ends) {
            self.to_renew += 1;
            if self.renew_first.len() < MAX_RENEW_FIRST {
                self.renew_first.push(line.number.clone());
            }
        }
    }
}

impl Service {
    /// Walks through the journal, then through every licence after the last one told. Each licence is told in the order of
    /// issue, with what the walk amounts to so far; telling may break it off.
    ///
    /// # Errors
    /// [`ServiceError`] where the registry cannot be walked at all.
    pub fn audit(
        &self,
        caller: &Caller,
        order: AuditOrder,
        tell: &mut dyn FnMut(&AuditedLicence, &AuditSummary) -> ControlFlow<()>,
    ) -> Result<AuditSummary, ServiceError> {
        authorise(caller, &[Role::Auditor])?;
        let at = order.at.unwrap_or_else(|| self.clock.now());
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(order.jobs.max(1))
            .build()
            .map_err(|error| ServiceError::Internal { cause: error.to_string() })?;
        let broken: Option<ChainBreak> = self.registry.verify_chain()?.err();
        let mut summary = order.so_far;
        summary.journal_break = broken.map(|broken| broken.to_string());
        let mut last = order.after;
        let mut page = self.registry.licences_after(last.as_ref(), PAGE)?;
        while let Some(end) = page.last() {
            last = Some(end.clone());
            // The next page is looked up while this one is judged.
            let (lines, next): (Vec<AuditedLicence>, _) = threads.install(|| {
                rayon::join(
                    || page.par_iter().map(|number| self.audit_licence(number, at)).collect(),
                    || self.registry.licences_after(last.as_ref(), PAGE),
                )
            });
            for line in &lines {
                summary.count(line, order.renew_before);
                if tell(line, &summary).is_break() {
                    return Ok(summary);
                }
            }
            page = next?;
        }
        Ok(summary)
    }

    fn audit_licence(&self, number: &LicenceNumber, at: Time) -> AuditedLicence {
        let mut line =
            AuditedLicence { number: number.clone(), state: None, documents: Vec::new(), findings: Vec::new() };
        if let Err(error) = self.look_at(&mut line, at) {
            line.findings.push(AuditFinding::Damaged { what: error.to_string() });
        }
        line
    }

    fn look_at(&self, line: &mut AuditedLicence, at: Time) -> Result<(), ServiceError> {
        let record = self.licence_record(&line.number)?;
        line.state = Some(record.state);
        let history = self.registry.history(&line.number.0)?;
        let journal = state_by_journal(&history);
        if journal != record.state {
            line.findings.push(AuditFinding::StateDiffers { journal, registry: record.state });
        }
        for document in &record.documents {
            if !stamped_by_journal(&history, document) {
                line.findings.push(AuditFinding::NotInJournal { document: document.digest });
            }
            for form in document.sealed() {
                self.look_at_form(line, &record, document, form, at)?;
            }
        }
        Ok(())
    }

    fn look_at_form(
        &self,
        line: &mut AuditedLicence,
        record: &LicenceRecord,
        document: &DocumentRecord,
        form: SealedForm,
        at: Time,
    ) -> Result<(), ServiceError> {
        let sealed = self.stored_document(&form.digest)?;
        let judged = self.judge_seal(&sealed, at)?;
        line.documents.push(AuditedDocument {
            kind: document.kind,
            container: form.container,
            document: form.digest,
            decision: judged.report.decision,
            renew_before: ends(&judged.report),
            refusal: judged.report.refusal.map(|refusal| refusal.code),
        });
        let Some(content) = self.content_of(&sealed).filter(|content| content.digest == form.content) else {
            line.findings.push(AuditFinding::RecordDiffers { field: "content" });
            return Ok(());
        };
        if let Some(field) = differing_field(&content.licence, record, document) {
            line.findings.push(AuditFinding::RecordDiffers { field });
        }
        if let Some(field) = self.differing_request(&content.licence)? {
            line.findings.push(AuditFinding::RequestDiffers { field });
        }
        Ok(())
    }

    fn differing_request(&self, content: &Licence) -> Result<Option<&'static str>, ServiceError> {
        let link = &content.request;
        let Some(request) = self.registry.request(&link.number)? else { return Ok(Some("number")) };
        Ok(match () {
            () if request.document != link.document => Some("document"),
            () if request.report != link.report => Some("report"),
            () => None,
        })
    }
}

/// The end of the first signer's certificate to end.
fn ends(report: &ValidationReport) -> Option<Time> {
    report.signatures.iter().filter_map(|signature| Some(signature.signer.as_ref()?.not_after)).min()
}

/// The state that the rows about a licence lead to.
fn state_by_journal(history: &[JournalEntry]) -> LicenceState {
    history.iter().fold(LicenceState::Issued, |state, entry| match entry.event {
        JournalEvent::StateChanged { to, .. } => to,
        _ => state,
    })
}

fn stamped_by_journal(history: &[JournalEntry], document: &DocumentRecord) -> bool {
    history.iter().any(|entry| {
        matches!(&entry.event, JournalEvent::Stamped { kind, document: stamped, forms, .. }
            if *kind == document.kind
                && *stamped == document.digest
                && forms.iter().map(|form| (form.container, form.digest))
                    .eq(document.forms.iter().map(|form| (form.container, form.digest))))
    })
}

/// The first field in which the seal and the registry do not say the same.
fn differing_field(content: &Licence, record: &LicenceRecord, document: &DocumentRecord) -> Option<&'static str> {
    let replaces = content.replaces.as_ref().map(|replaced| &replaced.number);
    let fields = [
        ("number", content.number == record.number),
        ("kind", content.kind == document.kind),
        ("service", content.service == record.service),
        ("holder", content.holder == record.holder),
        ("request", content.request.number == record.request),
        ("issue_date", content.issue_date == record.issue_date),
        ("valid_until", content.valid_until == record.valid_until),
        ("replaces", replaces == record.replaces.as_ref()),
    ];
    fields.into_iter().find(|field| !field.1).map(|field| field.0)
}
