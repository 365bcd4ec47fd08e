//! What the body of a call may take: a limit for itself, and a share of the memory that all bodies have together.
//!
//! Small bodies are bounded by the number of calls under way; what a body takes beyond [`FREE`] is charged as it arrives,
//! not as it is announced, so that nobody holds memory with a promise.
//!
//! *Invariant:* what is charged is given back when the call ends, whichever way it ends.

use super::problem::{self, Problem};
use axum::{body::Body, extract::Request, http::header};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Octets of each body that are not charged: `max_concurrent_requests` times as many are always there.
const FREE: usize = 64 << 10;
/// What one permit stands for.
const UNIT: usize = 4 << 10;
/// How much is reserved at once for a body that announces its length.
const MAX_RESERVED: usize = 8 << 20;

/// The memory of all bodies.
#[derive(Clone, Debug)]
pub(super) struct BodyMemory {
    permits: Arc<Semaphore>,
    all: usize,
}

impl BodyMemory {
    pub(super) fn new(octets: u64) -> BodyMemory {
        let all = usize::try_from(octets).unwrap_or(usize::MAX).div_ceil(UNIT).clamp(1, u32::MAX as usize);
        BodyMemory { permits: Arc::new(Semaphore::new(all)), all }
    }

    /// Room for one body of at most `limit` octets.
    pub(super) fn allowance(&self, limit: usize) -> Allowance {
        Allowance { limit, memory: self.clone(), held: Mutex::new(None) }
    }
}

/// What one body may take, and what it has taken.
#[derive(Debug)]
pub(super) struct Allowance {
    limit: usize,
    memory: BodyMemory,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Allowance {
    /// Takes memory for a body that has grown to `octets`.
    pub(super) fn charge(&self, octets: usize) -> Result<(), Problem> {
        if octets > self.limit {
            return Err(Problem::new(problem::BODY_TOO_LARGE, format!("the limit is {} bytes", self.limit)));
        }
        // A body larger than all the memory there is may have all of it, alone.
        let wanted = octets.saturating_sub(FREE).div_ceil(UNIT).min(self.memory.all);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let more = wanted.saturating_sub(held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        let Some(more) = u32::try_from(more).ok().filter(|more| *more > 0) else { return Ok(()) };
        let taken = Arc::clone(&self.memory.permits).try_acquire_many_owned(more);
        let taken = taken.map_err(|_| {
            metrics::counter!("tamga_body_memory_refusals_total").increment(1);
            Problem::new(problem::UNAVAILABLE, "too many large bodies under way")
        })?;
        match &mut *held {
            Some(held) => held.merge(taken),
            none => *none = Some(taken),
        }
        Ok(())
    }

    /// The whole body. What is read is the one copy there is of it.
    pub(super) async fn read(&self, request: Request) -> Result<BytesMut, Problem> {
        let announced = request.headers().get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0);
        let mut bytes = BytesMut::with_capacity(self.limit.min(announced).min(MAX_RESERVED));
        let mut stream = request.into_body().into_data_stream();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|_| Problem::new(problem::INVALID_REQUEST, "the body was cut short"))?;
            self.charge(bytes.len().saturating_add(part.len()))?;
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }
}

/// Lines of a body, one at a time, each with an allowance of its own.
pub(super) struct Lines {
    body: axum::body::BodyDataStream,
    memory: BodyMemory,
    limit: usize,
    /// What has arrived and is not handed out yet.
    buffer: BytesMut,
    /// How much of the buffer has no end of line.
    searched: usize,
    charged: Allowance,
    /// The line is refused already: its rest is passed over.
    skipping: bool,
    ended: bool,
    number: u64,
}

/// One line, or why it cannot be read.
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    pub(super) text: Result<(BytesMut, Allowance), Problem>,
}

impl Lines {
    pub(super) fn new(body: Body, memory: BodyMemory, limit: usize) -> Lines {
        Lines {
            body: body.into_data_stream(),
            charged: memory.allowance(limit),
            memory,
            limit,
            buffer: BytesMut::new(),
            searched: 0,
            skipping: false,
            ended: false,
            number: 0,
        }
    }

    /// The next line that is not blank; `None` at the end of the body.
    ///
    /// # Errors
    /// The body was cut short. A line of which only the beginning arrived is none.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, axum::Error> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', unsearched) {
                let line = self.buffer.split_to(self.searched + at + 1);
                if let Some(line) = self.complete(line) {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.buffer.len();
            if self.skipping {
                self.buffer.clear();
                self.searched = 0;
            } else if let Err(problem) = self.charged.charge(self.buffer.len()) {
                self.skipping = true;
                self.buffer = BytesMut::new();
                self.searched = 0;
                let charged = std::mem::replace(&mut self.charged, self.memory.allowance(self.limit));
                drop(charged);
                return Ok(Some(Line { number: self.number + 1, text: Err(problem) }));
            }
            if self.ended {
                let rest = self.buffer.split();
                self.searched = 0;
                return Ok(if rest.is_empty() { None } else { self.complete(rest) });
            }
            match self.body.next().await {
                Some(part) => self.buffer.extend_from_slice(&part?),
                None => self.ended = true,
            }
        }
    }

    fn complete(&mut self, line: BytesMut) -> Option<Line> {
        self.searched = 0;
        self.number += 1;
        let allowance = std::mem::replace(&mut self.charged, self.memory.allowance(self.limit));
        if std::mem::take(&mut self.skipping) || line.trim_ascii().is_empty() {
            return None;
        }
        let text = allowance.charge(line.len()).map(|()| (line, allowance));
        Some(Line { number: self.number, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_charged_beyond_what_is_free_and_given_back() {
        let memory = BodyMemory::new(1 << 20);
        let (a, b) = (memory.allowance(usize::MAX), memory.allowance(usize::MAX));
        a.charge(FREE + (900 << 10)).expect("there");
        b.charge(FREE).expect("free");
        assert!(b.charge(FREE + (200 << 10)).is_err(), "together more than there is");
        b.charge(FREE + (100 << 10)).expect("there");
        drop(a);
        b.charge(FREE + (1 << 20)).expect("given back");
        assert_eq!(memory.permits.available_permits(), 0);
        drop(b);
        assert_eq!(memory.permits.available_permits(), memory.all);
    }

    #[test]
    fn a_body_larger_than_all_memory_may_have_all_of_it() {
        let memory = BodyMemory::new(1 << 20);
        let large = memory.allowance(usize::MAX);
        large.charge(64 << 20).expect("alone");
        assert!(memory.allowance(usize::MAX).charge(FREE + 1).is_err());
        memory.allowance(usize::MAX).charge(FREE).expect("small ones go on");
    }

    #[test]
    fn the_limit_of_a_body_is_its_own() {
        assert!(BodyMemory::new(1 << 30).allowance(10).charge(11).is_err());
    }

    async fn lines(parts: &[&'static str], limit: usize) -> Vec<(u64, Result<String, &'static str>)> {
        let stream = futures_util::stream::iter(Vec::from(parts).into_iter().map(Ok::<_, std::convert::Infallible>));
        let mut lines = Lines::new(Body::from_stream(stream), BodyMemory::new(1 << 20), limit);
        let mut found = Vec::new();
        while let Some(line) = lines.next().await.expect("whole") {
            let text = line.text.map(|(text, _)| String::from_utf8(text.to_vec()).expect("text"));
            found.push((line.number, text.map_err(|problem| problem.code())));
        }
        found
    }

    #[tokio::test]
    async fn lines_are_found_wherever_the_parts_are_cut() {
        let expected = vec![(1, Ok("one\n".to_owned())), (2, Ok("two\r\n".to_owned())), (5, Ok("three".to_owned()))];
        assert_eq!(lines(&["one\ntwo\r\n\n \t\nthree"], 10).await, expected);
        assert_eq!(lines(&["o", "ne\nt", "wo\r", "\n", "\n \t\nth", "ree"], 10).await, expected);
    }

    #[tokio::test]
    async fn a_line_too_long_is_refused_and_the_next_is_read() {
        let expected = vec![(1, Err("body-too-large")), (2, Ok("ok\n".to_owned())), (3, Err("body-too-large"))];
        assert_eq!(lines(&["0123456", "789abcdef", "0123\nok\n", "0123456789abc\n"], 10).await, expected);
        assert_eq!(lines(&["0123456789abcdef0123\nok\n0123456789abc"], 10).await, expected);
    }
}
