//! Text around DER: PEM (RFC 7468) and bare base64, as mail gateways and portals hand documents on.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Padding may be missing, as portals cut it; stray bits in the last character may not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BEGIN: &[u8] = b"-----BEGIN ";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text is neither PEM nor base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotArmour {
    /// A BEGIN line without its END line.
    #[error("PEM boundaries do not match")]
    Boundaries,
    /// More than one PEM block where one was asked for: which one was meant?
    #[error("several PEM blocks where one is expected")]
    Several,
    /// Characters that base64 does not have, or a length it cannot have.
    #[error("not base64")]
    Base64,
}

/// The text without a byte order mark and white space in front.
pub fn without_bom_and_space(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start()
}

/// The label of the first PEM block, where a line opens one. Explanatory text may stand before it (RFC 7468 §2), as
/// `openssl x509 -text` and `openssl pkcs12` write it.
pub fn first_label(text: &[u8]) -> Option<&[u8]> {
    memchr::memmem::find_iter(text, BEGIN).find_map(|at| {
        let (before, rest) = (text.get(..at)?, text.get(at + BEGIN.len()..)?);
        let last = without_bom_and_space(before).iter().rev().find(|&&b| b != b' ' && b != b'\t');
        let starts_a_line = last.is_none_or(|&b| b == b'\n');
        let line = rest.split(|&b| b == b'\n').next()?.trim_ascii_end();
        line.strip_suffix(b"-----").filter(|_| starts_a_line)
    })
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
    if first_label(text).is_none() {
        return base64_text(text).map(Cow::Owned);
    }
    match pem_blocks(text)?.as_slice() {
        [block] => Ok(Cow::Owned(block.clone())),
        _ => Err(NotArmour::Several),
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
/// [`NotArmour`] for the first block that is broken, and for a text without one.
pub fn labelled_pem_blocks(text: &[u8]) -> Result<Vec<(String, Vec<u8>)>, NotArmour> {
    let blocks: Vec<_> = pem_sections(text);
    if blocks.is_empty() {
        return Err(NotArmour::Boundaries);
    }
    blocks.into_iter().map(|(label, block)| Ok((label, block?))).collect()
}

/// Every PEM block with its label, broken ones among them: one of a bundle does not spoil the others.
pub fn pem_sections(text: &[u8]) -> Vec<(String, Result<Vec<u8>, NotArmour>)> {
    let mut sections = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    let name = |label: &[u8]| String::from_utf8_lossy(label).into_owned();
    for line in without_bom_and_space(text).split(|&b| b == b'\n') {
        let line = line.trim_ascii();
        if let Some(label) = line.strip_prefix(BEGIN).and_then(|l| l.strip_suffix(b"-----")) {
            if let Some((begun, _)) = open.replace((label, Vec::new())) {
                sections.push((name(begun), Err(NotArmour::Boundaries)));
            }
        } else if let Some(label) = line.strip_prefix(b"-----END ").and_then(|l| l.strip_suffix(b"-----")) {
            let block = match open.take() {
                Some((begun, body)) if begun == label => base64_text(&body),
                _ => Err(NotArmour::Boundaries),
            };
            sections.push((name(label), block));
        } else if let Some((_, body)) = &mut open {
            body.extend_from_slice(line);
        }
    }
    sections.extend(open.map(|(begun, _)| (name(begun), Err(NotArmour::Boundaries))));
    sections
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
    fn text_before_a_block_is_passed_over() {
        let block = "-----BEGIN CMS-----\nMAMBAQA=\n-----END CMS-----\n";
        for before in ["Certificate:\n    Data: 1\n", "Bag Attributes\r\n  localKeyID: 01\r\n", "\u{feff}\n\n"] {
            assert_eq!(&*dearmour(format!("{before}{block}").as_bytes()).unwrap(), &[0x30, 0x03, 1, 1, 0], "{before}");
        }
        assert_eq!(dearmour(format!("text {block}").as_bytes()), Err(NotArmour::Base64), "not at the start of a line");
    }

    #[test]
    fn broken_armour_is_refused() {
        assert_eq!(dearmour(b"MAMB!AQA="), Err(NotArmour::Base64));
        assert_eq!(dearmour(b""), Err(NotArmour::Base64));
        assert_eq!(dearmour(b"-----BEGIN CMS-----\nMAMB\n"), Err(NotArmour::Boundaries));
        assert_eq!(dearmour(b"-----BEGIN CMS-----\nMAMBAQA=\n-----END PKCS7-----\n"), Err(NotArmour::Boundaries));
        let two = b"-----BEGIN CMS-----\nMAMBAQA=\n-----END CMS-----\n".repeat(2);
        assert_eq!(dearmour(&two), Err(NotArmour::Several));
    }
}
