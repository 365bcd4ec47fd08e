//! The transparency log: what is published, what proves a licence, and whether the registry still is what was published.

use super::model::Caller;
use super::requests::{authorise, internal};
use super::{Service, ServiceError};
use crate::licensing::LicenceNumber;
use crate::port::token::Role;
use crate::port::{JournalEntry, LogError, StoredCheckpoint, TransparencyLog, chain};
use crate::transparency::merkle::{self, Hash, leaf_hash};
use crate::transparency::tile::{Content, WIDTH, bundle};
use crate::transparency::{Checkpoint, Tile, VerifierKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

/// Rows looked at between two reports of progress.
const PAGE: usize = 4096;

/// An entry of the log with its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ProvenEntry {
    /// Position in the log, from 0.
    pub index: u64,
    /// What the entry says.
    pub entry: JournalEntry,
    /// The entry's octets as text; SHA-256 over 0x00 and these is its leaf hash.
    pub leaf: String,
    /// The inclusion proof (RFC 6962 §2.1.1), base64, from the leaf to the root.
    pub proof: Vec<String>,
}

/// What shows that everything about a licence stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LicenceProof {
    /// The licence.
    pub number: LicenceNumber,
    /// The key of the checkpoint (C2SP signed-note verifier key).
    pub verifier_key: String,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
    /// How many entries it covers.
    pub size: u64,
    /// Every entry about the licence, oldest first.
    pub entries: Vec<ProvenEntry>,
}

/// Something about the log that is not as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum LogFinding {
    /// A row of the journal.
    Row {
        /// Its position, from 1.
        position: u64,
        /// The number it is about.
        subject: String,
        /// What does not fit.
        what: &'static str,
    },
    /// A checkpoint.
    Checkpoint {
        /// How many rows it covers.
        size: u64,
        /// What does not fit.
        what: String,
    },
}

/// What a look at the log came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogAudit {
    /// The key of the checkpoints.
    pub verifier_key: String,
    /// Rows of the journal.
    pub rows: u64,
    /// Rows that the last checkpoint covers.
    pub published: u64,
    /// Checkpoints that were held against the tree, kept ones and given ones.
    pub checkpoints: u64,
    /// What is not as it was published.
    pub findings: Vec<LogFinding>,
}

/// The most findings that are told: of a journal that is another one, the first rows are enough.
const MAX_FINDINGS: usize = 1000;

impl Service {
    fn log(&self) -> Result<&dyn TransparencyLog, ServiceError> {
        self.log.as_deref().ok_or_else(|| internal("this registry publishes no log"))
    }

    /// Keeps the facts at hand as evidence, so that a day's lists stand in the log of that day whether or not a verdict
    /// rested on them, and publishes a checkpoint over everything that is new.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn publish(&self) -> Result<StoredCheckpoint, ServiceError> {
        let at = self.clock.now();
        let policy = self.verification.policy(super::licences::LICENCE_POLICY);
        if let (Some(evidence), Some(facts)) =
            (&self.evidence, policy.and_then(|policy| self.verification.facts(&policy)))
        {
            evidence.keep(&facts, at)?;
        }
        Ok(self.log()?.publish(at)?)
    }

    /// The last checkpoint; for anyone.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn log_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ServiceError> {
        Ok(self.log()?.published()?)
    }

    /// A tile of the published tree, or a bundle of its entries; for anyone.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub fn log_tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, ServiceError> {
        let log = self.log()?;
        if tile.content != Content::Entries {
            return Ok(log.tile(tile)?);
        }
        let size = log.published()?.map_or(0, |published| published.size);
        if tile.width > tile.available(size) {
            return Ok(None);
        }
        let rows = self.registry.rows_after(tile.index * WIDTH, usize::try_from(tile.width).map_err(internal)?)?;
        let octets = bundle(rows.iter().map(|row| row.leaf.as_bytes())).ok_or_else(|| internal("an entry too long"))?;
        Ok(Some(octets))
    }

    /// Everything the log has about a licence, with proofs under a checkpoint that covers all of it.
    ///
    /// # Errors
    /// [`crate::port::Unknown::Licence`]; [`ServiceError::StoreDamaged`] where the log does not have what the journal has.
    pub fn licence_proof(&self, caller: &Caller, number: &LicenceNumber) -> Result<LicenceProof, ServiceError> {
        authorise(caller, &[Role::Officer, Role::Auditor])?;
        self.licence_record(number)?;
        let log = self.log()?;
        let rows = self.registry.rows_about(&number.0)?;
        let needed = rows.last().map_or(0, |row| row.position);
        let published = match log.published()? {
            Some(published) if published.size >= needed => published,
            _ => log.publish(self.clock.now())?,
        };
        let checkpoint = Checkpoint::open(&published.note, log.verifier_key()).map_err(LogError::Checkpoint)?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            let index = row.position.saturating_sub(1);
            let proof = log.inclusion_proof(index, checkpoint.size)?;
            let hash = leaf_hash(row.leaf.as_bytes());
            // Our own proof is verified before it leaves: a row that was altered is found here too.
            if !merkle::verify_inclusion(&hash, index, checkpoint.size, &proof, &checkpoint.root) {
                return Err(ServiceError::StoreDamaged {
                    what: format!("journal row {} is not the one that was published", row.position),
                });
            }
            let proof = proof.iter().map(|hash| STANDARD.encode(hash)).collect();
            entries.push(ProvenEntry { index, entry: row.entry()?, leaf: row.leaf, proof });
        }
        Ok(LicenceProof {
            number: number.clone(),
            verifier_key: log.verifier_key().to_string(),
            checkpoint: published.note,
            size: checkpoint.size,
            entries,
        })
    }

    /// Holds every row of the journal against the log and every checkpoint against the tree, those of `known` too, which
    /// an outsider kept. `progress` is told how many rows were looked at.
    ///
    /// # Errors
    /// [`ServiceError`] where the journal cannot be walked at all; what does not fit is a finding.
    pub fn audit_log(
        &self,
        caller: &Caller,
        known: &[String],
        progress: &mut dyn FnMut(u64),
    ) -> Result<LogAudit, ServiceError> {
        authorise(caller, &[Role::Auditor])?;
        let log = self.log()?;
        let key = log.verifier_key();
        let kept = self.registry.checkpoints(key.name())?;
        let published = kept.last().map_or(0, |last| last.size);
        let mut audit = LogAudit { verifier_key: key.to_string(), published, ..LogAudit::default() };
        audit.rows = self.compare_rows(log, published, &mut audit.findings, progress)?;
        let notes = kept.iter().map(|kept| kept.note.as_str()).chain(known.iter().map(String::as_str));
        let mut checkpoints = open_all(notes, key, &mut audit.findings);
        checkpoints.sort_by_key(|checkpoint| checkpoint.size);
        audit.checkpoints = checkpoints.len() as u64;
        for checkpoint in &checkpoints {
            if let Err(what) = fits(log, checkpoint, published) {
                audit.findings.push(LogFinding::Checkpoint { size: checkpoint.size, what });
            }
        }
        for pair in checkpoints.windows(2) {
            if let [old, new] = pair
                && !is_consistent(log, old, new)
            {
                let what = format!("it does not begin with the checkpoint over {}", old.size);
                audit.findings.push(LogFinding::Checkpoint { size: new.size, what });
            }
        }
        Ok(audit)
    }

    /// Each row against its leaf in the tiles, and against the chain of hashes; how many rows there are.
    fn compare_rows(
        &self,
        log: &dyn TransparencyLog,
        published: u64,
        findings: &mut Vec<LogFinding>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64, ServiceError> {
        let (mut position, mut previous) = (0_u64, [0; 32]);
        loop {
            let rows = self.registry.rows_after(position, PAGE)?;
            if rows.is_empty() {
                if position < published {
                    let what = "the rows from here on are missing";
                    push(findings, LogFinding::Row { position: position + 1, subject: String::new(), what });
                }
                return Ok(position);
            }
            let base = position;
            let last = rows.last().map_or(position, |row| row.position);
            let leaves = log.leaf_hashes(base, last.saturating_sub(base).min(PAGE as u64))?;
            for row in &rows {
                let mut found = |position, what| {
                    push(findings, LogFinding::Row { position, subject: row.subject.clone(), what });
                };
                if row.position != position + 1 {
                    found(position + 1, "rows before this number are missing");
                }
                let leaf = row.position.checked_sub(base + 1).and_then(|at| leaves.get(usize::try_from(at).ok()?));
                let hash = leaf_hash(row.leaf.as_bytes());
                match leaf {
                    _ if row.position > published => {}
                    Some(leaf) if *leaf == hash => {}
                    Some(_) => found(row.position, "the row is not the one that was published"),
                    None => found(row.position, "the log has no leaf for the row"),
                }
                // The chain goes on from what the row says its hash is, so that each altered row is named for itself.
                if chain(&previous, row.leaf.as_bytes()) != row.hash {
                    found(row.position, "the row does not fit the chain of hashes");
                }
                if row.entry().ok().is_none_or(|entry| entry.event.subject() != row.subject) {
                    found(row.position, "the row is filed under another number than its own");
                }
                (position, previous) = (row.position, row.hash);
            }
            progress(position);
        }
    }
}

fn push(findings: &mut Vec<LogFinding>, finding: LogFinding) {
    if findings.len() < MAX_FINDINGS {
        findings.push(finding);
    }
}

fn open_all<'a>(
    notes: impl Iterator<Item = &'a str>,
    key: &VerifierKey,
    findings: &mut Vec<LogFinding>,
) -> Vec<Checkpoint> {
    let mut checkpoints = Vec::new();
    for note in notes {
        match Checkpoint::open(note, key) {
            Ok(checkpoint) => checkpoints.push(checkpoint),
            Err(error) => push(findings, LogFinding::Checkpoint { size: 0, what: error.to_string() }),
        }
    }
    checkpoints
}

fn fits(log: &dyn TransparencyLog, checkpoint: &Checkpoint, published: u64) -> Result<(), String> {
    if checkpoint.size > published {
        return Err(format!("the log was published only up to {published}"));
    }
    let root: Hash = log.root(checkpoint.size).map_err(|error| error.to_string())?;
    if root == checkpoint.root { Ok(()) } else { Err("the tree has another root there".to_owned()) }
}

fn is_consistent(log: &dyn TransparencyLog, old: &Checkpoint, new: &Checkpoint) -> bool {
    log.consistency_proof(old.size, new.size)
        .is_ok_and(|proof| merkle::verify_consistency(old.size, &old.root, new.size, &new.root, &proof))
}
