//! What operations look at: live, usable, measured, described.

use super::{
    Shared,
    problem::{self, Problem},
};
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The process answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `live`.
    status: &'static str,
    /// Name and version of the software.
    software: &'static str,
}

/// Whether the service can do its work, part by part.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// `ready`; a service that is not answers 503 with a problem whose `parts` say why.
    status: &'static str,
    parts: Vec<PartState>,
}

/// One thing the service needs.
#[derive(Serialize, ToSchema)]
pub(super) struct PartState {
    /// `signer`, `store`, `trust` or `revocation`.
    name: &'static str,
    ready: bool,
    /// For a person.
    detail: String,
}

/// Live: the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "live", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "live", software: crate::report::SOFTWARE })
}

/// Usable: key, store, trust and revocation data are there and fresh.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "usable", body = Readiness), (status = 503, description = "not usable; `parts` says why", body = super::openapi::ProblemDetails, content_type = "application/problem+json"))
)]
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> Result<Json<Readiness>, Problem> {
    let parts = {
        let shared = Arc::clone(&shared);
        tokio::task::spawn_blocking(move || shared.readiness.parts()).await
    };
    let parts: Vec<PartState> = parts
        .map_err(|_| Problem::new(problem::INTERNAL, "readiness could not be determined"))?
        .into_iter()
        .map(|part| match part.state {
            Ok(detail) => PartState { name: part.name, ready: true, detail },
            Err(detail) => PartState { name: part.name, ready: false, detail },
        })
        .collect();
    if parts.iter().all(|part| part.ready) && !parts.is_empty() {
        Ok(Json(Readiness { status: "ready", parts }))
    } else {
        let parts = serde_json::to_value(parts).unwrap_or_default();
        Err(Problem::new(problem::UNAVAILABLE, "the service is not ready").retry_after(5).with("parts", parts))
    }
}

/// Measurements in the Prometheus text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "measurements", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    for (fact, rate) in shared.use_cases.verification.hit_rates() {
        metrics::counter!("tamga_known_facts_hits_total", "fact" => fact).absolute(rate.hits);
        metrics::counter!("tamga_known_facts_misses_total", "fact" => fact).absolute(rate.misses);
    }
    shared.metrics.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shared.metrics.render()).into_response()
}
