//! The HTTP service: thin, from bytes to use cases and back; the only place that names a status code.
//!
//! ```text
//! edge (request id, problems, log) → panics caught → route → admission (rule, caller, limits) → handler → use case
//! ```
//!
//! *Invariant:* a verdict on a document is a 200; a call we cannot make sense of is a 4xx problem with a code; nothing
//! that a caller sends makes a 500.

mod access;
mod admission;
mod allowance;
mod batch;
mod body;
mod call;
mod edge;
mod log;
mod openapi;
mod operations;
mod problem;
mod proof;
mod registry;
mod schema;
mod server;
mod submission;
mod verifications;
mod workers;

pub use openapi::openapi;
pub use server::{Server, ServerError, check, start};

use crate::{
    config,
    port::{
        Clock,
        token::{Role, TokenStore},
    },
    service::{Caller, Service, readiness::Readiness},
};
use allowance::BodyMemory;
use axum::{Router, http::Method, middleware};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use metrics_exporter_prometheus::PrometheusHandle;
use problem::Problem;
use std::{collections::HashMap, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};
use workers::Workers;

/// What the service is made of.
pub struct Parts {
    /// Who may call.
    pub tokens: Arc<dyn TokenStore>,
    /// What the calls do.
    pub use_cases: Arc<Service>,
    /// What `/readyz` looks at.
    pub readiness: Arc<dyn Readiness>,
    /// What `/metrics` shows.
    pub metrics: PrometheusHandle,
}

/// What every handler sees.
struct Shared {
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn TokenStore>,
    use_cases: Arc<Service>,
    readiness: Arc<dyn Readiness>,
    metrics: PrometheusHandle,
    limits: Limits,
    /// One permit for every request under way.
    places: Arc<Semaphore>,
    body_memory: BodyMemory,
    workers: Workers,
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    /// Roles by SHA-256 of a client certificate, hexadecimal.
    clients: HashMap<String, Caller>,
}

struct Limits {
    max_document: u64,
    request_timeout: Duration,
}

/// A setting that makes no sense to the HTTP service.
#[derive(Debug, thiserror::Error)]
#[error("http.clients: {name}: {cause}")]
pub struct ClientError {
    name: String,
    cause: crate::port::token::UnknownRole,
}

impl Shared {
    fn new(parts: Parts, config: &config::Http) -> Result<Shared, ClientError> {
        let mut clients = HashMap::new();
        for client in &config.clients {
            let role: Role = client.role.parse().map_err(|cause| ClientError { name: client.name.clone(), cause })?;
            clients.insert(client.certificate_sha256.to_ascii_lowercase(), Caller { id: client.name.clone(), role });
        }
        let per_minute = NonZeroU32::new(config.public_requests_per_minute).unwrap_or(NonZeroU32::MIN);
        Ok(Shared {
            clock: Arc::clone(&parts.use_cases.clock),
            tokens: parts.tokens,
            use_cases: parts.use_cases,
            readiness: parts.readiness,
            metrics: parts.metrics,
            limits: Limits { max_document: config.max_document.0, request_timeout: config.request_timeout.duration() },
            places: Arc::new(Semaphore::new(usize::try_from(config.max_concurrent_requests).unwrap_or(1))),
            body_memory: BodyMemory::new(config.max_body_memory.0),
            workers: Workers::new(std::thread::available_parallelism().map_or(1, usize::from)),
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            clients,
        })
    }

    /// The role a client certificate stands for, where the operator gave it one.
    fn client(&self, tls: &axum_server::tls::TlsInfo) -> Option<Caller> {
        let certificate = tls.peer_certificates.first()?;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
        let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.clients.get(&digest).cloned()
    }
}

/// The service as a router, every layer in place.
pub fn router(parts: Parts, config: &config::Http) -> Result<Router, ClientError> {
    let shared = Arc::new(Shared::new(parts, config)?);
    forget_quiet_addresses(&shared);
    let (calls, _) = calls().split_for_parts();
    Ok(calls
        .merge(openapi::pages())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&shared), admission::admit))
        .fallback(async || Problem::new(problem::NOT_FOUND, "there is nothing at this path"))
        .method_not_allowed_fallback(async |method: Method| {
            Problem::new(problem::METHOD_NOT_ALLOWED, format!("{method} is not possible here"))
        })
        .layer(CatchPanicLayer::custom(edge::panicked))
        .layer(middleware::from_fn(edge::wrap))
        .with_state(shared))
}

/// Every call with its description.
fn calls() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::with_openapi(openapi::preamble())
        .routes(routes!(verifications::verify))
        .routes(routes!(batch::verify))
        .routes(routes!(verifications::stored))
        .routes(routes!(registry::register))
        .routes(routes!(registry::request))
        .routes(routes!(registry::stamp))
        .routes(routes!(registry::licence))
        .routes(routes!(registry::document))
        .routes(routes!(log::licence_proof))
        .routes(routes!(registry::reissue))
        .routes(routes!(registry::duplicate))
        .routes(routes!(registry::suspend))
        .routes(routes!(registry::resume))
        .routes(routes!(registry::terminate))
        .routes(routes!(verifications::licence))
        .routes(routes!(log::checkpoint))
        .routes(routes!(log::tile))
        .routes(routes!(proof::extend))
        .routes(routes!(proof::timestamp))
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
}

/// Keeps the table of rate-limited addresses from growing for ever.
fn forget_quiet_addresses(shared: &Arc<Shared>) {
    /// A minute's quota is full again after a minute of silence.
    const INTERVAL: Duration = Duration::from_secs(60);
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let Some(shared) = shared.upgrade() else { return };
            shared.limiter.retain_recent();
        }
    });
}
