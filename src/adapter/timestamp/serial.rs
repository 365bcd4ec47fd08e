//! Serial numbers of tokens, unique for ever, and the last time that was handed out.
//!
//! A number is eight octets that were drawn when the file was made, and a counter. The counter is set aside on disk in
//! blocks before any of a block is used, so that a crash loses numbers and repeats none; a file that is lost makes a new
//! beginning of eight other octets (RFC 3161 §2.4.2: "unique for each TimeStampToken issued by a given TSA").
//!
//! *Invariant:* a number that was handed out is below the one on disk.

use super::ClockNotProven;
use crate::{adapter::whole_file, report::Time};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Numbers that are set aside with one write.
const BLOCK: u64 = 1024;
/// How old the time on disk may grow while tokens are made, in seconds.
const MAX_UNWRITTEN_SECONDS: i64 = 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Hexadecimal.
    beginning: String,
    /// The first number that was not set aside.
    next: u64,
    /// The last time that was handed out, or a little later one.
    last: Time,
}

#[derive(Debug)]
struct Counter {
    state: State,
    /// The next number to hand out.
    next: u64,
    last: Time,
}

/// The numbers of one authority.
#[derive(Debug)]
pub(super) struct Serials {
    path: PathBuf,
    counter: Mutex<Counter>,
}

/// Why there is no number.
#[derive(Debug, thiserror::Error)]
pub(super) enum SerialError {
    #[error(transparent)]
    Clock(#[from] ClockNotProven),
    #[error("the serial numbers cannot be kept: {0}")]
    Store(#[from] io::Error),
}

impl Serials {
    /// The numbers of a file, which is made where there is none.
    pub(super) fn open(path: &Path) -> io::Result<Serials> {
        let state = match fs::read(path) {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut drawn = [0; 8];
                SystemRandom::new().fill(&mut drawn).map_err(|_| io::Error::other("no randomness"))?;
                // Positive, and as long as every other.
                let beginning = drawn.iter().enumerate().map(|(n, b)| if n == 0 { b & 0x7f | 0x40 } else { *b });
                let beginning = beginning.map(|b| format!("{b:02x}")).collect();
                State { beginning, next: 0, last: Time::from_unix(0) }
            }
            Err(error) => return Err(error),
        };
        if state.beginning.len() != 16 || !state.beginning.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        let (next, last) = (state.next, state.last);
        Ok(Serials { path: path.to_owned(), counter: Mutex::new(Counter { state, next, last }) })
    }

    /// A number for a token of this time; magnitude, 16 octets.
    pub(super) fn take(&self, at: Time) -> Result<Vec<u8>, SerialError> {
        let mut counter = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
        if at < counter.last {
            let seconds = counter.last.unix().saturating_sub(at.unix());
            return Err(ClockNotProven::WentBack { seconds }.into());
        }
        if counter.next >= counter.state.next || at > counter.state.last.plus_seconds(MAX_UNWRITTEN_SECONDS) {
            let next = counter.next.saturating_add(BLOCK);
            let state = State { next, last: at, ..counter.state.clone() };
            let text = serde_json::to_vec(&state).map_err(io::Error::other)?;
            whole_file::write(&self.path, &text)?;
            counter.state = state;
        }
        let number = counter.next;
        counter.next = number.saturating_add(1);
        counter.last = at;
        let beginning = u64::from_str_radix(&counter.state.beginning, 16).map_err(io::Error::other)?;
        Ok([beginning.to_be_bytes(), number.to_be_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_are_unique_across_restarts_and_losses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serial");
        let mut seen = HashSet::new();
        let mut at = Time::from_unix(1_800_000_000);
        for restart in 0..5 {
            let serials = Serials::open(&path).unwrap();
            for _ in 0..1500 {
                assert!(seen.insert(serials.take(at).unwrap()));
            }
            at = at.plus_seconds(100);
            if restart == 3 {
                fs::remove_file(&path).unwrap();
            }
        }
    }

    #[test]
    fn a_clock_before_the_last_token_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serial");
        let at = Time::from_unix(1_800_000_000);
        let serials = Serials::open(&path).unwrap();
        serials.take(at).unwrap();
        assert!(matches!(serials.take(at.plus_seconds(-1)), Err(SerialError::Clock(_))));
        drop(serials);
        let serials = Serials::open(&path).unwrap();
        let refused = serials.take(at.plus_seconds(-1)).unwrap_err();
        assert!(matches!(refused, SerialError::Clock(ClockNotProven::WentBack { seconds: 1 })), "{refused}");
        assert!(serials.take(at).is_ok());
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serial");
        for text in ["", "{}", "{\"beginning\":\"zz\",\"next\":1,\"last\":\"2026-01-01T00:00:00Z\"}"] {
            fs::write(&path, text).unwrap();
            assert!(Serials::open(&path).is_err(), "{text}");
        }
    }
}
