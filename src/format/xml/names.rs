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

/// Whether the byte is an ASCII name character; non-ASCII ones are judged as characters.
#[inline]
pub(super) fn is_ascii_name_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')
}

/// The length in bytes of the NCName that `text` begins with: 0 where there is none.
#[inline]
pub(super) fn nc_name_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ascii = bytes.iter().position(|&b| !is_ascii_name_byte(b)).unwrap_or(bytes.len());
    let length = match bytes.get(ascii) {
        Some(b) if !b.is_ascii() => {
            let rest = text.get(ascii..).unwrap_or_default();
            ascii + rest.find(|c| !is_name_char(c)).unwrap_or(rest.len())
        }
        _ => ascii,
    };
    match text.chars().next() {
        Some(first) if is_name_start(first) => length,
        _ => 0,
    }
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
