//! What every call passes before its handler sees it: the rule, the caller, the limits.
//!
//! *Invariant:* nothing of a body is read before the caller is known to be allowed, but to be thrown away where there is
//! no place for the call.

use super::{
    Shared,
    access::{Access, Repetition, Rule, Upload, rule_for},
    edge::Observed,
    problem::{self, Problem},
};
use crate::service::{
    Caller,
    access::{AccessError, authenticate},
};
use axum::{
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::OwnedSemaphorePermit;

/// Bodies of calls that carry parameters alone.
const MAX_SMALL_BODY: u64 = 64 << 10;
/// A sealed licence, base64 in JSON: ours are some 10 KiB.
const MAX_LICENCE: u64 = 4 << 20;
/// Room for the parameters beside a document.
const PARAMETERS: u64 = 64 << 10;
/// Octets of a body that is read although the call is refused for want of a place.
const MAX_DRAINED: usize = 128 << 10;
/// How long such a body may take.
const DRAIN: Duration = Duration::from_secs(1);
/// Longest Idempotency-Key.
const MAX_IDEMPOTENCY_KEY: usize = 128;

/// The name by which a repeated call is recognised.
#[derive(Clone, Debug)]
pub(super) struct IdempotencyKey(pub(super) String);

/// One of the places of `max_concurrent_requests`; work that outlives its call keeps it.
#[derive(Clone, Debug)]
pub(super) struct Place(#[allow(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>);

/// Set when the last byte of the body has arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct BodyArrived(Arc<AtomicBool>);

impl BodyArrived {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Lets a call in, or says why not.
pub(super) async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let place = match place(&shared, &request) {
        Ok(place) => place,
        Err(problem) => {
            drain(request).await;
            return problem.into_response();
        }
    };
    match conditions(&shared, request, place) {
        Ok((request, arrived)) => match tokio::time::timeout(shared.limits.request_timeout, next.run(request)).await {
            Ok(response) => response,
            Err(_) if arrived.0.load(Ordering::Relaxed) => {
                Problem::new(problem::UNAVAILABLE, "the answer was not ready in time").into_response()
            }
            Err(_) => Problem::new(problem::REQUEST_TIMEOUT, "the body did not arrive in time").into_response(),
        },
        Err(problem) => problem.into_response(),
    }
}

fn rule_of(request: &Request) -> Result<&'static Rule, Problem> {
    let path = request.extensions().get::<MatchedPath>();
    let closed = || Problem::new(problem::FORBIDDEN, "no rule opens this call");
    path.and_then(|path| rule_for(request.method(), path.as_str())).ok_or_else(closed)
}

/// A place among the calls under way, before anything is spent on this one. Operations look at the service just when it
/// is busy: they need none.
fn place(shared: &Shared, request: &Request) -> Result<Option<Place>, Problem> {
    if rule_of(request)?.access == Access::Anyone {
        return Ok(None);
    }
    match Arc::clone(&shared.places).try_acquire_owned() {
        Ok(place) => Ok(Some(Place(Arc::new(place)))),
        Err(_) => {
            metrics::counter!("tamga_place_refusals_total").increment(1);
            Err(Problem::new(problem::UNAVAILABLE, "too many requests under way"))
        }
    }
}

/// Reads a small body that nobody wants: a connection that is closed over an unread one can lose the answer on its way.
async fn drain(request: Request) {
    let mut body = request.into_body().into_data_stream();
    let mut left = MAX_DRAINED;
    let read = async {
        while let Some(Ok(part)) = body.next().await {
            left = left.saturating_sub(part.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whoever sends slower than this has no answer to lose.
    let _ = tokio::time::timeout(DRAIN, read).await;
}

fn conditions(
    shared: &Arc<Shared>,
    mut request: Request,
    place: Option<Place>,
) -> Result<(Request, BodyArrived), Problem> {
    let rule = rule_of(&request)?;
    let observed = request.extensions().get::<Arc<Observed>>().cloned().unwrap_or_default();
    let _ = observed.route.set(rule.path.to_owned());

    match rule.access {
        Access::Anyone => {}
        Access::RateLimited => limit_rate(shared, &request)?,
        Access::Roles(roles) => {
            let caller = match client(shared, &request) {
                Some(caller) => caller,
                None => holder(shared, bearer(request.headers()))?,
            };
            let _ = observed.caller.set(caller.clone());
            if !roles.contains(&caller.role) {
                return Err(Problem::new(
                    problem::FORBIDDEN,
                    format!("the role {} does not include this call", caller.role),
                ));
            }
            request.extensions_mut().insert(caller);
        }
    }
    if let Some(key) = idempotency_key(request.headers(), rule)? {
        request.extensions_mut().insert(key);
    }
    limit_body(shared, rule, &mut request)?;

    if let Some(place) = place {
        request.extensions_mut().insert(place);
    }
    let arrived = BodyArrived::default();
    request.extensions_mut().insert(arrived.clone());
    Ok((request, arrived))
}

/// The caller whose client certificate stands for a role.
fn client(shared: &Shared, request: &Request) -> Option<Caller> {
    shared.client(request.extensions().get::<Arc<axum_server::tls::TlsInfo>>()?)
}

/// The holder of a bearer token.
fn holder(shared: &Shared, token: Option<&str>) -> Result<Caller, Problem> {
    let unknown = || Problem::new(problem::UNAUTHENTICATED, "a valid bearer token is required");
    let token = token.ok_or_else(unknown)?;
    // A look at one row of a small table: cheaper than another thread.
    match authenticate(shared.tokens.as_ref(), token, shared.clock.now()) {
        Ok(record) => Ok(Caller { id: record.id, role: record.role }),
        Err(AccessError::Store(cause)) => {
            tracing::error!(cause, "tokens cannot be looked up");
            Err(Problem::new(problem::UNAVAILABLE, "callers cannot be told apart right now"))
        }
        Err(error) => {
            tracing::info!(reason = %error, "token refused");
            Err(unknown())
        }
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); `None` unless there is exactly one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}

fn idempotency_key(headers: &HeaderMap, rule: &Rule) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    match (values.next(), values.next(), rule.repetition) {
        (None, _, Repetition::Harmless) => Ok(None),
        (None, _, Repetition::NeedsKey) => Err(Problem::new(
            problem::IDEMPOTENCY_KEY_MISSING,
            "send an Idempotency-Key header: the same key gives the same licence",
        )),
        (Some(value), None, _) => {
            let invalid = || {
                Problem::new(
                    problem::INVALID_PARAMETER,
                    format!("Idempotency-Key is 1 to {MAX_IDEMPOTENCY_KEY} visible ASCII characters"),
                )
            };
            let text = value.to_str().map_err(|_| invalid())?;
            let visible = !text.is_empty()
                && text.len() <= MAX_IDEMPOTENCY_KEY
                && text.bytes().all(|byte| byte.is_ascii_graphic());
            if visible { Ok(Some(IdempotencyKey(text.to_owned()))) } else { Err(invalid()) }
        }
        (Some(_), Some(_), _) => Err(Problem::new(problem::INVALID_PARAMETER, "Idempotency-Key is given twice")),
    }
}

fn limit_body(shared: &Shared, rule: &Rule, request: &mut Request) -> Result<(), Problem> {
    let limit = match rule.upload {
        Upload::Small => size(MAX_SMALL_BODY),
        Upload::Licence => size(base64_of(MAX_LICENCE)),
        Upload::Document => submission_limit(shared.limits.max_document),
        // Each line has the limit of a document; how many there are is nobody's memory.
        Upload::Lines => {
            DefaultBodyLimit::disable().apply(request);
            return Ok(());
        }
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Problem::new(problem::BODY_TOO_LARGE, format!("the limit is {limit} bytes")));
    }
    DefaultBodyLimit::max(limit).apply(request);
    request.extensions_mut().insert(Arc::new(shared.body_memory.allowance(limit)));
    Ok(())
}

/// A detached signature and its content, both in base64, and the parameters.
pub(super) fn submission_limit(max_document: u64) -> usize {
    size(base64_of(max_document).saturating_mul(2))
}

/// With room for the parameters.
fn size(documents: u64) -> usize {
    usize::try_from(documents.saturating_add(PARAMETERS)).unwrap_or(usize::MAX)
}

fn base64_of(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

fn limit_rate(shared: &Shared, request: &Request) -> Result<(), Problem> {
    let address = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let unknown = || Problem::new(problem::INTERNAL, "the caller's address is not known");
    shared.limiter.check_key(&network(address.ok_or_else(unknown)?)).map_err(|until| {
        let wait = until.wait_time_from(governor::clock::Clock::now(&governor::clock::DefaultClock::default()));
        Problem::new(problem::TOO_MANY_REQUESTS, "too many licence verifications from this address")
            .retry_after(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
    })
}

/// What counts as one caller: an IPv4 address, or the /64 that one IPv6 household holds.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn exactly_one_bearer_token_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), None);
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("abc", None),
        ] {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            assert_eq!(bearer(&headers), expected, "{value}");
        }
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
        assert_eq!(bearer(&headers), None, "two headers");
    }

    #[test]
    fn an_ipv6_household_is_one_caller() {
        let network = |text: &str| network(text.parse().expect("address"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
