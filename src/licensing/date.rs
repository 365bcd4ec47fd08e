//! Days of the calendar, as a licence carries them.
//!
//! *Invariant:* a [`Date`] is a day that exists, in years 1 to 9999.

use crate::report::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Kazakhstan has had one time zone, UTC+5, since 1 March 2024.
const KAZAKHSTAN_OFFSET_SECONDS: i64 = 5 * 3600;

/// A day, written `2026-11-22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(jiff::civil::Date);

impl Date {
    /// The day it is in Kazakhstan at this point in time.
    pub fn in_kazakhstan(at: Time) -> Date {
        let seconds = at.unix().saturating_add(KAZAKHSTAN_OFFSET_SECONDS);
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = jiff::Span::new().try_days(seconds.div_euclid(86_400)).ok();
        Date(days.and_then(|days| epoch.checked_add(days).ok()).unwrap_or(jiff::civil::Date::MAX))
    }

    /// The year.
    pub fn year(self) -> i64 {
        i64::from(self.0.year())
    }

    /// This day and `days` more; `None` beyond the year 9999.
    pub fn plus_days(self, days: u32) -> Option<Date> {
        let span = jiff::Span::new().try_days(i64::from(days)).ok()?;
        self.0.checked_add(span).ok().map(Date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

/// The text is not a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day, such as 2026-11-22")]
pub struct NotADate;

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Date, NotADate> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date: jiff::civil::Date = text.parse().map_err(|_| NotADate)?;
        if shaped && date.year() >= 1 { Ok(Date(date)) } else { Err(NotADate) }
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_changes_at_midnight_in_kazakhstan() {
        let before: Time = "2026-11-22T18:59:59Z".parse().unwrap();
        assert_eq!(Date::in_kazakhstan(before).to_string(), "2026-11-22");
        assert_eq!(Date::in_kazakhstan(before.plus_seconds(1)).to_string(), "2026-11-23");
    }

    #[test]
    fn only_days_that_exist_in_one_spelling() {
        assert_eq!("2024-02-29".parse::<Date>().unwrap().plus_days(366).unwrap().to_string(), "2025-03-01");
        for text in ["2026-02-29", "20261122", "2026-11-22T00:00:00", "+002026-11-22", "2026-1-2", "", "0000-01-01"] {
            assert_eq!(text.parse::<Date>(), Err(NotADate), "{text}");
        }
    }
}
