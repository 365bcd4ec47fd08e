//! Time-stamp tokens over a signature: each is validated as a signature of its own (EN 319 102-1 §5.4; RFC 3161 §2.4.2).
//!
//! Two kinds of bad news are told apart. A token that is broken, is not over these octets, or is not a time-stamping
//! authority's is *invalid*: somebody put it there (attack 28), and the document is refused. A token that is intact but
//! whose authority cannot be confirmed proves nothing and moves nothing: the moment of verification stays now (Order
//! 500/НҚ p. 14), unless the policy asks for more.
//!
//! *Invariant:* a time leaves this room only from a token of which every check ran and passed.

use super::certificate::{self, CertificateOutcome, Purpose};
use super::inputs::VerificationInputs;
use super::past;
use super::policy::Severity;
use super::signing_certificate::{Binding, find};
use crate::crypto::{Digest, PublicKey};
use crate::format::{ParsedDocument, ParsedSignature, cms};
use crate::pki::Certificate;
use crate::pki::certificate::print_serial_number;
use crate::pki::extension::{GeneralName, id, purpose};
use crate::pki::timestamp::{ID_CT_TST_INFO, TstInfo};
use crate::report::{CheckId, Checks, Outcome, Reason, Time, TimestampOutcome, TimestampReport};

/// How far in the future a token's time may lie, in seconds: clocks of authorities and ours differ.
const MAX_CLOCK_SKEW_SECONDS: i64 = 300;

/// What the tokens over one signature value prove.
pub(super) struct Tokens {
    /// The earliest time of a valid token.
    pub(super) proven_at: Option<Time>,
    /// Each token, in order.
    pub(super) reports: Vec<TimestampReport>,
}

/// Validates the tokens over a signature value and records the outcome of the check `timestamp`.
pub(super) fn validate_all(
    signature: &ParsedSignature<'_>,
    embedded: &[Certificate],
    inputs: &VerificationInputs<'_>,
    checks: &mut Checks,
) -> Tokens {
    let mut found = Tokens { proven_at: None, reports: Vec::with_capacity(signature.signature_timestamps.len()) };
    for token in &signature.signature_timestamps {
        let mut report = TimestampReport {
            outcome: TimestampOutcome::Invalid,
            code: None,
            gen_time: None,
            authority: None,
            policy: None,
            serial_number: None,
            digest: Digest::sha256(token).to_string(),
        };
        // RFC 3161 §A: the imprint is over the octets of SignerInfo.signature.
        match validate(token, &signature.signature, embedded, inputs, &mut report) {
            Ok(time) => {
                report.outcome = TimestampOutcome::Valid;
                found.proven_at = Some(found.proven_at.map_or(time, |earliest| earliest.min(time)));
                checks.pass(CheckId::Timestamp);
            }
            Err(Refusal::Invalid(reason)) => {
                report.code = Some(reason.code().to_owned());
                checks.fail(CheckId::Timestamp, reason);
            }
            Err(Refusal::Unconfirmed(reason)) => {
                report.outcome = TimestampOutcome::Unconfirmed;
                report.code = Some(reason.code().to_owned());
                match inputs.policy.unconfirmed_timestamp {
                    Severity::Refuse => checks.fail(CheckId::Timestamp, reason),
                    Severity::Warn => checks.warn(CheckId::Timestamp, reason),
                    Severity::Ignore => {}
                }
            }
        }
        found.reports.push(report);
    }
    found
}

/// Why a token proves nothing.
enum Refusal {
    Invalid(Reason),
    Unconfirmed(Reason),
}

fn malformed(what: impl ToString) -> Refusal {
    Refusal::Invalid(Reason::TspMalformed { what: what.to_string() })
}

/// The time that a token proves for `stamped`; `report` takes what the token says on the way.
fn validate(
    token: &[u8],
    stamped: &[u8],
    embedded: &[Certificate],
    inputs: &VerificationInputs<'_>,
    report: &mut TimestampReport,
) -> Result<Time, Refusal> {
    let document = cms::parse_signed_data(token, ID_CT_TST_INFO, None).map_err(|reason| match reason {
        Reason::FcMalformed { what } => malformed(what),
        other => malformed(other.code()),
    })?;
    if document.detached {
        return Err(malformed("the TSTInfo is missing"));
    }
    // RFC 3161 §2.4.2: "a time-stamp token MUST NOT contain any signatures other than the signature of the TSA".
    let [signature] = document.signatures.as_slice() else {
        return Err(malformed("more than one signature"));
    };
    let content = document.content.as_deref().unwrap_or_default();
    let info = TstInfo::parse(content).map_err(|error| malformed(format!("TSTInfo: {error}")))?;
    report.gen_time = Some(info.gen_time.time);
    report.policy = Some(info.policy.to_string());
    report.serial_number = Some(print_serial_number(info.serial_number));
    if let Some(extension) = info.critical_extension {
        return Err(malformed(format!("unknown critical extension {extension}")));
    }
    check_imprint(&info, stamped)?;

    // The container's own findings, then the key.
    if let Some(reason) = signature.findings.iter().find_map(|(_, outcome)| outcome.failure()) {
        return Err(match reason {
            Reason::CvDigestMismatch {} => Refusal::Invalid(Reason::TspSignatureInvalid {}),
            other => malformed(other.code()),
        });
    }
    let algorithm = signature.algorithm.as_ref().map_err(|reason| match reason {
        Reason::SavAlgorithmNotAllowed { algorithm } => not_allowed(algorithm),
        other => malformed(other.code()),
    })?;
    let bag = bag(&document, embedded);
    let (certificate, binding) = find(signature, &bag, inputs.context.intermediates)
        .ok_or(Refusal::Unconfirmed(Reason::TspCertificateMissing {}))?;
    report.authority = Some(certificate.subject().to_string());
    // RFC 3161 §2.4.2: the ESSCertID or ESSCertIDv2 MUST be there.
    if binding != Binding::Referenced {
        return Err(Refusal::Invalid(Reason::TspCertificateReferenceMismatch {}));
    }
    let key = PublicKey::from_spki(certificate.spki()).map_err(|error| not_allowed(&error.to_string()))?;
    key.verify(algorithm, &signature.message, &signature.signature)
        .map_err(|_| Refusal::Invalid(Reason::TspSignatureInvalid {}))?;

    check_authority(&certificate, &info)?;
    check_times(&certificate, info.gen_time.time, inputs.at)?;
    check_certificate(&certificate, &bag, &document.crls, info.gen_time.time, inputs)?;
    Ok(info.gen_time.time)
}

fn not_allowed(algorithm: &str) -> Refusal {
    Refusal::Invalid(Reason::TspAlgorithmNotAllowed { algorithm: algorithm.to_owned() })
}

/// The token's own certificates first, then the document's: hints, all of them.
fn bag(token: &ParsedDocument<'_>, embedded: &[Certificate]) -> Vec<Certificate> {
    let own = token.certificates.iter().filter_map(|der| Certificate::parse(der).ok());
    own.chain(embedded.iter().cloned()).collect()
}

/// Order 500/НҚ p. 17: the imprint is the digest of what is stamped.
fn check_imprint(info: &TstInfo<'_>, stamped: &[u8]) -> Result<(), Refusal> {
    let imprint =
        info.message_imprint.known().ok_or_else(|| not_allowed(&info.message_imprint.algorithm.to_string()))?;
    let algorithm = imprint.algorithm();
    if !algorithm.is_collision_resistant() {
        return Err(not_allowed(algorithm.name()));
    }
    if algorithm.digest(stamped) != imprint {
        return Err(Refusal::Invalid(Reason::TspImprintMismatch {}));
    }
    Ok(())
}

/// RFC 3161 §2.3: one purpose, critical; §2.4.2: the name in the token is one of the certificate's.
fn check_authority(certificate: &Certificate, info: &TstInfo<'_>) -> Result<(), Refusal> {
    let sole = certificate
        .extended_key_usage()
        .is_some_and(|purposes| purposes.iter().count() == 1 && purposes.iter().all(|p| p == purpose::TIME_STAMPING));
    if !sole || !certificate.is_critical(id::EXTENDED_KEY_USAGE) {
        return Err(Refusal::Invalid(Reason::TspExtendedKeyUsage {}));
    }
    let named = match &info.tsa {
        None => true,
        Some(GeneralName::Directory(name)) if *name == certificate.subject() => true,
        Some(name) => certificate.subject_alt_name().is_some_and(|names| names.iter().any(|other| other == *name)),
    };
    if named { Ok(()) } else { Err(Refusal::Invalid(Reason::TspAuthorityMismatch {})) }
}

/// The token is not of the future, and its authority's certificate was valid when it was made.
fn check_times(certificate: &Certificate, gen_time: Time, at: Time) -> Result<(), Refusal> {
    if gen_time > at.plus_seconds(MAX_CLOCK_SKEW_SECONDS) {
        return Err(Refusal::Invalid(Reason::TspTimeImplausible { gen_time, validation_time: at }));
    }
    if !certificate.is_valid_at(gen_time) {
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        return Err(Refusal::Invalid(Reason::TspOutsideValidity { gen_time, not_before, not_after }));
    }
    Ok(())
}

/// Path, use and revocation of the authority's certificate.
///
/// All of it must hold when the token was made, and now too: a token cannot prove that it is older than the end of its
/// own certificate. One thing is softer (RFC 3161 §4): a revocation after genTime, for a reason that does not look
/// backward, leaves the token alone.
fn check_certificate(
    certificate: &Certificate,
    bag: &[Certificate],
    crls: &[&[u8]],
    gen_time: Time,
    inputs: &VerificationInputs<'_>,
) -> Result<(), Refusal> {
    let purpose = Purpose::TimestampAuthority;
    let now = certificate::validate(certificate, bag, crls, purpose, inputs);
    let revoked = |reason: &Reason| matches!(reason, Reason::RevRevoked { .. } | Reason::RevCaRevoked { .. });
    if let Some(reason) = first_failure(&now).filter(|reason| !revoked(reason)) {
        return Err(Refusal::Unconfirmed(authority_finding(&reason, inputs.at)));
    }
    let then = past::validate_at(certificate, bag, crls, purpose, gen_time.min(inputs.at), inputs);
    match first_failure(&then) {
        Some(reason) => Err(Refusal::Unconfirmed(authority_finding(&reason, inputs.at))),
        None => Ok(()),
    }
}

/// What stands against a certificate first: a failure that is not about revocation, then one that is, then a check that
/// did not run.
fn first_failure(outcome: &CertificateOutcome) -> Option<Reason> {
    let failures = || outcome.findings.iter().filter_map(|(check, found)| Some((check, found.failure()?)));
    let failed = failures().find(|(check, _)| *check != CheckId::Revocation).or_else(|| failures().next());
    let required = [CheckId::CertificationPath, CheckId::CertificateValidity, CheckId::Revocation, CheckId::KeyUsage];
    failed.map(|(_, reason)| reason.clone()).or_else(|| {
        let skipped = required.into_iter().find(|check| outcome.findings.outcome(*check) == &Outcome::NotEvaluated)?;
        Some(Reason::FcCheckNotEvaluated { check: skipped.as_str().to_owned() })
    })
}

/// A finding about the authority's certificate, said of the token.
fn authority_finding(reason: &Reason, at: Time) -> Reason {
    match reason {
        Reason::RevRevoked { revoked_at, reason } | Reason::RevCaRevoked { revoked_at, reason, .. } => {
            Reason::TspRevoked { revoked_at: *revoked_at, reason: reason.clone() }
        }
        Reason::XcvNoPath {} => Reason::TspNoPath {},
        Reason::XcvExpired { not_after, .. } => Reason::TspExpired { not_after: *not_after, validation_time: at },
        other if other.retryable() => Reason::TspRevocationUnavailable { cause: other.code().to_owned() },
        other => Reason::TspCertificateInvalid { cause: other.code().to_owned() },
    }
}
