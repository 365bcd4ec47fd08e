//! Many documents in one call: NDJSON in, NDJSON out, in order, streamed both ways.
//!
//! Lines are judged side by side, [`WINDOW`] at most, and answered in the order in which they came. When the reader is
//! slow the window fills, and no more is read; when he does not read at all the call ends. Nothing is kept of the whole.
//!
//! *Invariant:* every line that is not blank has its one line of answer, a report or a problem with its number, until the
//! call ends early; what was answered by a report is on disk.

use super::{
    Shared,
    admission::submission_limit,
    allowance::{Line, Lines},
    body::media_type,
    call::{Call, accepts, unexpected},
    problem::{self, Problem},
    submission::JsonSubmission,
    verifications::no_parameters,
    workers,
};
use crate::{
    report::ValidationReport,
    service::{Caller, Verified},
};
use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// Lines under way at the same time: enough to fill both the cores and a group of the durable store.
const WINDOW: usize = 32;
/// Answers that wait for a slow reader.
const UNREAD: usize = 32;

const NDJSON: &str = "application/x-ndjson";

/// Verify many documents: each line of the body is the JSON object of `/v1/verifications`, each line of the answer its
/// report, in the same order. A line that cannot be judged is answered by a problem with `line`, and the next goes on.
#[utoipa::path(
    post, path = "/v1/verifications/batch", tag = "verification",
    request_body(content((JsonSubmission<'_> = "application/x-ndjson"))),
    responses((status = 200, description = "one report or problem a line", body = ValidationReport, content_type = "application/x-ndjson"))
)]
pub(super) async fn verify(
    State(shared): State<Arc<Shared>>,
    call: Call,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    no_parameters(query.as_deref())?;
    if !matches!(media_type(request.headers()).as_deref(), Some(NDJSON | "application/ndjson" | "application/jsonl")) {
        return Err(super::body::unsupported(NDJSON));
    }
    if !accepts(request.headers(), NDJSON) {
        return Err(Problem::new(problem::NOT_ACCEPTABLE, format!("this call answers with {NDJSON}")));
    }
    let caller = call.caller()?;
    let request_id = call.request_id();
    let limit = submission_limit(shared.limits.max_document);
    let lines = Lines::new(request.into_body(), shared.body_memory.clone(), limit);
    let (answers, read) = mpsc::channel(UNREAD);
    // The call holds its place until the last line is answered.
    tokio::spawn(async move {
        run(&shared, &caller, &request_id, lines, &answers).await;
        drop(call);
    });
    let body = stream::unfold(read, |mut read| async move {
        let line = read.recv().await?;
        Some((Ok::<_, Infallible>(line), read))
    });
    let content_type = HeaderValue::from_static(NDJSON);
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, content_type)], Body::from_stream(body)).into_response())
}

async fn run(shared: &Arc<Shared>, caller: &Caller, request_id: &str, lines: Lines, answers: &mpsc::Sender<Bytes>) {
    let patience = shared.limits.request_timeout;
    let mut window: VecDeque<JoinHandle<Judged>> = VecDeque::with_capacity(WINDOW);
    let mut lines = Some(lines);
    let mut early_end = None;
    loop {
        let outcome = tokio::select! {
            biased;
            outcome = first(&mut window), if !window.is_empty() => outcome,
            read = timeout(patience, next(&mut lines)), if lines.is_some() && window.len() < WINDOW => {
                match read {
                    Ok(Ok(Some(line))) => {
                        window.push_back(tokio::spawn(judge(Arc::clone(shared), caller.clone(), line)));
                        continue;
                    }
                    Ok(Ok(None)) => {}
                    Ok(Err(_)) => early_end = Some(Problem::new(problem::INVALID_REQUEST, "the body was cut short")),
                    Err(_) => early_end = Some(Problem::new(problem::REQUEST_TIMEOUT, "no line arrived in time")),
                }
                lines = None;
                continue;
            }
            else => break,
        };
        window.pop_front();
        if !answer(answers, patience, outcome, request_id).await {
            return;
        }
    }
    if let Some(problem) = early_end {
        answer(answers, patience, (None, Err(problem)), request_id).await;
    }
}

/// The number of a line, where the answer is about one, and what became of it.
type Judged = (Option<u64>, Result<Verified, Problem>);

/// The answer that is due next.
async fn first(window: &mut VecDeque<JoinHandle<Judged>>) -> Judged {
    match window.front_mut() {
        // A panic; the hook has logged where.
        Some(work) => work.await.unwrap_or_else(|_| (None, Err(unexpected()))),
        None => std::future::pending().await,
    }
}

async fn next(lines: &mut Option<Lines>) -> Result<Option<Line>, axum::Error> {
    match lines {
        Some(lines) => lines.next().await,
        None => Ok(None),
    }
}

/// Hands one answer to the reader; `false` where he has gone, or does not read.
async fn answer(answers: &mpsc::Sender<Bytes>, patience: Duration, judged: Judged, request_id: &str) -> bool {
    let line = match judged {
        (_, Ok(verified)) => [&verified.json, &b"\n"[..]].concat(),
        (number, Err(problem)) => {
            let problem = match number {
                Some(number) => problem.with("line", number),
                None => problem,
            };
            format!("{}\n", problem.json(request_id)).into_bytes()
        }
    };
    let taken = matches!(timeout(patience, answers.send(line.into())).await, Ok(Ok(())));
    if !taken {
        tracing::info!("the reader of a batch has gone, or does not read");
    }
    taken
}

async fn judge(shared: Arc<Shared>, caller: Caller, line: Line) -> Judged {
    let Line { number, text } = line;
    let outcome = async {
        let (text, allowance) = text?;
        let submission = workers::parse(&shared, text).await?.checked(shared.limits.max_document)?;
        let verified = workers::verify(&shared, caller, submission).await?;
        drop(allowance);
        Ok(verified)
    };
    (Some(number), outcome.await)
}
