//! `tamga audit --log [URL]`: the transparency log, from inside and from outside.

use super::{Exit, Failure, audit::progress, outcome::print};
use crate::{
    adapter::log::{RemoteError, RemoteLog},
    service::{Caller, LogAudit, LogFinding, Service},
    transparency::{Checkpoint, VerifierKey},
};
use std::{fs, path::PathBuf};

/// The registry's own log: every row against its leaf, every checkpoint against the tree.
pub(super) fn own(service: &Service, caller: &Caller, since: &[PathBuf]) -> Result<Exit, Failure> {
    let bar = progress("rows");
    let audit =
        service.audit_log(caller, &read_all(since)?, &mut |rows| bar.set_position(rows)).map_err(Failure::fault)?;
    bar.finish_and_clear();
    print(&in_words(&audit))?;
    Ok(if audit.findings.is_empty() { Exit::Success } else { Exit::Refused })
}

fn in_words(audit: &LogAudit) -> String {
    let mut text = format!("verifier key: {}\n", audit.verifier_key);
    text += &format!("{} rows, {} of them published, {} checkpoints\n", audit.rows, audit.published, audit.checkpoints);
    for finding in &audit.findings {
        text += &match finding {
            LogFinding::Row { position, subject, what } => format!("ROW {position} ({subject}): {what}\n"),
            LogFinding::Checkpoint { size, what } => format!("CHECKPOINT over {size}: {what}\n"),
        };
    }
    if audit.findings.is_empty() {
        text += "the journal is the one that was published\n";
    }
    text
}

/// Somebody's log over HTTP. With checkpoints kept from earlier, that it begins with each of them; without, every entry.
pub(super) fn remote(url: &str, key: Option<&str>, since: &[PathBuf]) -> Result<Exit, Failure> {
    let key = key.ok_or_else(|| Failure::usage("--log URL needs --log-key: the log's verifier key"))?;
    let key: VerifierKey = key.parse().map_err(Failure::usage)?;
    let known = read_all(since)?;
    let known: Result<Vec<Checkpoint>, _> = known.iter().map(|note| Checkpoint::open(note, &key)).collect();
    let known = known.map_err(Failure::usage)?;
    let log = RemoteLog::new(url, key).map_err(Failure::fault)?;
    match check(&log, &known) {
        Ok(note) => {
            print(&note)?;
            Ok(Exit::Success)
        }
        Err(error @ (RemoteError::Inconsistent { .. } | RemoteError::Root { .. } | RemoteError::Checkpoint(_))) => {
            print(&format!("{error}\n"))?;
            Ok(Exit::Refused)
        }
        Err(error @ (RemoteError::Fetch { .. } | RemoteError::Tile(_))) => {
            print(&format!("{error}\n"))?;
            Ok(Exit::Undetermined)
        }
        Err(error @ RemoteError::Client(_)) => Err(Failure::fault(error)),
    }
}

/// The checkpoint that was found to hold: what to keep until the next look.
fn check(log: &RemoteLog, known: &[Checkpoint]) -> Result<String, RemoteError> {
    let (now, note) = log.checkpoint()?;
    if known.is_empty() {
        let bar = progress("entries");
        bar.set_length(now.size);
        log.check_entries(&now, &mut |entries| bar.set_position(entries))?;
        bar.finish_and_clear();
    }
    for old in known {
        log.check_consistency(old, &now)?;
    }
    Ok(note)
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let read = |path: &PathBuf| fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error));
    paths.iter().map(read).collect()
}
