//! How far a document proves itself: its level (EN 319 122-1 §6), and until when.
//!
//! *Invariant:* a level is what the document alone carries, whatever else is at hand.

use super::carried::Carried;
use super::certificate::{self, CertificateOutcome, Purpose, ValidationContext};
use super::inputs::VerificationInputs;
use super::past;
use super::policy::TrustAnchorValidity;
use super::timestamp::{Tokens, ValidToken};
use crate::crypto::Digest;
use crate::format::ParsedDocument;
use crate::pki::Certificate;
use crate::pki::public_key::signature_algorithm;
use crate::report::{CheckId, Outcome, Time, TimestampKind};
use std::collections::HashSet;

/// How far a signature is proven by what its document carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// A signature.
    B,
    /// A valid time-stamp over it.
    T,
    /// Certificates and revocation data of the signer and of the time-stamp.
    Lt,
    /// An archive time-stamp over all of that.
    Lta,
}

impl Level {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Level::B => "B",
            Level::T => "T",
            Level::Lt => "LT",
            Level::Lta => "LTA",
        }
    }
}

/// The level of a signature whose signer has this certificate.
pub(super) fn level(
    certificate: &Certificate,
    document: &ParsedDocument<'_>,
    carried: &Carried,
    tokens: &Tokens,
    best_signature_time: Time,
    inputs: &VerificationInputs<'_>,
) -> Level {
    let signature_tokens: Vec<&ValidToken> =
        tokens.valid.iter().filter(|token| token.kind == TimestampKind::Signature).collect();
    if signature_tokens.is_empty() {
        return Level::B;
    }
    if carried.lists.is_empty() && carried.responses.is_empty() {
        return Level::T;
    }
    let context =
        ValidationContext { intermediates: &[], lists: &[], responses: &[], questions: None, ..inputs.context };
    let alone = VerificationInputs { declared: inputs.declared.clone(), context, ..*inputs };
    let is_enough = |carried: &Carried, signature_tokens: &[&ValidToken]| {
        let signer = past::validate_with_time(certificate, &[carried], best_signature_time, &tokens.proofs, &alone);
        holds(&signer) && signature_tokens.iter().any(|token| token_holds(token, carried, tokens, &alone))
    };
    if !is_enough(carried, &signature_tokens) {
        return Level::T;
    }
    // Of the archive: what a time-stamp covers, and nothing that came later.
    let covered: HashSet<Digest> = tokens.valid.iter().flat_map(|token| token.covers.iter().copied()).collect();
    let stamped: Vec<&ValidToken> =
        signature_tokens.into_iter().filter(|token| covered.contains(&token.digest)).collect();
    if !stamped.is_empty() && is_enough(&Carried::covered(document, &covered, &inputs.context), &stamped) {
        return Level::Lta;
    }
    Level::Lt
}

/// Whether a token can be judged at its own time by what the document and the token carry.
fn token_holds(token: &ValidToken, carried: &Carried, tokens: &Tokens, alone: &VerificationInputs<'_>) -> bool {
    let all = [&token.carried, carried];
    let purpose = Purpose::TimestampAuthority;
    holds(&certificate::validate_at(&token.certificate, &all, purpose, token.at, alone))
        || past::validate_past(&token.certificate, &all, purpose, &tokens.proofs, alone)
            .is_some_and(|past| tokens.proofs.of(&token.digest) <= past.control_time)
}

fn holds(outcome: &CertificateOutcome) -> bool {
    outcome.reaches_trust_anchor
        && outcome.findings.outcome(CheckId::Revocation) == &Outcome::Passed
        && outcome.findings.iter().all(|(_, found)| found.failure().is_none())
}

/// The last second at which what is at hand still proves a signature; `None` without a proof.
pub(super) fn lasts_until(
    level: Level,
    path: &[Certificate],
    tokens: &Tokens,
    inputs: &VerificationInputs<'_>,
) -> Option<Time> {
    let of = |kind| tokens.valid.iter().filter(move |token| token.kind == kind);
    match level {
        Level::B => None,
        Level::Lta => of(TimestampKind::Archive).filter_map(|token| token.lasts_until).max(),
        // Lists forget a certificate that has expired: what the document does not carry is lost then.
        Level::T => {
            [of(TimestampKind::Signature).filter_map(|token| token.lasts_until).max(), path_lasts_until(path, inputs)]
                .into_iter()
                .flatten()
                .min()
        }
        Level::Lt => {
            let above = path_lasts_until(path.get(1..).unwrap_or_default(), inputs);
            [of(TimestampKind::Signature).filter_map(|token| token.lasts_until).max(), above]
                .into_iter()
                .flatten()
                .min()
        }
    }
}

/// The last second at which every certificate of a path, its trust anchor last, is valid and made with an algorithm
/// that is trusted.
pub(super) fn path_lasts_until(path: &[Certificate], inputs: &VerificationInputs<'_>) -> Option<Time> {
    let dated = match inputs.policy.path.trust_anchor_validity {
        TrustAnchorValidity::Checked => path.len(),
        TrustAnchorValidity::Ignored => path.len().saturating_sub(1),
    };
    let ends = path.iter().take(dated).map(Certificate::not_after);
    let algorithms = path.windows(2).filter_map(|pair| {
        let [certificate, issuer] = pair else { return None };
        let algorithm = signature_algorithm(certificate.signature_algorithm()).ok()?;
        inputs.policy.reliability(&algorithm, issuer.public_key().key().ok()?).last_second()
    });
    ends.chain(algorithms).min()
}
