//! Revocation data over HTTP: lists, OCSP responses, issuers' certificates.
//!
//! Every request has a deadline, a size limit and a name (User-Agent). Hosts are those the operator allows; a name is
//! resolved once, its addresses are checked, and the connection goes to the addresses that were checked, so that an
//! answer of the DNS that changes in between changes nothing. A redirect is a new request and is checked like one.
//! HTTP/1.1 alone, no proxy of the environment, no compression: fewer ways to be led astray.
//!
//! *Invariant:* no octet is requested from a host or an address that the rules do not allow.

mod address;
mod refresh;
mod schedule;
mod source;

pub use address::PrivateAddresses;
pub use refresh::{ListSource, RefreshError, Refreshed, Refresher, SourceState};

pub use source::OnlineRevocation;

use crate::report::SOFTWARE;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Redirects followed: mirrors move, and not for ever.
const MAX_REDIRECTS: usize = 3;

/// Largest OCSP response (`validation.md` §4); issuers' certificates are held to the same.
pub const MAX_RESPONSE_OCTETS: usize = 64 << 10;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whom the service may speak to, and for how long.
#[derive(Clone, Debug)]
pub struct FetchRules {
    /// Hosts: `crl.pki.gov.kz`, or `.pki.gov.kz` for it and every name below.
    pub allowed_hosts: Vec<String>,
    /// Whether private addresses may be spoken to.
    pub private_addresses: PrivateAddresses,
    /// From the first octet sent to the last octet of a list.
    pub list_timeout: Duration,
    /// The same for an OCSP response or a certificate.
    pub response_timeout: Duration,
}

impl FetchRules {
    /// Checks a URL before anything is sent to it.
    fn check(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme { scheme: url.scheme().to_owned() });
        }
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        if !url.username().is_empty() || url.password().is_some() || !self.allows_host(&host) {
            return Err(Refusal::Host { host });
        }
        // A literal address is not resolved, so the resolver does not see it.
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) if !self.private_addresses.permits(address) => Err(Refusal::Address { host, address }),
            _ => Ok(()),
        }
    }

    fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.iter().map(|allowed| allowed.to_ascii_lowercase()).any(|allowed| {
            host == allowed.trim_start_matches('.') || (allowed.starts_with('.') && host.ends_with(&allowed))
        })
    }
}

/// What the rules do not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another scheme than http and https.
    #[error("scheme {scheme} is not fetched")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// A host that the operator does not allow, or a URL with a user in it.
    #[error("host {host} is not one of the allowed")]
    Host {
        /// The host.
        host: String,
    },
    /// A host at an address that is not public.
    #[error("host {host} is at {address}, which is not a public address")]
    Address {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// Too many redirects, one from https to http, or one to no place that is fetched.
    #[error("redirected too often, out of TLS, or nowhere")]
    Redirect,
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a URL.
    #[error("not a URL: {0}")]
    Url(String),
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No whole answer in time.
    #[error("no whole answer in time")]
    TimedOut,
    /// No connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// Another answer than success.
    #[error("answered {0}")]
    Status(u16),
    /// More octets than are taken.
    #[error("larger than {limit} octets")]
    TooLarge {
        /// The most that is taken.
        limit: u64,
    },
    /// Another kind of answer than was asked for.
    #[error("answered with {0}")]
    ContentType(String),
    /// What was received cannot be written.
    #[error("cannot be written: {0}")]
    Write(io::Error),
}

impl FetchError {
    /// A stable name, for metrics and for the log.
    pub const fn code(&self) -> &'static str {
        match self {
            FetchError::Url(_) => "url",
            FetchError::Refused(Refusal::Address { .. }) => "private-address",
            FetchError::Refused(Refusal::Redirect) => "redirect",
            FetchError::Refused(_) => "host-not-allowed",
            FetchError::TimedOut => "timed-out",
            FetchError::Connection(_) => "connection",
            FetchError::Status(_) => "status",
            FetchError::TooLarge { .. } => "too-large",
            FetchError::ContentType(_) => "content-type",
            FetchError::Write(_) => "store",
        }
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> FetchError {
        if error.is_timeout() {
            return FetchError::TimedOut;
        }
        let (mut cause, mut last): (Option<&dyn StdError>, String) = (Some(&error), String::new());
        while let Some(error) = cause {
            if let Some(refusal) = error.downcast_ref::<Refusal>() {
                return FetchError::Refused(refusal.clone());
            }
            last = error.to_string();
            cause = error.source();
        }
        FetchError::Connection(last)
    }
}

/// Resolves a name and condemns it for any address that is not allowed. The connection goes to what this returns.
struct CheckedResolver(PrivateAddresses);

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private_addresses = self.0;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            match addresses.iter().map(SocketAddr::ip).find(|&address| !private_addresses.permits(address)) {
                Some(address) => Err(Refusal::Address { host, address }.into()),
                None => Ok(Box::new(addresses.into_iter()) as Addrs),
            }
        })
    }
}

/// What a server said about a list, to ask next time whether it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// ETag.
    pub etag: Option<String>,
    /// Last-Modified.
    pub last_modified: Option<String>,
}

/// What a list's host answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// What was received last time is what there is.
    NotModified,
    /// A body was written.
    Body(Validators),
}

/// An HTTP client that keeps the rules.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    rules: Arc<FetchRules>,
}

impl Fetcher {
    /// A client for the rules.
    ///
    /// # Errors
    /// The TLS library cannot be set up.
    pub fn new(rules: FetchRules) -> Result<Fetcher, FetchError> {
        let rules = Arc::new(rules);
        let checked = Arc::clone(&rules);
        let policy = redirect::Policy::custom(move |attempt| {
            let left_tls =
                attempt.url().scheme() == "http" && attempt.previous().iter().any(|url| url.scheme() == "https");
            if left_tls || attempt.previous().len() > MAX_REDIRECTS {
                return attempt.error(Refusal::Redirect);
            }
            match checked.check(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(refusal) => attempt.error(refusal),
            }
        });
        let client = Client::builder()
            .user_agent(SOFTWARE.replace(' ', "/"))
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(policy)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(CheckedResolver(rules.private_addresses))
            .build()?;
        Ok(Fetcher { client, rules })
    }

    /// Receives a list, unless it is the one that the validators are of.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn list(
        &self,
        url: &str,
        known: &Validators,
        limit: u64,
        to: &mut (impl Write + Send),
    ) -> Result<Fetched, FetchError> {
        let mut request = self.request(Method::GET, url)?.timeout(self.rules.list_timeout);
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, last_modified);
        }
        let mut response = request.send().await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::NotModified);
        }
        let validators = |headers: &HeaderMap| {
            let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
        };
        let validators = validators(response.headers());
        receive(&mut response, limit, |part| to.write_all(part)).await?;
        Ok(Fetched::Body(validators))
    }

    /// Sends an OCSP request (RFC 6960 §A.1) and receives the response.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn ocsp(&self, url: &str, request: &[u8], deadline: Duration) -> Result<Vec<u8>, FetchError> {
        let timeout = deadline.min(self.rules.response_timeout);
        let builder = self.request(Method::POST, url)?.timeout(timeout);
        let builder =
            builder.header(CONTENT_TYPE, "application/ocsp-request").header(ACCEPT, "application/ocsp-response");
        self.small(builder.body(request.to_vec())).await
    }

    /// Sends a time-stamp request (RFC 3161 §3.4) and receives the response.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn timestamp(&self, url: &str, request: &[u8], deadline: Duration) -> Result<Vec<u8>, FetchError> {
        let builder = self.request(Method::POST, url)?.timeout(deadline);
        let builder =
            builder.header(CONTENT_TYPE, "application/timestamp-query").header(ACCEPT, "application/timestamp-reply");
        self.small(builder.body(request.to_vec())).await
    }

    /// Receives an issuer's certificate (RFC 5280 §4.2.2.1), as DER of the certificate or of a certs-only message.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn certificate(&self, url: &str, deadline: Duration) -> Result<Vec<u8>, FetchError> {
        let timeout = deadline.min(self.rules.response_timeout);
        self.small(self.request(Method::GET, url)?.timeout(timeout)).await
    }

    fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, FetchError> {
        let url = Url::parse(url).map_err(|error| FetchError::Url(error.to_string()))?;
        self.rules.check(&url)?;
        Ok(self.client.request(method, url))
    }

    async fn small(&self, request: RequestBuilder) -> Result<Vec<u8>, FetchError> {
        let mut response = request.send().await?;
        // What goes wrong is told in HTML as often as not: the status says more than the type.
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
        // Servers that leave the type out or call it octets are common; a portal's HTML is what must not pass.
        if content_type.starts_with("text/") {
            return Err(FetchError::ContentType(content_type));
        }
        receive(&mut response, MAX_RESPONSE_OCTETS as u64, |part| body.write_all(part)).await?;
        Ok(body)
    }
}

/// Reads a successful body to its end.
async fn receive(
    response: &mut Response,
    limit: u64,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), FetchError> {
    // The client follows what the rules allow; what is left over leads to another scheme or to no place at all.
    if response.status().is_redirection() {
        return Err(Refusal::Redirect.into());
    }
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(FetchError::TooLarge { limit });
    }
    let mut received = 0u64;
    while let Some(part) = response.chunk().await? {
        received = received.saturating_add(part.len() as u64);
        if received > limit {
            return Err(FetchError::TooLarge { limit });
        }
        to(&part).map_err(FetchError::Write)?;
    }
    Ok(())
}
