//! The clock of the machine.

use crate::{port::Clock, report::Time};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the machine says.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// Now. A clock before 1970 reads as 1970, at which no certificate of ours is valid.
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_secs());
        Time::from_unix(i64::try_from(since).unwrap_or(i64::MAX))
    }
}
