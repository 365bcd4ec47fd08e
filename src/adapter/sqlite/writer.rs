//! The one thread that writes, and its group commit.
//!
//! Operations that wait while a transaction is being synced to disk form the next transaction, each in a savepoint of
//! its own: one sync serves them all, and one that fails takes nothing with it. There is no timer: an operation that
//! comes alone waits for nobody, and under load the sync itself is what gathers the group.
//!
//! *Invariant:* an operation is answered after its transaction is on disk, or with the error of that transaction.

use crate::port::RegistryError;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SendError, Sender, channel};

/// The most operations in one transaction: 64 already divide the sync by 57 where it costs 1 ms, and more only
/// lengthen the wait of the first.
const MAX_GROUP: usize = 64;

/// Operations between two checkpoints. They run after the answers, so that no caller waits for one; a log of this
/// many 4 KiB rows stays in the megabytes.
const OPERATIONS_PER_CHECKPOINT: usize = 512;

type Answer = Box<dyn FnOnce(Result<(), RegistryError>) + Send>;

/// Runs in a savepoint and says whether it is to be kept; the answer goes out when the group has ended.
type Operation = Box<dyn FnOnce(Result<&Connection, RegistryError>) -> (Result<(), RegistryError>, Answer) + Send>;

/// The way to the writing thread.
pub(super) struct Writer {
    queue: Sender<Operation>,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped, after the operations that wait.
    pub(super) fn start(connection: Connection) -> std::io::Result<(Writer, std::thread::JoinHandle<()>)> {
        let (queue, operations) = channel();
        let thread = std::thread::Builder::new()
            .name("registry-writer".to_owned())
            .spawn(move || run(&connection, &operations))?;
        Ok((Writer { queue }, thread))
    }

    /// Carries out an operation and waits until it is on disk.
    pub(super) fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (answer, answered) = channel();
        // A caller that has gone away needs no answer.
        self.submit(operation, move |outcome| drop(answer.send(outcome)));
        answered.recv().map_err(|_| stopped())?
    }

    /// Carries out an operation and calls back from the writing thread when it is on disk.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, RegistryError> + Send + 'static,
        answer: impl FnOnce(Result<T, RegistryError>) + Send + 'static,
    ) {
        let operation: Operation = Box::new(move |connection| {
            let outcome = connection.and_then(operation);
            let keep = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
            (keep, Box::new(move |commit| answer(commit.and(outcome))))
        });
        if let Err(SendError(operation)) = self.queue.send(operation) {
            let (_, answer) = operation(Err(stopped()));
            answer(Err(stopped()));
        }
    }
}

fn stopped() -> RegistryError {
    RegistryError::Failed { cause: "the writing thread has stopped".to_owned() }
}

fn run(connection: &Connection, operations: &Receiver<Operation>) {
    let mut waiting = VecDeque::new();
    let mut since_checkpoint = 0_usize;
    loop {
        if waiting.is_empty() {
            match operations.recv() {
                Ok(operation) => waiting.push_back(operation),
                Err(_) => break,
            }
        }
        waiting.extend(operations.try_iter().take(MAX_GROUP.saturating_sub(waiting.len())));
        since_checkpoint = since_checkpoint.saturating_add(waiting.len());
        group(connection, &mut waiting);
        if since_checkpoint >= OPERATIONS_PER_CHECKPOINT {
            since_checkpoint = 0;
            checkpoint(connection);
        }
    }
    checkpoint(connection);
}

/// One transaction over the operations that wait, as far as it carries.
fn group(connection: &Connection, waiting: &mut VecDeque<Operation>) {
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        for operation in waiting.drain(..) {
            let (_, answer) = operation(Err(error.clone()));
            answer(Err(error.clone()));
        }
        return;
    }
    let mut answers = Vec::with_capacity(waiting.len());
    let mut lost = None;
    while let Some(operation) = waiting.pop_front() {
        let (outcome, answer) = match execute(connection, "SAVEPOINT operation") {
            Ok(()) => operation(Ok(connection)),
            Err(error) => operation(Err(error)),
        };
        answers.push(answer);
        let ended = match &outcome {
            Ok(()) => execute(connection, "RELEASE operation"),
            Err(_) => {
                execute(connection, "ROLLBACK TO operation").and_then(|()| execute(connection, "RELEASE operation"))
            }
        };
        // A full disk or an I/O error can end the whole transaction (sqlite.org/lang_transaction.html §3). The
        // operations that still wait get a transaction of their own.
        if let Err(error) = ended {
            lost = Some(outcome.err().unwrap_or(error));
            break;
        }
    }
    let ended = match lost {
        None => execute(connection, "COMMIT"),
        Some(error) => Err(error),
    };
    if ended.is_err() && !connection.is_autocommit() {
        // Nothing more can be done about a rollback that fails; the next BEGIN will say so.
        let _ = execute(connection, "ROLLBACK");
    }
    for answer in answers {
        answer(ended.clone());
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<(), RegistryError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Moves what is committed from the log into the file. A reader in the way makes it partial: the next one goes on.
fn checkpoint(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
}
