//! A clock that is believed only while it goes as time does (attack 34).
//!
//! The clock of the machine is compared with the monotonic one: a clock that is set, forward or back, runs away from it.
//! Once it has, nothing is stamped until the service is started anew by somebody who has looked.
//!
//! *Invariant:* a time that is handed out lies no further from the start than the monotonic clock has gone, give and take
//! what time synchronisation may do.

use crate::{port::Clock, report::Time};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What a clock may step, in seconds: a leap second, and the whole seconds that both clocks are read in.
const MAX_STEP_SECONDS: u64 = 2;
/// What a clock may be slewed, in parts per million: the most that adjtime(3) and NTP do.
const MAX_SLEW_PPM: u64 = 500;

/// Why no time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockNotProven {
    /// It jumped while the service ran.
    #[error("the clock has jumped by {seconds} s")]
    Jumped {
        /// How far it is from where it should be; negative for back.
        seconds: i64,
    },
    /// It stands before a time that was handed out earlier.
    #[error("the clock stands {seconds} s before the last time that was handed out")]
    WentBack {
        /// By how much.
        seconds: i64,
    },
}

/// Time since some moment, going as time does and never set.
type Monotonic = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A clock with its guard.
pub struct GuardedClock {
    clock: Arc<dyn Clock>,
    monotonic: Monotonic,
    started: (Time, Duration),
    jumped: AtomicBool,
}

impl GuardedClock {
    /// A guard that begins now, over the monotonic clock of the machine.
    pub fn new(clock: Arc<dyn Clock>) -> GuardedClock {
        let start = std::time::Instant::now();
        GuardedClock::over(clock, Arc::new(move || start.elapsed()))
    }

    /// The same over another monotonic clock.
    fn over(clock: Arc<dyn Clock>, monotonic: Monotonic) -> GuardedClock {
        let started = (clock.now(), monotonic());
        GuardedClock { clock, monotonic, started, jumped: AtomicBool::new(false) }
    }

    /// Now, where the clock can be believed.
    ///
    /// # Errors
    /// [`ClockNotProven::Jumped`], from the first time on for ever.
    pub fn proven_now(&self) -> Result<Time, ClockNotProven> {
        let (started, monotonic) = self.started;
        let elapsed = (self.monotonic)().saturating_sub(monotonic);
        let now = self.clock.now();
        let expected = started.plus_seconds(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX));
        let seconds = now.unix().saturating_sub(expected.unix());
        let allowed = MAX_STEP_SECONDS.saturating_add(elapsed.as_secs().saturating_mul(MAX_SLEW_PPM) / 1_000_000);
        if seconds.unsigned_abs() > allowed {
            self.jumped.store(true, Ordering::Relaxed);
        }
        if self.jumped.load(Ordering::Relaxed) { Err(ClockNotProven::Jumped { seconds }) } else { Ok(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, AtomicU64};

    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> Time {
            Time::from_unix(self.0.load(Ordering::Relaxed))
        }
    }

    fn guarded() -> (Arc<Hands>, Arc<AtomicU64>, GuardedClock) {
        let hands = Arc::new(Hands(AtomicI64::new(1_800_000_000)));
        let seconds = Arc::new(AtomicU64::new(5));
        let monotonic = Arc::clone(&seconds);
        let guard = GuardedClock::over(
            Arc::clone(&hands) as _,
            Arc::new(move || Duration::from_secs(monotonic.load(Ordering::Relaxed))),
        );
        (hands, seconds, guard)
    }

    #[test]
    fn a_clock_that_goes_as_time_does_is_believed() {
        let (hands, seconds, guard) = guarded();
        for _ in 0..100 {
            hands.0.fetch_add(86_400 + 40, Ordering::Relaxed);
            seconds.fetch_add(86_400, Ordering::Relaxed);
            assert!(guard.proven_now().is_ok(), "slewed within what NTP does");
        }
    }

    #[test]
    fn a_clock_that_jumps_is_not_believed_again() {
        for jump in [3600, -3600, 4, -4] {
            let (hands, seconds, guard) = guarded();
            assert!(guard.proven_now().is_ok());
            hands.0.fetch_add(10 + jump, Ordering::Relaxed);
            seconds.fetch_add(10, Ordering::Relaxed);
            assert_eq!(guard.proven_now(), Err(ClockNotProven::Jumped { seconds: jump }));
            hands.0.fetch_sub(jump, Ordering::Relaxed);
            assert!(guard.proven_now().is_err(), "somebody has to look first");
        }
    }
}
