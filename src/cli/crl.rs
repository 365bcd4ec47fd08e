//! `tamga crl inspect|import|refresh|status`.

use super::{Environment, Exit, Failure, Settings, log_for_a_person, outcome::print};
use crate::adapter::clock::SystemClock;
use crate::adapter::fetch::{Refreshed, Refresher};
use crate::adapter::material;
use crate::adapter::revocation_store::{ImportError, Imported, IndexedList, RevocationStore, StagedList, Staleness};
use crate::app::revocation;
use crate::config::Config;
use crate::format::armour;
use crate::pki::Crl;
use crate::pki::crl::RevocationList as _;
use crate::port::Clock;
use crate::report::Time;
use clap::{Args, Subcommand};
use serde_json::json;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of a file tells PEM from DER: a byte order mark and some empty lines may come first.
const PEM_BEGINNING: u64 = 256;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say what is in a list, without believing it.
    Inspect {
        /// Lists, in DER or PEM.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Verify a list from a file and take it into force. An expired list is taken, an older one than the last is not.
    Import {
        #[command(flatten)]
        settings: Settings,
        /// Certificates of issuers beside those of the configuration: a file or a folder, PEM or DER.
        #[arg(long, value_name = "FILE")]
        issuer: Vec<PathBuf>,
        /// Lists, in DER or PEM.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Ask the configured places for newer lists, now.
    Refresh(Settings),
    /// Say which lists are in force, and how old they are.
    Status {
        #[command(flatten)]
        settings: Settings,
        /// One JSON object a list, then one a source.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    log_for_a_person();
    match arguments.action {
        Action::Inspect { files } => inspect(&files),
        Action::Import { settings, issuer, files } => import(&settings.load(environment)?, &issuer, &files),
        Action::Refresh(settings) => refresh(&settings.load(environment)?),
        Action::Status { settings, json } => status(&settings.load(environment)?, json),
    }
}

fn inspect(files: &[PathBuf]) -> Result<Exit, Failure> {
    for file in files {
        let lists =
            material::load(std::slice::from_ref(file), |der| Crl::parse(der).map_err(|error| error.to_string()))?;
        if lists.is_empty() {
            return Err(Failure::unreadable(file, &std::io::Error::other("no revocation list in it")));
        }
        for list in lists {
            let scope = list.scope();
            let point = scope.issuing_distribution_point().map(|point| format!("{point:?}"));
            let text = json!({
                "file": file.display().to_string(),
                "issuer": scope.issuer().to_string(),
                "this_update": scope.this_update,
                "next_update": scope.next_update,
                "crl_number": scope.crl_number.map(|number| number.to_string()),
                "base_crl_number": scope.base_crl_number.map(|number| number.to_string()),
                "kind": if scope.is_complete() { "complete" } else { "delta" },
                "issuing_distribution_point": point,
                "unknown_critical_extensions": scope.unknown_critical,
                "entries": list.len(),
                "bytes": list.raw().len(),
                "digest": scope.digest,
            });
            print(&format!("{text:#}\n"))?;
        }
    }
    Ok(Exit::Success)
}

fn import(config: &Config, issuers: &[PathBuf], files: &[PathBuf]) -> Result<Exit, Failure> {
    let (store, signers) = (revocation::open_store(config)?, revocation::signers(config, issuers)?);
    let at = SystemClock.now();
    store.recover(&signers, at);
    let mut worst = Exit::Success;
    let staged = files.iter().flat_map(|path| stage(&store, path).into_iter().map(move |staged| (path, staged)));
    for (path, staged) in staged {
        let staged = staged.map_err(|error| Failure::unreadable(path, &error))?;
        match staged.and_then(|staged| store.import(staged, &signers, at, Staleness::Accept)) {
            Ok(Imported::Replaced(list)) => {
                print(&format!("{}: in force, {}\n", path.display(), sentence(&list)))?;
                if !list.scope().is_current_at(at) {
                    tracing::warn!(file = %path.display(), "the list is not current: nothing is good by it");
                }
            }
            Ok(Imported::Unchanged(_)) => print(&format!("{}: in force already\n", path.display()))?,
            Err(error) => {
                let exit = if matches!(error, ImportError::Io(_)) { Exit::Fault } else { Exit::Refused };
                print(&format!("{}: refused ({}): {error}\n", path.display(), error.code()))?;
                worst = worst.max(exit);
            }
        }
    }
    Ok(worst)
}

/// What a file holds: one list in DER, or every list that its PEM text has. PEM is for people; a mirror's is refused.
fn stage(store: &RevocationStore, path: &Path) -> Vec<io::Result<Result<StagedList, ImportError>>> {
    let staged = File::open(path).and_then(|mut file| {
        let mut beginning = Vec::new();
        (&mut file).take(PEM_BEGINNING).read_to_end(&mut beginning)?;
        file.seek(SeekFrom::Start(0))?;
        if !armour::without_bom_and_space(&beginning).starts_with(b"-----BEGIN ") {
            return Ok(vec![Ok(store.stage(&mut file))]);
        }
        // Base64 takes four octets for three, and lines have ends.
        let mut text = Vec::new();
        file.take(store.limits().max_list_octets.saturating_mul(3) / 2).read_to_end(&mut text)?;
        let blocks = armour::labelled_pem_blocks(&text).map_err(|error| io::Error::other(error.to_string()))?;
        let lists = blocks.iter().filter(|(label, _)| label.ends_with("CRL"));
        let staged: Vec<_> = lists.map(|(_, der)| Ok(store.stage(&mut &der[..]))).collect();
        if staged.is_empty() { Err(io::Error::other("no revocation list in it")) } else { Ok(staged) }
    });
    staged.unwrap_or_else(|error| vec![Err(error)])
}

fn sentence(list: &IndexedList) -> String {
    let scope = list.scope();
    let next_update = scope.next_update.map_or("never".into(), |time| time.to_string());
    format!(
        "{} list of {}: {} entries, number {}, from {} to {next_update}, index {} bytes",
        list.kind().as_str(),
        scope.issuer(),
        list.entries(),
        scope.crl_number.map_or("none".into(), |number| number.to_string()),
        scope.this_update,
        list.index_octets(),
    )
}

fn refresher(config: &Config) -> Result<Refresher, Failure> {
    Ok(revocation::refresher(config, revocation::open_store(config)?, Arc::new(SystemClock))?)
}

fn refresh(config: &Config) -> Result<Exit, Failure> {
    let refresher = refresher(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::fault)?;
    let mut worst = Exit::Success;
    for source in refresher.sources() {
        let line = match runtime.block_on(refresher.refresh(source)) {
            Ok(Refreshed::Replaced(list)) => format!("in force, {}", sentence(&list)),
            Ok(Refreshed::Unchanged) => "in force already".into(),
            Err(error) => {
                worst = worst.max(Exit::Undetermined);
                format!("not refreshed ({}): {error}", error.code())
            }
        };
        print(&format!("{}: {line}\n", source.name))?;
    }
    Ok(worst)
}

fn status(config: &Config, as_json: bool) -> Result<Exit, Failure> {
    let store = revocation::open_store(config)?;
    let now = SystemClock.now();
    let mut worst = Exit::Success;
    for list in store.lists().iter() {
        let current = list.scope().is_current_at(now);
        if !current {
            worst = worst.max(Exit::Undetermined);
        }
        let scope = list.scope();
        let text = match as_json {
            false => format!("{}{}\n", sentence(list), if current { "" } else { " - NOT CURRENT" }),
            true => {
                let text = json!({
                    "issuer": scope.issuer().to_string(), "kind": list.kind().as_str(), "current": current,
                    "this_update": scope.this_update, "next_update": scope.next_update,
                    "age_seconds": now.unix().saturating_sub(scope.this_update.unix()),
                    "crl_number": scope.crl_number.map(|number| number.to_string()),
                    "entries": list.entries(), "bytes": list.source_octets(), "index_bytes": list.index_octets(),
                    "digest": scope.digest, "signer": list.signer(),
                });
                format!("{text}\n")
            }
        };
        print(&text)?;
    }
    for series in store.damaged() {
        worst = worst.max(Exit::Undetermined);
        print(&format!("series {}: index damaged, no list in force\n", series.as_str()))?;
    }
    let folder = config.data.0.join("revocation").join("sources");
    if !config.revocation.lists.is_empty() && store.lists().is_empty() {
        worst = worst.max(Exit::Undetermined);
        if !as_json {
            print("no list in force\n")?;
        }
    }
    if folder.is_dir() {
        let refresher = refresher(config)?;
        for source in refresher.sources() {
            let state = refresher.state(&source.name);
            let text = if as_json {
                let error = state.last_error.map(|(code, text)| json!({ "code": code, "text": text }));
                let text = json!({
                    "source": source.name, "next_refresh": state.next_refresh, "last_success": state.last_success,
                    "failures": state.failures, "last_error": error, "list": state.list,
                });
                format!("{text}\n")
            } else {
                let time = |time: Option<Time>, none: &str| time.map_or(none.to_owned(), |time| time.to_string());
                let error =
                    state.last_error.map_or(String::new(), |(code, text)| format!(", last error {code}: {text}"));
                format!(
                    "source {}: last success {}, next refresh {}, {} failures{error}\n",
                    source.name,
                    time(state.last_success, "never"),
                    time(state.next_refresh, "now"),
                    state.failures,
                )
            };
            print(&text)?;
        }
    }
    Ok(worst)
}
