//! Who is calling: making tokens and telling a good one from any other.
//!
//! *Invariant:* only a digest of a token is kept, and digests are compared in constant time.

use crate::{
    port::token::{Role, TokenRecord, TokenStore, TokenStoreError},
    report::Time,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

/// What every token begins with, so that scanners for leaked secrets recognise one.
const PREFIX: &str = "tamga";
/// Bytes of the secret part: 256 bits, out of reach of guessing.
pub const SECRET_LEN: usize = 32;
/// Bytes of the public part.
pub const ID_LEN: usize = 6;
/// Longer texts are no tokens of ours.
const MAX_TOKEN_LEN: usize = 128;

/// Why a token does not open the door. The caller is told none of it; the log is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No token of that form, id or secret.
    #[error("the token is not known")]
    Unknown,
    /// Past its time.
    #[error("the token has expired")]
    Expired,
    /// Withdrawn by the operator.
    #[error("the token is revoked")]
    Revoked,
    /// We cannot say.
    #[error("{0}")]
    Store(String),
}

impl From<TokenStoreError> for AccessError {
    fn from(error: TokenStoreError) -> AccessError {
        AccessError::Store(error.to_string())
    }
}

/// Makes a token out of fresh random bytes: the text for its holder, once, and the record to keep.
pub fn issue(
    randomness: &[u8; ID_LEN + SECRET_LEN],
    holder: &str,
    role: Role,
    created: Time,
    expires: Time,
) -> (SecretString, TokenRecord) {
    let (id, secret) = randomness.split_at(ID_LEN);
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("{PREFIX}_{id}_{}", URL_SAFE_NO_PAD.encode(secret));
    let record =
        TokenRecord { digest: sha256(&token), id, holder: holder.to_owned(), role, created, expires, revoked: None };
    (SecretString::from(token), record)
}

/// Finds out who presents a token.
pub fn authenticate(store: &dyn TokenStore, token: &str, now: Time) -> Result<TokenRecord, AccessError> {
    let id = public_part(token).ok_or(AccessError::Unknown)?;
    let record = store.find(id)?.ok_or(AccessError::Unknown)?;
    if !bool::from(record.digest.ct_eq(&sha256(token))) {
        return Err(AccessError::Unknown);
    }
    if record.revoked.is_some() {
        return Err(AccessError::Revoked);
    }
    if now >= record.expires || now < record.created {
        return Err(AccessError::Expired);
    }
    Ok(record)
}

fn public_part(token: &str) -> Option<&str> {
    if token.len() > MAX_TOKEN_LEN {
        return None;
    }
    let (id, _) = token.strip_prefix(PREFIX)?.strip_prefix('_')?.split_once('_')?;
    (id.len() == 2 * ID_LEN && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

fn sha256(text: &str) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Memory(Mutex<Vec<TokenRecord>>);

    impl TokenStore for Memory {
        fn insert(&self, record: &TokenRecord) -> Result<(), TokenStoreError> {
            self.0.lock().expect("lock").push(record.clone());
            Ok(())
        }
        fn find(&self, id: &str) -> Result<Option<TokenRecord>, TokenStoreError> {
            Ok(self.0.lock().expect("lock").iter().find(|record| record.id == id).cloned())
        }
        fn list(&self) -> Result<Vec<TokenRecord>, TokenStoreError> {
            Ok(self.0.lock().expect("lock").clone())
        }
        fn revoke(&self, id: &str, at: Time) -> Result<bool, TokenStoreError> {
            let mut records = self.0.lock().expect("lock");
            Ok(records.iter_mut().find(|record| record.id == id).map(|record| record.revoked = Some(at)).is_some())
        }
    }

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn one_token() -> (Memory, String, TokenRecord) {
        let store = Memory::default();
        let (token, record) = issue(&[7; ID_LEN + SECRET_LEN], "portal", Role::Portal, NOW, NOW.plus_seconds(60));
        store.insert(&record).expect("kept");
        (store, token.expose_secret().to_owned(), record)
    }

    #[test]
    fn the_holder_is_known_until_expiry() {
        let (store, token, record) = one_token();
        assert_eq!(authenticate(&store, &token, NOW), Ok(record.clone()));
        assert_eq!(authenticate(&store, &token, NOW.plus_seconds(59)), Ok(record));
        assert_eq!(authenticate(&store, &token, NOW.plus_seconds(60)), Err(AccessError::Expired));
        assert_eq!(authenticate(&store, &token, NOW.plus_seconds(-1)), Err(AccessError::Expired));
    }

    #[test]
    fn a_revoked_token_is_worth_nothing() {
        let (store, token, record) = one_token();
        assert!(store.revoke(&record.id, NOW).expect("store"));
        assert_eq!(authenticate(&store, &token, NOW), Err(AccessError::Revoked));
    }

    #[test]
    fn only_the_exact_token_opens() {
        let (store, token, record) = one_token();
        assert!(!format!("{record:?}").contains(token.rsplit('_').next().expect("secret")));
        for position in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(authenticate(&store, &changed, NOW), Err(AccessError::Unknown), "{position}");
            assert_eq!(authenticate(&store, &token[..position], NOW), Err(AccessError::Unknown));
        }
        for other in
            [format!("{token}A"), token.to_uppercase(), format!(" {token}"), "tamga__".into(), "a".repeat(1 << 20)]
        {
            assert_eq!(authenticate(&store, &other, NOW), Err(AccessError::Unknown));
        }
    }
}
