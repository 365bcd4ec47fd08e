//! The store and the network as one [`RevocationSource`].
//!
//! The network has a thread of its own here, and callers wait for it with a clock in hand: a host that is silent costs
//! one caller its deadline and the others nothing. A place that did not answer is left alone for a while.
//!
//! *Invariant:* no call lasts longer than its deadline, whatever a host does.

use super::{FetchError, Fetcher};
use crate::adapter::revocation_store::RevocationStore;
use crate::crypto::Digest;
use crate::pki::extension::{GeneralName, id};
use crate::pki::ocsp::OcspError;
use crate::pki::{Certificate, OcspResponse, RevocationList};
use crate::port::{OcspAnswer, OcspQuestion, RevocationSource};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// The most places that are asked for one certificate: a budget against a certificate full of URLs.
const MAX_URLS: usize = 4;

/// How long a place that did not answer is left alone.
const REST: Duration = Duration::from_secs(10);

/// Places that are remembered at once; a certificate can name more hosts than there are.
const MAX_RESTING: usize = 1024;

/// Lists from the store, responses and certificates from the network.
#[derive(Debug)]
pub struct OnlineRevocation {
    store: Option<Arc<RevocationStore>>,
    network: Arc<Network>,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct Network {
    fetcher: Fetcher,
    /// Places that did not answer, and when they may be asked again.
    resting: Mutex<HashMap<String, Instant>>,
}

impl OnlineRevocation {
    /// A source with a thread of its own for the network; without a store it has no lists.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn new(store: Option<Arc<RevocationStore>>, fetcher: Fetcher) -> io::Result<OnlineRevocation> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("revocation").enable_all().build()?;
        let network = Arc::new(Network { fetcher, resting: Mutex::default() });
        Ok(OnlineRevocation { store, network, runtime: Some(runtime) })
    }

    /// Starts work on the network's thread; what comes of it can be waited for.
    fn start<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Receiver<T> {
        let (sender, receiver) = channel();
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                // Nobody may be waiting any more.
                let _ = sender.send(work.await);
            });
        }
        receiver
    }
}

impl Drop for OnlineRevocation {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Network {
    /// Whether a place may be asked: it answered when it was asked last, or that is long ago.
    fn is_rested(&self, url: &str) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.retain(|_, until| *until > Instant::now());
        !resting.contains_key(place(url))
    }

    fn note(&self, url: &str, error: &FetchError) {
        if !matches!(error, FetchError::TimedOut | FetchError::Connection(_)) {
            return;
        }
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting.len() < MAX_RESTING {
            resting.insert(place(url).to_owned(), Instant::now() + REST);
        }
    }

    /// One request within a time; a place that rests is not asked.
    async fn attempt(
        &self,
        url: &str,
        share: Duration,
        request: impl Future<Output = Result<Vec<u8>, FetchError>>,
    ) -> Result<Vec<u8>, String> {
        if !self.is_rested(url) {
            return Err(format!("{}: did not answer a moment ago", place(url)));
        }
        let answered = timeout(share, request).await.unwrap_or(Err(FetchError::TimedOut));
        answered.map_err(|error| {
            self.note(url, &error);
            format!("{}: {error}", place(url))
        })
    }

    /// The first answer that says something, else the last that came, else why none did.
    async fn ocsp(&self, question: OcspQuestion, deadline: Duration) -> OcspAnswer {
        let end = Instant::now() + deadline;
        let mut best = OcspAnswer::Unavailable("the certificate names no responder".to_owned());
        let urls: Vec<&String> = question.urls.iter().take(MAX_URLS).collect();
        for (number, url) in urls.iter().enumerate() {
            for request in &question.requests {
                // Each place has its share of what is left, so that a silent one leaves time for its mirror.
                let left = u32::try_from(urls.len() - number).unwrap_or(1);
                let share = end.saturating_duration_since(Instant::now()) / left.max(1);
                let response = match self.attempt(url, share, self.fetcher.ocsp(url, request, share)).await {
                    Ok(response) => response,
                    Err(cause) => {
                        if matches!(best, OcspAnswer::Unavailable(_)) {
                            best = OcspAnswer::Unavailable(cause);
                        }
                        break;
                    }
                };
                let refused = match OcspResponse::parse(&response) {
                    Ok(_) => return OcspAnswer::Response(response),
                    // The responder does not understand the request, or not the digest that it names certificates by.
                    Err(OcspError::NoAnswer(status)) => matches!(status, "malformedRequest" | "unauthorized"),
                    Err(_) => false,
                };
                best = OcspAnswer::Response(response);
                if !refused {
                    break;
                }
            }
        }
        best
    }

    async fn issuers(&self, urls: Vec<String>, deadline: Duration) -> Vec<Certificate> {
        let end = Instant::now() + deadline;
        for (number, url) in urls.iter().enumerate() {
            let left = u32::try_from(urls.len() - number).unwrap_or(1);
            let share = end.saturating_duration_since(Instant::now()) / left.max(1);
            match self.attempt(url, share, self.fetcher.certificate(url, share)).await {
                Ok(octets) => {
                    let issuers = certificates(&octets);
                    if !issuers.is_empty() {
                        return issuers;
                    }
                }
                Err(cause) => tracing::debug!(cause, "issuer's certificate not fetched"),
            }
        }
        Vec::new()
    }
}

/// Scheme, host and port of a URL.
fn place(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(authority..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| authority + at);
    url.get(..end).unwrap_or(url)
}

/// RFC 5280 §4.2.2.1: "a single DER encoded certificate" or "a collection of certificates in a BER or DER encoded
/// "certs-only" CMS message".
fn certificates(octets: &[u8]) -> Vec<Certificate> {
    let der = crate::format::armour::dearmour(octets).unwrap_or_default();
    match Certificate::parse(&der) {
        Ok(certificate) => vec![certificate],
        Err(_) => {
            crate::format::cms::certificates(&der).iter().filter_map(|der| Certificate::parse(der).ok()).collect()
        }
    }
}

impl RevocationSource for OnlineRevocation {
    fn lists(&self) -> Vec<Arc<dyn RevocationList>> {
        let lists = self.store.iter().flat_map(|store| store.lists().to_vec());
        lists.map(|list| list as Arc<dyn RevocationList>).collect()
    }

    fn list_by_digest(&self, digest: &Digest) -> Option<Vec<u8>> {
        let octets = fs::read(self.store.as_ref()?.archived(digest).ok()??).ok()?;
        // What bit rot made of it is not the list that was asked for.
        (Digest::sha256(&octets) == *digest).then_some(octets)
    }

    fn ocsp(&self, questions: &[OcspQuestion], deadline: Duration) -> Vec<OcspAnswer> {
        let end = Instant::now() + deadline;
        let ask = |question: &OcspQuestion| {
            let (network, question) = (Arc::clone(&self.network), question.clone());
            self.start(async move { network.ocsp(question, deadline).await })
        };
        let asked: Vec<_> = questions.iter().map(ask).collect();
        let answer = |answer: Receiver<OcspAnswer>| {
            let left = end.saturating_duration_since(Instant::now());
            answer.recv_timeout(left).unwrap_or_else(|_| OcspAnswer::Unavailable(FetchError::TimedOut.to_string()))
        };
        asked.into_iter().map(answer).collect()
    }

    fn issuers(&self, certificates: &[Certificate], deadline: Duration) -> Vec<Certificate> {
        let end = Instant::now() + deadline;
        let ask = |certificate: &Certificate| {
            let (network, urls) = (Arc::clone(&self.network), issuer_urls(certificate));
            self.start(async move { network.issuers(urls, deadline).await })
        };
        let asked: Vec<_> = certificates.iter().map(ask).collect();
        let answer = |answer: Receiver<Vec<Certificate>>| {
            answer.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap_or_default()
        };
        asked.into_iter().flat_map(answer).collect()
    }
}

fn issuer_urls(certificate: &Certificate) -> Vec<String> {
    let access = certificate.authority_information_access();
    let urls = access.iter().flat_map(|list| list.iter()).filter_map(|access| match access.location {
        GeneralName::Uri(url) if access.method == id::ACCESS_CA_ISSUERS => Some(url.to_owned()),
        _ => None,
    });
    urls.take(MAX_URLS).collect()
}
