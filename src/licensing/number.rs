//! Numbers of requests and licences: a format the configuration defines, check digits as in IBAN.
//!
//! *Invariant:* two different serials of one scope never give the same number, because the serial has a fixed width.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest number a format may produce, so that a number stays printable on a blank and usable in a URL.
pub const MAX_NUMBER_LEN: usize = 40;

/// The number of a licence, permit, order or refusal, such as `KZ18LAA00032760`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LicenceNumber(pub String);

/// The number given to a request on registration («регистрация … с присвоением номера заявлению»).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestNumber(pub String);

impl fmt::Display for LicenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RequestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Three capital Latin letters that say which type of permit a number belongs to, such as `LAA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PermitType([u8; 3]);

impl PermitType {
    /// The type from its letters; `None` unless they are exactly three of `A` to `Z`.
    pub const fn new(letters: &str) -> Option<PermitType> {
        match *letters.as_bytes() {
            [a, b, c] if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_uppercase() => {
                Some(PermitType([a, b, c]))
            }
            _ => None,
        }
    }

    /// The letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for PermitType {
    type Error = NumberFormatError;

    fn try_from(text: String) -> Result<PermitType, NumberFormatError> {
        PermitType::new(&text).ok_or(NumberFormatError::PermitType { text })
    }
}

impl From<PermitType> for String {
    fn from(value: PermitType) -> String {
        value.as_str().to_owned()
    }
}

/// Why a template of numbers cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberFormatError {
    /// A field that no format knows.
    #[error("unknown field {{{field}}}: use {{check}}, {{type}}, {{year}} or {{serial:N}}")]
    UnknownField {
        /// What stood between the braces.
        field: String,
    },
    /// A brace without its partner.
    #[error("unbalanced brace")]
    UnbalancedBrace,
    /// Something else than `A-Z`, `0-9` and `-` between the fields.
    #[error("character {character:?} cannot stand in a number: use A-Z, 0-9 and -")]
    Character {
        /// The character.
        character: char,
    },
    /// Not exactly one serial, or one without a width of 1 to 15 digits.
    #[error("a format needs exactly one {{serial:N}}, N from 1 to 15")]
    Serial,
    /// More than one pair of check digits.
    #[error("a format has at most one {{check}}")]
    Check,
    /// Check digits by ISO 7064 are defined over letters and digits alone.
    #[error("a format with {{check}} cannot contain -")]
    CheckWithHyphen,
    /// Longer than [`MAX_NUMBER_LEN`].
    #[error("numbers of this format would have more than {MAX_NUMBER_LEN} characters")]
    TooLong,
    /// Not three capital Latin letters.
    #[error("{text:?} is not a permit type: use three letters from A to Z")]
    PermitType {
        /// What was given.
        text: String,
    },
}

/// No number is left: the serial does not fit the width of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("serial {serial} does not fit {width} digits: the numbers of this format are used up")]
pub struct NumbersUsedUp {
    /// The serial that was to be printed.
    pub serial: u64,
    /// Digits the format has for it.
    pub width: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Check,
    PermitType,
    Year,
    Serial(usize),
}

/// The shape of numbers, given by a template such as `KZ{check}{type}{serial:8}`.
///
/// Fields: `{check}` two digits by ISO 7064 MOD 97-10, computed as IBAN does it (what follows the digits, then what
/// precedes them, then the digits; the remainder is 1); `{type}` the three letters of the permit type; `{year}` four
/// digits; `{serial:N}` the serial with N digits. Serials are counted separately for each type and year a format
/// mentions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NumberFormat {
    template: String,
    parts: Vec<Part>,
}

impl NumberFormat {
    /// Licences, as the state system has numbered them: `KZ18LAA00032760`.
    pub const DEFAULT_LICENCE: &'static str = "KZ{check}{type}{serial:8}";
    /// Requests: year and serial. The regulations give no format.
    pub const DEFAULT_REQUEST: &'static str = "{year}-{serial:8}";

    /// The format of [`NumberFormat::DEFAULT_LICENCE`].
    pub fn default_licence() -> NumberFormat {
        let parts = vec![Part::Literal("KZ".to_owned()), Part::Check, Part::PermitType, Part::Serial(8)];
        NumberFormat { template: NumberFormat::DEFAULT_LICENCE.to_owned(), parts }
    }

    /// The format of [`NumberFormat::DEFAULT_REQUEST`].
    pub fn default_request() -> NumberFormat {
        let parts = vec![Part::Year, Part::Literal("-".to_owned()), Part::Serial(8)];
        NumberFormat { template: NumberFormat::DEFAULT_REQUEST.to_owned(), parts }
    }

    /// Parses a template.
    pub fn parse(template: &str) -> Result<NumberFormat, NumberFormatError> {
        let mut parts = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            if let Some(opened) = rest.strip_prefix('{') {
                let (field, after) = opened.split_once('}').ok_or(NumberFormatError::UnbalancedBrace)?;
                parts.push(match field {
                    "check" => Part::Check,
                    "type" => Part::PermitType,
                    "year" => Part::Year,
                    _ => match field.strip_prefix("serial:").map(str::parse::<usize>) {
                        Some(Ok(width)) if (1..=15).contains(&width) => Part::Serial(width),
                        Some(_) => return Err(NumberFormatError::Serial),
                        None => return Err(NumberFormatError::UnknownField { field: field.to_owned() }),
                    },
                });
                rest = after;
            } else {
                let end = rest.find('{').unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
                match literal.chars().find(|c| !allowed(*c)) {
                    Some('}') => return Err(NumberFormatError::UnbalancedBrace),
                    Some(character) => return Err(NumberFormatError::Character { character }),
                    None => parts.push(Part::Literal(literal.to_owned())),
                }
                rest = after;
            }
        }
        let count = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count();
        let checks = count(|part| matches!(part, Part::Check));
        let hyphens = count(|part| matches!(part, Part::Literal(text) if text.contains('-')));
        let length: usize = parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.len(),
                Part::Check => 2,
                Part::PermitType => 3,
                Part::Year => 4,
                Part::Serial(width) => *width,
            })
            .sum();
        match () {
            () if count(|part| matches!(part, Part::Serial(_))) != 1 => Err(NumberFormatError::Serial),
            () if checks > 1 => Err(NumberFormatError::Check),
            () if checks == 1 && hyphens > 0 => Err(NumberFormatError::CheckWithHyphen),
            () if length > MAX_NUMBER_LEN => Err(NumberFormatError::TooLong),
            () => Ok(NumberFormat { template: template.to_owned(), parts }),
        }
    }

    /// What all numbers share that count one series of serials: the template with type and year filled in.
    pub fn scope(&self, permit_type: PermitType, year: i64) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Check => "{check}".to_owned(),
                Part::PermitType => permit_type.as_str().to_owned(),
                Part::Year => format!("{year:04}"),
                Part::Serial(width) => format!("{{serial:{width}}}"),
            })
            .collect()
    }

    /// The number with this serial.
    pub fn number(&self, permit_type: PermitType, year: i64, serial: u64) -> Result<String, NumbersUsedUp> {
        let mut before = String::new();
        let mut after = None::<String>;
        for part in &self.parts {
            let text = match part {
                Part::Check => {
                    after = Some(String::new());
                    continue;
                }
                Part::Literal(text) => text.clone(),
                Part::PermitType => permit_type.as_str().to_owned(),
                Part::Year => format!("{year:04}"),
                Part::Serial(width) => {
                    let digits = format!("{serial:0width$}");
                    if digits.len() > *width {
                        return Err(NumbersUsedUp { serial, width: *width });
                    }
                    digits
                }
            };
            after.as_mut().unwrap_or(&mut before).push_str(&text);
        }
        Ok(match after {
            None => before,
            Some(after) => {
                let check = 98 - remainder_97(after.bytes().chain(before.bytes()).chain(*b"00"));
                format!("{before}{check:02}{after}")
            }
        })
    }
}

impl fmt::Display for NumberFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)
    }
}

impl TryFrom<String> for NumberFormat {
    type Error = NumberFormatError;

    fn try_from(template: String) -> Result<NumberFormat, NumberFormatError> {
        NumberFormat::parse(&template)
    }
}

impl From<NumberFormat> for String {
    fn from(format: NumberFormat) -> String {
        format.template
    }
}

/// Whether the check digits of a number that begins with two letters and two digits hold (ISO 13616: the first four
/// characters move to the end, letters count from A = 10, the remainder by 97 is 1).
pub fn check_digits_hold(number: &str) -> bool {
    let bytes = number.as_bytes();
    let (Some(head), Some(tail)) = (bytes.get(..4), bytes.get(4..)) else { return false };
    let shaped = matches!(head, [a, b, c, d]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit())
        && tail.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    shaped && remainder_97(tail.iter().chain(head).copied()) == 1
}

/// ISO 7064 MOD 97 over digits and capital letters, A = 10 to Z = 35.
fn remainder_97(characters: impl Iterator<Item = u8>) -> u32 {
    characters.fold(0, |remainder, byte| match byte {
        b'A'..=b'Z' => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
        _ => (remainder * 10 + u32::from(byte.wrapping_sub(b'0') % 10)) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn permit(letters: &str) -> PermitType {
        PermitType::new(letters).unwrap()
    }

    #[test]
    fn the_defaults_are_their_templates() {
        for format in [NumberFormat::default_licence(), NumberFormat::default_request()] {
            assert_eq!(NumberFormat::parse(&format.template).unwrap(), format);
        }
    }

    #[test]
    fn numbers_that_were_issued_come_out_again() {
        let format = NumberFormat::parse(NumberFormat::DEFAULT_LICENCE).unwrap();
        for number in ["KZ18LAA00032760", "KZ96LAA00035527", "KZ08LAA00032358", "KZ80LAA00006618", "KZ82UWQ06452512"] {
            let serial = number[7..].parse().unwrap();
            assert_eq!(format.number(permit(&number[4..7]), 2026, serial).unwrap(), number);
            assert!(check_digits_hold(number));
        }
        assert!(!check_digits_hold("KZ38LAA00003412"));
        assert!(!check_digits_hold("KZ1"));
        assert!(!check_digits_hold("KZ18laa00032760"));
    }

    #[test]
    fn templates_that_could_repeat_or_break_a_number_are_refused() {
        use NumberFormatError as E;
        for (template, wanted) in [
            ("KZ{type}", E::Serial),
            ("{serial:4}{serial:4}", E::Serial),
            ("{serial:0}", E::Serial),
            ("{serial:x}", E::Serial),
            ("{serial:16}", E::Serial),
            ("{check}{check}{serial:4}", E::Check),
            ("A-{check}{serial:4}", E::CheckWithHyphen),
            ("{serial:4", E::UnbalancedBrace),
            ("serial}", E::Character { character: 's' }),
            ("A}{serial:4}", E::UnbalancedBrace),
            ("{month}{serial:4}", E::UnknownField { field: "month".to_owned() }),
            ("/{serial:4}", E::Character { character: '/' }),
            ("ҚЗ{serial:4}", E::Character { character: 'Қ' }),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA{serial:4}", E::TooLong),
        ] {
            assert_eq!(NumberFormat::parse(template), Err(wanted), "{template}");
        }
    }

    #[test]
    fn a_full_series_ends_instead_of_growing_a_digit() {
        let format = NumberFormat::parse("{year}{serial:2}").unwrap();
        assert_eq!(format.number(permit("AAA"), 2026, 99).unwrap(), "202699");
        assert_eq!(format.number(permit("AAA"), 2026, 100), Err(NumbersUsedUp { serial: 100, width: 2 }));
    }

    #[test]
    fn series_are_separate_where_the_format_tells_them_apart() {
        let format = NumberFormat::parse(NumberFormat::DEFAULT_LICENCE).unwrap();
        assert_ne!(format.scope(permit("LAA"), 2026), format.scope(permit("LAB"), 2026));
        assert_eq!(format.scope(permit("LAA"), 2026), format.scope(permit("LAA"), 2027));
        let request = NumberFormat::parse(NumberFormat::DEFAULT_REQUEST).unwrap();
        assert_eq!(request.scope(permit("LAA"), 2026), request.scope(permit("LAB"), 2026));
    }

    proptest! {
        #[test]
        fn different_serials_never_share_a_number(serials in prop::collection::hash_set(0u64..100_000_000, 1..200)) {
            let format = NumberFormat::parse(NumberFormat::DEFAULT_LICENCE).unwrap();
            let numbers: HashSet<_> =
                serials.iter().map(|serial| format.number(permit("LAA"), 2026, *serial).unwrap()).collect();
            prop_assert_eq!(numbers.len(), serials.len());
            for number in &numbers {
                prop_assert!(check_digits_hold(number));
            }
        }

        #[test]
        fn one_wrong_digit_is_always_noticed(serial in 0u64..100_000_000, at in 7usize..15, add in 1u8..10) {
            let format = NumberFormat::parse(NumberFormat::DEFAULT_LICENCE).unwrap();
            let mut number = format.number(permit("LAA"), 2026, serial).unwrap().into_bytes();
            number[at] = b'0' + (number[at] - b'0' + add) % 10;
            prop_assert!(!check_digits_hold(std::str::from_utf8(&number).unwrap()));
        }

        #[test]
        fn no_template_panics(template in ".{0,60}") {
            let _ = NumberFormat::parse(&template);
        }
    }
}
