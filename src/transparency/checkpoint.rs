//! Checkpoints (C2SP `tlog-checkpoint`): how many entries a log has, and their root.
//!
//! ```text
//! <origin>
//! <size>
//! base64(<root>)
//! ```

use super::merkle::Hash;
use super::note::{self, NoteError, VerifierKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Size and root of a log at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// Their root.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// A checkpoint out of a note that the log's key signed. Extension lines are passed over.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open(signed: &str, key: &VerifierKey) -> Result<Checkpoint, NoteError> {
        let mut lines = note::open(signed, key)?.lines();
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Malformed);
        let (origin, size, root) = (line()?, line()?, line()?);
        if origin != key.name() {
            return Err(NoteError::Unsigned);
        }
        let parsed: u64 = size.parse().map_err(|_| NoteError::Malformed)?;
        let root = STANDARD.decode(root).ok().and_then(|octets| octets.try_into().ok()).ok_or(NoteError::Malformed)?;
        // No sign, no leading zero.
        if parsed.to_string() != size {
            return Err(NoteError::Malformed);
        }
        Ok(Checkpoint { origin: origin.to_owned(), size: parsed, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{PrivateKey, SignatureAlgorithm};
    use signed_note::{Note, StandardVerifier, VerifierList};

    /// PKCS #8 of an Ed25519 key whose seed is 32 times the same octet.
    fn key(seed: u8) -> PrivateKey {
        let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        PrivateKey::from_pkcs8(&[&prefix[..], &[seed; 32]].concat()).unwrap()
    }

    fn signed(text: &str, key: &PrivateKey, verifier: &VerifierKey) -> String {
        let signature = key.sign(&SignatureAlgorithm::Ed25519, text.as_bytes()).unwrap();
        note::assemble(text, verifier, &signature).unwrap()
    }

    #[test]
    fn another_implementation_reads_the_key_and_the_note() {
        let key = key(7);
        let verifier = VerifierKey::from_spki("log.example/tamga", key.spki()).unwrap();
        let checkpoint = Checkpoint { origin: "log.example/tamga".into(), size: 70_000, root: [9; 32] };
        let signed = signed(&checkpoint.text(), &key, &verifier);

        let theirs = StandardVerifier::new(&verifier.to_string()).unwrap();
        let note = Note::from_bytes(signed.as_bytes()).unwrap();
        let (verified, _) = note.verify(&VerifierList::new(vec![Box::new(theirs)])).unwrap();
        assert_eq!(verified.len(), 1);
        let text = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        assert_eq!((text.origin(), text.size(), text.hash().0), ("log.example/tamga", 70_000, [9; 32]));

        assert_eq!(Checkpoint::open(&signed, &verifier), Ok(checkpoint));
        assert_eq!(verifier.to_string().parse(), Ok(verifier));
    }

    #[test]
    fn what_the_key_did_not_sign_is_not_read() {
        let (own, other) = (key(7), key(8));
        let verifier = VerifierKey::from_spki("log.example", own.spki()).unwrap();
        let foreign = VerifierKey::from_spki("log.example", other.spki()).unwrap();
        let text = Checkpoint { origin: "log.example".into(), size: 3, root: [1; 32] }.text();
        let note = signed(&text, &own, &verifier);
        assert_eq!(Checkpoint::open(&note, &foreign), Err(NoteError::Unsigned));
        assert_eq!(Checkpoint::open(&note.replace("\n3\n", "\n4\n"), &verifier), Err(NoteError::Invalid));
        // The other log's line under our key's id.
        let forged = note::assemble(&text, &verifier, &[0; 64]).unwrap();
        assert_eq!(Checkpoint::open(&forged, &verifier), Err(NoteError::Invalid));
        for text in
            ["log.example\n03\nAQ==\n", "log.example\n+3\nAQ==\n", "log.example\n3\n", "else.example\n3\nAQ==\n"]
        {
            assert!(Checkpoint::open(&signed(text, &own, &verifier), &verifier).is_err(), "{text:?}");
        }
        for note in [
            "",
            "\n\n",
            "a\n",
            "a\n\n",
            "a\n\n— log.example\n",
            "a\n\n— log.example !\n",
            "a\n\n- log.example AAAAAAAA\n",
        ] {
            assert!(note::open(note, &verifier).is_err(), "{note:?}");
        }
    }

    #[test]
    fn a_verifier_key_has_one_form() {
        let verifier = VerifierKey::from_spki("log.example", key(7).spki()).unwrap();
        let text = verifier.to_string();
        let (head, tail) = text.split_at(text.find('+').unwrap() + 1);
        let other_id = format!("{head}00000000{}", &tail[8..]);
        for wrong in [other_id.as_str(), "", "a+b", "log example+00000000+AAAA", &text.replace('+', "-")] {
            assert_eq!(wrong.parse::<VerifierKey>(), Err(NoteError::Key), "{wrong}");
        }
        assert!(VerifierKey::from_spki("a b", key(7).spki()).is_err());
        assert!(VerifierKey::from_spki("a", &[0; 44]).is_err());
    }
}
