//! The report of one verification, exactly as contract §3 writes it.

use super::sentences::open_question_message;
use super::{CheckId, Checks, Decision, Indication, Message, Outcome, Reason, SubIndication, Time, Verdict};
use super::{Language, refusal_message};
use serde::{Deserialize, Serialize};

/// Name and version of this software, as reports carry it.
pub const SOFTWARE: &str = concat!("tamga ", env!("CARGO_PKG_VERSION"));

/// The policy that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PolicyReference {
    /// Name: `request`, `signature`, `licence`, …
    pub id: String,
    /// Version of its text.
    pub version: String,
    /// Digest of its text, so that a change is seen.
    pub digest: String,
}

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct DocumentSummary {
    /// Container format.
    pub format: String,
    /// Whether the content travels apart from the signature.
    pub detached: bool,
    /// Size of the document in bytes.
    pub size: u64,
    /// SHA-256 of the document as received.
    pub digest: String,
    /// SHA-256 of the signed content.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_digest: Option<String>,
}

/// How long a message says that it is fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Freshness {
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Time>,
    /// When it ends; a message that does not say so is never too old, and never new twice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<Time>,
}

/// The message shown to the applicant, with the first reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// Code of the reason.
    pub code: String,
    /// The regulation's sentence, then the reason's.
    pub message: Message,
}

/// Who signed, as the certificate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Signer {
    /// Common name.
    pub common_name: Option<String>,
    /// Individual identification number, twelve digits.
    pub iin: Option<String>,
    /// Business identification number, twelve digits.
    pub bin: Option<String>,
    /// Organisation name.
    pub organisation: Option<String>,
    /// Roles of the national profile.
    pub roles: Vec<String>,
    /// Serial number, hexadecimal.
    pub serial_number: String,
    /// Issuer's distinguished name (RFC 4514).
    pub issuer: String,
    /// Beginning of validity.
    pub not_before: Time,
    /// End of validity.
    pub not_after: Time,
    /// SHA-256 of the certificate.
    pub certificate_digest: String,
}

/// A certificate of the path, from the signer to the trust anchor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct PathCertificate {
    /// Subject's distinguished name.
    pub subject: String,
    /// Serial number, hexadecimal.
    pub serial_number: String,
    /// SHA-256 of the certificate.
    pub digest: String,
    /// Whether this is the trust anchor.
    pub trust_anchor: bool,
}

/// Evidence about the revocation of one certificate of the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RevocationEvidence {
    /// Position in the path, 0 is the signer.
    pub certificate: usize,
    /// `good`, `revoked` or `unknown`.
    pub status: RevocationStatus,
    /// Where it comes from.
    pub source: RevocationSource,
    /// When it was issued.
    pub this_update: Time,
    /// Until when its issuer lets it be used.
    pub next_update: Option<Time>,
    /// SHA-256 of the list or response.
    pub digest: String,
}

/// The status of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RevocationStatus {
    /// Not revoked.
    Good,
    /// Revoked or on hold.
    Revoked,
    /// The source does not know the certificate.
    Unknown,
}

/// The kind of a revocation source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RevocationSource {
    /// A complete revocation list.
    Crl,
    /// A complete list with a delta list on top.
    DeltaCrl,
    /// An OCSP response.
    Ocsp,
}

/// The verdict about one signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct SignatureReport {
    /// Our decision about this signature.
    pub decision: Decision,
    /// Main indication.
    pub indication: Indication,
    /// Sub-indication, where the indication has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub_indication: Option<SubIndication>,
    /// The signer, where the certificate was found.
    pub signer: Option<Signer>,
    /// Key and digest in words.
    pub algorithm: Option<String>,
    /// What the signer says about the time. Never trusted.
    pub claimed_signing_time: Option<Time>,
    /// `B`, `T`, `LT` or `LTA`.
    pub level: String,
    /// The earliest time at which this signature is proven to have existed.
    pub best_signature_time: Time,
    /// SHA-256 of the time-stamp token that proves it; absent where nothing does and the time is the validation time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proven_by: Option<String>,
    /// The last second at which the evidence at hand still proves the signature: renew it before. Absent where there is
    /// no proof.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renew_before: Option<Time>,
    /// Time-stamp tokens over the signature value, then archive time-stamps, each in the order of the document.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub timestamps: Vec<TimestampReport>,
    /// SHA-256 of the octets that the signature value is over, where they stand for all that is signed: XML's SignedInfo.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signed_digest: Option<String>,
    /// How long the signed message says that it is fresh (WS-Security Timestamp, where this signature covers it).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub freshness: Option<Freshness>,
    /// What the signature covers, where the format can cover a part.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<ScopeSummary>,
    /// The path, from the signer to the trust anchor.
    pub certification_path: Vec<PathCertificate>,
    /// Revocation evidence by certificate.
    pub revocation: Vec<RevocationEvidence>,
    /// Every check.
    pub checks: Checks,
}

/// What became of one time-stamp token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct TimestampReport {
    /// What it is over.
    #[serde(default)]
    pub kind: TimestampKind,
    /// Whether it proves its time.
    pub outcome: TimestampOutcome,
    /// Why it does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The time that it claims.
    pub gen_time: Option<Time>,
    /// The authority's distinguished name, where its certificate was found.
    pub authority: Option<String>,
    /// The authority's policy.
    pub policy: Option<String>,
    /// Number of the token, hexadecimal.
    pub serial_number: Option<String>,
    /// SHA-256 of the token.
    pub digest: String,
    /// The authority's path, to the trust anchor; empty where the token does not prove its time.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub certification_path: Vec<PathCertificate>,
    /// Revocation evidence by certificate.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub revocation: Vec<RevocationEvidence>,
}

impl TimestampReport {
    /// A token of which nothing is known yet.
    pub fn unread(kind: TimestampKind, digest: String) -> TimestampReport {
        TimestampReport {
            kind,
            outcome: TimestampOutcome::Invalid,
            code: None,
            gen_time: None,
            authority: None,
            policy: None,
            serial_number: None,
            digest,
            certification_path: Vec::new(),
            revocation: Vec::new(),
        }
    }
}

/// What a time-stamp token is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimestampKind {
    /// The signature value (RFC 3161 §A).
    #[default]
    Signature,
    /// The signature, its content and the evidence that travels with it (archive-time-stamp-v3, EN 319 122-1 §5.5).
    Archive,
}

/// Whether a time-stamp token proves its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimestampOutcome {
    /// It does.
    Valid,
    /// It is intact, and its authority is not confirmed.
    Unconfirmed,
    /// It is broken, or not over this signature, or not from a time-stamping authority.
    Invalid,
}

/// What a signature covers (formats that can cover a part of the document).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ScopeSummary {
    /// Path of the covered element.
    pub path: String,
    /// Its qualified name.
    pub name: String,
    /// Whether it is the whole document.
    pub whole_document: bool,
}

/// The report of one verification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ValidationReport {
    /// Identifier of the report.
    pub id: String,
    /// The software that judged.
    pub software: String,
    /// The policy applied.
    pub policy: PolicyReference,
    /// Our decision.
    pub decision: Decision,
    /// Whether a later try may come out differently.
    pub retryable: bool,
    /// Main indication.
    pub indication: Indication,
    /// Sub-indication, where the indication has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sub_indication: Option<SubIndication>,
    /// The time for which the verdict holds.
    pub validation_time: Time,
    /// The earliest time at which the signature is proven to have existed.
    pub best_signature_time: Time,
    /// What was verified.
    pub document: DocumentSummary,
    /// The message for the applicant; absent when accepted.
    pub refusal: Option<Refusal>,
    /// The signatures, in the order of the document.
    pub signatures: Vec<SignatureReport>,
}

/// A request that may be registered: it can only be made from an accepted report.
#[derive(Clone, Debug)]
pub struct AcceptedRequest {
    report: ValidationReport,
}

impl AcceptedRequest {
    /// The report that accepted it.
    pub fn report(&self) -> &ValidationReport {
        &self.report
    }
}

/// The report does not accept its document.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the report does not accept the document: {code}")]
pub struct NotAccepted {
    /// Code of the first reason.
    pub code: String,
    /// Whether a later try may come out differently.
    pub retryable: bool,
}

impl ValidationReport {
    /// Records what was found out about every signature after the judgement. The report can only lose by it: it accepts
    /// nothing any more.
    pub fn refuse_for(&mut self, check: CheckId, reason: &Reason) {
        let mut worst: Option<Judgement> = None;
        for signature in &mut self.signatures {
            signature.checks.fail(check, reason.clone());
            let judgement = judge(&signature.checks, &[]);
            signature.decision = judgement.decision;
            signature.indication = judgement.verdict.indication;
            signature.sub_indication = judgement.verdict.sub_indication;
            let rank = |j: &Judgement| (j.decision, j.verdict.indication);
            if worst.as_ref().is_none_or(|found| rank(&judgement) >= rank(found)) {
                worst = Some(judgement);
            }
        }
        let Some(worst) = worst else { return };
        self.decision = worst.decision;
        self.retryable = worst.decision == Decision::Undetermined;
        self.indication = worst.verdict.indication;
        self.sub_indication = worst.verdict.sub_indication;
        self.refusal = worst.reason.as_ref().map(refusal);
    }

    /// The accepted request, if this report accepts it.
    ///
    /// The decision is worked out anew from the checks; a report whose fields contradict each other accepts nothing.
    ///
    /// # Errors
    /// [`NotAccepted`].
    pub fn accept(self) -> Result<AcceptedRequest, NotAccepted> {
        let consistent = !self.signatures.is_empty()
            && self.indication == Indication::TotalPassed
            && self.refusal.is_none()
            && self.signatures.iter().all(|s| judge(&s.checks, &[]).decision == Decision::Accepted);
        if self.decision == Decision::Accepted && consistent {
            return Ok(AcceptedRequest { report: self });
        }
        Err(NotAccepted {
            code: self.refusal.map_or_else(|| "fc-check-not-evaluated".to_owned(), |r| r.code),
            retryable: self.retryable,
        })
    }
}

/// What the outcomes of the checks amount to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Our decision.
    pub decision: Decision,
    /// The standard's result.
    pub verdict: Verdict,
    /// The reason that decides, absent when everything passed.
    pub reason: Option<Reason>,
}

/// The rank of a reason in the order of EN 319 102-1 §5.3: format, signing certificate, cryptography (which is
/// returned before the status of the certificate), certificate, signature constraints; identity is ours and last.
fn rank(reason: &Reason) -> u8 {
    use SubIndication as S;
    match reason.verdict().sub_indication {
        Some(S::FormatFailure) => 0,
        Some(S::NoSigningCertificateFound) => 1,
        Some(S::SignedDataNotFound) => 2,
        Some(S::HashFailure) => 3,
        Some(S::SigCryptoFailure) => 4,
        Some(S::NoCertificateChainFound) => 5,
        Some(S::CertificateChainGeneralFailure) => 6,
        Some(S::RevokedNoPoe | S::Revoked) => 7,
        Some(S::RevokedCaNoPoe) => 8,
        Some(S::OutOfBoundsNoPoe | S::OutOfBoundsNotRevoked | S::Expired | S::NotYetValid) => 9,
        Some(S::ChainConstraintsFailure) => 10,
        Some(S::CryptoConstraintsFailure | S::CryptoConstraintsFailureNoPoe) => 11,
        Some(S::SigConstraintsFailure) => 12,
        // A missing answer hides nothing that is known to be wrong.
        Some(S::TryLater) => 14,
        Some(_) => 13,
        None => 15,
    }
}

/// The decision about one signature: the one function that turns outcomes into a verdict.
///
/// Every check in `required` must have been evaluated; one that was not can never pass. A failure that a later try may
/// settle leaves it undetermined, unless something else is wrong for good.
pub fn judge(checks: &Checks, required: &[CheckId]) -> Judgement {
    let skipped = required.iter().find(|id| checks.outcome(**id) == &Outcome::NotEvaluated);
    let mut failures: Vec<&Reason> = checks.iter().filter_map(|(_, outcome)| outcome.failure()).collect();
    failures.sort_by_key(|reason| rank(reason));
    let Some(first) = failures.first() else {
        return match skipped {
            None => Judgement {
                decision: Decision::Accepted,
                verdict: Verdict { indication: Indication::TotalPassed, sub_indication: None },
                reason: None,
            },
            Some(check) => {
                let reason = Reason::FcCheckNotEvaluated { check: check.as_str().to_owned() };
                Judgement { decision: Decision::Refused, verdict: reason.verdict(), reason: Some(reason) }
            }
        };
    };
    let decision =
        if failures.iter().all(|reason| reason.retryable()) { Decision::Undetermined } else { Decision::Refused };
    // Identity findings are not the standard's: they decide without touching the indication.
    let verdict = failures.iter().map(|reason| reason.verdict()).find(|v| v.sub_indication.is_some()).map_or(
        Verdict { indication: Indication::TotalPassed, sub_indication: None },
        |mut verdict| {
            if verdict.sub_indication == Some(SubIndication::OutOfBoundsNoPoe)
                && checks.outcome(CheckId::Revocation) == &Outcome::Passed
            {
                verdict.sub_indication = Some(SubIndication::OutOfBoundsNotRevoked);
            }
            // EN 319 102-1 §5.5.4 step 4: proven to have existed before the certificate did.
            let not_yet_valid =
                matches!(checks.outcome(CheckId::CertificateValidity), Outcome::Failed(Reason::XcvNotYetValid { .. }));
            if not_yet_valid
                && matches!(
                    verdict.sub_indication,
                    Some(SubIndication::OutOfBoundsNoPoe | SubIndication::OutOfBoundsNotRevoked)
                )
                && checks.outcome(CheckId::Timestamp) == &Outcome::Passed
            {
                verdict =
                    Verdict { indication: Indication::TotalFailed, sub_indication: Some(SubIndication::NotYetValid) };
            }
            verdict
        },
    );
    // What is wrong for good comes before what a later try may settle, identity included.
    let reason = failures.iter().find(|r| decision == Decision::Undetermined || !r.retryable()).unwrap_or(first);
    Judgement { decision, verdict, reason: Some((*reason).clone()) }
}

/// The message for the applicant: the regulation's one sentence, then the reason. Where a later try may settle it the
/// sentence says so and refuses nothing.
pub fn refusal(reason: &Reason) -> Refusal {
    let general = if reason.retryable() { open_question_message() } else { refusal_message() };
    let join = |general: &str, language| format!("{general} {}", reason.sentence(language));
    Refusal {
        code: reason.code().to_owned(),
        message: Message {
            kk: join(&general.kk, Language::Kk),
            ru: join(&general.ru, Language::Ru),
            en: join(&general.en, Language::En),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reasons: &[(CheckId, Reason)]) -> Checks {
        let mut checks = Checks::default();
        for (id, reason) in reasons {
            checks.fail(*id, reason.clone());
        }
        CheckId::ALL.into_iter().for_each(|id| checks.pass(id));
        checks
    }

    fn expired() -> Reason {
        Reason::XcvExpired { certificate: 0, not_after: Time::from_unix(0), validation_time: Time::from_unix(1) }
    }

    fn unavailable() -> Reason {
        Reason::RevUnavailable { certificate: 0, cause: "no list".into() }
    }

    fn mismatch() -> Reason {
        Reason::IdApplicantMismatch { identifier: "iin".into() }
    }

    /// Contract §3: the decision, row by row.
    #[test]
    #[allow(clippy::type_complexity)]
    fn decision_table() {
        use CheckId as C;
        use Decision::{Accepted, Refused, Undetermined};
        use Indication::{Indeterminate, TotalFailed, TotalPassed};
        use SubIndication as S;
        let revoked = Reason::RevRevoked { revoked_at: Time::from_unix(0), reason: "keyCompromise".into() };
        let rows: Vec<(Vec<(C, Reason)>, Decision, Indication, Option<S>, Option<&str>)> = vec![
            (vec![], Accepted, TotalPassed, None, None),
            (vec![(C::IdentityDeclared, mismatch())], Refused, TotalPassed, None, Some("id-applicant-mismatch")),
            (
                vec![(C::Revocation, revoked.clone())],
                Refused,
                Indeterminate,
                Some(S::RevokedNoPoe),
                Some("rev-revoked"),
            ),
            (
                vec![(C::Revocation, unavailable())],
                Undetermined,
                Indeterminate,
                Some(S::TryLater),
                Some("rev-unavailable"),
            ),
            (
                vec![(C::Revocation, unavailable()), (C::IdentityDeclared, mismatch())],
                Refused,
                Indeterminate,
                Some(S::TryLater),
                Some("id-applicant-mismatch"),
            ),
            (
                vec![(C::Revocation, unavailable()), (C::CertificateValidity, expired())],
                Refused,
                Indeterminate,
                Some(S::OutOfBoundsNoPoe),
                Some("xcv-expired"),
            ),
            (
                vec![(C::CertificateValidity, expired())],
                Refused,
                Indeterminate,
                Some(S::OutOfBoundsNotRevoked),
                Some("xcv-expired"),
            ),
            (
                vec![(C::SignatureValue, Reason::CvSignatureInvalid {}), (C::Revocation, revoked)],
                Refused,
                TotalFailed,
                Some(S::SigCryptoFailure),
                Some("cv-signature-invalid"),
            ),
            (
                vec![
                    (C::ContentDigest, Reason::CvDigestMismatch {}),
                    (C::SignatureValue, Reason::CvSignatureInvalid {}),
                ],
                Refused,
                TotalFailed,
                Some(S::HashFailure),
                Some("cv-digest-mismatch"),
            ),
        ];
        for (failures, decision, indication, sub, code) in rows {
            let judgement = judge(&failed(&failures), &CheckId::ALL);
            assert_eq!(judgement.decision, decision, "{failures:?}");
            assert_eq!(judgement.verdict, Verdict { indication, sub_indication: sub }, "{failures:?}");
            assert_eq!(judgement.reason.as_ref().map(Reason::code), code, "{failures:?}");
        }
    }

    #[test]
    fn a_required_check_that_did_not_run_never_passes() {
        let judgement = judge(&Checks::default(), &[CheckId::Revocation]);
        assert_eq!(judgement.decision, Decision::Refused);
        assert_eq!(judgement.reason.unwrap().code(), "fc-check-not-evaluated");
    }
}
