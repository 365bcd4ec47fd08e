//! UTCTime and GeneralizedTime as RFC 5280 §4.1.2.5 profiles them.

use super::{Element, Error, Reader, Tag};
use crate::report::Time;

/// A UTCTime `YYMMDDHHMMSSZ`; 50 to 99 mean 1950 to 1999 (RFC 5280 §4.1.2.5.1).
///
/// # Errors
/// Any other form: no seconds, an offset instead of `Z`, a day that does not exist.
pub fn utc_time(element: &Element<'_>) -> Result<Time, Error> {
    element
        .contents
        .first_chunk()
        .filter(|_| element.contents.len() == UTC_TIME_OCTETS)
        .and_then(utc_time_octets)
        .ok_or(element.invalid())
}

/// Contents octets of a UTCTime with seconds.
pub const UTC_TIME_OCTETS: usize = 13;

/// The same from contents octets; a list has a million of them.
#[inline]
pub fn utc_time_octets(contents: &[u8; UTC_TIME_OCTETS]) -> Option<Time> {
    let [y, yy, m, mm, d, dd, h, hh, n, nn, s, ss, b'Z'] = *contents else { return None };
    let pair = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        (tens <= 9 && ones <= 9).then(|| i64::from(tens * 10 + ones))
    };
    let year = pair(y, yy)?;
    let year = if year < 50 { 2000 + year } else { 1900 + year };
    Time::from_civil(year, pair(m, mm)?, pair(d, dd)?, pair(h, hh)?, pair(n, nn)?, pair(s, ss)?)
}

/// A GeneralizedTime `YYYYMMDDHHMMSSZ` without fractions (RFC 5280 §4.1.2.5.2).
///
/// # Errors
/// Any other form.
pub fn generalized_time(element: &Element<'_>) -> Result<Time, Error> {
    let digits = element.contents.strip_suffix(b"Z").filter(|d| d.len() == 14).ok_or(element.invalid())?;
    let (year, rest) = digits.split_at(4);
    let year = number(year).ok_or(element.invalid())?;
    civil(year, rest).ok_or(element.invalid())
}

/// The Time CHOICE that comes next (RFC 5280 §4.1).
///
/// # Errors
/// Another tag, or a value that [`utc_time`] or [`generalized_time`] refuses.
pub fn x509_time(reader: &mut Reader<'_>) -> Result<Time, Error> {
    let element = reader.element()?;
    match element.tag {
        Tag::UTC_TIME => utc_time(&element),
        Tag::GENERALIZED_TIME => generalized_time(&element),
        _ => Err(element.invalid()),
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// `MMDDHHMMSS` in a year, to a point in time.
fn civil(year: i64, rest: &[u8]) -> Option<Time> {
    let mut pairs = rest.chunks_exact(2).map(number);
    let mut next = || pairs.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    Time::from_civil(year, month, day, hour, minute, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tag: u8, text: &str) -> Option<String> {
        let mut der = vec![tag, u8::try_from(text.len()).unwrap()];
        der.extend_from_slice(text.as_bytes());
        x509_time(&mut Reader::der(&der)).ok().map(|t| t.to_string())
    }

    #[test]
    fn pivot_and_range() {
        assert_eq!(parse(0x17, "491231235959Z").as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(parse(0x17, "500101000000Z").as_deref(), Some("1950-01-01T00:00:00Z"));
        assert_eq!(parse(0x18, "20500101000000Z").as_deref(), Some("2050-01-01T00:00:00Z"));
        assert_eq!(parse(0x17, "240229000000Z").as_deref(), Some("2024-02-29T00:00:00Z"));
    }

    #[test]
    fn other_forms_are_refused() {
        for (tag, text) in [
            (0x17, "2402290000Z"),
            (0x17, "240229000000"),
            (0x17, "240229000000+0500"),
            (0x17, "250229000000Z"),
            (0x18, "20240101000000.5Z"),
            (0x18, "20240101000000"),
            (0x18, "2024010100000aZ"),
            (0x18, "20241301000000Z"),
            (0x18, "20240101240000Z"),
        ] {
            assert_eq!(parse(tag, text), None, "{text}");
        }
    }
}
