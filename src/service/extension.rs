//! Extending a document so that its proof lasts: T, LT, LTA, and the renewal of an archive time-stamp.
//!
//! Every step starts from a verdict and ends in one: only what is accepted is extended, only what has reached the level
//! is handed out. What is added is what the verdict rested on.
//!
//! *Invariant:* the document that comes out carries every signed octet of the one that went in; whatever fails, nothing
//! comes out.

use crate::crypto::DigestAlgorithm;
use crate::format::{ParsedDocument, armour, cms};
use crate::port::{TimestampAuthority, TimestampError};
use crate::report::{
    Decision, PathCertificate, RevocationEvidence, SignatureReport, TimestampKind, TimestampOutcome, TimestampReport,
    ValidationReport,
};
use crate::stamp::extension::{
    ExtensionError, ValidationMaterial, add_archive_timestamp, add_signature_timestamp, add_validation_material,
    prepare_archive,
};
use crate::verify::evidence_in;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A level of proof (EN 319 122-1 §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The signature alone.
    #[default]
    B,
    /// A time-stamp over it.
    T,
    /// Certificates and revocation data beside it.
    Lt,
    /// An archive time-stamp over everything.
    Lta,
}

impl Level {
    /// The level by its name in a report.
    fn of(name: &str) -> Level {
        match name {
            "T" => Level::T,
            "LT" => Level::Lt,
            "LTA" => Level::Lta,
            _ => Level::B,
        }
    }
}

/// Finds evidence by the digest that a report names.
pub trait Evidence {
    /// The octets of a certificate.
    fn certificate(&self, digest: &str) -> Option<Vec<u8>>;

    /// The octets of a revocation list.
    fn list(&self, digest: &str) -> Option<Vec<u8>>;

    /// The octets of an OCSP response.
    fn response(&self, digest: &str) -> Option<Vec<u8>>;
}

/// Why a document was not extended.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExtendError {
    /// It is not accepted as it is; nothing is built on it.
    #[error("the document is not accepted as it is")]
    NotAccepted(Box<ValidationReport>),
    /// Only CMS can be extended.
    #[error("only CMS documents can be extended, and this is {0}")]
    Format(String),
    /// No authority to ask.
    #[error("no time-stamping authority is configured")]
    NoAuthority,
    /// No token came.
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    /// What the verdict rests on is not at hand to be put into the document.
    #[error("evidence {digest} is not at hand")]
    EvidenceMissing {
        /// Its digest.
        digest: String,
    },
    /// What came out does not have the level.
    #[error("the document would be of level {found} only")]
    NotReached {
        /// The level it would have.
        found: String,
        /// The report on it.
        report: Box<ValidationReport>,
    },
    /// It cannot be rewritten.
    #[error(transparent)]
    Construction(#[from] ExtensionError),
}

/// A document that was extended, and the report on it.
#[derive(Clone, Debug)]
pub struct Extended {
    /// CMS in DER.
    pub document: Vec<u8>,
    /// The verdict on it.
    pub report: ValidationReport,
}

/// Extends documents.
pub struct Extender<'a> {
    /// Judges a document as of now.
    pub judge: &'a dyn Fn(&[u8]) -> ValidationReport,
    /// Finds what verdicts rest on.
    pub evidence: &'a dyn Evidence,
    /// Makes tokens.
    pub authority: Option<&'a dyn TimestampAuthority>,
    /// The content, where it travels apart.
    pub content: Option<&'a [u8]>,
}

impl Extender<'_> {
    /// The document at a level. One that is there already is left as it is, except that asking for LTA renews: it adds
    /// the evidence of the newest archive time-stamp and a new one over everything.
    ///
    /// # Errors
    /// [`ExtendError`].
    pub fn extend(&self, document: &[u8], to: Level) -> Result<Extended, ExtendError> {
        let report = self.accepted(document)?;
        if report.document.format != "cms" {
            return Err(ExtendError::Format(report.document.format));
        }
        let document = armour::dearmour(document).map_err(|_| ExtensionError::Unreadable("fc-malformed"))?;
        let mut extended = Extended { document: document.into_owned(), report };
        for step in [Level::T, Level::Lt, Level::Lta].into_iter().filter(|step| *step <= to) {
            let document = match step {
                Level::T => self.with_signature_timestamps(&extended)?,
                Level::Lt => self.with_evidence(&extended)?,
                _ => self.with_archive_timestamps(&extended)?,
            };
            extended = Extended { report: self.accepted(&document)?, document };
        }
        match extended.report.signatures.iter().find(|signature| Level::of(&signature.level) < to) {
            Some(short) => {
                Err(ExtendError::NotReached { found: short.level.clone(), report: Box::new(extended.report) })
            }
            None => Ok(extended),
        }
    }

    fn accepted(&self, document: &[u8]) -> Result<ValidationReport, ExtendError> {
        let report = (self.judge)(document);
        if report.decision == Decision::Accepted {
            return Ok(report);
        }
        Err(ExtendError::NotAccepted(Box::new(report)))
    }

    fn with_signature_timestamps(&self, extended: &Extended) -> Result<Vec<u8>, ExtendError> {
        let mut document = extended.document.clone();
        let parsed = parse(&extended.document)?;
        for (number, (signature, report)) in parsed.signatures.iter().zip(&extended.report.signatures).enumerate() {
            if valid(report, TimestampKind::Signature).next().is_none() {
                let imprint = self.digest_algorithm()?.digest(&signature.signature);
                document = add_signature_timestamp(&document, number, &self.authority()?.token(&imprint)?)?;
            }
        }
        Ok(document)
    }

    /// Puts in what the verdict on the signatures and their time-stamps rested on.
    fn with_evidence(&self, extended: &Extended) -> Result<Vec<u8>, ExtendError> {
        let mut gathering = self.gathering(&extended.document)?;
        for report in extended.report.signatures.iter().filter(|report| Level::of(&report.level) < Level::Lt) {
            gathering.add(&report.certification_path, &report.revocation)?;
            for token in valid(report, TimestampKind::Signature) {
                gathering.add(&token.certification_path, &token.revocation)?;
            }
        }
        let material = gathering.material;
        Ok(add_validation_material(&extended.document, &material)?)
    }

    /// Puts in what the newest archive time-stamp rests on, and a new one over everything.
    fn with_archive_timestamps(&self, extended: &Extended) -> Result<Vec<u8>, ExtendError> {
        let mut gathering = self.gathering(&extended.document)?;
        for report in &extended.report.signatures {
            let newest = valid(report, TimestampKind::Archive).max_by_key(|token| token.gen_time);
            if let Some(token) = newest {
                gathering.add(&token.certification_path, &token.revocation)?;
            }
        }
        let mut document = add_validation_material(&extended.document, &gathering.material)?;
        for number in 0..extended.report.signatures.len() {
            let prepared = prepare_archive(&document, number, self.content, self.digest_algorithm()?)?;
            let token = self.authority()?.token(&prepared.imprint)?;
            document = add_archive_timestamp(&document, number, &prepared, &token)?;
        }
        Ok(document)
    }

    fn gathering(&self, document: &[u8]) -> Result<Gathering<'_>, ExtendError> {
        let present = evidence_in(&parse(document)?).iter().map(ToString::to_string).collect();
        Ok(Gathering { evidence: self.evidence, present, material: ValidationMaterial::default() })
    }

    fn authority(&self) -> Result<&dyn TimestampAuthority, ExtendError> {
        self.authority.ok_or(ExtendError::NoAuthority)
    }

    fn digest_algorithm(&self) -> Result<DigestAlgorithm, ExtendError> {
        Ok(self.authority()?.digest_algorithm())
    }
}

/// Evidence on its way into a document.
struct Gathering<'a> {
    evidence: &'a dyn Evidence,
    /// Digests of what is in the document.
    present: HashSet<String>,
    material: ValidationMaterial,
}

impl Gathering<'_> {
    /// The objects behind the digests of a path, its trust anchor apart, and of its revocation data.
    fn add(&mut self, path: &[PathCertificate], revocation: &[RevocationEvidence]) -> Result<(), ExtendError> {
        let missing = |digest: &str| ExtendError::EvidenceMissing { digest: digest.to_owned() };
        for certificate in path.iter().filter(|certificate| !certificate.trust_anchor) {
            let digest = &certificate.digest;
            if self.present.insert(digest.clone()) {
                let der = self.evidence.certificate(digest).ok_or_else(|| missing(digest))?;
                self.material.certificates.push(der);
            }
        }
        for digest in revocation.iter().map(|evidence| &evidence.digest) {
            if !self.present.insert(digest.clone()) {
                continue;
            }
            match self.evidence.list(digest) {
                Some(list) => self.material.lists.push(list),
                None => {
                    self.material.responses.push(self.evidence.response(digest).ok_or_else(|| missing(digest))?);
                }
            }
        }
        Ok(())
    }
}

fn parse(document: &[u8]) -> Result<ParsedDocument<'_>, ExtendError> {
    cms::parse(document, None).map_err(|reason| ExtensionError::Unreadable(reason.code()).into())
}

fn valid(report: &SignatureReport, kind: TimestampKind) -> impl Iterator<Item = &TimestampReport> {
    report.timestamps.iter().filter(move |token| token.kind == kind && token.outcome == TimestampOutcome::Valid)
}
