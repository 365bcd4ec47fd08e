//! When to ask for a list again.
//!
//! *Invariant:* the answer is always in the future, and never so near that a host is hammered.

use crate::report::Time;

/// The least time between two attempts, in seconds.
const SHORTEST: i64 = 30;

/// When to refresh after a success: after the interval, or when nine tenths of the list's life have passed, whichever
/// is first; up to a tenth of the wait earlier, so that services started together do not ask together.
///
/// `jitter` is between 0 and 1.
pub(super) fn after_success(now: Time, interval: i64, life: Option<(Time, Time)>, jitter: f64) -> Time {
    let by_life = life.map(|(from, to)| to.unix() - (to.unix() - from.unix()) / 10 - now.unix());
    let wait = by_life.map_or(interval, |by_life| by_life.min(interval));
    now.plus_seconds(shortened(wait, jitter / 10.0))
}

/// When to try again after so many failures in a row: half a minute, doubled with each, never above the interval; up
/// to half of the wait earlier.
pub(super) fn after_failure(now: Time, interval: i64, failures: u32, jitter: f64) -> Time {
    let wait = SHORTEST.saturating_mul(1i64.checked_shl(failures.min(20)).unwrap_or(i64::MAX)).min(interval);
    now.plus_seconds(shortened(wait, jitter / 2.0))
}

/// A wait made shorter by a share of it.
fn shortened(wait: i64, share: f64) -> i64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Seconds of days, and a share below one.
    let less = (wait as f64 * share.clamp(0.0, 1.0)) as i64;
    (wait - less).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Time = Time::from_unix(1_795_312_800);
    const DAY: i64 = 86_400;

    fn wait(next: Time) -> i64 {
        next.unix() - NOW.unix()
    }

    #[test]
    fn a_daily_list_is_asked_for_well_before_the_next_is_due() {
        let life = Some((NOW, NOW.plus_seconds(DAY)));
        assert_eq!(wait(after_success(NOW, 7 * DAY, life, 0.0)), DAY * 9 / 10);
        assert_eq!(wait(after_success(NOW, 3600, life, 0.0)), 3600);
        assert_eq!(wait(after_success(NOW, 3600, None, 1.0)), 3240);
    }

    #[test]
    fn an_overdue_list_is_asked_for_soon_and_not_at_once() {
        let life = Some((NOW.plus_seconds(-2 * DAY), NOW.plus_seconds(-DAY)));
        assert_eq!(wait(after_success(NOW, 3600, life, 0.5)), SHORTEST);
    }

    #[test]
    fn failures_back_off_to_the_interval() {
        let waits: Vec<i64> = (0..9).map(|failures| wait(after_failure(NOW, 3600, failures, 0.0))).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        assert_eq!(wait(after_failure(NOW, 3600, u32::MAX, 1.0)), 1800);
    }

    proptest! {
        #[test]
        fn never_at_once_and_never_later_than_the_interval(interval in 60i64..30 * DAY, failures: u32, jitter in 0.0..1.0f64) {
            for next in [after_success(NOW, interval, None, jitter), after_failure(NOW, interval, failures, jitter)] {
                prop_assert!((SHORTEST..=interval).contains(&wait(next)));
            }
        }
    }
}
