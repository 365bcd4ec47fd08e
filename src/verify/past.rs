//! Validation with time: what a proof that something existed earlier changes (EN 319 102-1 §5.5 and §5.6).
//!
//! The basic validation asks about now. A signature that is proven to have existed at the *best-signature-time* is
//! judged by what held then, with what is known now: a certificate that expired later, or was revoked later for a reason
//! that does not look backward, does not undo it. Where authorities have expired too, or an algorithm has ended, what is
//! known now proves nothing any more; then the evidence must itself be proven to be old enough, certificate by
//! certificate from the trust anchor down (*validation time sliding*).
//!
//! *Invariant:* a proof never makes good what is not known: without evidence about revocation that reaches to the time
//! proven, the status of the basic validation stands.

use super::budget::Budgets;
use super::carried::Carried;
use super::certificate::{self, CertificateOutcome, Nesting, Purpose, Validator};
use super::inputs::VerificationInputs;
use super::policy::{Reliability, TrustAnchorValidity};
use super::proof::Proofs;
use super::revocation::{Answer, Status};
use crate::crypto::Digest;
use crate::pki::public_key::signature_algorithm;
use crate::pki::{Certificate, OcspResponse, RevocationList, SubjectPublicKeyInfo};
use crate::report::{CheckId, Checks, RevocationEvidence, RevocationStatus, Time};
use std::ops::ControlFlow;

/// Paths that are looked at in the past: an authority has a handful of cross-certificates, an attacker any number.
const MAX_PATHS: usize = 8;

/// Validates a signer's certificate for a signature that is proven to have existed at `best_signature_time`.
///
/// First with what is known now (§5.5.4 steps 2, 4, 6 and 7), then with what is proven to be old (§5.6.2.4).
pub(super) fn validate_with_time(
    certificate: &Certificate,
    carried: &[&Carried],
    best_signature_time: Time,
    proofs: &Proofs,
    inputs: &VerificationInputs<'_>,
) -> CertificateOutcome {
    let purpose = Purpose::DocumentSignature;
    let basic = certificate::validate(certificate, carried, purpose, inputs);
    if best_signature_time >= inputs.at {
        return basic;
    }
    let status = if authorities_hold(&basic, inputs) {
        let then = certificate::validate_at(certificate, carried, purpose, best_signature_time, inputs);
        // Nothing known of revocation then: OUT_OF_BOUNDS_NO_POE and TRY_LATER are returned as they were (step 4 b).
        let unknown = then.findings.outcome(CheckId::Revocation).failure().is_some_and(|reason| reason.retryable());
        let settled = then.findings.outcome(CheckId::CertificateValidity).failure().is_some();
        if unknown && !settled { basic } else { then }
    } else {
        basic
    };
    if status.findings.iter().all(|(_, outcome)| outcome.failure().is_none()) {
        return status;
    }
    let past = validate_past(certificate, carried, purpose, proofs, inputs);
    past.filter(|past| best_signature_time <= past.control_time && certificate.is_valid_at(best_signature_time))
        .map_or(status, PastCertificate::into_outcome)
}

/// Whether everything above the certificate may be trusted now. What an authority that has expired, or an algorithm that
/// has ended, says of the past is anybody's word.
fn authorities_hold(basic: &CertificateOutcome, inputs: &VerificationInputs<'_>) -> bool {
    let ignored = inputs.policy.path.trust_anchor_validity == TrustAnchorValidity::Ignored;
    let last = basic.path.len().saturating_sub(1);
    let exempt = |position: usize| ignored && basic.reaches_trust_anchor && position == last;
    let expired = |(position, one): (usize, &Certificate)| !exempt(position) && !one.is_valid_at(inputs.at);
    basic.findings.outcome(CheckId::Algorithms).failure().is_none()
        && !basic.path.iter().enumerate().skip(1).any(expired)
}

/// A certificate that was good up to a time in the past.
pub(super) struct PastCertificate {
    /// control-time: what existed by then may be judged by this certificate.
    pub(super) control_time: Time,
    path: Vec<Certificate>,
    evidence: Vec<RevocationEvidence>,
}

impl PastCertificate {
    fn into_outcome(self) -> CertificateOutcome {
        let mut findings = Checks::default();
        for check in [
            CheckId::CertificationPath,
            CheckId::CertificateValidity,
            CheckId::Revocation,
            CheckId::KeyUsage,
            CheckId::CertificatePolicy,
            CheckId::Algorithms,
        ] {
            findings.pass(check);
        }
        CertificateOutcome { path: self.path, reaches_trust_anchor: true, revocation: self.evidence, findings }
    }

    /// The path, the trust anchor last.
    pub(super) fn path(&self) -> &[Certificate] {
        &self.path
    }

    /// What is known of revocation.
    pub(super) fn evidence(&self) -> &[RevocationEvidence] {
        &self.evidence
    }
}

/// Past certificate validation (§5.6.2.1): the path with the latest control-time.
pub(super) fn validate_past(
    certificate: &Certificate,
    carried: &[&Carried],
    purpose: Purpose,
    proofs: &Proofs,
    inputs: &VerificationInputs<'_>,
) -> Option<PastCertificate> {
    let budgets = Budgets::default();
    let mut validator = Validator::new(inputs.at, inputs.at, inputs.policy, &inputs.context, &budgets);
    validator.carry(carried);
    // Ends of algorithms move the control-time instead.
    validator.builder.reliable_at = None;
    // Nobody who is asked now speaks for the past.
    validator.questions = None;
    let mut candidates: Vec<(Vec<Certificate>, Certificate)> = Vec::new();
    if let Some(anchor) = validator.builder.anchors.iter().find(|anchor| *anchor == certificate) {
        candidates.push((Vec::new(), anchor.clone()));
    }
    validator.builder.search(certificate, &mut |path, anchor| {
        candidates.push((path.to_vec(), anchor.clone()));
        if candidates.len() < MAX_PATHS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let mut slide = Slide { lists: validator.lists.clone(), responses: validator.responses.clone(), validator, proofs };
    let judged = candidates.into_iter().filter_map(|(path, anchor)| slide.judge(path, anchor, purpose, inputs.at));
    judged.max_by_key(|past| past.control_time)
}

/// Validation time sliding (§5.6.2.2).
struct Slide<'a> {
    validator: Validator<'a>,
    lists: Vec<&'a dyn RevocationList>,
    responses: Vec<&'a OcspResponse>,
    proofs: &'a Proofs,
}

impl Slide<'_> {
    fn judge(
        &mut self,
        path: Vec<Certificate>,
        anchor: Certificate,
        purpose: Purpose,
        now: Time,
    ) -> Option<PastCertificate> {
        let dated_anchor = match self.validator.policy.path.trust_anchor_validity {
            TrustAnchorValidity::Checked => Some(&anchor),
            TrustAnchorValidity::Ignored => None,
        };
        // §5.6.2.1 step 2: a moment at which every certificate was valid.
        let dated = || path.iter().chain(dated_anchor);
        let last = dated().map(Certificate::not_after).min().unwrap_or(now);
        if dated().any(|one| one.not_before() > last) {
            return None;
        }
        let sunset = dated_anchor.map_or(now, Certificate::not_after).min(now);
        let findings = self.validator.findings_at(last, &path, &anchor, purpose);
        if !path.is_empty() && !findings.is_empty() {
            return None;
        }
        let (control_time, mut evidence) = self.slide(&path, &anchor, purpose, sunset)?;
        evidence.reverse();
        Some(PastCertificate { control_time, path: path.into_iter().chain([anchor]).collect(), evidence })
    }

    /// The control-time that is left at the target, and what is known of revocation, from the trust anchor down.
    fn slide(
        &mut self,
        path: &[Certificate],
        anchor: &Certificate,
        purpose: Purpose,
        sunset: Time,
    ) -> Option<(Time, Vec<RevocationEvidence>)> {
        let mut control = sunset;
        let mut evidence = Vec::new();
        for (position, certificate) in path.iter().enumerate().rev() {
            let issuer = path.get(position + 1).unwrap_or(anchor);
            // (a)
            let proven = self.proofs.of(certificate.digest());
            if proven > control {
                return None;
            }
            let (at, answer) = self.latest_answer(control, certificate, issuer, anchor)?;
            let source = answer.evidence?;
            // (b) and (c)
            control = match answer.status {
                // A certificate of a signer that was revoked for a reason that looks backward proves nothing of the past
                // (`validation.md` §3). A token may be proven by another authority's (RFC 3161 §4, item 2).
                Status::Revoked { reason, .. }
                    if purpose == Purpose::DocumentSignature && !reason.is_benign_afterwards() =>
                {
                    return None;
                }
                Status::Revoked { since, .. } | Status::OnHold { since } => control.min(since.plus_seconds(-1)),
                _ => control.min(at),
            };
            // (d), and stricter: what is weak must itself be older than the end of what it is made with.
            let information = self.object(&source.digest)?;
            for reliability in self.reliabilities(certificate, issuer, &source.digest)? {
                let proven = proven.max(self.proofs.of(&information));
                if !reliability.covers(proven) {
                    return None;
                }
                control = reliability.last_second().map_or(control, |last| control.min(last));
            }
            // What an authority has signed must be older than its end (§5.6.2.4 step 1, REVOCATION_OUT_OF_BOUNDS_NO_POE).
            if position > 0 {
                control = control.min(certificate.not_after());
            }
            evidence.push(RevocationEvidence {
                certificate: position,
                status: RevocationStatus::Good,
                source: source.source,
                this_update: source.this_update,
                next_update: source.next_update,
                digest: source.digest,
            });
        }
        Some((control, evidence))
    }

    /// The latest word about a certificate among what is proven to have existed at the control-time, and until when it
    /// speaks.
    ///
    /// DEVIATION: §5.6.2.2 (c) slides to the moment at which the information was issued; here, to the last moment for
    /// which it speaks. A list of the morning then speaks for a signature of the noon, as it does in §5.5, and as Order
    /// 500/НҚ p. 18.5 has it.
    fn latest_answer(
        &mut self,
        control: Time,
        certificate: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
    ) -> Option<(Time, Answer)> {
        let proofs = self.proofs;
        let usable = |issued: Time, digest: &Digest| issued <= control && proofs.of(digest) <= control;
        let validator = &mut self.validator;
        validator.lists =
            self.lists.iter().copied().filter(|l| usable(l.scope().this_update, &l.scope().digest)).collect();
        validator.responses = self.responses.iter().copied().filter(|r| usable(r.produced_at, &r.digest)).collect();
        let life = i64::from(validator.policy.revocation.ocsp_life_seconds);
        let mut moments = vec![control];
        for scope in validator.lists.iter().map(|list| list.scope()) {
            moments.extend(scope.next_update.into_iter().chain([scope.this_update]));
        }
        for single in validator.responses.iter().flat_map(|response| &response.responses) {
            moments.extend([single.next_update.unwrap_or(single.this_update.plus_seconds(life)), single.this_update]);
        }
        moments.retain(|moment| *moment <= control);
        moments.sort_unstable_by(|a, b| b.cmp(a));
        moments.dedup();
        moments.into_iter().find_map(|moment| {
            (validator.at, validator.now) = (moment, moment);
            let answer = validator.status(certificate, issuer, anchor, &Nesting::default());
            let speaks = matches!(answer.status, Status::Good | Status::Revoked { .. } | Status::OnHold { .. });
            speaks.then_some((moment, answer))
        })
    }

    /// The digest of a list or response, out of its name in the evidence.
    fn object(&self, name: &str) -> Option<Digest> {
        let lists = self.lists.iter().map(|list| list.scope().digest);
        lists.chain(self.responses.iter().map(|response| response.digest)).find(|digest| digest.to_string() == name)
    }

    /// How long each signature may be trusted that the answer about a certificate rests on; `None` where one is by an
    /// algorithm that is not known.
    fn reliabilities(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        evidence: &str,
    ) -> Option<Vec<Reliability>> {
        let policy = self.validator.policy;
        let reliability = |identifier: &[u8], key: &SubjectPublicKeyInfo| {
            Some(policy.reliability(&signature_algorithm(identifier).ok()?, key.key().ok()?))
        };
        let mut found = vec![reliability(certificate.signature_algorithm(), issuer.public_key())?];
        if let Some(list) = self.lists.iter().find(|list| list.scope().digest.to_string() == evidence) {
            found.push(reliability(list.scope().signature_algorithm(), issuer.public_key())?);
        }
        if let Some(response) = self.responses.iter().find(|response| response.digest.to_string() == evidence) {
            let responder = response.certificates.iter().find(|responder| response.is_by(responder));
            if let Some(responder) = responder {
                found.push(reliability(responder.signature_algorithm(), issuer.public_key())?);
            }
            found.push(reliability(response.signature_algorithm(), responder.unwrap_or(issuer).public_key())?);
        }
        Some(found)
    }
}
