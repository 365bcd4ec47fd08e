//! `tamga audit PATH`: licences in a folder and the folders below it.
//!
//! Files are judged in the order of their paths, some at a time on all cores; only the names of the folders on the way are
//! held in memory. With `--report FILE` an audit that was cut short goes on after the last whole line.

use super::{
    Exit, Failure,
    audit::{append_to, last_value, progress, write_line},
    outcome::print,
};
use crate::{
    format::limits::MAX_DOCUMENT_BYTES,
    report::{Decision, Time},
    service::{Caller, Service},
};
use rayon::prelude::*;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

/// Files judged between two lots of lines.
const BATCH: usize = 256;

/// What became of one file.
struct Judged {
    line: serde_json::Value,
    exit: Exit,
    code: Option<String>,
}

pub(super) fn run(
    service: &Service,
    caller: &Caller,
    path: &Path,
    at: Option<Time>,
    jobs: usize,
    report: Option<&Path>,
) -> Result<Exit, Failure> {
    let metadata = fs::metadata(path).map_err(|error| Failure::unreadable(path, &error))?;
    let after = report.map(|report| last_value(report, "file")).transpose()?.flatten().map(PathBuf::from);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build().map_err(Failure::fault)?;
    let mut lines = report.map(append_to).transpose()?;
    let bar = progress("documents");
    let (mut worst, mut accepted, mut documents) = (Exit::Success, 0_u64, 0_u64);
    let mut by_code: BTreeMap<String, u64> = BTreeMap::new();
    let mut batch = |files: &mut Vec<PathBuf>| -> Result<(), Failure> {
        let judge = |file: &PathBuf| judge(service, caller, file, at);
        let judged: Vec<Judged> = threads.install(|| files.par_iter().map(judge).collect::<Result<_, Failure>>())?;
        for Judged { line, exit, code } in judged {
            worst = worst.max(exit);
            accepted += u64::from(exit == Exit::Success);
            documents += 1;
            code.into_iter().for_each(|code| *by_code.entry(code).or_default() += 1);
            match lines.as_mut() {
                Some(lines) => write_line(lines, &line)?,
                None => print(&format!("{line}\n"))?,
            }
            bar.inc(1);
        }
        files.clear();
        Ok(())
    };
    let mut files = Vec::with_capacity(BATCH);
    if metadata.is_dir() {
        walk(path, after.as_deref(), &mut |file| {
            files.push(file);
            if files.len() < BATCH { Ok(()) } else { batch(&mut files) }
        })?;
    } else {
        files.push(path.to_owned());
    }
    batch(&mut files)?;
    bar.finish_and_clear();
    if let Some(mut lines) = lines {
        lines.flush().map_err(Failure::fault)?;
        print(&format!("{documents} documents, {accepted} accepted\n"))?;
        for (code, count) in &by_code {
            print(&format!("{count} documents: {code}\n"))?;
        }
    }
    Ok(worst)
}

fn judge(service: &Service, caller: &Caller, file: &Path, at: Option<Time>) -> Result<Judged, Failure> {
    let name = file.to_string_lossy();
    let document = match read(file) {
        Ok(document) => document,
        // One file that cannot be read does not end the audit of the others; the exit code says that it was there.
        Err(error) => {
            let line = serde_json::json!({"file": name, "unreadable": error.to_string()});
            return Ok(Judged { line, exit: Exit::Unreadable, code: Some("unreadable".to_owned()) });
        }
    };
    let found = service.audit_document(caller, &document, at).map_err(Failure::fault)?;
    let decision = found.decision();
    let line = serde_json::json!({
        "file": name, "decision": decision, "seal": found.verified.decision, "refusal": found.verified.refusal,
        "registry": found.registry,
    });
    let exit = match decision {
        Decision::Accepted => Exit::Success,
        Decision::Undetermined => Exit::Undetermined,
        Decision::Refused => Exit::Refused,
    };
    Ok(Judged { line, exit, code: found.verified.refusal })
}

/// A file's octets, up to one more than any document may have: what is longer is refused by its length.
fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut document = Vec::new();
    fs::File::open(file)?.take(MAX_DOCUMENT_BYTES as u64 + 1).read_to_end(&mut document)?;
    Ok(document)
}

/// Tells every file below a folder, in the order of paths, those after `after` alone. Links are not followed.
fn walk(
    folder: &Path,
    after: Option<&Path>,
    tell: &mut dyn FnMut(PathBuf) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let unreadable = |error| Failure::unreadable(folder, &error);
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name());
    }
    names.sort_unstable();
    for name in names {
        let path = folder.join(name);
        let kind = fs::symlink_metadata(&path).map_err(|error| Failure::unreadable(&path, &error))?;
        if kind.is_dir() {
            // Folders that lie wholly before the last file told are passed by.
            if after.is_none_or(|after| path.as_path() > after || after.starts_with(&path)) {
                walk(&path, after, tell)?;
            }
        } else if kind.is_file() && after.is_none_or(|after| path.as_path() > after) {
            tell(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_through_folders_in_order_and_goes_on_after_a_file() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["b/2", "b/10", "a", "b/c/1", "c", "b.d"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("folder")).expect("made");
            fs::write(path, name).expect("written");
        }
        let told = |after: Option<&str>| {
            let after = after.map(|name| folder.path().join(name));
            let mut told = Vec::new();
            walk(folder.path(), after.as_deref(), &mut |path| {
                told.push(path.strip_prefix(folder.path()).expect("below").display().to_string());
                Ok(())
            })
            .expect("walked");
            told
        };
        let all = told(None);
        assert_eq!(all, ["a", "b/10", "b/2", "b/c/1", "b.d", "c"]);
        for (at, name) in all.iter().enumerate() {
            assert_eq!(told(Some(name)), all[at + 1..], "after {name}");
        }
    }
}
