//! Canonical JSON (RFC 8785, JCS): one value, one sequence of octets.
//!
//! *Invariant:* what does not survive a round trip through I-JSON (RFC 7493) is refused, never rounded.

use serde_json::{Map, Number, Value};
use std::fmt::Write as _;

/// The largest integer of which every smaller one is an IEEE 754 double too (RFC 7493 §2.2).
const MAX_EXACT_INTEGER: u64 = (1 << 53) - 1;

/// A number that a reader with doubles would read as another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number {0} is not an IEEE 754 double")]
pub struct InexactNumber(String);

/// The canonical octets of a value.
///
/// # Errors
/// [`InexactNumber`] for an integer beyond 2^53 - 1.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, InexactNumber> {
    let mut out = String::new();
    write(value, &mut out)?;
    Ok(out.into_bytes())
}

fn write(value: &Value, out: &mut String) -> Result<(), InexactNumber> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_text(number)?),
        Value::String(text) => write_string(text, out),
        Value::Array(members) => {
            out.push('[');
            for (at, member) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(member, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, out)?,
    }
    Ok(())
}

/// §3.2.3: members in the order of their names as arrays of UTF-16 code units.
fn write_object(members: &Map<String, Value>, out: &mut String) -> Result<(), InexactNumber> {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push('{');
    for (at, (name, member)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write(member, out)?;
    }
    out.push('}');
    Ok(())
}

/// §3.2.2.2: only what must be escaped is, in the shortest form there is.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn number_text(number: &Number) -> Result<String, InexactNumber> {
    let inexact = || InexactNumber(number.to_string());
    if let Some(integer) = number.as_i64() {
        return if integer.unsigned_abs() <= MAX_EXACT_INTEGER { Ok(integer.to_string()) } else { Err(inexact()) };
    }
    if number.is_u64() {
        return Err(inexact());
    }
    number.as_f64().filter(|value| value.is_finite()).map(ecmascript).ok_or_else(inexact)
}

/// `Number::toString` of ECMAScript (ECMA-262 §6.1.6.1.20), to which §3.2.2.3 refers.
fn ecmascript(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // As few digits as read back, and of those the closest, an even one where two are equally close. Rust's shortest
    // form has the number of digits; the exact form with that many rounds ties to even.
    let shortest = format!("{:e}", value.abs());
    let places = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count().saturating_sub(1);
    let closest = format!("{:.*e}", places, value.abs());
    let scientific = if closest.parse() == Ok(value.abs()) { closest } else { shortest };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // As in the standard: the value is 0.d₁d₂…dₖ × 10ⁿ.
    let n = exponent + 1;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let split = |at: i32| digits.split_at_checked(usize::try_from(at).unwrap_or(0)).unwrap_or((&digits, ""));
    let text = if count <= n && n <= 21 {
        digits.clone() + &zeros(n - count)
    } else if 0 < n && n <= 21 {
        let (whole, fraction) = split(n);
        format!("{whole}.{fraction}")
    } else if -6 < n && n <= 0 {
        format!("0.{}{digits}", zeros(-n))
    } else {
        let sign = if n - 1 < 0 { '-' } else { '+' };
        let power = (n - 1).unsigned_abs();
        match split(1) {
            (first, "") => format!("{first}e{sign}{power}"),
            (first, rest) => format!("{first}.{rest}e{sign}{power}"),
        }
    };
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn text(value: &Value) -> String {
        String::from_utf8(to_bytes(value).unwrap()).unwrap()
    }

    /// RFC 8785 appendix B.
    #[test]
    fn numbers_of_appendix_b() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(ecmascript(f64::from_bits(bits)), expected, "{bits:016x}");
        }
    }

    /// RFC 8785 §3.2.2 and §3.2.3.
    #[test]
    #[allow(clippy::excessive_precision)] // as the RFC writes it
    fn samples_of_the_rfc() {
        let sample = json!({
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u{20ac}$\u{f}\u{a}A'\u{42}\u{22}\u{5c}\\\"/",
            "literals": [null, true, false]
        });
        assert_eq!(
            text(&sample),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        let names = json!({
            "\u{20ac}": 1, "\r": 2, "\u{fb33}": 3, "1": 4, "\u{1f600}": 5, "\u{80}": 6, "\u{f6}": 7
        });
        assert_eq!(text(&names), "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}");
    }

    #[test]
    fn integers_that_are_no_doubles_are_refused() {
        assert_eq!(
            text(&json!([9_007_199_254_740_991_u64, -9_007_199_254_740_991_i64])),
            "[9007199254740991,-9007199254740991]"
        );
        for value in [json!(9_007_199_254_740_992_u64), json!(-9_007_199_254_740_993_i64), json!(u64::MAX)] {
            assert!(to_bytes(&value).is_err(), "{value}");
        }
    }

    proptest! {
        #[test]
        fn doubles_are_read_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            prop_assert_eq!(ecmascript(value).parse::<f64>().unwrap(), value);
        }

        #[test]
        fn strings_are_read_back(value: String) {
            let canonical = text(&Value::String(value.clone()));
            prop_assert_eq!(serde_json::from_str::<String>(&canonical).unwrap(), value);
        }

        #[test]
        fn the_order_of_members_does_not_matter(names in proptest::collection::btree_set(".{0,6}", 0..8)) {
            let forward: Map<String, Value> = names.iter().map(|n| (n.clone(), json!(n.len()))).collect();
            let backward: Map<String, Value> = names.iter().rev().map(|n| (n.clone(), json!(n.len()))).collect();
            prop_assert_eq!(text(&Value::Object(forward)), text(&Value::Object(backward)));
        }
    }
}
