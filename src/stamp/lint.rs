//! The lint before the seal: what the authority would be sorry to have signed is refused here.

use super::{SealError, Sealer};
use crate::crypto::{PublicKey, SignatureAlgorithm};
use crate::licensing::{Bilingual, Date, DocumentKind, EQUIVALENCE, Licence};
use crate::pki::Certificate;
use crate::pki::extension::{KeyUsage, purpose};
use crate::report::Time;

/// What is asked of the authority's certificate and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealProfile {
    /// Shortest RSA modulus, in bits. A licence is read for years: more than a signature of the day asks for.
    pub min_rsa_bits: usize,
}

impl Default for SealProfile {
    fn default() -> SealProfile {
        SealProfile { min_rsa_bits: crate::crypto::MIN_RSA_BITS }
    }
}

/// Why nothing is stamped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampRefused {
    /// Outside the certificate's validity.
    #[error("the authority's certificate is valid from {not_before} to {not_after}, not at {at}")]
    OutsideValidity {
        /// Beginning of validity.
        not_before: Time,
        /// End of validity.
        not_after: Time,
        /// When it was to be used.
        at: Time,
    },
    /// keyUsage does not let the key sign documents.
    #[error("the authority's certificate may not sign documents: keyUsage")]
    KeyUsage,
    /// The extended key usage is another, or one that must stay apart (attack 38).
    #[error("the authority's certificate may not sign documents: extendedKeyUsage")]
    ExtendedKeyUsage,
    /// The certificate is a certification authority's.
    #[error("the authority's certificate is a certification authority's")]
    CertificationAuthority,
    /// The key is shorter than the profile asks.
    #[error("the authority's key has {bits} bits, {min_bits} are asked for")]
    KeyTooShort {
        /// Its modulus in bits.
        bits: usize,
        /// The shortest allowed.
        min_bits: usize,
    },
    /// A certificate of the chain cannot be read, or is not the issuer of the one before.
    #[error("certificate {position} above the authority's does not belong there")]
    Chain {
        /// Position above the authority's certificate, from 1.
        position: usize,
    },
    /// The digest may not be signed any more.
    #[error("the algorithm is not strong enough for a seal")]
    WeakAlgorithm,
    /// Key and algorithm do not fit.
    #[error(transparent)]
    Key(#[from] SealError),
    /// A field of the licence contradicts another or the form.
    #[error("the licence cannot be sealed: {field}")]
    Field {
        /// JSON Pointer of the field.
        field: &'static str,
    },
    /// The content has no canonical form.
    #[error("the content cannot be sealed: {what}")]
    Content {
        /// What is wrong with it.
        what: String,
    },
}

impl SealProfile {
    /// Whether this certificate, chain and algorithm may seal at this moment. Path and revocation are judged by
    /// [`crate::verify`]; this is what can be told without them.
    pub(super) fn check_certificate(&self, sealer: &Sealer<'_>, at: Time) -> Result<(), StampRefused> {
        let certificate = sealer.certificate;
        if !certificate.is_valid_at(at) {
            let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
            return Err(StampRefused::OutsideValidity { not_before, not_after, at });
        }
        if certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
            return Err(StampRefused::CertificationAuthority);
        }
        // Contract §5: nonRepudiation (contentCommitment) is what makes a signature binding.
        if !certificate.key_usage().is_some_and(|usage| usage.contains(KeyUsage::NON_REPUDIATION)) {
            return Err(StampRefused::KeyUsage);
        }
        check_purposes(certificate)?;
        let key = PublicKey::from_spki(certificate.spki()).map_err(|_| SealError::KeyNotUsable)?;
        if let Some(bits) = key.rsa_bits().filter(|bits| *bits < self.min_rsa_bits) {
            return Err(StampRefused::KeyTooShort { bits, min_bits: self.min_rsa_bits });
        }
        if !is_strong(&sealer.algorithm) {
            return Err(StampRefused::WeakAlgorithm);
        }
        let mut below = certificate.clone();
        for (at, der) in sealer.chain.iter().enumerate() {
            let above = Certificate::parse(der).ok().filter(|above| above.subject() == below.issuer());
            below = above.ok_or(StampRefused::Chain { position: at + 1 })?;
        }
        Ok(())
    }
}

fn is_strong(algorithm: &SignatureAlgorithm) -> bool {
    match algorithm {
        // GOST 34.310-2004 is verified, for what it signed in its time, and signs nothing new.
        SignatureAlgorithm::Gost2004 => false,
        other => other.digest().is_none_or(|digest| digest.is_collision_resistant()),
    }
}

/// A purpose of document signatures, and none that lets the seal be taken for something else.
fn check_purposes(certificate: &Certificate) -> Result<(), StampRefused> {
    let Some(purposes) = certificate.extended_key_usage() else { return Ok(()) };
    let fits = |wanted: &[crate::asn1::Oid<'_>]| purposes.iter().any(|purpose| wanted.contains(&purpose));
    let signs = fits(&[purpose::DOCUMENT_SIGNING, purpose::EMAIL_PROTECTION, purpose::ANY]);
    let apart = fits(&[purpose::TIME_STAMPING, purpose::OCSP_SIGNING]);
    if signs && !apart { Ok(()) } else { Err(StampRefused::ExtendedKeyUsage) }
}

/// Whether the licence says one thing, in the form's words, on the day it says.
pub(super) fn check_licence(licence: &Licence, at: Time) -> Result<(), StampRefused> {
    let today = Date::in_kazakhstan(at);
    let duplicate = licence.kind == DocumentKind::Duplicate;
    let [kk, ru] = EQUIVALENCE;
    let holder = &licence.holder;
    let filled = |text: &Bilingual| [&text.kk, &text.ru].iter().all(|text| !text.trim().is_empty());
    let rules: &[(&'static str, bool)] = &[
        ("/equivalence", licence.equivalence.kk == kk && licence.equivalence.ru == ru),
        ("/title", licence.title == licence.kind.title()),
        ("/holder", holder.iin.is_some() || holder.bin.is_some()),
        ("/holder/issued_to", !holder.issued_to.trim().is_empty()),
        ("/activity", filled(&licence.activity)),
        ("/issuing_body", filled(&licence.issuing_body)),
        ("/head", !licence.head.trim().is_empty()),
        ("/city", filled(&licence.city)),
        // A licence is never dated back or ahead; a duplicate keeps the day of the original.
        ("/issue_date", if duplicate { licence.issue_date <= today } else { licence.issue_date == today }),
        ("/valid_until", licence.valid_until.is_none_or(|last| last >= licence.issue_date)),
        ("/duplicate", licence.duplicate.as_ref().map_or(!duplicate, |note| duplicate && note.date == today)),
        ("/reasons", duplicate || licence.reasons.is_some() == (licence.kind == DocumentKind::ReasonedRefusal)),
        ("/replaces", duplicate || licence.replaces.is_some() == (licence.kind == DocumentKind::ReissuedLicence)),
    ];
    match rules.iter().find(|rule| !rule.1) {
        Some((field, _)) => Err(StampRefused::Field { field }),
        None => Ok(()),
    }
}
