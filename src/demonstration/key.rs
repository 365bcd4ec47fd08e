//! Key pairs of every kind that this software signs with.

use crate::crypto::{PrivateKey, PrivateKeyError};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair,
};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Kind and size of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits.
    Rsa4096,
    /// ECDSA on secp256r1.
    P256,
    /// ECDSA on secp384r1.
    P384,
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [KeyKind; 6] =
        [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096, KeyKind::P256, KeyKind::P384, KeyKind::Ed25519];
}

/// A key pair that can be written to a file as well as used.
pub struct Key {
    pkcs8: Zeroizing<Vec<u8>>,
    private: PrivateKey,
}

impl Key {
    /// A new key pair.
    ///
    /// # Errors
    /// [`PrivateKeyError::Failed`] when the cryptographic module cannot make one.
    pub fn generate(kind: KeyKind) -> Result<Key, PrivateKeyError> {
        let failed = |_| PrivateKeyError::Failed;
        let random = SystemRandom::new();
        let pkcs8 = match kind {
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => {
                let size = match kind {
                    KeyKind::Rsa3072 => KeySize::Rsa3072,
                    KeyKind::Rsa4096 => KeySize::Rsa4096,
                    _ => KeySize::Rsa2048,
                };
                let pair = RsaKeyPair::generate(size).map_err(failed)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
            KeyKind::P256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            KeyKind::P384 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &random)
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            // The first version of the structure, without the public half: what openssl 3.0 can read.
            KeyKind::Ed25519 => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
        };
        Key::from_pkcs8(pkcs8)
    }

    /// A key pair from PKCS#8 `PrivateKeyInfo` in DER.
    ///
    /// # Errors
    /// [`PrivateKeyError::Rejected`].
    pub fn from_pkcs8(pkcs8: Vec<u8>) -> Result<Key, PrivateKeyError> {
        let private = PrivateKey::from_pkcs8(&pkcs8)?;
        Ok(Key { pkcs8: Zeroizing::new(pkcs8), private })
    }

    /// The key of this kind that the process made under this label, made at the first call: RSA keys are slow to make,
    /// and tests want many certificates over few keys.
    ///
    /// # Errors
    /// As [`Key::generate`].
    pub fn cached(kind: KeyKind, label: &str) -> Result<Arc<Key>, PrivateKeyError> {
        type Cache = Mutex<HashMap<(KeyKind, String), Arc<Key>>>;
        static CACHE: LazyLock<Cache> = LazyLock::new(Cache::default);
        let index = (kind, label.to_owned());
        if let Some(key) = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&index) {
            return Ok(Arc::clone(key));
        }
        let made = Arc::new(Key::generate(kind)?);
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        // Two threads may both have made one: everybody takes the first that was kept.
        Ok(Arc::clone(cache.entry(index).or_insert(made)))
    }

    /// The private half.
    pub fn private(&self) -> &PrivateKey {
        &self.private
    }

    /// PKCS#8 `PrivateKeyInfo` in DER, not encrypted.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// `SubjectPublicKeyInfo` in DER.
    pub fn spki(&self) -> &[u8] {
        self.private.spki()
    }
}
