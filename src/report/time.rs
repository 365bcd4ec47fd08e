//! Points in time, whole seconds since 1970 in UTC.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted. Printed and parsed as RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

impl Time {
    /// A point in time from seconds since 1970; values outside years 0 to 9999 are clamped to that range.
    pub const fn from_unix(seconds: i64) -> Time {
        const FIRST: i64 = -62_167_219_200;
        const LAST: i64 = 253_402_300_799;
        Time(if seconds < FIRST {
            FIRST
        } else if seconds > LAST {
            LAST
        } else {
            seconds
        })
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// A point in time from a date of the proleptic Gregorian calendar; `None` where there is no such second.
    pub fn from_civil(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<Time> {
        let days_in_month = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            _ => return None,
        };
        let in_range = (0..=9999).contains(&year)
            && (1..=days_in_month).contains(&day)
            && (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second);
        if !in_range {
            return None;
        }
        // Days from civil: years counted from March, eras of 400 years.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Time((era * 146_097 + day_of_era - 719_468) * 86_400 + hour * 3600 + minute * 60 + second))
    }

    /// This time and `seconds` more (or less).
    pub const fn plus_seconds(self, seconds: i64) -> Time {
        Time::from_unix(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(86_400) + 719_468;
        let second = self.0.rem_euclid(86_400);
        let era = days.div_euclid(146_097);
        let doe = days.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let (month, day) = (if mp < 10 { mp + 3 } else { mp - 9 }, doy - (153 * mp + 2) / 5 + 1);
        let year = yoe + era * 400 + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        // Digit by digit: a report prints a dozen times, and the formatting machinery costs ten times as much.
        let digit = |value: i64| u8::try_from(value.rem_euclid(10)).map_or(b'0', |digit| b'0' + digit);
        let mut text = *b"0000-00-00T00:00:00Z";
        let fields = [(0, year / 100), (2, year % 100), (5, month), (8, day), (11, hour), (14, minute), (17, second)];
        for (place, value) in fields {
            if let Some(pair) = text.get_mut(place..place + 2) {
                pair.copy_from_slice(&[digit(value / 10), digit(value)]);
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// The text is not an RFC 3339 date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 date-time, such as 2026-11-22T02:00:00Z")]
pub struct NotATime;

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Time, NotATime> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        Ok(Time::from_unix(timestamp.as_second()))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn prints_what_jiff_prints(seconds in -62_135_596_800i64..253_402_207_000) {
            let time = Time::from_unix(seconds);
            prop_assert_eq!(time.to_string(), jiff::Timestamp::from_second(seconds).unwrap().to_string());
            prop_assert_eq!(time.to_string().parse::<Time>(), Ok(time));
        }
    }

    #[test]
    fn offsets_are_taken_and_days_that_do_not_exist_are_not() {
        assert_eq!("2026-11-22T07:00:00+05:00".parse(), Ok(Time::from_unix(1_795_312_800)));
        assert_eq!("2026-02-30T00:00:00Z".parse::<Time>(), Err(NotATime));
        assert_eq!("2026-11-22".parse::<Time>(), Err(NotATime));
        assert_eq!(Time::from_civil(2023, 2, 29, 0, 0, 0), None);
        assert_eq!(Time::from_civil(1970, 1, 1, 0, 0, 0), Some(Time::from_unix(0)));
    }
}
