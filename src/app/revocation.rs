//! The revocation store and its refresher, as a configuration has them.
//!
//! *Invariant:* lists are believed of trust anchors, and of intermediates from which a path leads to one, alone.

use super::AppError;
use crate::adapter::asking::{Asking, MayAsk};
use crate::adapter::clock::SystemClock;
use crate::adapter::fetch::{FetchRules, Fetcher, ListSource, OnlineRevocation, Refresher};
use crate::adapter::material;
use crate::adapter::revocation_store::{Limits, ListSigner, RevocationStore};
use crate::adapter::timestamp::{TimestampClient, TimestampSettings};
use crate::config::{Asked, Config, Series};
use crate::pki::Certificate;
use crate::port::Clock;
use crate::verify::certificate::{Material, Purpose, ValidationContext, validate_certificate};
use crate::verify::policy::Policy;
use std::path::PathBuf;
use std::sync::Arc;

/// Files and folders of trust anchors: those of the configuration, and what `tamga trust add` has put beside the data.
/// That of a demonstration stands in its own folder.
pub fn anchor_paths(config: &Config) -> Vec<PathBuf> {
    let added = trust_folder(config);
    config.trust.anchors.iter().cloned().chain(Some(added).filter(|folder| folder.is_dir())).collect()
}

/// Where `tamga trust add` puts certificates, each under its fingerprint.
pub fn trust_folder(config: &Config) -> PathBuf {
    config.data.0.join("trust")
}

/// The store: `revocation` in the data folder.
///
/// # Errors
/// The folder cannot be made or read.
pub fn open_store(config: &Config) -> Result<Arc<RevocationStore>, AppError> {
    let path = config.data.0.join("revocation");
    let limits =
        Limits { max_list_octets: config.revocation.max_list.0, max_archive_octets: config.revocation.max_archive.0 };
    RevocationStore::open(&path, limits).map(Arc::new).map_err(|cause| AppError::Data { path, cause })
}

/// Those whose lists are believed: trust anchors, intermediates from which a path leads to one, and whoever the operator
/// names beside them.
///
/// # Errors
/// A path that is named cannot be read.
pub fn signers(config: &Config, named: &[PathBuf]) -> Result<Vec<ListSigner>, AppError> {
    let load =
        |paths: &[PathBuf]| material::load(paths, |der| Certificate::parse(der).map_err(|error| error.to_string()));
    let anchors = load(&anchor_paths(config))?;
    let intermediates = load(&config.trust.intermediates)?;
    let context =
        ValidationContext { trust_anchors: &anchors, intermediates: &intermediates, ..ValidationContext::default() };
    let reaches_anchor = |certificate: &&Certificate| {
        let (at, policy) = (SystemClock.now(), Policy::default());
        let material = Material::default();
        validate_certificate(certificate, &material, Purpose::CrlSigner, at, &policy, &context).reaches_trust_anchor
    };
    let believed = anchors.iter().chain(intermediates.iter().filter(reaches_anchor));
    Ok(believed.map(ListSigner::from).chain(load(named)?.iter().map(ListSigner::from)).collect())
}

/// Keeps a store fresh.
///
/// # Errors
/// The client cannot be set up, or the folder cannot be made.
pub fn refresher(config: &Config, store: Arc<RevocationStore>, clock: Arc<dyn Clock>) -> Result<Refresher, AppError> {
    let fetcher = Fetcher::new(rules(config)).map_err(|error| AppError::Fetch(error.to_string()))?;
    let path = config.data.0.join("revocation").join("sources");
    Refresher::new(store, fetcher, sources(config), signers(config, &[])?, clock, &path)
        .map_err(|cause| AppError::Data { path, cause })
}

/// What may be asked of the network while a verdict is made; `None` where nothing may.
///
/// # Errors
/// The client cannot be set up.
pub fn asking(config: &Config, store: Option<Arc<RevocationStore>>) -> Result<Option<Asking>, AppError> {
    let may_ask = MayAsk {
        ocsp: config.revocation.ocsp == Asked::WhenOpen,
        issuers: config.revocation.issuers == Asked::WhenOpen,
    };
    if !may_ask.ocsp && !may_ask.issuers {
        return Ok(None);
    }
    let fetcher = Fetcher::new(rules(config)).map_err(|error| AppError::Fetch(error.to_string()))?;
    let source = OnlineRevocation::new(store, fetcher).map_err(|error| AppError::Fetch(error.to_string()))?;
    // Those that wait for a silent host leave most places to those that need nobody.
    let max_waiting = usize::try_from(config.http.max_concurrent_requests / 4).unwrap_or(1);
    let deadline = config.revocation.ask_timeout.duration();
    Ok(Some(Asking::new(Arc::new(source), may_ask, deadline, max_waiting)))
}

/// Asks the time-stamping authorities of the configuration, whose hosts are allowed by being named.
pub fn timestamp_client(config: &Config) -> TimestampClient {
    let settings = &config.timestamps;
    let host = |url: &String| reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned);
    let allowed_hosts = settings.urls.iter().filter_map(host).collect();
    TimestampClient::new(
        TimestampSettings {
            urls: settings.urls.clone(),
            policy: settings.policy.clone(),
            digest: settings.digest.into(),
            attempts: settings.attempts,
            timeout: settings.timeout.duration(),
        },
        FetchRules { allowed_hosts, ..rules(config) },
    )
}

fn rules(config: &Config) -> FetchRules {
    FetchRules {
        allowed_hosts: config.revocation.allowed_hosts.clone(),
        private_addresses: config.revocation.private_addresses,
        list_timeout: config.revocation.list_timeout.duration(),
        response_timeout: config.revocation.response_timeout.duration(),
    }
}

fn sources(config: &Config) -> Vec<ListSource> {
    let source = |series: &Series| ListSource {
        name: series.name.clone(),
        urls: series.urls.clone(),
        interval_seconds: i64::try_from(series.interval.0).unwrap_or(i64::MAX),
    };
    config.revocation.lists.iter().map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_gives_rules_and_sources() {
        let text = "[revocation]\nallowed_hosts = ['.example.kz']\n\
            [[revocation.lists]]\nname = 'nca'\nurls = ['http://crl.example.kz/a.crl']\ninterval = '30min'\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tamga.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(Some(&path), Vec::new()).unwrap();
        assert_eq!(rules(&config).allowed_hosts, [".example.kz"]);
        assert_eq!(sources(&config)[0].interval_seconds, 1800);
    }
}
