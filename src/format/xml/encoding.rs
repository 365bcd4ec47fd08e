//! From bytes to characters: the encodings that every reader decodes alike.
//!
//! *Invariant:* the text that comes out has only characters that XML 1.0 has (§2.2), and no byte order mark.

use std::borrow::Cow;

use super::XmlError;
use super::names::is_space;

/// Characters, and the encoding that the declaration was taken to name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// The parser reads the declaration by the rules and holds this against what it finds: a declaration that the two
    /// read differently is refused (attack 3).
    pub(super) declared: Option<Encoding>,
}

/// Decodes a document: UTF-8, US-ASCII, ISO 8859-1 by declaration, UTF-16 by byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, XmlError> {
    let (text, declared) = match bytes {
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xEF, 0xBB, 0xBF, rest @ ..] => match declared(rest) {
            name @ (None | Some(Encoding::Utf8)) => (utf8(rest)?, name),
            Some(_) => return Err(XmlError::Encoding),
        },
        _ => match declared(bytes) {
            name @ (None | Some(Encoding::Utf8)) => (utf8(bytes)?, name),
            name @ Some(Encoding::Ascii) if bytes.is_ascii() => (utf8(bytes)?, name),
            name @ Some(Encoding::Latin1) => (Cow::Owned(bytes.iter().copied().map(char::from).collect()), name),
            Some(_) => return Err(XmlError::Encoding),
        },
    };
    check_characters(&text)?;
    Ok(Decoded { text, declared })
}

/// A character encoding by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
    Ascii,
    Latin1,
    Other,
}

/// What the XML declaration says, read leniently: the parser judges its form.
fn declared(bytes: &[u8]) -> Option<Encoding> {
    let head = bytes.get(..bytes.len().min(256)).unwrap_or_default();
    // `<?xml-stylesheet …?>` and `<?xmlr …?>` are processing instructions.
    let declaration = head.strip_prefix(b"<?xml").filter(|rest| rest.first().is_some_and(|&b| is_space(b)))?;
    let end = declaration.windows(2).position(|w| w == b"?>").unwrap_or(declaration.len());
    let declaration = std::str::from_utf8(declaration.get(..end)?).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next()?;
    value.strip_prefix(quote)?.split(quote).next().map(Encoding::named)
}

impl Encoding {
    /// The encoding with this name.
    pub(super) fn named(name: &str) -> Self {
        match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Encoding::Utf8,
            "UTF-16" | "UTF-16LE" | "UTF-16BE" => Encoding::Utf16,
            "US-ASCII" | "ASCII" => Encoding::Ascii,
            "ISO-8859-1" | "LATIN1" => Encoding::Latin1,
            _ => Encoding::Other,
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| XmlError::Encoding)
}

type WithName<'a> = (Cow<'a, str>, Option<Encoding>);

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<WithName<'_>, XmlError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(XmlError::Encoding);
    }
    let text: String = char::decode_utf16(pairs.iter().map(|&pair| unit(pair)))
        .collect::<Result<_, _>>()
        .map_err(|_| XmlError::Encoding)?;
    match declared(text.as_bytes()) {
        name @ (None | Some(Encoding::Utf16)) => Ok((Cow::Owned(text), name)),
        Some(_) => Err(XmlError::Encoding),
    }
}

/// XML 1.0 §2.2, production 2: of what Rust calls a character, XML lacks most controls, U+FFFE and U+FFFF.
fn check_characters(text: &str) -> Result<(), XmlError> {
    let bytes = text.as_bytes();
    let not_a_character = |offset| XmlError::Malformed { offset, rule: "a character that XML does not have" };
    // In blocks, so that the common case is one comparison over many bytes at once.
    for (block, at) in bytes.chunks(4096).zip((0usize..).step_by(4096)) {
        let control = |b: &u8| *b < 0x20 && !matches!(*b, b'\t' | b'\n' | b'\r');
        if block.iter().fold(false, |found, b| found | control(b)) {
            return Err(not_a_character(at + block.iter().position(control).unwrap_or(0)));
        }
    }
    for at in memchr::memchr_iter(0xEF, bytes) {
        if matches!(bytes.get(at + 1..at + 3), Some([0xBF, 0xBE | 0xBF])) {
            return Err(not_a_character(at));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        decode(bytes).ok().map(|decoded| decoded.text.into_owned())
    }

    #[test]
    fn the_same_text_comes_out_of_every_accepted_encoding() {
        let little: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("<é/>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> = [0xFE, 0xFF].into_iter().chain("<é/>".encode_utf16().flat_map(u16::to_be_bytes)).collect();
        for bytes in [little, big, "<é/>".into(), "\u{FEFF}<é/>".into()] {
            assert_eq!(decoded(&bytes).as_deref(), Some("<é/>"));
        }
        let latin = b"<?xml version='1.0' encoding='iso-8859-1'?><\xE9/>";
        assert!(decoded(latin).is_some_and(|t| t.ends_with("<é/>")));
    }

    #[test]
    fn a_declaration_that_lies_is_refused() {
        let little: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("<?xml version='1.0' encoding='UTF-8'?><a/>".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(decode(&little), Err(XmlError::Encoding));
        for text in [
            "<?xml version='1.0' encoding='UTF-16'?><a/>",
            "<?xml version='1.0' encoding='UTF-7'?><a/>",
            "<?xml version='1.0' encoding='US-ASCII'?><é/>",
            "<?xml version='1.0' encoding='windows-1251'?><a/>",
            "\u{FEFF}<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        ] {
            assert_eq!(decode(text.as_bytes()), Err(XmlError::Encoding), "{text}");
        }
        assert_eq!(decode(b"<a>\xFF</a>"), Err(XmlError::Encoding));
    }

    /// Found by fuzzing: the second text was read as ISO 8859-1.
    #[test]
    fn a_processing_instruction_is_no_declaration() {
        for text in ["<?xml-stylesheet href='a' encoding='UTF-8'?><é/>", "<?xmlr encoding='iso-8859-1'?><é/>"] {
            assert_eq!(decode(text.as_bytes()), Ok(Decoded { text: Cow::Borrowed(text), declared: None }));
        }
    }

    #[test]
    fn controls_and_noncharacters_are_found_wherever_they_stand() {
        for bad in ["\u{0}", "\u{1}", "\u{B}", "\u{1F}", "\u{FFFE}", "\u{FFFF}"] {
            for before in [0, 1, 4095, 4096, 9000] {
                let text = format!("{}{bad} tail", "x".repeat(before));
                assert_eq!(
                    decode(text.as_bytes()),
                    Err(XmlError::Malformed { offset: before, rule: "a character that XML does not have" })
                );
            }
        }
        assert!(decode("\t\n\r \u{7F}\u{85}\u{FFFD}\u{FEFF}\u{10FFFF}".as_bytes()).is_ok());
    }
}
