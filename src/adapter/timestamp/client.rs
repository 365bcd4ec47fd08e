//! Tokens of other authorities over HTTP (RFC 3161 §3.4).
//!
//! *Invariant:* what is handed out answers the question that was asked: its nonce, its digest, its policy.

use crate::adapter::fetch::{FetchError, FetchRules, Fetcher};
use crate::asn1::OidBuf;
use crate::crypto::{Digest, DigestAlgorithm};
use crate::format::cms;
use crate::pki::timestamp::{ID_CT_TST_INFO, TimeStampReq, TimeStampResp, TstInfo};
use crate::port::{TimestampAuthority, TimestampError};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Octets of a nonce: too many to be met twice.
const NONCE_OCTETS: usize = 16;

/// How authorities are asked.
#[derive(Clone, Debug)]
pub struct TimestampSettings {
    /// Mirrors, asked in this order.
    pub urls: Vec<String>,
    /// The policy to ask for; `None` for the authority's own.
    pub policy: Option<OidBuf>,
    /// The digest that is stamped.
    pub digest: DigestAlgorithm,
    /// How often each mirror is asked.
    pub attempts: u32,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// Asks authorities for tokens.
///
/// Its calls wait: they belong on a thread that may, as use cases have one.
#[derive(Debug)]
pub struct TimestampClient {
    settings: TimestampSettings,
    rules: FetchRules,
}

/// Why one answer is none.
enum Trouble {
    /// Worth another attempt.
    Passing(String),
    /// This authority will say the same again.
    Lasting(String),
}

impl TimestampClient {
    /// A client that keeps the rules of fetching.
    pub fn new(settings: TimestampSettings, rules: FetchRules) -> TimestampClient {
        TimestampClient { settings, rules }
    }

    /// A network of this call's own: tokens are rare, and a connection kept open outlives no call.
    fn network(&self) -> Result<(Runtime, Fetcher), TimestampError> {
        let failed = |cause: String| TimestampError::Unavailable { cause };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| failed(error.to_string()))?;
        let fetcher = Fetcher::new(self.rules.clone()).map_err(|error| failed(error.to_string()))?;
        Ok((runtime, fetcher))
    }

    fn ask(&self, (runtime, fetcher): &(Runtime, Fetcher), url: &str, imprint: &Digest) -> Result<Vec<u8>, Trouble> {
        let mut nonce = [0; NONCE_OCTETS];
        SystemRandom::new().fill(&mut nonce).map_err(|_| Trouble::Lasting("no randomness".to_owned()))?;
        let policy = self.settings.policy.as_ref().map(OidBuf::as_oid);
        let request = TimeStampReq::build(imprint, policy, Some(&nonce))
            .ok_or_else(|| Trouble::Lasting("the digest algorithm has no identifier".to_owned()))?;
        let answered = runtime.block_on(fetcher.timestamp(url, &request, self.settings.timeout));
        let answer = answered.map_err(|error| match error {
            FetchError::TimedOut | FetchError::Connection(_) | FetchError::Status(429 | 500..=599) => {
                Trouble::Passing(error.to_string())
            }
            other => Trouble::Lasting(other.to_string()),
        })?;
        self.accept(&request, imprint, &answer)
    }

    /// The token of an answer, where it is one to the request.
    fn accept(&self, request: &[u8], imprint: &Digest, answer: &[u8]) -> Result<Vec<u8>, Trouble> {
        let broken = |what: &str| Trouble::Passing(format!("the answer {what}"));
        let asked = TimeStampReq::parse(request).map_err(|_| Trouble::Lasting("our own request".to_owned()))?;
        let token = match TimeStampResp::parse(answer) {
            Ok(TimeStampResp::Granted(token)) => token,
            Ok(TimeStampResp::Refused { status, failure }) => {
                return Err(Trouble::Lasting(match failure {
                    Some(failure) => format!("refuses: {failure:?}"),
                    None => format!("refuses with status {status}"),
                }));
            }
            Err(error) => return Err(broken(&format!("is no time-stamp response: {error}"))),
        };
        let document = cms::parse_signed_data(token, ID_CT_TST_INFO, None)
            .map_err(|reason| broken(&format!("carries no token: {}", reason.code())))?;
        let content = document.content.as_deref().unwrap_or_default();
        let info = TstInfo::parse(content).map_err(|error| broken(&format!("carries no TSTInfo: {error}")))?;
        if info.message_imprint.known() != Some(*imprint) {
            return Err(broken("is about another digest"));
        }
        if info.nonce != asked.nonce {
            return Err(broken("has another nonce"));
        }
        if asked.policy.is_some_and(|policy| policy != info.policy) {
            return Err(broken("is of another policy"));
        }
        // certReq was set (RFC 3161 §2.4.1).
        if document.certificates.is_empty() {
            return Err(broken("lacks the authority's certificate"));
        }
        Ok(token.to_vec())
    }
}

impl TimestampAuthority for TimestampClient {
    fn digest_algorithm(&self) -> DigestAlgorithm {
        self.settings.digest
    }

    fn token(&self, imprint: &Digest) -> Result<Vec<u8>, TimestampError> {
        let network = self.network()?;
        let mut causes = Vec::new();
        let mut passing = false;
        for url in &self.settings.urls {
            for attempt in 1..=self.settings.attempts.max(1) {
                match self.ask(&network, url, imprint) {
                    Ok(token) => return Ok(token),
                    Err(Trouble::Passing(cause)) => {
                        tracing::warn!(url, attempt, cause, "no time-stamp");
                        passing = true;
                        causes.push(format!("{url}: {cause}"));
                    }
                    Err(Trouble::Lasting(cause)) => {
                        tracing::warn!(url, attempt, cause, "no time-stamp");
                        causes.push(format!("{url}: {cause}"));
                        break;
                    }
                }
            }
        }
        causes.dedup();
        let cause = causes.join("; ");
        Err(if passing { TimestampError::Unavailable { cause } } else { TimestampError::Refused { cause } })
    }
}
