//! Keeping lists fresh: mirrors in order, on schedule, with the last good list in force whatever they answer.
//!
//! *Invariant:* a failure changes the state of its source and nothing else.

use super::schedule::{after_failure, after_success};
use super::{FetchError, Fetched, Fetcher, Validators};
use crate::adapter::revocation_store::{ImportError, Imported, IndexedList, ListSigner, RevocationStore, Staleness};
use crate::pki::crl::RevocationList as _;
use crate::port::Clock;
use crate::report::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the loop looks whether something is due.
const TICK: Duration = Duration::from_secs(5);

/// A series of lists and where it is served.
#[derive(Clone, Debug)]
pub struct ListSource {
    /// A name for the log, the metrics and the state file.
    pub name: String,
    /// The same list at several places, tried in this order.
    pub urls: Vec<String>,
    /// The longest time between two looks, in seconds.
    pub interval_seconds: i64,
}

/// What is known of a source; kept across restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceState {
    /// When to look next.
    pub next_refresh: Option<Time>,
    /// When the list in force was last found to be the newest.
    pub last_success: Option<Time>,
    /// Failures since.
    pub failures: u32,
    /// What the last failure was: a code and a sentence.
    pub last_error: Option<(String, String)>,
    /// SHA-256 of the list that the validators belong to.
    pub list: Option<String>,
    /// The mirror that the validators are of.
    pub url: Option<String>,
    /// What the mirror said about it.
    pub validators: Validators,
}

/// Why a source gave no list.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Nothing was received.
    #[error("{url}: {error}")]
    Fetch {
        /// From where.
        url: String,
        /// Why.
        error: FetchError,
    },
    /// What was received was refused.
    #[error("{url}: {error}")]
    Import {
        /// From where.
        url: String,
        /// Why.
        error: ImportError,
    },
    /// A source without a URL, or work that was cancelled.
    #[error("{0}")]
    Other(String),
}

impl RefreshError {
    /// A stable name, for metrics and for the log.
    pub const fn code(&self) -> &'static str {
        match self {
            RefreshError::Fetch { error, .. } => error.code(),
            RefreshError::Import { error, .. } => error.code(),
            RefreshError::Other(_) => "other",
        }
    }
}

/// What a refresh did.
#[derive(Clone, Debug)]
pub enum Refreshed {
    /// A newer list is in force.
    Replaced(Arc<IndexedList>),
    /// The list in force is the newest.
    Unchanged,
}

/// Refreshes the lists of a store.
pub struct Refresher {
    store: Arc<RevocationStore>,
    fetcher: Fetcher,
    sources: Vec<ListSource>,
    signers: Arc<[ListSigner]>,
    clock: Arc<dyn Clock>,
    folder: PathBuf,
    states: Mutex<BTreeMap<String, SourceState>>,
    /// The error of each source that its gauge stands at.
    shown: Mutex<BTreeMap<String, String>>,
}

impl Refresher {
    /// A refresher whose state lies in a folder. The signers are those that reach a trust anchor.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(
        store: Arc<RevocationStore>,
        fetcher: Fetcher,
        sources: Vec<ListSource>,
        signers: Vec<ListSigner>,
        clock: Arc<dyn Clock>,
        folder: &Path,
    ) -> io::Result<Refresher> {
        fs::create_dir_all(folder)?;
        let read = |source: &ListSource| {
            // A state that cannot be read is one that is not there: the list is asked for at once.
            let text = fs::read_to_string(folder.join(state_file(&source.name))).unwrap_or_default();
            (source.name.clone(), serde_json::from_str(&text).unwrap_or_default())
        };
        let states = Mutex::new(sources.iter().map(read).collect());
        let (signers, folder, shown) = (signers.into(), folder.to_owned(), Mutex::default());
        Ok(Refresher { store, fetcher, sources, signers, clock, folder, states, shown })
    }

    /// The sources.
    pub fn sources(&self) -> &[ListSource] {
        &self.sources
    }

    /// What is known of a source.
    pub fn state(&self, name: &str) -> SourceState {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().unwrap_or_default()
    }

    /// Refreshes what is due, until it is dropped.
    pub async fn run(&self) {
        let (store, signers, at) = (Arc::clone(&self.store), Arc::clone(&self.signers), self.clock.now());
        let _ = tokio::task::spawn_blocking(move || store.recover(&signers, at)).await;
        loop {
            if let Err(error) = self.store.reload() {
                tracing::error!(%error, "revocation store cannot be read");
            }
            let now = self.clock.now();
            for source in &self.sources {
                if self.state(&source.name).next_refresh.is_none_or(|due| due <= now) {
                    // What went wrong is in the log, the metrics and the state.
                    let _ = self.refresh(source).await;
                }
            }
            self.measure();
            tokio::time::sleep(TICK).await;
        }
    }

    /// Asks the mirrors of a source, in order, until one gives a list that is good.
    ///
    /// # Errors
    /// What the last mirror did wrong; the last good list stays in force.
    pub async fn refresh(&self, source: &ListSource) -> Result<Refreshed, RefreshError> {
        let mut outcome = Err(RefreshError::Other("no URL".into()));
        let mut state = self.state(&source.name);
        for url in &source.urls {
            outcome = self.refresh_from(url, &mut state).await;
            match &outcome {
                Ok(_) => break,
                Err(error) => self.complain(source, error),
            }
        }
        let (now, jitter) = (self.clock.now(), rand::random::<f64>());
        match &outcome {
            Ok(_) => {
                let held =
                    self.store.lists().iter().find(|list| state.list == Some(list.scope().digest.to_hex())).cloned();
                let life = held.and_then(|list| Some((list.scope().this_update, list.scope().next_update?)));
                state.next_refresh = Some(after_success(now, source.interval_seconds, life, jitter));
                (state.last_success, state.failures, state.last_error) = (Some(now), 0, None);
            }
            Err(error) => {
                state.next_refresh = Some(after_failure(now, source.interval_seconds, state.failures, jitter));
                state.failures = state.failures.saturating_add(1);
                state.last_error = Some((error.code().to_owned(), error.to_string()));
            }
        }
        self.keep(&source.name, state);
        outcome
    }

    async fn refresh_from(&self, url: &str, state: &mut SourceState) -> Result<Refreshed, RefreshError> {
        let fetch = |error| RefreshError::Fetch { url: url.to_owned(), error };
        let import = |error| RefreshError::Import { url: url.to_owned(), error };
        // Validators are sent only to the mirror they are of, and only while the list they are of is in force.
        let in_force = self.store.lists().iter().any(|list| state.list == Some(list.scope().digest.to_hex()));
        let known = match state.url.as_deref() == Some(url) && in_force {
            true => state.validators.clone(),
            false => Validators::default(),
        };
        let mut staged = self.store.staging().map_err(|error| import(error.into()))?;
        let limit = self.store.limits().max_list_octets;
        let validators = match self.fetcher.list(url, &known, limit, &mut staged).await.map_err(fetch)? {
            Fetched::NotModified => return Ok(Refreshed::Unchanged),
            Fetched::Body(validators) => validators,
        };
        let (store, signers, at) = (Arc::clone(&self.store), Arc::clone(&self.signers), self.clock.now());
        let work = move || store.import(staged, &signers, at, Staleness::Refuse);
        let imported =
            tokio::task::spawn_blocking(work).await.map_err(|error| RefreshError::Other(error.to_string()))?;
        let imported = imported.map_err(import)?;
        state.list = Some(imported.list().scope().digest.to_hex());
        (state.url, state.validators) = (Some(url.to_owned()), validators);
        Ok(match imported {
            Imported::Replaced(list) => Refreshed::Replaced(list),
            Imported::Unchanged(_) => Refreshed::Unchanged,
        })
    }

    fn complain(&self, source: &ListSource, error: &RefreshError) {
        let (name, code) = (source.name.clone(), error.code());
        metrics::counter!("tamga_revocation_refresh_failures_total", "source" => name, "code" => code).increment(1);
        if code == "rolled-back" {
            // An alarm: somebody serves old lists, by neglect or on purpose.
            tracing::error!(source = source.name, code, %error, "revocation list went back");
        } else {
            tracing::warn!(source = source.name, code, %error, "revocation list not refreshed");
        }
    }

    fn keep(&self, name: &str, state: SourceState) {
        let text = serde_json::to_string_pretty(&state).unwrap_or_default();
        let path = self.folder.join(state_file(name));
        let beside = path.with_extension("new");
        if let Err(error) = fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path)) {
            tracing::error!(source = name, %error, "state of a revocation source cannot be kept");
        }
        self.states.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), state);
    }

    /// Sets the gauges: age, entries, octets, next refresh, last success, standing failures and the last error.
    #[allow(clippy::cast_precision_loss)] // Gauges are floating-point numbers.
    fn measure(&self) {
        let now = self.clock.now();
        for list in self.store.lists().iter() {
            let scope = list.scope();
            let labels = [("issuer", scope.issuer().to_string()), ("kind", list.kind().as_str().to_owned())];
            let age = now.unix().saturating_sub(scope.this_update.unix());
            metrics::gauge!("tamga_revocation_list_age_seconds", &labels).set(age as f64);
            metrics::gauge!("tamga_revocation_list_entries", &labels).set(list.entries() as f64);
            metrics::gauge!("tamga_revocation_list_index_bytes", &labels).set(list.index_octets() as f64);
            metrics::gauge!("tamga_revocation_list_source_bytes", &labels).set(list.source_octets() as f64);
            if let Some(next_update) = scope.next_update {
                let left = next_update.unix().saturating_sub(now.unix());
                metrics::gauge!("tamga_revocation_list_expires_in_seconds", &labels).set(left as f64);
            }
        }
        for source in &self.sources {
            let state = self.state(&source.name);
            let labels = [("source", source.name.clone())];
            let due = state.next_refresh.map_or(0, |due| due.unix().saturating_sub(now.unix()));
            metrics::gauge!("tamga_revocation_next_refresh_in_seconds", &labels).set(due as f64);
            metrics::gauge!("tamga_revocation_failures", &labels).set(f64::from(state.failures));
            if let Some(last) = state.last_success {
                let age = now.unix().saturating_sub(last.unix());
                metrics::gauge!("tamga_revocation_last_success_age_seconds", &labels).set(age as f64);
            }
            self.show_error(&source.name, state.last_error.map(|(code, _)| code));
        }
    }
}

impl Refresher {
    /// Sets the gauge of a source's last error to one, and that of the error before it to nothing.
    fn show_error(&self, source: &str, code: Option<String>) {
        let gauge = |code: &str| {
            let labels = [("source", source.to_owned()), ("code", code.to_owned())];
            metrics::gauge!("tamga_revocation_last_error", &labels)
        };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = shown.get(source).filter(|before| code.as_ref() != Some(before)) {
            gauge(before).set(0.0);
        }
        match code {
            Some(code) => {
                gauge(&code).set(1.0);
                shown.insert(source.to_owned(), code);
            }
            None => {
                shown.remove(source);
            }
        }
    }
}

/// A file name for a source, whatever its name holds.
fn state_file(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' });
    format!("{}.json", plain.collect::<String>())
}
