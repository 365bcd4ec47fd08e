//! RSASSA-PSS with parameters (RFC 9231 §2.3.9).
//!
//! *Invariant:* one digest for the message and for MGF1 (contract §5); anything else is refused.

use super::super::xml::Element;
use super::{NAMESPACE, algorithm_of};
use crate::crypto::{DigestAlgorithm, SignatureAlgorithm, pss_salt_len};

/// The algorithm identifier; the parameters are children of SignatureMethod.
pub(super) const URI: &str = "http://www.w3.org/2007/05/xmldsig-more#rsa-pss";
const MORE: &str = "http://www.w3.org/2007/05/xmldsig-more#";
const MGF1: &str = "http://www.w3.org/2007/05/xmldsig-more#MGF1";

/// ```text
/// <pss:RSAPSSParams> ds:DigestMethod? pss:MaskGenerationFunction? pss:SaltLength? pss:TrailerField? </pss:RSAPSSParams>
/// ```
///
/// Absent parameters are SHA-256, MGF1 with SHA-256, 32 octets of salt, trailer 1.
pub(super) fn parameters(method: Element<'_>) -> Option<SignatureAlgorithm> {
    let digest_of = |parent: Element<'_>| match parent.only_child(NAMESPACE, "DigestMethod") {
        Some(element) => DigestAlgorithm::from_uri(&algorithm_of(element).ok()?),
        None => Some(DigestAlgorithm::Sha256),
    };
    let mut children = method.child_elements();
    let Some(parameters) = children.next() else {
        let digest = DigestAlgorithm::Sha256;
        return Some(SignatureAlgorithm::RsaPss { digest, salt_len: pss_salt_len(digest) });
    };
    if !parameters.is(MORE, "RSAPSSParams") || children.next().is_some() {
        return None;
    }
    let known = |e: &Element<'_>| {
        e.is(NAMESPACE, "DigestMethod")
            || ["MaskGenerationFunction", "SaltLength", "TrailerField"].iter().any(|n| e.is(MORE, n))
    };
    if !parameters.child_elements().all(|e| known(&e)) {
        return None;
    }
    let digest = digest_of(parameters)?;
    let mask_digest = match parameters.only_child(MORE, "MaskGenerationFunction") {
        Some(function) if algorithm_of(function).ok()? == MGF1 => digest_of(function)?,
        Some(_) => return None,
        None => DigestAlgorithm::Sha256,
    };
    let number = |name: &str| parameters.only_child(MORE, name).map(|e| e.only_text()?.trim().parse::<u16>().ok());
    let salt_len = match number("SaltLength") {
        Some(length) => length?,
        None => pss_salt_len(digest),
    };
    let trailer = number("TrailerField").unwrap_or(Some(1))?;
    (mask_digest == digest && trailer == 1 && digest.is_collision_resistant())
        .then_some(SignatureAlgorithm::RsaPss { digest, salt_len })
}
