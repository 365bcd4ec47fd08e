//! Signing on the applicant's side, for trials: the portal's applicants sign with their own software.
//!
//! *Invariant:* the key signs attributes, never the document itself; what comes out verifies under the certificate.

use crate::crypto::{PrivateKey, PrivateKeyError};
use crate::format::xmldsig::enveloped::{Order, PrepareError, PreparedXml, Profile};
use crate::pki::Certificate;
use crate::pki::extension::KeyUsage;
use crate::report::Time;
use crate::stamp::{CadesOrder, Encapsulation, PreparedSignature, SealError};

/// A document to be signed, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct SigningOrder<'a> {
    /// The document.
    pub content: &'a [u8],
    /// Whether it travels in the signature.
    pub encapsulation: Encapsulation,
    /// The signer's certificate.
    pub certificate: &'a Certificate,
    /// Certificates above it, DER; they travel along.
    pub chain: &'a [Vec<u8>],
    /// The signing time to claim.
    pub at: Time,
}

/// What a verifier will hold against the signature. It is made all the same: trials need bad signatures too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningWarning {
    /// The certificate has expired.
    #[error("the certificate expired on {not_after}")]
    Expired {
        /// End of its validity.
        not_after: Time,
    },
    /// The certificate is not valid yet.
    #[error("the certificate is valid only from {not_before}")]
    NotYetValid {
        /// Beginning of its validity.
        not_before: Time,
    },
    /// The certificate's keyUsage has no nonRepudiation.
    #[error("the certificate's key is not for signing documents")]
    KeyUsage,
}

/// A signed document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDocument {
    /// CMS `ContentInfo` in DER: CAdES-B, attached or detached. Or the XML document with its signature in it.
    pub document: Vec<u8>,
    /// What a verifier will hold against it.
    pub warnings: Vec<SigningWarning>,
}

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The certificate is not the key's, or cannot be used.
    #[error(transparent)]
    Certificate(#[from] SealError),
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
    /// The document is not XML that may be signed.
    #[error(transparent)]
    Xml(#[from] PrepareError),
    /// An enveloped signature is part of its document.
    #[error("an enveloped XML signature cannot be detached")]
    Enveloped,
}

/// Signs a document with the key's own algorithm: CAdES-B, attached or detached.
///
/// # Errors
/// [`SigningError`].
pub fn sign_cms(order: &SigningOrder<'_>, key: &PrivateKey) -> Result<SignedDocument, SigningError> {
    let algorithm = key.default_algorithm();
    let prepared = PreparedSignature::new(&CadesOrder {
        content_type: crate::format::cms::ID_DATA,
        content: order.content,
        encapsulation: order.encapsulation,
        certificate: order.certificate,
        chain: order.chain,
        algorithm,
        at: order.at,
        content_description: None,
    })?;
    let signature = key.sign(&algorithm, prepared.to_be_signed())?;
    Ok(SignedDocument { document: prepared.assemble(&signature)?, warnings: warnings(order) })
}

/// Signs an XML document with the key's own algorithm: enveloped XAdES-B in the layout of NCALayer.
///
/// # Errors
/// [`SigningError`].
pub fn sign_xml(order: &SigningOrder<'_>, key: &PrivateKey) -> Result<SignedDocument, SigningError> {
    if order.encapsulation == Encapsulation::Detached {
        return Err(SigningError::Enveloped);
    }
    let algorithm = key.default_algorithm();
    let prepared = PreparedXml::new(&Order {
        document: order.content,
        certificate: order.certificate,
        chain: order.chain,
        algorithm,
        signing_time: order.at,
        profile: Profile::BaselineB,
    })?;
    let signature = key.sign(&algorithm, prepared.to_be_signed())?;
    Ok(SignedDocument { document: prepared.assemble(&signature)?, warnings: warnings(order) })
}

fn warnings(order: &SigningOrder<'_>) -> Vec<SigningWarning> {
    let certificate = order.certificate;
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    let signs = certificate.key_usage().is_none_or(|usage| usage.contains(KeyUsage::NON_REPUDIATION));
    [
        (order.at > not_after).then_some(SigningWarning::Expired { not_after }),
        (order.at < not_before).then_some(SigningWarning::NotYetValid { not_before }),
        (!signs).then_some(SigningWarning::KeyUsage),
    ]
    .into_iter()
    .flatten()
    .collect()
}
