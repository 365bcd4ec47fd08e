//! `tamga audit --registry`: every licence again, and a walk that can be killed and taken up.
//!
//! With `--report FILE` the lines go to that file, and how far they go to `FILE.state`, every few seconds: first the lines
//! are on disk, then the state that counts them. Taken up after a kill, the file is cut back to what the state counts, and
//! the walk goes on after its last licence, as of the same time: nothing is missed, nothing is told twice.

use super::{
    Exit, Failure,
    audit::{append_to, last_number, progress, write_line},
    outcome::print,
};
use crate::{
    licensing::LicenceNumber,
    report::Time,
    service::{AuditOrder, AuditSummary, Caller, Service},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What a kill costs at most.
const STATE_INTERVAL: Duration = Duration::from_secs(2);
/// Numbers of licences to renew that the words for a person name; the lines name all of them.
const MAX_NAMED: usize = 20;

/// How far a walk has come.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    at: Time,
    renew_before: Option<Time>,
    after: Option<LicenceNumber>,
    report_octets: u64,
    summary: AuditSummary,
}

/// Lines, and the state that counts them.
struct Report {
    path: PathBuf,
    lines: BufWriter<File>,
    saved: Instant,
}

impl Report {
    fn save(&mut self, state: &mut State) -> Result<(), Failure> {
        let fault = |error: io::Error| Failure::fault(format!("{}: {error}", self.path.display()));
        self.lines.flush().map_err(fault)?;
        self.lines.get_ref().sync_data().map_err(fault)?;
        state.report_octets = self.lines.get_ref().metadata().map_err(fault)?.len();
        let (path, beside) = (state_path(&self.path), self.path.with_extension("state.new"));
        let text = serde_json::to_vec(state).map_err(Failure::fault)?;
        let mut file = File::create(&beside).map_err(fault)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(fault)?;
        fs::rename(&beside, path).map_err(fault)?;
        self.saved = Instant::now();
        Ok(())
    }
}

fn state_path(report: &Path) -> PathBuf {
    let mut path = report.as_os_str().to_owned();
    path.push(".state");
    PathBuf::from(path)
}

/// The state of a walk that was cut short, its report cut back to it; or where a report of before ends.
fn taken_up(report: &Path, fresh: State) -> Result<State, Failure> {
    let fault = |error: io::Error| Failure::fault(format!("{}: {error}", report.display()));
    let text = match fs::read(state_path(report)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(State { after: last_number(report)?, ..fresh });
        }
        Err(error) => return Err(fault(error)),
    };
    let state: State = serde_json::from_slice(&text)
        .map_err(|_| Failure::usage(format!("{} is no state of an audit", state_path(report).display())))?;
    let file = append_to(report)?.into_inner().map_err(|error| fault(error.into_error()))?;
    if file.metadata().map_err(fault)?.len() < state.report_octets {
        return Err(Failure::usage(format!("{} is shorter than its state says", report.display())));
    }
    file.set_len(state.report_octets).map_err(fault)?;
    Ok(state)
}

pub(super) fn run(
    service: &Service,
    caller: &Caller,
    at: Option<Time>,
    renew_before: Option<Time>,
    jobs: usize,
    report: Option<&Path>,
) -> Result<Exit, Failure> {
    let fresh = State {
        at: at.unwrap_or_else(|| service.clock.now()),
        renew_before,
        after: None,
        report_octets: 0,
        summary: AuditSummary::default(),
    };
    let mut state = match report {
        Some(path) => taken_up(path, fresh)?,
        None => fresh,
    };
    let began_after = state.after.clone();
    let mut report = match report {
        Some(path) => Some(Report { path: path.to_owned(), lines: append_to(path)?, saved: Instant::now() }),
        None => None,
    };
    let bar = progress("licences");
    bar.set_length(service.registry.licence_count().map_err(Failure::fault)?);
    let mut failed = None;
    let order = AuditOrder {
        at: Some(state.at),
        renew_before: state.renew_before,
        after: state.after.clone(),
        jobs,
        so_far: state.summary.clone(),
    };
    let summary = service
        .audit(caller, order, &mut |line, summary| {
            bar.set_position(summary.licences);
            let told = match report.as_mut() {
                None => Ok(()),
                Some(report) => write_line(&mut report.lines, line).and_then(|()| {
                    if report.saved.elapsed() < STATE_INTERVAL {
                        return Ok(());
                    }
                    state.after = Some(line.number.clone());
                    state.summary = summary.clone();
                    report.save(&mut state)
                }),
            };
            match told {
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
    if let Some(mut report) = report {
        report.lines.flush().map_err(Failure::fault)?;
        report.lines.get_ref().sync_data().map_err(Failure::fault)?;
        // Done: the next audit into this file goes on behind its last line.
        match fs::remove_file(state_path(&report.path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::fault(error)),
            _ => {}
        }
    }
    print(&in_words(&summary, began_after.as_ref(), state.renew_before))?;
    Ok(match () {
        () if summary.unsound > 0 || summary.journal_break.is_some() => Exit::Refused,
        () if summary.undetermined > 0 => Exit::Undetermined,
        () => Exit::Success,
    })
}

fn in_words(summary: &AuditSummary, after: Option<&LicenceNumber>, renew_before: Option<Time>) -> String {
    let mut text = after.map_or_else(String::new, |number| format!("taken up after {number}\n"));
    text += &format!("{} licences, {} documents\n", summary.licences, summary.documents);
    for (decision, count) in &summary.by_decision {
        text += &format!("{count} seals {decision}\n");
    }
    for (code, count) in &summary.by_code {
        text += &format!("{count} seals: {code}\n");
    }
    text += &format!("{} licences with findings\n", summary.with_findings);
    if let Some(date) = renew_before {
        text += &format!("{} licences to renew before {date}\n", summary.to_renew);
        for number in summary.renew_first.iter().take(MAX_NAMED) {
            text += &format!("  {number}\n");
        }
        if summary.to_renew > MAX_NAMED as u64 {
            text += "  …\n";
        }
    }
    text += &match &summary.journal_break {
        None => "the journal is whole\n".to_owned(),
        Some(broken) => format!("THE JOURNAL IS BROKEN: {broken}\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_was_killed_is_taken_up_where_its_state_says() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("audit.jsonl");
        let fresh = || State {
            at: Time::from_unix(7),
            renew_before: None,
            after: None,
            report_octets: 0,
            summary: AuditSummary::default(),
        };
        fs::write(&path, "{\"number\":\"KZ1\"}\n").expect("written");
        let mut report = Report { path: path.clone(), lines: append_to(&path).expect("open"), saved: Instant::now() };
        let mut state = State { after: Some(LicenceNumber("KZ1".into())), ..fresh() };
        state.summary.licences = 1;
        report.save(&mut state).expect("saved");
        // Lines behind the state were not counted: they are told again.
        report.lines.write_all(b"{\"number\":\"KZ2\"}\n{\"num").expect("written");
        drop(report);
        let later = State { at: Time::from_unix(9), ..fresh() };
        let state = taken_up(&path, later).expect("taken up");
        assert_eq!((state.after, state.summary.licences), (Some(LicenceNumber("KZ1".into())), 1));
        assert_eq!(state.at, Time::from_unix(7), "as of the same time");
        assert_eq!(fs::read_to_string(&path).expect("read"), "{\"number\":\"KZ1\"}\n");
        fs::write(&path, "").expect("written");
        assert!(taken_up(&path, fresh()).is_err(), "a report that lost lines");
    }
}
