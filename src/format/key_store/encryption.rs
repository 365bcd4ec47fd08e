//! Password-based encryption of key stores: RFC 8018 (PBES2) and RFC 7292 appendices B and C.
//!
//! *Invariant:* decrypted octets and keys live in buffers that are wiped; the number of iterations is bounded before
//! any is done.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, InnerIvInit, KeyInit};
use zeroize::Zeroizing;

use super::KeyStoreError;
use crate::asn1::{Error, Oid, Tag, oid};
use crate::crypto::{AlgorithmIdentifier, DigestAlgorithm};

/// Octets of a secret, wiped when dropped.
pub(super) type Secret = Zeroizing<Vec<u8>>;

/// Most iterations of a key derivation: some seconds of work, ten times what OWASP asked for in 2023 (1,300,000 for
/// PBKDF2 with SHA-1).
const MAX_ITERATIONS: u32 = 13_000_000;

const PBES2: Oid<'static> = oid!(1, 2, 840, 113549, 1, 5, 13);
const PBKDF2: Oid<'static> = oid!(1, 2, 840, 113549, 1, 5, 12);

/// Symmetric ciphers, all in CBC mode with the padding of RFC 5652 §6.3.
#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    TwoKeyTripleDes,
    Rc2 { key_len: usize },
}

/// RFC 8018 §B.2 and RFC 3565 §4.1.
const CIPHERS: [(Oid<'static>, Cipher); 4] = [
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 2), Cipher::Aes128),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 22), Cipher::Aes192),
    (oid!(2, 16, 840, 1, 101, 3, 4, 1, 42), Cipher::Aes256),
    (oid!(1, 2, 840, 113549, 3, 7), Cipher::TripleDes),
];

/// RFC 7292 §C: keys and vectors out of SHA-1.
const PKCS12_SCHEMES: [(Oid<'static>, Cipher); 4] = [
    (oid!(1, 2, 840, 113549, 1, 12, 1, 3), Cipher::TripleDes),
    (oid!(1, 2, 840, 113549, 1, 12, 1, 4), Cipher::TwoKeyTripleDes),
    (oid!(1, 2, 840, 113549, 1, 12, 1, 5), Cipher::Rc2 { key_len: 16 }),
    (oid!(1, 2, 840, 113549, 1, 12, 1, 6), Cipher::Rc2 { key_len: 5 }),
];

/// RFC 8018 §B.1.2; SHA-1 is the default.
const PSEUDO_RANDOM_FUNCTIONS: [(Oid<'static>, pbkdf2::Algorithm); 4] = [
    (oid!(1, 2, 840, 113549, 2, 7), pbkdf2::PBKDF2_HMAC_SHA1),
    (oid!(1, 2, 840, 113549, 2, 9), pbkdf2::PBKDF2_HMAC_SHA256),
    (oid!(1, 2, 840, 113549, 2, 10), pbkdf2::PBKDF2_HMAC_SHA384),
    (oid!(1, 2, 840, 113549, 2, 11), pbkdf2::PBKDF2_HMAC_SHA512),
];

impl Cipher {
    const fn key_len(self) -> usize {
        match self {
            Cipher::Aes128 | Cipher::TwoKeyTripleDes => 16,
            Cipher::Aes192 | Cipher::TripleDes => 24,
            Cipher::Aes256 => 32,
            Cipher::Rc2 { key_len } => key_len,
        }
    }

    const fn block_len(self) -> usize {
        match self {
            Cipher::Aes128 | Cipher::Aes192 | Cipher::Aes256 => 16,
            Cipher::TripleDes | Cipher::TwoKeyTripleDes | Cipher::Rc2 { .. } => 8,
        }
    }

    fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Secret, KeyStoreError> {
        match self {
            Cipher::Aes128 => decrypt(aes::Aes128::new_from_slice(key).ok(), iv, data),
            Cipher::Aes192 => decrypt(aes::Aes192::new_from_slice(key).ok(), iv, data),
            Cipher::Aes256 => decrypt(aes::Aes256::new_from_slice(key).ok(), iv, data),
            Cipher::TripleDes => decrypt(des::TdesEde3::new_from_slice(key).ok(), iv, data),
            Cipher::TwoKeyTripleDes => decrypt(des::TdesEde2::new_from_slice(key).ok(), iv, data),
            Cipher::Rc2 { .. } => decrypt(rc2::Rc2::new_from_slice(key).ok(), iv, data),
        }
    }
}

fn decrypt<C: BlockCipherDecrypt>(cipher: Option<C>, iv: &[u8], data: &[u8]) -> Result<Secret, KeyStoreError> {
    let cipher = cipher.ok_or(KeyStoreError::Malformed)?;
    let mode = Decryptor::<C>::inner_iv_slice_init(cipher, iv).map_err(|_| KeyStoreError::Malformed)?;
    let mut buffer = Zeroizing::new(data.to_vec());
    // Wrong padding is what a wrong password looks like.
    let len = mode.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| KeyStoreError::WrongPassword)?.len();
    buffer.truncate(len);
    Ok(buffer)
}

/// A password in the two forms in which schemes take it.
pub(super) struct Password {
    /// As it is (RFC 8018 §3).
    text: Secret,
    /// `BMPString` with its end, big-endian (RFC 7292 §B.1).
    bmp: Secret,
}

impl Password {
    pub(super) fn new(text: &str) -> Password {
        let units = text.encode_utf16().chain([0]);
        Password {
            text: Zeroizing::new(text.as_bytes().to_vec()),
            bmp: Zeroizing::new(units.flat_map(u16::to_be_bytes).collect()),
        }
    }

    /// The key of a PKCS #12 MAC (RFC 7292 §B.4).
    pub(super) fn mac_key(
        &self,
        digest: DigestAlgorithm,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Secret, KeyStoreError> {
        self.derive(digest, Purpose::Mac, salt, bounded(iterations)?, digest.output_len())
    }

    /// RFC 7292 §B.2.
    fn derive(
        &self,
        digest: DigestAlgorithm,
        purpose: Purpose,
        salt: &[u8],
        iterations: NonZeroU32,
        len: usize,
    ) -> Result<Secret, KeyStoreError> {
        // v: the block of the hash in bytes.
        let block_len = match digest {
            DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => 128,
            _ => 64,
        };
        let stretched = |octets: &[u8]| -> Vec<u8> {
            octets.iter().copied().cycle().take(octets.len().next_multiple_of(block_len)).collect()
        };
        let mut input = Zeroizing::new(stretched(salt));
        input.extend(Zeroizing::new(stretched(&self.bmp)).iter());
        let mut output = Zeroizing::new(Vec::with_capacity(len + digest.output_len()));
        loop {
            let mut hasher = digest.hasher();
            hasher.update(&vec![purpose as u8; block_len]);
            hasher.update(&input);
            let mut block = hasher.finish();
            for _ in 1..iterations.get() {
                block = digest.digest(block.as_bytes());
            }
            output.extend_from_slice(block.as_bytes());
            if output.len() >= len {
                output.truncate(len);
                return Ok(output);
            }
            // Every block of the input: plus the stretched output, plus one.
            for part in input.chunks_exact_mut(block_len) {
                let mut carry = 1u16;
                let addend: Vec<u8> = block.as_bytes().iter().copied().cycle().take(block_len).collect();
                for (octet, add) in part.iter_mut().zip(addend).rev() {
                    let [high, low] = (u16::from(*octet) + u16::from(add) + carry).to_be_bytes();
                    (*octet, carry) = (low, u16::from(high));
                }
            }
        }
    }

    /// Decrypts under the scheme that an algorithm identifier names.
    pub(super) fn decrypt(&self, scheme: &AlgorithmIdentifier<'_>, data: &[u8]) -> Result<Secret, KeyStoreError> {
        let parameters = scheme.parameters.ok_or(KeyStoreError::Malformed)?;
        let mut reader = parameters.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
        if let Some((_, cipher)) = PKCS12_SCHEMES.iter().find(|row| row.0 == scheme.algorithm) {
            // pkcs-12PbeParams ::= SEQUENCE { salt OCTET STRING, iterations INTEGER }
            let salt = reader.octet_string().map_err(malformed)?;
            let iterations = bounded(reader.element().and_then(|e| e.small_unsigned()).map_err(malformed)?)?;
            reader.finish().map_err(malformed)?;
            let sha1 = DigestAlgorithm::Sha1;
            let key = self.derive(sha1, Purpose::Key, salt, iterations, cipher.key_len())?;
            let iv = self.derive(sha1, Purpose::Vector, salt, iterations, cipher.block_len())?;
            return cipher.decrypt(&key, &iv, data);
        }
        if scheme.algorithm != PBES2 {
            return Err(KeyStoreError::Unsupported(format!("encryption {}", scheme.algorithm)));
        }
        // PBES2-params ::= SEQUENCE { keyDerivationFunc AlgorithmIdentifier, encryptionScheme AlgorithmIdentifier }
        let derivation = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
        let encryption = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
        reader.finish().map_err(malformed)?;
        let (_, cipher) = CIPHERS
            .iter()
            .find(|row| row.0 == encryption.algorithm)
            .ok_or_else(|| KeyStoreError::Unsupported(format!("cipher {}", encryption.algorithm)))?;
        let iv = encryption.parameters.and_then(|e| e.octet_string().ok()).ok_or(KeyStoreError::Malformed)?;
        let key = self.pbkdf2(&derivation, cipher.key_len())?;
        cipher.decrypt(&key, iv, data)
    }

    /// ```text
    /// PBKDF2-params ::= SEQUENCE {
    ///     salt CHOICE { specified OCTET STRING, otherSource AlgorithmIdentifier },
    ///     iterationCount INTEGER, keyLength INTEGER OPTIONAL,
    ///     prf AlgorithmIdentifier DEFAULT algid-hmacWithSHA1 }
    /// ```
    fn pbkdf2(&self, derivation: &AlgorithmIdentifier<'_>, len: usize) -> Result<Secret, KeyStoreError> {
        if derivation.algorithm != PBKDF2 {
            return Err(KeyStoreError::Unsupported(format!("key derivation {}", derivation.algorithm)));
        }
        let parameters = derivation.parameters.ok_or(KeyStoreError::Malformed)?;
        let mut reader = parameters.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
        let salt = reader.octet_string().map_err(malformed)?;
        let iterations = bounded(reader.element().and_then(|e| e.small_unsigned()).map_err(malformed)?)?;
        if let Some(declared) = reader.optional(Tag::INTEGER).map_err(malformed)?
            && declared.small_unsigned().ok().and_then(|n| usize::try_from(n).ok()) != Some(len)
        {
            return Err(KeyStoreError::Malformed);
        }
        let function = if reader.is_empty() {
            pbkdf2::PBKDF2_HMAC_SHA1
        } else {
            let named = AlgorithmIdentifier::parse(&mut reader).map_err(malformed)?;
            if !named.has_no_parameters() {
                return Err(KeyStoreError::Malformed);
            }
            let row = PSEUDO_RANDOM_FUNCTIONS.into_iter().find(|row| row.0 == named.algorithm);
            row.ok_or_else(|| KeyStoreError::Unsupported(format!("pseudo-random function {}", named.algorithm)))?.1
        };
        reader.finish().map_err(malformed)?;
        let mut key = Zeroizing::new(vec![0; len]);
        pbkdf2::derive(function, iterations, salt, &self.text, &mut key);
        Ok(key)
    }
}

/// What octets are derived for (RFC 7292 §B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Vector = 2,
    Mac = 3,
}

fn bounded(iterations: u32) -> Result<NonZeroU32, KeyStoreError> {
    match NonZeroU32::new(iterations) {
        Some(iterations) if iterations.get() <= MAX_ITERATIONS => Ok(iterations),
        Some(_) => Err(KeyStoreError::Unsupported(format!("more than {MAX_ITERATIONS} iterations"))),
        None => Err(KeyStoreError::Malformed),
    }
}

fn malformed(_: Error) -> KeyStoreError {
    KeyStoreError::Malformed
}
