//! `tamga audit`: every licence verified again, with what the registry says about it.

use super::{Environment, Exit, Failure, Settings, outcome::print};
use crate::{
    app::App,
    licensing::LicenceNumber,
    port::token::Role,
    report::{Decision, Time},
    service::{AuditProgress, AuditedLicence, Caller, LicenceVerified, RegistryFinding, Service},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, IsTerminal as _, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A sealed licence, or a folder of them.
    #[arg(value_name = "PATH", required_unless_present = "registry", conflicts_with = "registry")]
    path: Option<PathBuf>,
    /// Every document of every licence in the registry.
    #[arg(long)]
    registry: bool,
    /// Judge as of this moment (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = super::verify::parse_time)]
    at: Option<Time>,
    /// Licences judged at the same time; as many as the machine has cores where it is not given.
    #[arg(long, value_name = "N", default_value_t = 0)]
    jobs: usize,
    /// One finding a line, JSON.
    #[arg(long, value_name = "FILE.jsonl")]
    report: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// What the audit says about one document. It names no person.
#[derive(Serialize)]
struct Finding {
    source: String,
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    registry: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<LicenceNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_force: Option<bool>,
    report: String,
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Arguments { path, registry: _, at, jobs, report, settings } = arguments;
    super::log_for_a_person();
    let app = App::build(&settings.load(environment)?)?;
    let mut report = report.as_deref().map(create).transpose()?;
    let exit = match path {
        Some(path) => audit_files(&app.service, &path, at, jobs, &mut report)?,
        None => audit_registry(&app.service, at, jobs, &mut report)?,
    };
    if let Some(report) = &mut report {
        report.flush().map_err(Failure::fault)?;
    }
    Ok(exit)
}

/// Every licence of the registry, held against seal and journal.
fn audit_registry(service: &Service, at: Option<Time>, jobs: usize, report: &mut Report) -> Result<Exit, Failure> {
    let caller = Caller { id: "cli".to_owned(), role: Role::Auditor };
    let jobs = if jobs == 0 { std::thread::available_parallelism().map_or(1, usize::from) } else { jobs };
    let progress = progress(None);
    let mut worst = Exit::Success;
    let mut written = Ok(());
    let mut tell = |line: &AuditedLicence, told: AuditProgress| {
        progress.set_position(told.licences);
        let undetermined =
            line.findings.is_empty() && line.documents.iter().all(|document| document.decision != Decision::Refused);
        worst = worst.max(match (line.is_sound(), undetermined && !line.documents.is_empty()) {
            (true, _) => Exit::Success,
            (false, true) => Exit::Undetermined,
            (false, false) => Exit::Refused,
        });
        written = write(report, line);
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let summary = service.audit(&caller, at, None, jobs, &mut tell).map_err(Failure::fault)?;
    progress.finish_and_clear();
    written?;
    let mut text = format!(
        "{} licences, {} documents, {} licences not as they were issued\n",
        summary.licences, summary.documents, summary.with_findings
    );
    for (code, count) in &summary.by_code {
        text += &format!("{count:>8}  {code}\n");
    }
    if let Some(broken) = &summary.journal_break {
        text += &format!("the journal is broken: {broken}\n");
        worst = worst.max(Exit::Refused);
    }
    print(&text)?;
    Ok(worst)
}

/// Every licence in a folder, and what the registry says about it.
fn audit_files(
    service: &Service,
    path: &Path,
    at: Option<Time>,
    jobs: usize,
    report: &mut Report,
) -> Result<Exit, Failure> {
    let at = at.unwrap_or_else(|| service.clock.now());
    let files = files(path)?;
    let progress = progress(u64::try_from(files.len()).ok());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(Failure::fault)?;
    let findings: Vec<Result<Finding, Failure>> = pool.install(|| {
        let judged = files.par_iter().map(|file| {
            let found = service.judge_licence(&super::verify::read(file)?, at).map_err(Failure::fault)?;
            progress.inc(1);
            Ok(Finding::new(file, found))
        });
        judged.collect()
    });
    progress.finish_and_clear();
    let mut worst = Exit::Success;
    let mut counts = BTreeMap::<String, usize>::new();
    for finding in findings {
        let line = match finding {
            Ok(finding) => {
                worst = worst.max(finding.exit());
                write(report, &finding)?;
                finding.line()
            }
            Err(failure) => {
                worst = worst.max(failure.say());
                "unreadable".to_owned()
            }
        };
        *counts.entry(line).or_default() += 1;
    }
    let mut text = format!("{} documents judged as of {at}\n", files.len());
    for (line, count) in counts {
        text += &format!("{count:>8}  {line}\n");
    }
    print(&text)?;
    Ok(worst)
}

/// Findings, one a line, where the auditor asked for them.
type Report = Option<BufWriter<File>>;

fn write(report: &mut Report, line: &impl Serialize) -> Result<(), Failure> {
    let Some(report) = report else { return Ok(()) };
    let text = serde_json::to_string(line).map_err(Failure::fault)?;
    writeln!(report, "{text}").map_err(Failure::fault)
}

impl Finding {
    fn new(file: &Path, found: LicenceVerified) -> Finding {
        let decision = found.decision();
        let (registry, number, in_force) = match found.registry {
            RegistryFinding::Issued { in_force, licence, .. } => ("issued", Some(licence.number), Some(in_force)),
            RegistryFinding::Rewrapped { in_force, licence } => ("rewrapped", Some(licence.number), Some(in_force)),
            RegistryFinding::OtherContent { number } => ("other-content", Some(number), None),
            RegistryFinding::NumberUnknown { number } => ("number-unknown", Some(number), None),
            RegistryFinding::NotALicence {} => ("not-a-licence", None, None),
        };
        Finding {
            source: file.display().to_string(),
            decision,
            reason: found.verified.refusal,
            registry,
            number,
            in_force,
            report: found.verified.id.to_string(),
        }
    }

    fn exit(&self) -> Exit {
        match self.decision {
            Decision::Accepted => Exit::Success,
            Decision::Undetermined => Exit::Undetermined,
            Decision::Refused => Exit::Refused,
        }
    }

    fn line(&self) -> String {
        let decision = match self.decision {
            Decision::Accepted => "accepted",
            Decision::Undetermined => "undetermined",
            Decision::Refused => "refused",
        };
        let reason = self.reason.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        let force = if self.in_force == Some(false) { ", not in force" } else { "" };
        format!("{decision}{reason}; registry: {}{force}", self.registry)
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: io::Error| Failure::unreadable(path, &error);
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        if entry.is_file() {
            files.push(entry);
        }
    }
    files.sort();
    Ok(files)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|error| Failure::fault(format!("{}: {error}", path.display())))
}

/// Rate and time left on a terminal, nothing on a pipe.
fn progress(count: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match count {
        Some(count) => (ProgressBar::new(count), "{wide_bar} {pos}/{len} {per_sec} {eta}"),
        None => (ProgressBar::no_length(), "{spinner} {pos} licences {per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
