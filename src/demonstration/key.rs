//! Key pairs of every kind that this software signs with.

use crate::asn1::{Oid, encode, oid};
use crate::crypto::{PrivateKey, PrivateKeyError};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
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
    /// GOST 34.10-2015, 512 bits, under its Kazakh identifiers.
    Gost2015With512,
    /// GOST 34.10-2015, 256 bits, under its Kazakh identifiers.
    Gost2015With256,
    /// GOST 34.310-2004.
    Gost2004,
}

impl KeyKind {
    /// The kinds of the national standard in force, which software from abroad does not know. GOST 34.310-2004 is
    /// verified and seals nothing new.
    pub const NATIONAL: [KeyKind; 2] = [KeyKind::Gost2015With512, KeyKind::Gost2015With256];

    /// Every kind that software from abroad knows too.
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
            KeyKind::Gost2015With512 => {
                return gost(64, |scalar| national_pkcs8(&GOST_2015_512, &encode::octet_string(scalar)));
            }
            KeyKind::Gost2015With256 => {
                return gost(32, |scalar| national_pkcs8(&GOST_2015_256, &encode::octet_string(scalar)));
            }
            KeyKind::Gost2004 => return gost(32, |scalar| national_pkcs8(&GOST_2004, &encode::unsigned(scalar))),
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

/// Key, parameter set and digest of a national key (crypto::gost::encoding).
type NationalIdentifiers = [Oid<'static>; 3];

const GOST_2015_512: NationalIdentifiers =
    [oid!(1, 2, 398, 3, 10, 1, 1, 2, 2), oid!(1, 2, 398, 3, 10, 1, 1, 2, 2, 1), oid!(1, 2, 398, 3, 10, 1, 3, 3)];
const GOST_2015_256: NationalIdentifiers =
    [oid!(1, 2, 398, 3, 10, 1, 1, 2, 1), oid!(1, 2, 398, 3, 10, 1, 1, 2, 1, 1), oid!(1, 2, 398, 3, 10, 1, 3, 2)];
const GOST_2004: NationalIdentifiers =
    [oid!(1, 2, 398, 3, 10, 1, 1, 1, 1), oid!(1, 2, 398, 3, 10, 1, 1, 1, 1, 1), oid!(1, 2, 398, 3, 10, 1, 3, 1, 1, 0)];

/// A key of a random scalar, as `pkcs8` writes it; scalars above the order are drawn again.
fn gost(len: usize, pkcs8: impl Fn(&[u8]) -> Vec<u8>) -> Result<Key, PrivateKeyError> {
    const TRIES: usize = 256;
    let mut scalar = Zeroizing::new(vec![0; len]);
    for _ in 0..TRIES {
        SystemRandom::new().fill(&mut scalar).map_err(|_| PrivateKeyError::Failed)?;
        match Key::from_pkcs8(pkcs8(&scalar)) {
            Err(PrivateKeyError::Rejected) => {}
            made => return made,
        }
    }
    Err(PrivateKeyError::Failed)
}

/// `PrivateKeyInfo` in DER.
fn national_pkcs8([key, set, digest]: &NationalIdentifiers, scalar: &[u8]) -> Vec<u8> {
    let parameters = encode::sequence(&[&encode::oid(*set), &encode::oid(*digest)]);
    let algorithm = encode::sequence(&[&encode::oid(*key), &parameters]);
    encode::sequence(&[&encode::small_unsigned(0), &algorithm, &encode::octet_string(scalar)])
}
