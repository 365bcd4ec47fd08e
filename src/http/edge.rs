//! The outermost layer: names every call, turns panics and bare errors into problems, counts and logs.
//!
//! *Invariant:* the log line of a call holds the route's template, never its path, query, headers or body: those may
//! carry personal data or tokens.

use super::problem::{self, Problem};
use crate::service::Caller;
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};
use tracing::Instrument as _;

/// The name of a call, given by the caller or by us; answers and log lines repeat it.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Longer names than this are replaced: enough for a UUID or two.
const MAX_REQUEST_ID: usize = 100;

fn request_id(headers: &HeaderMap) -> RequestId {
    let acceptable = |text: &&str| {
        !text.is_empty()
            && text.len() <= MAX_REQUEST_ID
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            // Twelve digits in a row may be an IIN, and the log would keep it.
            && !text.split(|c: char| !c.is_ascii_digit()).any(|run| run.len() == 12)
    };
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(acceptable);
    RequestId(given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned))
}

/// The trace id of a W3C `traceparent` (Trace Context §3.2), `None` where the header is missing or malformed.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACEPARENT)?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |part: &str, len: usize| {
        part.len() == len && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let well_formed = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    let zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    (well_formed && (version != "00" || parts.next().is_none()) && !zero(trace) && !zero(parent))
        .then(|| trace.to_owned())
}

/// What the layers below learn about a call, for its log line.
#[derive(Debug, Default)]
pub(super) struct Observed {
    pub(super) route: OnceLock<String>,
    pub(super) caller: OnceLock<Caller>,
}

/// Wraps one call.
pub(super) async fn wrap(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let trace = trace_id(request.headers());
    let method = method_label(request.method());
    let observed = Arc::new(Observed::default());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(Arc::clone(&observed));
    let span = tracing::info_span!("request", request_id = %id.0, trace_id = trace.as_deref());
    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let problem = response.extensions_mut().remove::<Problem>().unwrap_or_else(|| Problem::from_status(status));
        let allow = response.headers_mut().remove(header::ALLOW);
        response = problem.render(&id.0);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(X_REQUEST_ID, value);
    }

    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    let route = observed.route.get().map_or("none", String::as_str);
    let labels = [("method", method.to_owned()), ("route", route.to_owned())];
    metrics::histogram!("tamga_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    metrics::counter!("tamga_http_requests_total", "method" => method, "route" => route.to_owned(), "status" => status.to_string())
        .increment(1);
    span.in_scope(|| {
        tracing::info!(
            method,
            route,
            status,
            duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            role = observed.caller.get().map(|caller| caller.role.as_str()),
            caller = observed.caller.get().map(|caller| caller.id.as_str()),
            "answered"
        );
    });
    response
}

/// A method as a label: a caller may invent methods, the set of time series stays bounded.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.iter().find(|known| **known == method.as_str()).copied().unwrap_or("other")
}

/// What a panic below becomes; the panic hook has logged where it happened.
pub(super) fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    metrics::counter!("tamga_panics_total").increment(1);
    Problem::new(problem::INTERNAL, "an unexpected fault; the log knows this request id").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        [(HeaderName::from_static(name), HeaderValue::from_str(value).expect("header"))].into_iter().collect()
    }

    #[test]
    fn a_request_id_of_the_caller_is_kept_when_it_is_harmless() {
        assert_eq!(request_id(&headers("x-request-id", "portal-42_a.b")).0, "portal-42_a.b");
        for hostile in ["", "a b", "{\"x\":1}", "850412300123", "iin-850412300123", &"a".repeat(101)] {
            assert_ne!(request_id(&headers("x-request-id", hostile)).0, *hostile);
        }
    }

    #[test]
    fn a_malformed_traceparent_is_ignored() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(trace_id(&headers("traceparent", good)).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        for bad in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        ] {
            assert_eq!(trace_id(&headers("traceparent", bad)), None, "{bad}");
        }
    }
}
