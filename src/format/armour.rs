//! Text around DER: PEM (RFC 7468) and bare base64, as mail gateways and portals hand documents on.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Padding may be missing, as portals cut it; stray bits in the last character may not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text is neither PEM nor base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotArmour {
    /// A BEGIN line without its END line, or text outside them.
    #[error("PEM boundaries do not match")]
    Boundaries,
    /// Characters that base64 does not have, or a length it cannot have.
    #[error("not base64")]
    Base64,
}

/// The text without a byte order mark and white space in front.
pub fn without_bom_and_space(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start()
}

/// The octets inside: as they are when they begin like a SEQUENCE, out of one PEM block, or out of bare base64.
///
/// # Errors
/// [`NotArmour`].
pub fn dearmour(input: &[u8]) -> Result<Cow<'_, [u8]>, NotArmour> {
    // base64 of a SEQUENCE longer than 127 octets begins with "MI"; "0" never begins one.
    if input.first() == Some(&0x30) {
        return Ok(Cow::Borrowed(input));
    }
    let text = without_bom_and_space(input);
    if !text.starts_with(b"-----BEGIN ") {
        return base64_text(text).map(Cow::Owned);
    }
    match pem_blocks(text)?.as_slice() {
        [block] => Ok(Cow::Owned(block.clone())),
        _ => Err(NotArmour::Boundaries),
    }
}

/// Every PEM block of a text, decoded; text between blocks is passed over (RFC 7468 §2 allows explanatory text).
///
/// # Errors
/// [`NotArmour`].
pub fn pem_blocks(text: &[u8]) -> Result<Vec<Vec<u8>>, NotArmour> {
    Ok(labelled_pem_blocks(text)?.into_iter().map(|(_, block)| block).collect())
}

/// Every PEM block with its label.
///
/// # Errors
/// [`NotArmour`].
pub fn labelled_pem_blocks(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>, NotArmour> {
    let mut blocks = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for line in text.split(|&b| b == b'\n') {
        let line = line.trim_ascii();
        if let Some(label) = line.strip_prefix(b"-----BEGIN ").and_then(|l| l.strip_suffix(b"-----")) {
            if open.is_some() {
                return Err(NotArmour::Boundaries);
            }
            open = Some((label, Vec::new()));
        } else if let Some(label) = line.strip_prefix(b"-----END ").and_then(|l| l.strip_suffix(b"-----")) {
            match open.take() {
                Some((begun, body)) if begun == label => {
                    blocks.push((String::from_utf8_lossy(label).into_owned(), base64_text(&body)?));
                }
                _ => return Err(NotArmour::Boundaries),
            }
        } else if let Some((_, body)) = &mut open {
            body.extend_from_slice(line);
        }
    }
    if open.is_some() || blocks.is_empty() { Err(NotArmour::Boundaries) } else { Ok(blocks) }
}

/// Octets from base64 with white space anywhere.
///
/// # Errors
/// [`NotArmour::Base64`].
pub fn base64_text(text: &[u8]) -> Result<Vec<u8>, NotArmour> {
    let compact: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    if compact.is_empty() {
        return Err(NotArmour::Base64);
    }
    BASE64.decode(compact).map_err(|_| NotArmour::Base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn der_pem_and_base64_are_taken() {
        assert_eq!(&*dearmour(&[0x30, 0x03, 1, 1, 0]).unwrap(), &[0x30, 0x03, 1, 1, 0]);
        assert_eq!(&*dearmour(b" MAMB\r\nAQA=\n").unwrap(), &[0x30, 0x03, 1, 1, 0]);
        let pem = b"-----BEGIN CMS-----\nMAMB\nAQA=\n-----END CMS-----\n";
        assert_eq!(&*dearmour(pem).unwrap(), &[0x30, 0x03, 1, 1, 0]);
    }

    #[test]
    fn broken_armour_is_refused() {
        assert_eq!(dearmour(b"MAMB!AQA="), Err(NotArmour::Base64));
        assert_eq!(dearmour(b""), Err(NotArmour::Base64));
        assert_eq!(dearmour(b"-----BEGIN CMS-----\nMAMB\n"), Err(NotArmour::Boundaries));
        assert_eq!(dearmour(b"-----BEGIN CMS-----\nMAMBAQA=\n-----END PKCS7-----\n"), Err(NotArmour::Boundaries));
        let two = b"-----BEGIN CMS-----\nMAMBAQA=\n-----END CMS-----\n".repeat(2);
        assert_eq!(dearmour(&two), Err(NotArmour::Boundaries), "which one was meant?");
    }
}
