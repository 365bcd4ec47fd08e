//! From received octets to the list in force.

use super::index::{self, Contents};
use super::list::IndexedList;
use super::walk::{WalkError, Walked, walk};
use super::{RevocationStore, Series};
use crate::crypto::KeyError;
use crate::pki::crl::{CrlError, CrlNumber, CrlScope, RevocationList as _};
use crate::pki::{Certificate, Name, SubjectPublicKeyInfo};
use crate::report::Time;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

/// How far the clocks of an issuer and of this host may differ, in seconds (contract §5).
const MAX_CLOCK_SKEW_SECONDS: i64 = 300;

/// Whose signature a list may carry: a name and a key.
#[derive(Debug)]
pub struct ListSigner {
    subject: Vec<u8>,
    key: SubjectPublicKeyInfo,
}

impl ListSigner {
    /// A signer from the DER of its name and of its key.
    pub fn new(subject: &Name<'_>, key: SubjectPublicKeyInfo) -> ListSigner {
        ListSigner { subject: subject.raw().to_vec(), key }
    }
}

impl From<&Certificate> for ListSigner {
    fn from(certificate: &Certificate) -> ListSigner {
        ListSigner::new(&certificate.subject(), SubjectPublicKeyInfo::new(certificate.spki()))
    }
}

/// What becomes of a list whose nextUpdate has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// It is refused: a mirror that serves old lists is of no use.
    Refuse,
    /// It is taken: what it lists stays revoked, and validation judges its age for itself.
    Accept,
}

/// Why a list does not replace the last good one.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The octets are not a list that can be used.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// Its fields do not fit together.
    #[error(transparent)]
    Structure(#[from] CrlError),
    /// An entry names another certificate issuer and the list does not say that it is indirect (RFC 5280 §5.3.3).
    #[error("entries of other issuers in a list that is not indirect")]
    NotIndirect,
    /// Nobody who is trusted has the issuer's name.
    #[error("issued by {issuer}, which reaches no trust anchor")]
    UnknownIssuer {
        /// The list's issuer.
        issuer: String,
    },
    /// The signature is not the issuer's.
    #[error("signature does not verify under any key of {issuer}: {detail}")]
    Signature {
        /// The list's issuer.
        issuer: String,
        /// What the last key said.
        detail: String,
    },
    /// thisUpdate is in the future.
    #[error("not valid before {this_update}")]
    NotYetValid {
        /// The list's thisUpdate.
        this_update: Time,
    },
    /// nextUpdate has passed.
    #[error("expired at {next_update}")]
    Expired {
        /// The list's nextUpdate.
        next_update: Time,
    },
    /// An older list than the one at hand: a mirror that lags, or an attack (`validation.md`, attack 26).
    #[error("older than the list at hand: number {offered} of {this_update}, held {held} of {held_update}")]
    RolledBack {
        /// Its number.
        offered: Number,
        /// Its thisUpdate.
        this_update: Time,
        /// The number at hand.
        held: Number,
        /// The thisUpdate at hand.
        held_update: Time,
    },
    /// The store cannot be read or written.
    #[error("store: {0}")]
    Io(#[from] io::Error),
    /// The index just written cannot be read back.
    #[error("store: {0}")]
    Index(#[from] super::IndexError),
}

/// A cRLNumber, or that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub Option<CrlNumber>);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl ImportError {
    /// A stable name, for metrics and for the log.
    pub const fn code(&self) -> &'static str {
        match self {
            ImportError::Walk(WalkError::Empty) => "empty",
            ImportError::Walk(WalkError::NotAList(_)) => "not-a-list",
            ImportError::Walk(WalkError::Truncated { .. }) => "truncated",
            ImportError::Walk(WalkError::TooLarge { .. }) => "too-large",
            ImportError::Walk(WalkError::Malformed { .. }) | ImportError::Structure(_) | ImportError::NotIndirect => {
                "malformed"
            }
            ImportError::Walk(WalkError::UnknownCriticalExtension(_)) => "unknown-critical-extension",
            ImportError::Walk(WalkError::Algorithm(_)) => "algorithm-not-allowed",
            ImportError::UnknownIssuer { .. } => "unknown-issuer",
            ImportError::Signature { .. } => "signature-invalid",
            ImportError::NotYetValid { .. } => "not-yet-valid",
            ImportError::Expired { .. } => "expired",
            ImportError::RolledBack { .. } => "rolled-back",
            ImportError::Walk(WalkError::Io(_)) | ImportError::Io(_) | ImportError::Index(_) => "store",
        }
    }
}

/// What an import did.
#[derive(Clone, Debug)]
pub enum Imported {
    /// The list is in force now.
    Replaced(Arc<IndexedList>),
    /// It is the list that was in force already.
    Unchanged(Arc<IndexedList>),
}

impl Imported {
    /// The list in force.
    pub fn list(&self) -> &Arc<IndexedList> {
        match self {
            Imported::Replaced(list) | Imported::Unchanged(list) => list,
        }
    }
}

/// A file of the staging folder; gone when it is dropped.
#[derive(Debug)]
pub struct StagedList {
    path: PathBuf,
    file: File,
    limit: u64,
    octets: u64,
}

impl StagedList {
    /// How many octets were written.
    pub fn octets(&self) -> u64 {
        self.octets
    }
}

impl Write for StagedList {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.octets.saturating_add(octets.len() as u64) > self.limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, WalkError::TooLarge { limit: self.limit }));
        }
        let written = self.file.write(octets)?;
        self.octets += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for StagedList {
    fn drop(&mut self) {
        // Renamed away when it was imported.
        let _ = fs::remove_file(&self.path);
    }
}

impl RevocationStore {
    /// A new file to receive a list in.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn staging(&self) -> io::Result<StagedList> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = self.folder.join("staging").join(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        Ok(StagedList { path, file, limit: self.limits.max_list_octets, octets: 0 })
    }

    /// Receives a list from a reader.
    ///
    /// # Errors
    /// The reader fails, the list is larger than is taken, or the folder cannot be written.
    pub fn stage(&self, source: &mut impl Read) -> Result<StagedList, ImportError> {
        let mut staged = self.staging()?;
        io::copy(source, &mut staged).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => WalkError::TooLarge { limit: self.limits.max_list_octets }.into(),
            _ => ImportError::from(error),
        })?;
        Ok(staged)
    }

    /// Removes what a process that no longer runs left behind. Files of a process that runs are younger than a day.
    pub(super) fn empty_staging(&self) -> io::Result<()> {
        const ABANDONED_SECONDS: u64 = 86_400;
        for file in fs::read_dir(self.folder.join("staging"))? {
            let file = file?;
            let age = file.metadata()?.modified().ok().and_then(|written| written.elapsed().ok());
            let own = file.file_name().to_str().and_then(|name| name.split('-').next()?.parse::<u32>().ok());
            let dead = own.is_none_or(|id| !Path::new("/proc").join(id.to_string()).exists());
            if dead || age.is_some_and(|age| age.as_secs() > ABANDONED_SECONDS) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    /// Takes a received list into force, if it is one of a signer given and newer than the one at hand.
    ///
    /// The caller gives signers that reach a trust anchor; nobody else's list is read past its head.
    ///
    /// # Errors
    /// [`ImportError`]; whatever it is, the last good list stays in force.
    pub fn import(
        &self,
        mut staged: StagedList,
        signers: &[ListSigner],
        at: Time,
        staleness: Staleness,
    ) -> Result<Imported, ImportError> {
        let _turn = self.importing.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(self.folder.join("lock"))?;
        lock.lock()?;
        // Another process may have imported since this one looked.
        self.reload()?;

        staged.file.seek(SeekFrom::Start(0))?;
        let walked = walk(&staged.file, staged.octets, staged.limit)?;
        let scope = CrlScope::from_skeleton(&walked.frame, walked.digest, false)?;
        let signer = verify(&staged.file, &walked, &scope, signers)?;
        let series = Series::new(signer.key.digest(), &scope);
        let held = self.held(&series).map(|held| held.list);
        if let Some(held) = &held {
            if held.scope().digest == scope.digest {
                return Ok(Imported::Unchanged(Arc::clone(held)));
            }
            check_not_rolled_back(&scope, held.scope())?;
        }
        check_dates(&scope, at, staleness)?;

        let mut index = self.staging()?;
        index.limit = u64::MAX;
        let groups = walked.records.into_sorted();
        if groups.len() > 1 && !scope.issuing_distribution_point().is_some_and(|point| point.indirect_crl) {
            return Err(ImportError::NotIndirect);
        }
        let contents = Contents {
            source: walked.digest,
            source_octets: walked.octets,
            signer: signer.key.digest(),
            frame: &walked.frame,
            groups: &groups,
        };
        index::write(&contents, &mut index)?;
        drop(groups);
        // The archive first: an index never names a source that is not there.
        put(&staged, &self.archive_path(&series, &walked.digest))?;
        put(&index, &self.index_path(&series))?;

        let file = File::open(self.index_path(&series))?;
        let written = file.metadata()?.modified().ok();
        self.swap(series.clone(), IndexedList::open(file)?, written);
        self.prune_archive()?;
        let held = self.held(&series).ok_or_else(|| io::Error::other("the series is gone"))?;
        Ok(Imported::Replaced(held.list))
    }
}

/// Synchronises a staged file and renames it into place, to be read alone from then on.
fn put(staged: &StagedList, to: &Path) -> io::Result<()> {
    let mut permissions = staged.file.metadata()?.permissions();
    permissions.set_readonly(true);
    staged.file.set_permissions(permissions)?;
    staged.file.sync_all()?;
    fs::rename(&staged.path, to)?;
    match to.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The signer whose key the list's signature verifies under.
fn verify<'a>(
    mut source: &File,
    walked: &Walked,
    scope: &CrlScope,
    signers: &'a [ListSigner],
) -> Result<&'a ListSigner, ImportError> {
    let issuer = || scope.issuer().to_string();
    let named = |signer: &&ListSigner| Name::parse(&signer.subject).is_ok_and(|name| name == scope.issuer());
    // An algorithm without a digest of its own (Ed25519) signs the whole, which is then read once more.
    let mut message = Vec::new();
    if walked.tbs_digest.is_none() {
        source.seek(SeekFrom::Start(walked.tbs.start))?;
        source.take(walked.tbs.end - walked.tbs.start).read_to_end(&mut message)?;
    }
    let mut detail = None;
    for signer in signers.iter().filter(named) {
        let verified = signer.key.key().map_err(|error: KeyError| error.to_string()).and_then(|key| {
            match &walked.tbs_digest {
                Some(digest) => key.verify_digest(&walked.algorithm, digest, &walked.signature),
                None => key.verify(&walked.algorithm, &message, &walked.signature),
            }
            .map_err(|error| error.to_string())
        });
        match verified {
            Ok(()) => return Ok(signer),
            Err(error) => detail = Some(error),
        }
    }
    Err(match detail {
        Some(detail) => ImportError::Signature { issuer: issuer(), detail },
        None => ImportError::UnknownIssuer { issuer: issuer() },
    })
}

/// Neither cRLNumber (RFC 5280 §5.2.3) nor thisUpdate ever goes back in a series.
fn check_not_rolled_back(offered: &CrlScope, held: &CrlScope) -> Result<(), ImportError> {
    let number_goes_back = offered.crl_number < held.crl_number;
    if number_goes_back || offered.this_update < held.this_update {
        return Err(ImportError::RolledBack {
            offered: Number(offered.crl_number),
            this_update: offered.this_update,
            held: Number(held.crl_number),
            held_update: held.this_update,
        });
    }
    Ok(())
}

fn check_dates(scope: &CrlScope, at: Time, staleness: Staleness) -> Result<(), ImportError> {
    if scope.this_update > at.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        return Err(ImportError::NotYetValid { this_update: scope.this_update });
    }
    match scope.next_update {
        Some(next_update) if next_update < at && staleness == Staleness::Refuse => {
            Err(ImportError::Expired { next_update })
        }
        _ => Ok(()),
    }
}
