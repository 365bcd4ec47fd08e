//! The store and the network as one [`RevocationSource`].

use super::{FetchError, Fetcher};
use crate::adapter::revocation_store::RevocationStore;
use crate::crypto::Digest;
use crate::pki::extension::{GeneralName, id};
use crate::pki::{Certificate, RevocationList};
use crate::port::{OcspAnswer, OcspQuestion, RevocationSource};
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

/// The most issuers' certificates that are fetched for one certificate: a budget against a certificate full of URLs.
const MAX_ISSUER_URLS: usize = 4;

/// Lists from the store, responses and certificates from the network.
///
/// Its calls wait: they belong on a thread that may, as use cases have one.
#[derive(Debug)]
pub struct OnlineRevocation {
    store: Arc<RevocationStore>,
    fetcher: Fetcher,
    runtime: Handle,
}

impl OnlineRevocation {
    /// A source that waits for the network on a runtime.
    pub fn new(store: Arc<RevocationStore>, fetcher: Fetcher, runtime: Handle) -> OnlineRevocation {
        OnlineRevocation { store, fetcher, runtime }
    }
}

impl RevocationSource for OnlineRevocation {
    fn lists(&self) -> Vec<Arc<dyn RevocationList>> {
        self.store.lists().iter().map(|list| Arc::clone(list) as Arc<dyn RevocationList>).collect()
    }

    fn list_by_digest(&self, digest: &Digest) -> Option<Vec<u8>> {
        let octets = fs::read(self.store.archived(digest).ok()??).ok()?;
        // What bit rot made of it is not the list that was asked for.
        (Digest::sha256(&octets) == *digest).then_some(octets)
    }

    fn ocsp(&self, questions: &[OcspQuestion], deadline: Duration) -> Vec<OcspAnswer> {
        let asked: Vec<_> = questions
            .iter()
            .map(|OcspQuestion { url, request }| {
                let (fetcher, url, request) = (self.fetcher.clone(), url.clone(), request.clone());
                self.runtime.spawn(async move { timeout(deadline, fetcher.ocsp(&url, &request, deadline)).await })
            })
            .collect();
        let answer = |answered| match answered {
            Ok(Ok(Ok(response))) => OcspAnswer::Response(response),
            Ok(Ok(Err(error))) => OcspAnswer::Unavailable(FetchError::to_string(&error)),
            Ok(Err(_)) => OcspAnswer::Unavailable(FetchError::TimedOut.to_string()),
            Err(error) => OcspAnswer::Unavailable(tokio::task::JoinError::to_string(&error)),
        };
        asked.into_iter().map(|task| answer(self.runtime.block_on(task))).collect()
    }

    fn issuers(&self, certificate: &Certificate, deadline: Duration) -> Vec<Certificate> {
        let Some(access) = certificate.authority_information_access() else { return Vec::new() };
        let urls = access.iter().filter_map(|access| match access.location {
            GeneralName::Uri(url) if access.method == id::ACCESS_CA_ISSUERS => Some(url.to_owned()),
            _ => None,
        });
        let mut issuers = Vec::new();
        for url in urls.take(MAX_ISSUER_URLS) {
            match self.runtime.block_on(timeout(deadline, self.fetcher.certificate(&url, deadline))) {
                Ok(Ok(octets)) => issuers.extend(Certificate::parse(&octets).ok()),
                Ok(Err(error)) => tracing::debug!(url, %error, "issuer's certificate not fetched"),
                Err(_) => tracing::debug!(url, "issuer's certificate not fetched in time"),
            }
        }
        issuers
    }
}
