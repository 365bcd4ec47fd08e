//! `tamga audit PATH|--registry`: verify licences again, with what the registry says about each.
//!
//! *Invariant:* an audit changes nothing: no report is recorded, no attempt is settled.

use super::{
    Environment, Exit, Failure, Settings, audit_folder, audit_log, audit_registry, audit_replay, log_for_a_person,
};
use crate::{app::App, licensing::LicenceNumber, port::token::Role, report::Time, service::Caller};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// How much of the end of a report is read to find its last line: a line has a few hundred bytes for each document.
const TAIL_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// A licence, or a folder of them.
    #[arg(required_unless_present_any = ["registry", "log", "replay"],
        conflicts_with_all = ["registry", "log", "replay"])]
    path: Option<PathBuf>,
    /// Every licence of the registry, and its journal.
    #[arg(long, conflicts_with_all = ["log", "replay"])]
    registry: bool,
    /// Every recorded report, given again from the evidence it rested on; a difference is an alarm.
    #[arg(long, conflicts_with_all = ["log", "at"])]
    replay: bool,
    /// The transparency log: the registry's own, row by row; or somebody's, at a URL, by its checkpoints and entries.
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    log: Option<Option<String>>,
    /// The verifier key of the log at a URL.
    #[arg(long, value_name = "KEY", requires = "log")]
    log_key: Option<String>,
    /// A checkpoint kept from earlier, which the log must begin with. Repeatable.
    #[arg(long, value_name = "FILE", requires = "log")]
    since: Vec<PathBuf>,
    /// Judge as of this time instead of now (RFC 3339).
    #[arg(long)]
    at: Option<Time>,
    /// Count the licences whose evidence lasts until before this time at most, and name the first of them (RFC 3339).
    #[arg(long, value_name = "TIME", requires = "registry")]
    renew_before: Option<Time>,
    /// Threads; all cores where it is not given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Write one line of JSON for each licence here. An audit that was cut short goes on where it was.
    #[arg(long, value_name = "FILE.jsonl")]
    report: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    log_for_a_person();
    if let Some(Some(url)) = &arguments.log {
        return audit_log::remote(url, arguments.log_key.as_deref(), &arguments.since);
    }
    let config = arguments.settings.load(environment)?;
    let app = App::assemble(&config)?;
    let service = &app.service;
    if arguments.log.is_some() {
        return audit_log::own(service, &caller(), &arguments.since);
    }
    if arguments.replay {
        return audit_replay::run(service, &caller(), arguments.report.as_deref());
    }
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let (at, report) = (arguments.at, arguments.report.as_deref());
    match &arguments.path {
        Some(path) => audit_folder::run(service, &caller(), path, at, jobs, report),
        None => audit_registry::run(service, &caller(), at, arguments.renew_before, jobs, report),
    }
}

fn caller() -> Caller {
    Caller { id: "cli".to_owned(), role: Role::Auditor }
}

pub(super) fn progress(of_what: &str) -> ProgressBar {
    // Drawn on standard error, and only where that is a terminal.
    let style = ProgressStyle::with_template(&format!("{{pos}}/{{len}} {of_what}  {{per_sec}}  {{elapsed}}  {{eta}}"));
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(super) fn append_to(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.map(BufWriter::new).map_err(|error| Failure::fault(format!("{}: {error}", path.display())))
}

pub(super) fn write_line(lines: &mut BufWriter<File>, line: &impl serde::Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *lines, line).map_err(Failure::fault)?;
    lines.write_all(b"\n").map_err(Failure::fault)
}

/// The licence of the last whole line.
pub(super) fn last_number(path: &Path) -> Result<Option<LicenceNumber>, Failure> {
    Ok(last_value(path, "number")?.map(LicenceNumber))
}

/// A value of the last whole line; a line that was cut short is cut off, so that it is written again.
pub(super) fn last_value(path: &Path, key: &str) -> Result<Option<String>, Failure> {
    let fault = |error| Failure::fault(format!("{}: {error}", path.display()));
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error)),
    };
    let length = file.metadata().map_err(fault)?.len();
    let start = length.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start)).map_err(fault)?;
    let mut tail = Vec::new();
    BufReader::new(&mut file).take(TAIL_BYTES).read_to_end(&mut tail).map_err(fault)?;
    let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1));
    let foreign = || Failure::usage(format!("{} is no report of such an audit", path.display()));
    if whole == 0 && start > 0 {
        return Err(foreign());
    }
    let last = tail.get(..whole).unwrap_or_default().lines().map_while(Result::ok).last();
    let value = match &last {
        None => None,
        Some(last) => {
            let line: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
            Some(line.get(key).and_then(serde_json::Value::as_str).ok_or_else(foreign)?.to_owned())
        }
    };
    file.set_len(start.saturating_add(whole as u64)).map_err(fault)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_report_that_was_cut_short_is_taken_up_after_its_last_whole_line() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("audit.jsonl");
        assert_eq!(last_number(&path).expect("nothing"), None);
        let whole = "{\"number\":\"KZ1\"}\n{\"number\":\"KZ2\"}\n";
        fs::write(&path, format!("{whole}{{\"numb")).expect("written");
        assert_eq!(last_number(&path).expect("read"), Some(LicenceNumber("KZ2".into())));
        assert_eq!(fs::read_to_string(&path).expect("read"), whole);
        fs::write(&path, "{\"numb").expect("written");
        assert_eq!(last_number(&path).expect("read"), None);
        fs::write(&path, "something else\n").expect("written");
        assert!(last_number(&path).is_err());
    }
}
