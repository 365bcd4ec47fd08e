//! From the characters of the source to the characters of the document: references, line ends, attribute values.
//!
//! *Invariant:* what is already in its final form is borrowed, never copied.

use std::borrow::Cow;

use super::names::is_char;

/// The character that the reference at the start of `text` stands for, and the length of the reference.
///
/// Only the five predefined entities and character references exist without a document type declaration
/// (XML 1.0 §4.1 *Entity Declared*, §4.6).
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    // The longest reference worth reading is `&#x0000010FFFF;`; leading zeros may go on, but not for ever.
    let end = body.bytes().take(64).position(|b| b == b';')?;
    let name = body.get(..end)?;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = match number.strip_prefix('x') {
                Some(hexadecimal) => (hexadecimal, 16),
                None => (number, 10),
            };
            // `from_str_radix` takes a sign, which a reference has not.
            if digits.is_empty() || !digits.bytes().all(|b| char::from(b).is_digit(radix)) {
                return None;
            }
            let code = u32::from_str_radix(digits, radix).ok()?;
            char::from_u32(code).filter(|_| is_char(code))?
        }
    };
    Some((character, end + 2))
}

/// One piece of a source text after the rules for it were applied.
pub(super) enum Piece<'t> {
    /// Characters that stand for themselves.
    Run(&'t str),
    /// A character that a rule or a reference put there.
    Character(char, Origin),
}

/// Where a character of a document came from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Written as itself: line ends are normalized, white space in attribute values is folded.
    Literal,
    /// Written as a reference: kept as it is.
    Reference,
}

/// The pieces of `raw`: runs, references, and carriage returns turned into line feeds (XML 1.0 §2.11).
///
/// `references` is off in CDATA sections, comments and processing instructions.
pub(super) struct Pieces<'t> {
    raw: &'t str,
    references: bool,
}

impl<'t> Pieces<'t> {
    /// The pieces of character data.
    pub(super) fn of_text(raw: &'t str) -> Self {
        Self { raw, references: true }
    }

    /// The pieces of a CDATA section, a comment or a processing instruction.
    pub(super) fn of_literal(raw: &'t str) -> Self {
        Self { raw, references: false }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        let bytes = self.raw.as_bytes();
        let special = match self.references {
            true => memchr::memchr2(b'&', b'\r', bytes),
            false => memchr::memchr(b'\r', bytes),
        };
        match special {
            None if bytes.is_empty() => None,
            None => Some(Piece::Run(std::mem::take(&mut self.raw))),
            Some(0) => {
                let (piece, length) = match bytes.first() {
                    Some(b'\r') => (('\n', Origin::Literal), 1 + usize::from(bytes.get(1) == Some(&b'\n'))),
                    // A parsed document has no broken reference: the fallback keeps the iterator total.
                    _ => {
                        reference(self.raw).map_or((('&', Origin::Reference), 1), |(c, n)| ((c, Origin::Reference), n))
                    }
                };
                self.raw = self.raw.get(length..).unwrap_or_default();
                Some(Piece::Character(piece.0, piece.1))
            }
            Some(at) => {
                let (run, rest) = self.raw.split_at_checked(at)?;
                self.raw = rest;
                Some(Piece::Run(run))
            }
        }
    }
}

/// Character data with references resolved and line ends normalized.
pub(super) fn text(raw: &str) -> Cow<'_, str> {
    match memchr::memchr2(b'&', b'\r', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(_) => Cow::Owned(collect(Pieces::of_text(raw))),
    }
}

/// Characters of a CDATA section, comment or processing instruction with line ends normalized.
pub(super) fn literal(raw: &str) -> Cow<'_, str> {
    match memchr::memchr(b'\r', raw.as_bytes()) {
        None => Cow::Borrowed(raw),
        Some(_) => Cow::Owned(collect(Pieces::of_literal(raw))),
    }
}

/// An attribute value as XML 1.0 §3.3.3 normalizes it for type CDATA, the only type without a declaration.
pub(super) fn attribute(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|b| matches!(b, b'&' | b'\t' | b'\n' | b'\r')) {
        return Cow::Borrowed(raw);
    }
    let mut value = String::with_capacity(raw.len());
    for piece in Pieces::of_text(raw) {
        match piece {
            Piece::Run(run) => value.extend(run.chars().map(|c| if matches!(c, '\t' | '\n') { ' ' } else { c })),
            Piece::Character(_, Origin::Literal) => value.push(' '),
            Piece::Character(c, Origin::Reference) => value.push(c),
        }
    }
    Cow::Owned(value)
}

fn collect(pieces: Pieces<'_>) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Run(run) => out.push_str(run),
            Piece::Character(c, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_character_references_and_the_five_entities_exist() {
        assert_eq!(reference("&#13;x"), Some(('\r', 5)));
        assert_eq!(reference("&#x0041;"), Some(('A', 8)));
        assert_eq!(reference("&quot;"), Some(('"', 6)));
        for broken in [
            "&nbsp;",
            "&#0;",
            "&#xD800;",
            "&#;",
            "&#x;",
            "&#+65;",
            "&#X41;",
            "&;",
            "&amp",
            "& amp;",
            "&#xFFFE;",
            "&#1114112;",
            "&#99999999999;",
        ] {
            assert_eq!(reference(broken), None, "{broken}");
        }
    }

    #[test]
    fn line_ends_become_line_feeds_but_references_stay() {
        assert_eq!(text("a\r\nb\rc&#13;\n"), "a\nb\nc\r\n");
        assert_eq!(literal("a\r\n&#13;"), "a\n&#13;");
    }

    #[test]
    fn white_space_in_an_attribute_becomes_one_space_a_character_and_references_stay() {
        assert_eq!(attribute("a\r\nb\tc\nd\re&#9;f&#10;&#xd;"), "a b c d e\tf\n\r");
    }
}
