//! The registry in one SQLite file: write-ahead log, synchronous FULL, one writing thread, several readers.
//!
//! Writes go through [`writer`] and are answered when they are on disk. Reads have connections of their own and see
//! every answered write. The file holds personal data: it is made readable for its owner alone.
//!
//! *Invariant:* foreign keys are enforced on every connection; nothing is written outside the writing thread.

mod evidence;
mod journal;
mod licence;
mod message;
mod migration;
mod request;
mod row;
mod stamping;
mod token;
mod writer;

use crate::crypto::Digest;
use crate::licensing::{LicenceNumber, RequestNumber};
use crate::port::token::{TokenRecord, TokenStore, TokenStoreError};
use crate::port::{
    Completion, EvidenceObject, IdempotencyKey, Intent, Journal, JournalRow, LicenceRecord, NewReport, NewRequest,
    Registration, Registry, RegistryError, ReplayableReport, RequestRecord, Reservation, Reserved, SeenKey, StampingId,
    StateChange, StoredCheckpoint, StoredReport, StoredRequest, Unfinished,
};
use crate::report::Time;
use crate::verify::replay::Taken;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;
use writer::Writer;

/// How long a connection waits for another process that writes, such as `tamga token` beside a running service.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Reading connections kept open: more callers than this open one for themselves and close it again.
const MAX_IDLE_READERS: usize = 16;
/// Prepared statements kept by a connection; all of this room's fit.
const STATEMENTS: usize = 64;
/// The log is cut back to this size after a checkpoint.
const MAX_IDLE_LOG_BYTES: i64 = 64 * 1024 * 1024;

/// A registry in a file.
pub struct SqliteRegistry {
    path: PathBuf,
    writer: Option<Writer>,
    writing: Option<std::thread::JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
    claim: Mutex<Option<File>>,
}

impl SqliteRegistry {
    /// Opens a registry, creating the file or bringing it to the present shape where needed.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] for a file that is no registry or is newer than this software;
    /// [`RegistryError::Failed`] where it cannot be opened.
    pub fn open(path: &Path) -> Result<SqliteRegistry, RegistryError> {
        create_private(path)
            .map_err(|error| RegistryError::Failed { cause: format!("{}: {error}", path.display()) })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(path, flags)?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(RegistryError::Failed { cause: format!("no write-ahead log is possible here, only {mode}") });
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", MAX_IDLE_LOG_BYTES)?;
        migration::migrate(&mut connection)?;
        // The writing thread runs checkpoints itself, behind the answers.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let (writer, writing) = Writer::start(connection)
            .map_err(|error| RegistryError::Failed { cause: format!("no thread to write: {error}") })?;
        Ok(SqliteRegistry {
            path: path.to_owned(),
            writer: Some(writer),
            writing: Some(writing),
            readers: Mutex::default(),
            claim: Mutex::default(),
        })
    }

    /// Claims the registry for the one service that stamps on it, until this value is dropped or its process ends.
    ///
    /// # Errors
    /// [`RegistryError::Busy`] where another one has it.
    pub fn claim(&self) -> Result<(), RegistryError> {
        let failed = |error: std::io::Error| RegistryError::Failed { cause: format!("lock of the registry: {error}") };
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let file = create_private(Path::new(&path)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                *self.claim.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => Err(RegistryError::Busy),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Walks every page and every reference of the file (SQLite `integrity_check`, `foreign_key_check`). Takes time in
    /// proportion to the file.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] with what was found.
    pub fn check_integrity(&self) -> Result<(), RegistryError> {
        self.read(|connection| {
            let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if found != "ok" {
                return Err(RegistryError::Damaged { what: found });
            }
            if connection.prepare("PRAGMA foreign_key_check")?.exists([])? {
                return Err(row::damaged("a row refers to one that does not exist"));
            }
            Ok(())
        })
    }

    fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        match &self.writer {
            Some(writer) => writer.write(operation),
            None => Err(RegistryError::Failed { cause: "the registry is closed".to_owned() }),
        }
    }

    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let idle = || self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?,
        };
        let outcome = query(&connection);
        let mut idle = idle();
        if idle.len() < MAX_IDLE_READERS {
            idle.push(connection);
        }
        outcome
    }
}

impl Drop for SqliteRegistry {
    /// Waits for the writing thread, so that the file can be opened again at once.
    fn drop(&mut self) {
        self.writer = None;
        if let Some(writing) = self.writing.take() {
            // A thread that panicked has nothing more to write.
            let _ = writing.join();
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, RegistryError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Makes the file, readable for its owner alone; SQLite gives the log the same permissions.
fn create_private(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Journal for SqliteRegistry {
    fn head(&self) -> Result<Option<JournalRow>, RegistryError> {
        self.read(journal::head)
    }

    fn rows_after(&self, position: u64, limit: usize) -> Result<Vec<JournalRow>, RegistryError> {
        self.read(|connection| journal::rows_after(connection, position, limit))
    }

    fn rows_about(&self, subject: &str) -> Result<Vec<JournalRow>, RegistryError> {
        self.read(|connection| journal::rows_about(connection, subject))
    }

    fn checkpoints(&self, origin: &str) -> Result<Vec<StoredCheckpoint>, RegistryError> {
        self.read(|connection| journal::checkpoints(connection, origin))
    }

    fn last_checkpoint(&self, origin: &str) -> Result<Option<StoredCheckpoint>, RegistryError> {
        self.read(|connection| journal::last_checkpoint(connection, origin))
    }

    fn record_checkpoint(&self, checkpoint: StoredCheckpoint) -> Result<(), RegistryError> {
        self.write(move |connection| journal::record_checkpoint(connection, &checkpoint))
    }
}

impl Registry for SqliteRegistry {
    fn check_writable(&self) -> Result<(), RegistryError> {
        // A row that is written and taken back: the transaction is real, the file stays as it is.
        self.write(|connection| {
            connection.prepare_cached("INSERT INTO counter (scope, last) VALUES ('', 0)")?.execute([])?;
            connection.prepare_cached("DELETE FROM counter WHERE scope = ''")?.execute([])?;
            Ok(())
        })
    }

    fn record_report(&self, report: NewReport) -> Result<(), RegistryError> {
        let digest = Digest::sha256(&report.json);
        self.write(move |connection| request::insert_report(connection, &report, &digest).map(drop))
    }

    fn record_report_then(&self, report: NewReport, kept: Box<dyn FnOnce(Result<(), RegistryError>) + Send>) {
        let digest = Digest::sha256(&report.json);
        let operation = move |connection: &Connection| request::insert_report(connection, &report, &digest).map(drop);
        match &self.writer {
            Some(writer) => writer.submit(operation, kept),
            None => kept(Err(RegistryError::Failed { cause: "the registry is closed".to_owned() })),
        }
    }

    fn report(&self, id: Uuid) -> Result<Option<StoredReport>, RegistryError> {
        self.read(|connection| request::report(connection, id))
    }

    fn reports_after(&self, position: u64, limit: usize) -> Result<Vec<ReplayableReport>, RegistryError> {
        self.read(|connection| evidence::reports_after(connection, position, limit))
    }

    fn record_evidence(&self, objects: Vec<EvidenceObject>, at: Time) -> Result<(), RegistryError> {
        self.write(move |connection| evidence::record(connection, &objects, at))
    }

    fn evidence(&self, digest: &Digest) -> Result<Option<Option<Vec<u8>>>, RegistryError> {
        self.read(|connection| evidence::find(connection, digest))
    }

    fn seen(&self, keys: &[SeenKey]) -> Result<Option<RequestNumber>, RegistryError> {
        self.read(|connection| request::seen(connection, keys))
    }

    fn take_messages(&self, messages: &[Taken], at: Time) -> Result<bool, RegistryError> {
        let messages = messages.to_vec();
        self.write(move |connection| message::take(connection, &messages, at))
    }

    fn register_request(&self, new: NewRequest) -> Result<Registration, RegistryError> {
        let digests = request::RequestDigests {
            report: Digest::sha256(&new.report.json),
            document: Digest::sha256(&new.document),
            content: new.content.as_deref().map(Digest::sha256),
        };
        self.write(move |connection| request::register(connection, &new, &digests))
    }

    fn request(&self, number: &RequestNumber) -> Result<Option<RequestRecord>, RegistryError> {
        self.read(|connection| request::record(connection, number))
    }

    fn stored_request(&self, number: &RequestNumber) -> Result<Option<StoredRequest>, RegistryError> {
        self.read(|connection| request::stored(connection, number))
    }

    fn reserve(&self, reservation: Reservation) -> Result<Reserved, RegistryError> {
        self.write(move |connection| stamping::reserve(connection, &reservation))
    }

    fn answered(&self, key: &IdempotencyKey) -> Result<Option<LicenceRecord>, RegistryError> {
        self.read(|connection| stamping::answered(connection, key))
    }

    fn record_intent(&self, intent: Intent) -> Result<(), RegistryError> {
        self.write(move |connection| stamping::record_intent(connection, &intent))
    }

    fn complete(&self, completion: Completion) -> Result<LicenceRecord, RegistryError> {
        self.write(move |connection| stamping::complete(connection, &completion))
    }

    fn void(&self, id: StampingId, reason: &'static str, at: Time) -> Result<(), RegistryError> {
        self.write(move |connection| stamping::void(connection, id, reason, at))
    }

    fn unfinished(&self) -> Result<Vec<Unfinished>, RegistryError> {
        self.read(stamping::unfinished)
    }

    fn change_state(&self, change: StateChange) -> Result<LicenceRecord, RegistryError> {
        self.write(move |connection| licence::change_state(connection, &change))
    }

    fn licence(&self, number: &LicenceNumber) -> Result<Option<LicenceRecord>, RegistryError> {
        self.read(|connection| Ok(licence::find(connection, number)?.map(|(_, record)| record)))
    }

    fn licence_of_document(&self, document: &Digest) -> Result<Option<LicenceNumber>, RegistryError> {
        self.read(|connection| licence::of_document(connection, document))
    }

    fn document(&self, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        self.read(|connection| request::body(connection, digest))
    }

    fn licence_count(&self) -> Result<u64, RegistryError> {
        self.read(licence::count)
    }

    fn licences_after(&self, after: Option<&LicenceNumber>, limit: usize) -> Result<Vec<LicenceNumber>, RegistryError> {
        self.read(|connection| licence::after(connection, after, limit))
    }
}

impl From<RegistryError> for TokenStoreError {
    fn from(error: RegistryError) -> TokenStoreError {
        TokenStoreError(error.to_string())
    }
}

impl TokenStore for SqliteRegistry {
    fn insert(&self, record: &TokenRecord) -> Result<(), TokenStoreError> {
        let record = record.clone();
        Ok(self.write(move |connection| token::insert(connection, &record))?)
    }

    fn find(&self, id: &str) -> Result<Option<TokenRecord>, TokenStoreError> {
        Ok(self.read(|connection| token::find(connection, id))?)
    }

    fn list(&self) -> Result<Vec<TokenRecord>, TokenStoreError> {
        Ok(self.read(token::list)?)
    }

    fn revoke(&self, id: &str, at: Time) -> Result<bool, TokenStoreError> {
        let id = id.to_owned();
        Ok(self.write(move |connection| token::revoke(connection, &id, at))?)
    }
}

#[cfg(test)]
mod tests;
