//! Where a call's work is done.
//!
//! A small document takes less time than handing it to another thread would: it is judged where its call arrives. A large
//! one would hold up every small one behind it, so it goes to one of a few threads of its own; so does sealing with a
//! long key. The figures are in docs/performance.md.
//!
//! *Invariant:* the threads that answer calls never work on one call for longer than a large RSA operation takes.

use super::{
    Shared,
    problem::{self, Problem},
    submission::Submission,
};
use crate::service::{Caller, Service, ServiceError, Verified};
use bytes::BytesMut;
use std::sync::Arc;
use tokio::sync::{Semaphore, oneshot};

/// Octets of document and content up to which a verification is done at once: digesting as many takes 0.1 ms.
const AT_ONCE: usize = 128 << 10;
/// Threads that wait at the same time; tokio keeps twice as many.
const MAX_WAITING: usize = 256;
/// What an octet of XML counts: parsing and canonical form cost as much more.
const XML_FACTOR: usize = 8;

/// Threads for what takes long.
#[derive(Debug)]
pub(super) struct Workers {
    /// Large documents: all cores but one, so that small calls keep one.
    large: Arc<Semaphore>,
    /// What waits for the network or for the disk: threads that mostly sleep.
    waiting: Arc<Semaphore>,
    /// Sealing: more than cores, because it waits for the disk in between, and few enough to leave the cores to others.
    sealing: Arc<Semaphore>,
}

impl Workers {
    pub(super) fn new(cores: usize) -> Workers {
        Workers {
            large: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            sealing: Arc::new(Semaphore::new(cores.saturating_mul(2).max(2))),
        }
    }

    /// Runs a piece of work that seals.
    pub(super) async fn seal<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        apart(&self.sealing, work).await
    }
}

/// Runs work on a thread of its own, as many at a time as there are permits.
async fn apart<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let closing = |_| Problem::new(problem::UNAVAILABLE, "the service is ending");
    let permit = Arc::clone(permits).acquire_owned().await.map_err(closing)?;
    let span = tracing::Span::current();
    let work = move || {
        let _permit = permit;
        span.in_scope(work)
    };
    // A panic; the hook has logged where.
    tokio::task::spawn_blocking(work).await.map_err(|_| super::call::unexpected())
}

/// Takes a JSON body apart.
pub(super) async fn parse(shared: &Arc<Shared>, text: BytesMut) -> Result<Submission, Problem> {
    if text.len() <= AT_ONCE {
        return Submission::from_json(text);
    }
    apart(&shared.workers.large, move || Submission::from_json(text)).await?
}

/// Judges a document and answers when its report is on disk.
pub(super) async fn verify(shared: &Arc<Shared>, caller: Caller, submission: Submission) -> Result<Verified, Problem> {
    let submission = submission.into_service();
    let octets = submission.document.len() + submission.content.as_ref().map_or(0, |content| content.len());
    let looks_like_xml = submission.document.iter().find(|octet| !octet.is_ascii_whitespace()) == Some(&b'<');
    let weight = octets.saturating_mul(if looks_like_xml { XML_FACTOR } else { 1 });
    let (answer, answered) = oneshot::channel();
    let work = move |cases: &Service| {
        // A caller that has gone away needs no answer.
        cases.verify_request_then(&caller, &submission, move |outcome| drop(answer.send(outcome)));
    };
    let workers = &shared.workers;
    let lane = match weight {
        // A responder is asked, or a message is taken, while the verdict is made.
        _ if shared.use_cases.verification.may_wait() => Some(&workers.waiting),
        weight if weight > AT_ONCE => Some(&workers.large),
        _ if looks_like_xml => Some(&workers.waiting),
        _ => None,
    };
    match lane {
        None => work(&shared.use_cases),
        Some(lane) => {
            let cases = Arc::clone(&shared.use_cases);
            apart(lane, move || work(&cases)).await?;
        }
    }
    let outcome: Result<Verified, ServiceError> = answered.await.map_err(|_| super::call::unexpected())?;
    let verified = outcome.map_err(|error| super::call::failed(&error))?;
    metrics::counter!("tamga_verifications_total", "decision" => verified.decision.as_str()).increment(1);
    Ok(verified)
}
