//! Quantities with their unit in the text: `64MiB`, `30s`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Largest document the validation rules allow (validation limits: document 64 MiB).
pub(super) const MAX_DOCUMENT: u64 = 64 << 20;

/// A size in bytes, written `512`, `64KiB`, `64MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

/// A duration in whole seconds, written `30s` or `5min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub u64);

const BYTE_UNITS: &[(&str, u64)] = &[("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIME_UNITS: &[(&str, u64)] = &[("min", 60), ("s", 1)];

impl Bytes {
    /// As a size in memory.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Seconds {
    /// As the standard library's duration.
    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0)
    }
}

/// A whole number and a unit; the unit may not be left out, or `30` would mean whatever the reader supposes.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let number = number.trim_end();
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

fn written(value: u64, units: &[(&str, u64)]) -> String {
    units.iter().find(|(_, factor)| value.is_multiple_of(*factor) && value >= *factor).map_or_else(
        || format!("{value}{}", units.last().map_or("", |(unit, _)| unit)),
        |(unit, factor)| format!("{}{unit}", value / factor),
    )
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        quantity(&text, BYTE_UNITS)
            .map(Bytes)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a size such as 64MiB")))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
        let text = String::deserialize(deserializer)?;
        quantity(&text, TIME_UNITS)
            .map(Seconds)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not a duration such as 30s")))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written(self.0, BYTE_UNITS))
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&written(self.0, TIME_UNITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_names_its_unit() {
        for (text, expected) in [
            ("64MiB", Some(64 << 20)),
            ("1 KiB", Some(1024)),
            ("7B", Some(7)),
            ("7", None),
            ("MiB", None),
            ("-1MiB", None),
            ("1GiB", None),
            ("99999999999999999999MiB", None),
            ("18446744073709551615MiB", None),
        ] {
            assert_eq!(quantity(text, BYTE_UNITS), expected, "{text}");
        }
        assert_eq!(quantity("2min", TIME_UNITS), Some(120));
        assert_eq!(quantity("1.5s", TIME_UNITS), None);
    }

    #[test]
    fn what_is_written_reads_back() {
        for value in [0, 1, 7, 59, 60, 90, 1024, 1025, 64 << 20] {
            assert_eq!(quantity(&written(value, BYTE_UNITS), BYTE_UNITS), Some(value));
            assert_eq!(quantity(&written(value, TIME_UNITS), TIME_UNITS), Some(value));
        }
    }
}
