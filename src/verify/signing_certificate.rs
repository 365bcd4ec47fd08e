//! Identification of the signing certificate (EN 319 102-1 §5.2.3).
//!
//! *Invariant:* the certificate bag is a hint; a certificate is the signer's only when the signer identifier names it
//! and every signed reference agrees (attack 15).

use super::policy::{Policy, Severity};
use crate::crypto::DigestAlgorithm;
use crate::format::{CertificateReference, ParsedSignature, SignerIdentifier};
use crate::pki::Certificate;
use crate::pki::name::Name;
use crate::report::{CheckId, Checks, Reason};
use std::borrow::Cow;

/// How a signature is bound to the certificate that its signer identifier names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// The first signed reference is to it (RFC 5035 §5.4).
    Referenced,
    /// There is no signed reference.
    Unreferenced,
    /// The first signed reference is to another one.
    Mismatch,
}

/// The signer's certificate, from the container's or from the intermediates at hand.
pub(super) fn find<'a>(
    signature: &ParsedSignature<'_>,
    embedded: &'a [Certificate],
    intermediates: &'a [Certificate],
) -> Option<(Cow<'a, Certificate>, Binding)> {
    let candidates: Vec<Cow<'a, Certificate>> = match &signature.signer {
        SignerIdentifier::Certificate(der) => {
            let given = embedded.iter().find(|certificate| certificate.raw() == der.as_ref()).map(Cow::Borrowed);
            given.or_else(|| Certificate::parse(der).ok().map(Cow::Owned)).into_iter().collect()
        }
        identifier => {
            embedded.iter().chain(intermediates).filter(|c| names(identifier, c)).map(Cow::Borrowed).collect()
        }
    };
    // Several certificates may share issuer and serial number in a hostile bag: the signed reference tells them apart.
    let Some(reference) = signature.certificate_references.first() else {
        return Some((candidates.into_iter().next()?, Binding::Unreferenced));
    };
    match candidates.iter().position(|certificate| refers(reference, certificate)) {
        Some(at) => Some((candidates.into_iter().nth(at)?, Binding::Referenced)),
        None => Some((candidates.into_iter().next()?, Binding::Mismatch)),
    }
}

/// Identifies the signer's certificate and records what binds the signature to it; `None` where there is none, which the
/// caller says.
pub(super) fn identify<'a>(
    signature: &ParsedSignature<'_>,
    embedded: &'a [Certificate],
    intermediates: &'a [Certificate],
    policy: &Policy,
    checks: &mut Checks,
) -> Option<Cow<'a, Certificate>> {
    let (certificate, binding) = find(signature, embedded, intermediates)?;
    // A reference of the first version is by SHA-1, and binds no more (RFC 5035 §1).
    let is_weak = |reference: &CertificateReference<'_>| {
        !reference.digest_algorithm.is_some_and(|algorithm| algorithm.is_collision_resistant())
    };
    match binding {
        Binding::Referenced if !signature.certificate_references.first().is_some_and(is_weak) => {}
        Binding::Mismatch => {
            checks.fail(CheckId::SigningCertificate, Reason::IscCertificateReferenceMismatch {});
        }
        Binding::Referenced | Binding::Unreferenced => {
            let missing = Reason::SavAttributeMissing { attribute: "signingCertificateV2".into() };
            match policy.signing_certificate_attribute {
                Severity::Refuse => checks.fail(CheckId::SignedAttributes, missing),
                Severity::Warn => checks.warn(CheckId::SignedAttributes, missing),
                Severity::Ignore => {}
            }
        }
    }
    checks.pass(CheckId::SigningCertificate);
    Some(certificate)
}

/// Why the certificate that the signer identifier names is none, where the container carries it and it cannot be read.
pub(super) fn unreadable(signature: &ParsedSignature<'_>, carried: &[Cow<'_, [u8]>]) -> Option<Reason> {
    carried.iter().find_map(|der| {
        let error = Certificate::parse(der).err()?;
        let named = match &signature.signer {
            SignerIdentifier::IssuerAndSerialNumber { issuer, serial_number } => {
                Certificate::claimed_issuer_and_serial_number(der) == Some((issuer, serial_number))
            }
            SignerIdentifier::Certificate(own) => own == der,
            SignerIdentifier::SubjectKeyIdentifier(_) | SignerIdentifier::SerialNumber(_) => false,
        };
        named.then(|| Reason::XcvCertificateMalformed { certificate: 0, what: error.to_string() })
    })
}

fn names(identifier: &SignerIdentifier<'_>, certificate: &Certificate) -> bool {
    match identifier {
        SignerIdentifier::IssuerAndSerialNumber { issuer, serial_number } => {
            certificate.serial_number() == *serial_number && same_name(issuer, certificate)
        }
        SignerIdentifier::SerialNumber(serial_number) => certificate.serial_number() == serial_number.as_ref(),
        SignerIdentifier::SubjectKeyIdentifier(identifier) => {
            certificate.subject_key_identifier() == Some(identifier.as_ref())
        }
        SignerIdentifier::Certificate(der) => certificate.raw() == der.as_ref(),
    }
}

fn same_name(issuer: &[u8], certificate: &Certificate) -> bool {
    certificate.issuer().raw() == issuer || Name::parse(issuer).is_ok_and(|name| name == certificate.issuer())
}

fn refers(reference: &CertificateReference<'_>, certificate: &Certificate) -> bool {
    let digest_matches = match reference.digest_algorithm {
        Some(DigestAlgorithm::Sha256) => certificate.digest().as_bytes() == reference.digest.as_ref(),
        Some(algorithm) => algorithm.digest(certificate.raw()).as_bytes() == reference.digest.as_ref(),
        None => false,
    };
    let issuer_matches = reference.issuer_serial.as_ref().is_none_or(|issuer_serial| {
        certificate.serial_number() == issuer_serial.serial_number.as_ref()
            && same_name(&issuer_serial.issuer, certificate)
    });
    digest_matches && issuer_matches
}
