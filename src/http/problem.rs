//! What went wrong with a call, as RFC 9457 problem details; the one table of problem codes.
//!
//! *Invariant:* every answer of 400 and above carries `application/problem+json` with `code` and `request_id`; a verdict
//! on a document is never a problem of the 500s.

use crate::{port::Conflict, service::ServiceError};
use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use serde_json::{Map, Value};

/// A kind of problem: its stable code, its status, its title. Codes are never renamed and never reused; those of
/// [`ServiceError`] join the ones below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) code: &'static str,
    pub(super) status: StatusCode,
    title: &'static str,
}

const fn kind(code: &'static str, status: StatusCode, title: &'static str) -> Kind {
    Kind { code, status, title }
}

/// The body or the query does not have the required form.
pub(super) const INVALID_REQUEST: Kind =
    kind("invalid-request", StatusCode::BAD_REQUEST, "The request is not well-formed");
/// A parameter has the right form and an impossible value.
pub(super) const INVALID_PARAMETER: Kind =
    kind("invalid-parameter", StatusCode::BAD_REQUEST, "A parameter is not valid");
/// A write without an Idempotency-Key.
pub(super) const IDEMPOTENCY_KEY_MISSING: Kind =
    kind("idempotency-key-missing", StatusCode::BAD_REQUEST, "This call needs an Idempotency-Key");
/// No token, or one we do not know, or no longer.
pub(super) const UNAUTHENTICATED: Kind = kind("unauthenticated", StatusCode::UNAUTHORIZED, "The caller is not known");
/// The caller's role does not include this call.
pub(super) const FORBIDDEN: Kind =
    kind("forbidden", StatusCode::FORBIDDEN, "The caller's role does not allow this call");
/// There is no such thing.
pub(super) const NOT_FOUND: Kind = kind("not-found", StatusCode::NOT_FOUND, "There is no such resource");
/// The resource does not know this method.
pub(super) const METHOD_NOT_ALLOWED: Kind =
    kind("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The resource does not support this method");
/// Nothing we can answer with is acceptable to the caller.
pub(super) const NOT_ACCEPTABLE: Kind =
    kind("not-acceptable", StatusCode::NOT_ACCEPTABLE, "No acceptable representation");
/// The body did not arrive in time.
pub(super) const REQUEST_TIMEOUT: Kind =
    kind("request-timeout", StatusCode::REQUEST_TIMEOUT, "The request did not arrive in time");
/// The body exceeds the limit.
pub(super) const BODY_TOO_LARGE: Kind = kind("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
/// We do not read this media type here.
pub(super) const UNSUPPORTED_MEDIA_TYPE: Kind =
    kind("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The media type is not supported");
/// Too many calls from one address.
pub(super) const TOO_MANY_REQUESTS: Kind =
    kind("too-many-requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests");
/// Our own fault.
pub(super) const INTERNAL: Kind = kind("internal", StatusCode::INTERNAL_SERVER_ERROR, "The service failed");
/// We cannot work right now; trying again later is worth it.
pub(super) const UNAVAILABLE: Kind =
    kind("unavailable", StatusCode::SERVICE_UNAVAILABLE, "The service cannot answer now");
/// A problem of the transport without a code of its own.
const TRANSPORT: Kind = kind("transport", StatusCode::BAD_REQUEST, "The request cannot be answered");

/// What a bare status from the framework below us means.
const BY_STATUS: &[Kind] = &[
    INVALID_REQUEST,
    FORBIDDEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    REQUEST_TIMEOUT,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INTERNAL,
    UNAVAILABLE,
];

/// One problem, on its way to the caller.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    retry_after_seconds: Option<u32>,
    members: Vec<(&'static str, Value)>,
}

impl Problem {
    /// A problem and the sentence that explains this occurrence to the caller.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        let later = matches!(kind.status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
        Problem { kind, detail: detail.into(), retry_after_seconds: later.then_some(1), members: Vec::new() }
    }

    /// Adds a member of our own (RFC 9457 §3.2).
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Problem {
        self.members.push((name, value.into()));
        self
    }

    /// Says when trying again makes sense.
    #[must_use]
    pub(super) fn retry_after(mut self, seconds: u32) -> Problem {
        self.retry_after_seconds = Some(seconds.max(1));
        self
    }

    /// The code it travels with.
    #[cfg(test)]
    pub(super) fn code(&self) -> &'static str {
        self.kind.code
    }

    /// What a bare status from the framework below us means.
    pub(super) fn from_status(status: StatusCode) -> Problem {
        let other = if status.is_server_error() { INTERNAL } else { TRANSPORT };
        let kind = BY_STATUS.iter().copied().find(|kind| kind.status == status).unwrap_or(Kind { status, ..other });
        Problem::new(kind, kind.title)
    }

    /// What a use case could not do. Whose fault it is decides the status; of ours, the caller learns the code alone.
    pub(super) fn from_service(error: &ServiceError) -> Problem {
        let (status, title) = match error {
            ServiceError::Forbidden { .. } => (StatusCode::FORBIDDEN, FORBIDDEN.title),
            ServiceError::Invalid { .. } => (StatusCode::BAD_REQUEST, INVALID_PARAMETER.title),
            ServiceError::Unknown(_) => (StatusCode::NOT_FOUND, NOT_FOUND.title),
            ServiceError::Conflict(Conflict::KeyReused) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another call")
            }
            ServiceError::Conflict(_) => (StatusCode::CONFLICT, "The state of the resource does not allow this"),
            ServiceError::NotAcceptable { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "The request is refused"),
            ServiceError::SignerNotUsable { .. }
            | ServiceError::NotSigned { .. }
            | ServiceError::NotExtended { .. }
            | ServiceError::ClockWentBack { .. }
            | ServiceError::StoreBusy
            | ServiceError::StoreFull => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE.title),
            ServiceError::OwnOutputRefused { .. }
            | ServiceError::StoreDamaged { .. }
            | ServiceError::Internal { .. } => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL.title),
        };
        let detail = if error.is_callers() { error.to_string() } else { title.to_owned() };
        let problem = Problem::new(Kind { code: error.code(), status, title }, detail);
        let problem = if error.retryable() { problem.retry_after(1) } else { problem };
        match error {
            ServiceError::Invalid { field, .. } => problem.with("field", field.as_str()),
            ServiceError::NotAcceptable { report, .. } => {
                let report: Value = serde_json::from_slice(report).unwrap_or_default();
                problem.with("refusal", report.get("refusal").cloned().unwrap_or_default()).with("verification", report)
            }
            _ => problem,
        }
    }

    /// The object of RFC 9457 §3, with the id by which the log knows this call.
    pub(super) fn json(self, request_id: &str) -> Value {
        let mut body = Map::new();
        body.insert("type".into(), format!("urn:tamga:problem:{}", self.kind.code).into());
        body.insert("title".into(), self.kind.title.into());
        body.insert("status".into(), self.kind.status.as_u16().into());
        body.insert("detail".into(), self.detail.into());
        body.insert("code".into(), self.kind.code.into());
        body.insert("request_id".into(), request_id.into());
        body.extend(self.members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Value::Object(body)
    }

    /// The answer.
    pub(super) fn render(self, request_id: &str) -> Response<Body> {
        let (kind, retry_after_seconds) = (self.kind, self.retry_after_seconds);
        let mut response = Response::new(Body::from(self.json(request_id).to_string()));
        *response.status_mut() = kind.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if kind.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tamga\""));
        }
        response
    }
}

/// Carried as an extension until the outermost layer, which knows the request id, renders it.
impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut response = self.kind.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_status_keeps_its_number() {
        for status in [400u16, 404, 408, 413, 415, 418, 431, 500, 501, 503] {
            let status = StatusCode::from_u16(status).expect("valid");
            assert_eq!(Problem::from_status(status).render("id").status(), status);
        }
    }
}
