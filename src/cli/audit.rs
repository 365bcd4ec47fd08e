//! `tamga audit PATH|--registry`: verify licences again, with what the registry says about each.
//!
//! *Invariant:* an audit changes nothing: no report is recorded, no attempt is settled.

use super::{Environment, Exit, Failure, Settings, log_for_a_person, outcome::print};
use crate::{
    app::App,
    licensing::LicenceNumber,
    port::token::Role,
    report::{Decision, Time},
    service::{AuditSummary, Caller, Service},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

/// How much of the end of a report is read to find its last line: a line has a few hundred bytes for each document.
const TAIL_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// A licence, or a folder of them.
    #[arg(required_unless_present = "registry", conflicts_with = "registry")]
    path: Option<PathBuf>,
    /// Every licence of the registry, and its journal.
    #[arg(long)]
    registry: bool,
    /// Judge as of this time instead of now (RFC 3339).
    #[arg(long)]
    at: Option<Time>,
    /// Threads; all cores where it is not given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Write one line of JSON for each licence here; an audit of the registry goes on after the last whole line.
    #[arg(long, value_name = "FILE.jsonl")]
    report: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    log_for_a_person();
    let config = arguments.settings.load(environment)?;
    let app = App::assemble(&config)?;
    let service = &app.service;
    match &arguments.path {
        Some(path) => folder(service, path, arguments.at, arguments.report.as_deref()),
        None => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            registry(service, arguments.at, arguments.jobs.unwrap_or(cores), arguments.report.as_deref())
        }
    }
}

fn caller() -> Caller {
    Caller { id: "cli".to_owned(), role: Role::Auditor }
}

fn registry(service: &Service, at: Option<Time>, jobs: usize, report: Option<&Path>) -> Result<Exit, Failure> {
    let after = report.map(last_number).transpose()?.flatten();
    let mut lines = report.map(append_to).transpose()?;
    let bar = progress();
    let mut undetermined = 0_u64;
    let mut unsound = 0_u64;
    let mut failed = None;
    let summary = service
        .audit(&caller(), at, after.as_ref(), jobs, &mut |line, progress| {
            bar.set_position(progress.licences);
            let worst = line.documents.iter().map(|document| document.decision).max();
            match worst {
                _ if !line.findings.is_empty() => unsound += 1,
                Some(Decision::Accepted) => {}
                Some(Decision::Undetermined) => undetermined += 1,
                Some(Decision::Refused) | None => unsound += 1,
            }
            match lines.as_mut().map_or(Ok(()), |lines| write_line(lines, line)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(failure) => {
                    failed = Some(failure);
                    ControlFlow::Break(())
                }
            }
        })
        .map_err(Failure::fault)?;
    bar.finish_and_clear();
    if let Some(failure) = failed {
        return Err(failure);
    }
    if let Some(mut lines) = lines {
        lines.flush().map_err(Failure::fault)?;
    }
    print(&in_words(&summary, after.as_ref()))?;
    Ok(match () {
        () if unsound > 0 || summary.journal_break.is_some() => Exit::Refused,
        () if undetermined > 0 => Exit::Undetermined,
        () => Exit::Success,
    })
}

fn folder(service: &Service, path: &Path, at: Option<Time>, report: Option<&Path>) -> Result<Exit, Failure> {
    let files = files_under(path)?;
    let mut lines = report.map(append_to).transpose()?;
    let bar = progress();
    bar.set_length(files.len() as u64);
    let mut worst = Exit::Success;
    let mut accepted = 0_u64;
    for file in &files {
        let document = fs::read(file).map_err(|error| Failure::unreadable(file, &error))?;
        let found = service.audit_document(&caller(), &document, at).map_err(Failure::fault)?;
        let decision = found.decision();
        worst = worst.max(match decision {
            Decision::Accepted => Exit::Success,
            Decision::Undetermined => Exit::Undetermined,
            Decision::Refused => Exit::Refused,
        });
        accepted += u64::from(decision == Decision::Accepted);
        let line = serde_json::json!({
            "file": file, "decision": decision, "seal": found.verified.decision, "refusal": found.verified.refusal,
            "registry": found.registry,
        });
        match lines.as_mut() {
            Some(lines) => write_line(lines, &line)?,
            None => print(&format!("{line}\n"))?,
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(mut lines) = lines {
        lines.flush().map_err(Failure::fault)?;
        print(&format!("{} documents, {accepted} accepted\n", files.len()))?;
    }
    Ok(worst)
}

fn in_words(summary: &AuditSummary, after: Option<&LicenceNumber>) -> String {
    let mut text = after.map_or_else(String::new, |number| format!("taken up after {number}\n"));
    text += &format!("{} licences, {} documents\n", summary.licences, summary.documents);
    text += &format!("{} licences with findings\n", summary.with_findings);
    for (code, count) in &summary.by_code {
        text += &format!("{count} documents: {code}\n");
    }
    text += &match &summary.journal_break {
        None => "the journal is whole\n".to_owned(),
        Some(broken) => format!("THE JOURNAL IS BROKEN: {broken}\n"),
    };
    text
}

fn progress() -> ProgressBar {
    // Drawn on standard error, and only where that is a terminal.
    let style = ProgressStyle::with_template("{pos} licences  {per_sec}  {elapsed}");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn files_under(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::unreadable(path, &error);
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_type().map_err(unreadable)?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn append_to(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.map(BufWriter::new).map_err(|error| Failure::fault(format!("{}: {error}", path.display())))
}

fn write_line(lines: &mut BufWriter<File>, line: &impl serde::Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *lines, line).map_err(Failure::fault)?;
    lines.write_all(b"\n").map_err(Failure::fault)
}

/// The licence of the last whole line; a line that was cut short is cut off, so that it is written again.
fn last_number(path: &Path) -> Result<Option<LicenceNumber>, Failure> {
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
    if whole == 0 && start > 0 {
        return Err(Failure::usage(format!("{} is no report of an audit", path.display())));
    }
    file.set_len(start.saturating_add(whole as u64)).map_err(fault)?;
    let Some(last) = tail.get(..whole).unwrap_or_default().lines().map_while(Result::ok).last() else {
        return Ok(None);
    };
    let line: serde_json::Value = serde_json::from_str(&last).unwrap_or_default();
    match line.get("number").and_then(serde_json::Value::as_str) {
        Some(number) => Ok(Some(LicenceNumber(number.to_owned()))),
        None => Err(Failure::usage(format!("{} is no report of an audit of the registry", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
