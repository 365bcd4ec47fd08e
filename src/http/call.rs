//! One call under way: who makes it, its place among the others, its name for repetition.

use super::{
    Shared,
    admission::{IdempotencyKey, Place},
    allowance::Allowance,
    edge::RequestId,
    problem::{self, Problem},
    submission::Submission,
    workers,
};
use crate::service::{Caller, Idempotency, Service, ServiceError, Verified};
use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use std::sync::Arc;

/// What admission found out about a call.
pub(super) struct Call {
    shared: Arc<Shared>,
    place: Option<Place>,
    /// The memory of the body, held as long as the work goes on.
    allowance: Option<Arc<Allowance>>,
    request_id: Option<RequestId>,
    caller: Option<Caller>,
    key: Option<IdempotencyKey>,
}

impl FromRequestParts<Arc<Shared>> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Call, Problem> {
        Ok(Call {
            shared: Arc::clone(shared),
            place: parts.extensions.get().cloned(),
            allowance: parts.extensions.get().cloned(),
            request_id: parts.extensions.get().cloned(),
            caller: parts.extensions.get().cloned(),
            key: parts.extensions.get().cloned(),
        })
    }
}

impl Call {
    /// The caller of a call that needs a role; admission lets no other in.
    pub(super) fn caller(&self) -> Result<Caller, Problem> {
        self.caller.clone().ok_or_else(|| Problem::new(problem::INTERNAL, "the caller is not known"))
    }

    /// The key by which the use case recognises a repetition, bound to the body it came with.
    pub(super) fn idempotency(&self, body: &Bytes) -> Option<Idempotency> {
        self.key.as_ref().map(|key| Idempotency { key: key.0.clone(), body: Arc::from(body.as_ref()) })
    }

    /// The name of the call.
    pub(super) fn request_id(&self) -> String {
        self.request_id.as_ref().map(|id| id.0.clone()).unwrap_or_default()
    }

    /// Judges a document; the answer comes when its report is on disk.
    pub(super) async fn verify(self, submission: Submission) -> Result<Verified, Problem> {
        let caller = self.caller()?;
        workers::verify(&self.shared, caller, submission).await
    }

    /// Runs a use case that seals, on one of the threads for that.
    pub(super) async fn seal<T: Send + 'static>(
        self,
        work: impl FnOnce(&Service) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Problem> {
        let Call { shared, place, .. } = self;
        let cases = Arc::clone(&shared.use_cases);
        let work = move || {
            let _place = place;
            work(&cases)
        };
        shared.workers.seal(work).await?.map_err(|error| failed(&error))
    }

    /// Runs a use case on a thread of its own. The place is given back when the work ends, even if nobody waits for it.
    pub(super) async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Service) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Problem> {
        let Call { shared, place, allowance, .. } = self;
        let span = tracing::Span::current();
        let outcome = tokio::task::spawn_blocking(move || {
            let _held = (place, allowance);
            span.in_scope(|| work(&shared.use_cases))
        })
        .await;
        match outcome {
            Ok(outcome) => outcome.map_err(|error| failed(&error)),
            // A panic; the hook has logged where.
            Err(_) => Err(unexpected()),
        }
    }
}

/// What a use case that failed becomes; of ours, it is logged and counted.
pub(super) fn failed(error: &ServiceError) -> Problem {
    if !error.is_callers() {
        tracing::error!(code = error.code(), retryable = error.retryable(), "use case failed");
        metrics::counter!("tamga_failures_total", "code" => error.code()).increment(1);
    }
    Problem::from_service(error)
}

/// What a panic becomes.
pub(super) fn unexpected() -> Problem {
    Problem::new(problem::INTERNAL, "an unexpected fault; the log knows this request id")
}

/// A JSON text that is answered as it stands.
pub(super) fn json_text(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text.into()).into_response()
}

/// A value as JSON.
pub(super) fn json_value(status: StatusCode, value: &impl serde::Serialize) -> Result<Response, Problem> {
    let text =
        serde_json::to_vec(value).map_err(|_| Problem::new(problem::INTERNAL, "the answer cannot be written"))?;
    Ok(json_text(status, text))
}

/// Whether the caller takes a media type.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    quality(headers, media_type) > 0.0
}

/// How much the caller likes a media type, from 0 (not at all) to 1 (RFC 9110 §12.5.1). No `Accept` takes everything.
pub(super) fn quality(headers: &HeaderMap, media_type: &str) -> f32 {
    let mut ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return 1.0;
    }
    let family = media_type.split('/').next().unwrap_or_default();
    // The most specific range decides.
    let mut best: Option<(u8, f32)> = None;
    for range in ranges.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let rank = match name.as_str() {
            exact if exact == media_type => 2,
            wide if wide.strip_suffix("/*") == Some(family) => 1,
            "*/*" => 0,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
        if best.is_none_or(|(earlier, _)| rank > earlier) {
            best = Some((rank, weight.filter(|q| q.is_finite()).unwrap_or(1.0).clamp(0.0, 1.0)));
        }
    }
    best.map_or(0.0, |(_, weight)| weight)
}

/// Refuses a call whose caller does not take JSON.
pub(super) fn must_accept_json(headers: &HeaderMap) -> Result<(), Problem> {
    if accepts(headers, "application/json") {
        Ok(())
    } else {
        Err(Problem::new(problem::NOT_ACCEPTABLE, "this call answers with application/json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, expected) in [
            ("application/json", true),
            ("*/*", true),
            ("text/html, application/*;q=0.5", true),
            ("APPLICATION/JSON", true),
            ("text/html", false),
            ("application/json;q=0, */*", false),
            ("*/*;q=0", false),
            ("", false),
        ] {
            let headers = [(header::ACCEPT, HeaderValue::from_static(accept))].into_iter().collect();
            assert_eq!(accepts(&headers, "application/json"), expected, "{accept}");
        }
        assert!(accepts(&HeaderMap::new(), "application/json"));
    }
}
