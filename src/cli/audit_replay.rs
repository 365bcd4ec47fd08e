//! `tamga audit --replay`: every report again from what it rested on.

use super::{
    Exit, Failure,
    audit::{append_to, progress, write_line},
    outcome::print,
};
use crate::service::{Caller, ReplaySummary, Service};
use std::{io::Write as _, ops::ControlFlow, path::Path};

pub(super) fn run(service: &Service, caller: &Caller, report: Option<&Path>) -> Result<Exit, Failure> {
    let mut lines = report.map(append_to).transpose()?;
    let mut failed = None;
    let bar = progress("reports");
    let summary = service
        .replay(caller, 0, &mut |replayed| {
            bar.inc(1);
            // Without a file only alarms are told, each on its line.
            let told = match lines.as_mut() {
                Some(lines) => write_line(lines, replayed),
                None if replayed.outcome.is_alarm() => {
                    serde_json::to_string(replayed).map_err(Failure::fault).and_then(|line| print(&format!("{line}\n")))
                }
                None => Ok(()),
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
    if let Some(mut lines) = lines {
        lines.flush().map_err(Failure::fault)?;
    }
    print(&in_words(&summary))?;
    Ok(if summary.alarms > 0 { Exit::Refused } else { Exit::Success })
}

fn in_words(summary: &ReplaySummary) -> String {
    let ReplaySummary { reports, same, by_other_software, not_kept, alarms } = summary;
    let mut text = format!("{reports} reports, {same} given again octet by octet\n");
    if *by_other_software > 0 {
        text += &format!("{by_other_software} the same but for the name of the software\n");
    }
    if *not_kept > 0 {
        text += &format!("{not_kept} of documents that are not kept\n");
    }
    if *alarms > 0 {
        text += &format!("ALARM: {alarms} REPORTS ARE NOT WHAT THEIR EVIDENCE GIVES\n");
    }
    text
}
