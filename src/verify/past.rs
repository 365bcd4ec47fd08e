//! Validation with time: what a proof that the signature existed earlier changes (EN 319 102-1 §5.5.4).
//!
//! The basic validation asks about now. A signature that is proven to have existed at the *best-signature-time* is
//! judged by what held then, with what is known now: a certificate that expired later, or was revoked later for a reason
//! that does not look backward, does not undo it. Which revocations look backward is [`super::certificate`]'s rule.
//!
//! *Invariant:* a proof never makes good what is not known: without evidence about revocation that reaches to the time
//! proven, the status of the basic validation stands.

use super::certificate::{self, CertificateOutcome, Purpose};
use super::inputs::VerificationInputs;
use crate::pki::Certificate;
use crate::report::{CheckId, Time};

/// Validates a certificate as of a time in the past, with revocation data of now.
pub(super) fn validate_at(
    certificate: &Certificate,
    embedded: &[Certificate],
    embedded_crls: &[&[u8]],
    purpose: Purpose,
    time: Time,
    inputs: &VerificationInputs<'_>,
) -> CertificateOutcome {
    let mut context = inputs.context;
    context.now = Some(context.now.unwrap_or(inputs.at).max(inputs.at));
    let then = VerificationInputs { at: time, declared: inputs.declared.clone(), context, ..*inputs };
    certificate::validate(certificate, embedded, embedded_crls, purpose, &then)
}

/// Validates a signer's certificate for a signature that is proven to have existed at `best_signature_time`
/// (§5.5.4 steps 2, 4, 6 and 7).
pub(super) fn validate_with_time(
    certificate: &Certificate,
    embedded: &[Certificate],
    embedded_crls: &[&[u8]],
    best_signature_time: Time,
    inputs: &VerificationInputs<'_>,
) -> CertificateOutcome {
    let purpose = Purpose::DocumentSignature;
    let basic = certificate::validate(certificate, embedded, embedded_crls, purpose, inputs);
    if best_signature_time >= inputs.at {
        return basic;
    }
    let then = validate_at(certificate, embedded, embedded_crls, purpose, best_signature_time, inputs);
    // Nothing known of revocation then: OUT_OF_BOUNDS_NO_POE and TRY_LATER are returned as they were (step 4 b).
    let unknown = then.findings.outcome(CheckId::Revocation).failure().is_some_and(|reason| reason.retryable());
    let settled = then.findings.outcome(CheckId::CertificateValidity).failure().is_some();
    if unknown && !settled { basic } else { then }
}
