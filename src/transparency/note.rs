//! Signed notes (C2SP `signed-note`): text, an empty line, signature lines.
//!
//! ```text
//! <text, ending in a newline>
//!
//! — <key name> base64(<key id, 4 octets> <signature>)
//! ```
//! Ed25519 alone (signature type 0x01). The key id is the beginning of `SHA-256(name || 0x0A || 0x01 || public key)`.

use super::merkle::sha256;
use crate::crypto::{PublicKey, SignatureAlgorithm};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;
use std::str::FromStr;

/// Signature type of Ed25519.
const ED25519: u8 = 1;
/// The most signature lines that are looked at: a log's own and some witnesses'.
const MAX_SIGNATURES: usize = 100;
/// The longest note that is read: a checkpoint has some 200 octets.
pub const MAX_NOTE_OCTETS: usize = 64 << 10;
/// `SubjectPublicKeyInfo` of an Ed25519 key up to the key itself (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why a note, or a key, is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a note.
    #[error("not a signed note")]
    Malformed,
    /// Not a verifier key.
    #[error("not a verifier key of the form name+id+key")]
    Key,
    /// No signature line is of the key.
    #[error("the note is not signed by the key")]
    Unsigned,
    /// A signature line of the key does not verify.
    #[error("the note's signature does not verify")]
    Invalid,
}

/// The public half of a note's key with its name: `name+01234567+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: [u8; 32],
}

impl VerifierKey {
    /// A key from its `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// [`NoteError::Key`]: not Ed25519, or a name that a note cannot carry.
    pub fn from_spki(name: &str, spki: &[u8]) -> Result<VerifierKey, NoteError> {
        let key = spki.strip_prefix(&SPKI_PREFIX[..]).and_then(|key| key.try_into().ok()).ok_or(NoteError::Key)?;
        VerifierKey::new(name, key)
    }

    fn new(name: &str, key: [u8; 32]) -> Result<VerifierKey, NoteError> {
        let proper = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
        if proper { Ok(VerifierKey { name: name.to_owned(), key }) } else { Err(NoteError::Key) }
    }

    /// The name, which is the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256(&[self.name.as_bytes(), b"\n", &[ED25519], &self.key]);
        [a, b, c, d]
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let spki = [&SPKI_PREFIX[..], &self.key].concat();
        PublicKey::from_spki(&spki).is_ok_and(|key| key.verify(&SignatureAlgorithm::Ed25519, text, signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = [&[ED25519][..], &self.key].concat();
        write!(f, "{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(octets))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<VerifierKey, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(_), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let octets = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let key = octets.strip_prefix(&[ED25519]).and_then(|key| key.try_into().ok()).ok_or(NoteError::Key)?;
        let parsed = VerifierKey::new(name, key)?;
        // The id is checked by writing the key again.
        if parsed.to_string() == text.trim() { Ok(parsed) } else { Err(NoteError::Key) }
    }
}

/// A note of a text and the signature over it.
///
/// # Errors
/// [`NoteError::Malformed`] where the text cannot stand in a note.
pub fn assemble(text: &str, key: &VerifierKey, signature: &[u8]) -> Result<String, NoteError> {
    check_text(text)?;
    let line = STANDARD.encode([&key.id()[..], signature].concat());
    Ok(format!("{text}\n— {} {line}\n", key.name))
}

/// The text of a note that the key signed. Lines of other keys are passed over.
///
/// # Errors
/// [`NoteError`].
pub fn open<'a>(note: &'a str, key: &VerifierKey) -> Result<&'a str, NoteError> {
    if note.len() > MAX_NOTE_OCTETS || !note.ends_with('\n') {
        return Err(NoteError::Malformed);
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, lines) = note.split_at_checked(end.saturating_add(1)).ok_or(NoteError::Malformed)?;
    check_text(text)?;
    let mut signed = false;
    let lines = lines.strip_prefix('\n').unwrap_or_default();
    for (count, line) in lines.lines().enumerate() {
        let rest = line.strip_prefix("— ").filter(|_| count < MAX_SIGNATURES).ok_or(NoteError::Malformed)?;
        let (name, signature) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
        let octets = STANDARD.decode(signature).map_err(|_| NoteError::Malformed)?;
        let (id, signature) = octets.split_first_chunk::<4>().ok_or(NoteError::Malformed)?;
        if name == key.name && *id == key.id() {
            if !key.verify(text.as_bytes(), signature) {
                return Err(NoteError::Invalid);
            }
            signed = true;
        }
    }
    if signed { Ok(text) } else { Err(NoteError::Unsigned) }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let control = |c: char| c.is_control() && c != '\n';
    if text.ends_with('\n') && !text.contains(control) { Ok(()) } else { Err(NoteError::Malformed) }
}
