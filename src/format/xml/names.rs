//! Which characters a name may have (XML 1.0, fifth edition, §2.3, productions 4 and 4a).
//!
//! *Invariant:* pure tables; a colon is never a name character here (*Namespaces in XML 1.0*, NCName).

/// `NameStartChar` without the colon.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// `NameChar` without the colon.
fn is_name_char(c: char) -> bool {
    is_name_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// What an ASCII byte may be, as bits: so that a scan looks at each byte once.
const NAME_START: u8 = 1;
const NAME: u8 = 2;
const VALUE_SPECIAL: u8 = 4;

#[allow(clippy::indexing_slicing)] // Computed while compiling.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => NAME_START | NAME,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            b'<' | b'&' | b'"' | b'\'' | b'\t' | b'\n' | b'\r' => VALUE_SPECIAL,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

#[inline]
fn is(b: u8, class: u8) -> bool {
    CLASSES.get(usize::from(b)).is_some_and(|found| found & class != 0)
}

/// Whether the byte ends an attribute value, or is not to be taken as it stands in one.
#[inline]
pub(super) fn is_special_in_value(b: u8) -> bool {
    is(b, VALUE_SPECIAL)
}

/// The length in bytes of the NCName that `text` begins with: 0 where there is none.
#[inline]
pub(super) fn nc_name_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(&first) if is(first, NAME_START) => {}
        Some(first) if !first.is_ascii() => return long_name_len(text, 0),
        _ => return 0,
    }
    let ascii = bytes.iter().position(|&b| !is(b, NAME)).unwrap_or(bytes.len());
    match bytes.get(ascii) {
        Some(b) if !b.is_ascii() => long_name_len(text, ascii),
        _ => ascii,
    }
}

/// The same where the character at `at` is the first beyond ASCII.
#[cold]
fn long_name_len(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    if at == 0 && !rest.chars().next().is_some_and(is_name_start) {
        return 0;
    }
    at + rest.find(|c| !is_name_char(c)).unwrap_or(rest.len())
}

/// `S` (XML 1.0 §2.3, production 3).
#[inline]
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// `Char` (XML 1.0 §2.2, production 2).
pub(super) fn is_char(code: u32) -> bool {
    matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_where_the_standard_says() {
        for (text, length) in [
            ("a", 1),
            ("a:b", 1),
            ("", 0),
            ("1a", 0),
            ("-a", 0),
            ("_a-1.b c", 6),
            ("қол=", 6),
            ("қ\u{d7}", 2),
            ("\u{d7}", 0),
            ("a\u{301}", 3),
            ("\u{301}", 0),
            ("a\u{10000}>", 5),
            (".", 0),
            ("a\u{2118}", 4),
        ] {
            assert_eq!(nc_name_len(text), length, "{text:?}");
        }
    }

    #[test]
    fn characters_that_xml_does_not_have_are_none() {
        assert!(!is_char(0) && !is_char(0x1F) && !is_char(0xD800) && !is_char(0xFFFE) && !is_char(0x11_0000));
        assert!(is_char(9) && is_char(0x7F) && is_char(0xFFFD) && is_char(0x10_FFFF));
    }
}
