//! A signing key in the memory of the process, out of a key file.
//!
//! *Invariant:* key octets never leave; what signs is the key of the certificate that is shown.

use crate::{
    crypto::{PrivateKey, PrivateKeyError, PublicKey, SignatureAlgorithm},
    format::key_store::{KeyStore, KeyStoreError},
    pki::Certificate,
    port::{KeySigner, SignerError},
};

/// Why there is no signer.
#[derive(Debug, thiserror::Error)]
pub enum SoftKeyError {
    /// The key file does not open.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    /// Neither the key file nor the configuration has the certificate of the key.
    #[error("the certificate of the key is missing")]
    NoCertificate,
    /// The certificate is of another key.
    #[error("the certificate belongs to another key")]
    OtherCertificate,
}

/// A key and its certificate.
#[derive(Debug)]
pub struct SoftKey {
    key: PrivateKey,
    algorithm: SignatureAlgorithm,
    certificate: Certificate,
    chain: Vec<Vec<u8>>,
}

impl SoftKey {
    /// A key with its certificate and those above it.
    ///
    /// # Errors
    /// [`SoftKeyError::OtherCertificate`].
    pub fn new(key: PrivateKey, certificate: Certificate, chain: Vec<Vec<u8>>) -> Result<SoftKey, SoftKeyError> {
        let public = PublicKey::from_spki(certificate.spki()).map_err(|_| SoftKeyError::OtherCertificate)?;
        if !key.matches(&public) {
            return Err(SoftKeyError::OtherCertificate);
        }
        Ok(SoftKey { algorithm: key.default_algorithm(), key, certificate, chain })
    }

    /// The key of a key file. `beside` are certificates that lie outside it: the key's own, and those above it.
    ///
    /// # Errors
    /// [`SoftKeyError`].
    pub fn open(file: &[u8], password: Option<&str>, beside: Vec<Certificate>) -> Result<SoftKey, SoftKeyError> {
        let (key, own, mut others) = KeyStore::open(file, password)?.into_parts();
        others.extend(beside);
        let certificate = match own {
            Some(certificate) => certificate,
            None => {
                let matching = |certificate: &Certificate| {
                    PublicKey::from_spki(certificate.spki()).is_ok_and(|public| key.matches(&public))
                };
                let position = others.iter().position(matching).ok_or(SoftKeyError::NoCertificate)?;
                others.swap_remove(position)
            }
        };
        let chain = chain_above(&certificate, &others);
        SoftKey::new(key, certificate, chain)
    }
}

/// Certificates above one, each the issuer of the one before by name; whether they are is judged in verification.
fn chain_above(certificate: &Certificate, others: &[Certificate]) -> Vec<Vec<u8>> {
    let mut chain: Vec<&Certificate> = Vec::new();
    let mut current = certificate;
    while let Some(issuer) = others.iter().find(|other| other.subject() == current.issuer()) {
        // A root names itself: the anchor need not travel, and a ring ends here.
        if issuer.subject() == issuer.issuer() || chain.len() == others.len() {
            break;
        }
        chain.push(issuer);
        current = issuer;
    }
    chain.into_iter().map(|certificate| certificate.raw().to_vec()).collect()
}

impl KeySigner for SoftKey {
    fn certificate(&self) -> &[u8] {
        self.certificate.raw()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn sign(&self, to_be_signed: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.key.sign(&self.algorithm, to_be_signed).map_err(|error| match error {
            PrivateKeyError::Failed => SignerError::Transient { cause: error.to_string() },
            PrivateKeyError::Rejected | PrivateKeyError::KeyMismatch => {
                SignerError::Permanent { cause: error.to_string() }
            }
        })
    }
}
