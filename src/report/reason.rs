//! The one table of reason codes: value, code, verdict, sentence.
//!
//! *Invariant:* a code is never renamed and never reused (contract §3). Sentences carry no personal data.

use super::{Indication, SubIndication, Time, Verdict};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

/// Why a check failed or warned, with the values that a reader needs.
///
/// The variant's name in kebab case is its code; its fields are the `args` of the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", content = "args", rename_all = "kebab-case")]
#[allow(missing_docs)] // Each variant is explained by its sentence below; fields are named for their content.
pub enum Reason {
    FcMalformed { what: String },
    FcNoSignature {},
    FcTransformNotAllowed { algorithm: String },
    FcAmbiguousReference { what: String },
    FcNotCovered { what: String },
    FcLimitExceeded { limit: String, maximum: u64 },
    FcUnsupportedFormat { format: String },
    FcCheckNotEvaluated { check: String },
    IscSigningCertificateMissing {},
    IscCertificateReferenceMismatch {},
    CvDigestMismatch {},
    CvSignatureInvalid {},
    CvSignedDataMissing {},
    XcvNoPath {},
    XcvExpired { certificate: usize, not_after: Time, validation_time: Time },
    XcvNotYetValid { certificate: usize, not_before: Time, validation_time: Time },
    XcvKeyUsage { certificate: usize },
    XcvExtendedKeyUsage { certificate: usize },
    XcvPolicy { certificate: usize },
    XcvIssuerSignatureInvalid { certificate: usize },
    XcvBasicConstraints { certificate: usize },
    XcvPathLength { certificate: usize },
    XcvNameConstraints { certificate: usize },
    XcvCriticalExtensionUnknown { certificate: usize, extension: String },
    XcvCertificateMalformed { certificate: usize, what: String },
    XcvBudgetExceeded { limit: String, maximum: u64 },
    RevRevoked { revoked_at: Time, reason: String },
    RevCaRevoked { certificate: usize, revoked_at: Time, reason: String },
    RevUnavailable { certificate: usize, cause: String },
    RevStale { certificate: usize, next_update: Option<Time>, validation_time: Time },
    RevOnHold { certificate: usize, since: Time },
    RevUnknown {},
    SavAlgorithmNotAllowed { algorithm: String },
    SavAttributeMissing { attribute: String },
    SavAttributeDuplicated { attribute: String },
    SavAttributeInconsistent { attribute: String },
    SavSigningTimeImplausible { claimed: Time, validation_time: Time },
    SavMessageExpired { expires: Time, validation_time: Time },
    SavMessageReplayed { expires: Option<Time> },
    SavSeenBefore {},
    SavPolicyNotInForce { until: Time, best_signature_time: Time },
    TspMalformed { what: String },
    TspAlgorithmNotAllowed { algorithm: String },
    TspImprintMismatch {},
    TspSignatureInvalid {},
    TspCertificateMissing {},
    TspCertificateReferenceMismatch {},
    TspExtendedKeyUsage {},
    TspAuthorityMismatch {},
    TspHashIndexInvalid { what: String },
    TspOrder { gen_time: Time, covered_at: Time },
    TspTimeImplausible { gen_time: Time, validation_time: Time },
    TspOutsideValidity { gen_time: Time, not_before: Time, not_after: Time },
    TspNoPath {},
    TspCertificateInvalid { cause: String },
    TspExpired { not_after: Time, validation_time: Time },
    TspRevoked { revoked_at: Time, reason: String },
    TspRevocationUnavailable { cause: String },
    IdNotDeclared {},
    IdApplicantMismatch { identifier: String },
    IdContentMismatch { identifier: String },
    IdContentUnreadable { what: String },
    IdBinNotDeclared {},
    IdAttributeMissing { attribute: String },
    IdAttributeAmbiguous { attribute: String },
    IdRoleNotAllowed {},
    IdCheckDigit { identifier: String },
}

/// A language of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Kazakh.
    Kk,
    /// Russian.
    Ru,
    /// English.
    En,
}

/// One sentence in the three languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub struct Message {
    pub kk: String,
    pub ru: String,
    pub en: String,
}

fn certificate(language: Language, position: usize) -> String {
    match (language, position) {
        (Language::Kk, 0) => "Қол қоюшының тіркеу куәлігі".into(),
        (Language::Kk, n) => format!("Тізбектегі № {n} куәлік"),
        (Language::Ru, 0) => "Регистрационное свидетельство подписавшего".into(),
        (Language::Ru, n) => format!("Свидетельство № {n} цепочки"),
        (Language::En, 0) => "The signer's certificate".into(),
        (Language::En, n) => format!("Certificate {n} of the path"),
    }
}

impl Reason {
    /// The code, as it stands in reports and problems.
    pub fn code(&self) -> &'static str {
        use Reason::*;
        match self {
            FcMalformed { .. } => "fc-malformed",
            FcNoSignature {} => "fc-no-signature",
            FcTransformNotAllowed { .. } => "fc-transform-not-allowed",
            FcAmbiguousReference { .. } => "fc-ambiguous-reference",
            FcNotCovered { .. } => "fc-not-covered",
            FcLimitExceeded { .. } => "fc-limit-exceeded",
            FcUnsupportedFormat { .. } => "fc-unsupported-format",
            FcCheckNotEvaluated { .. } => "fc-check-not-evaluated",
            IscSigningCertificateMissing {} => "isc-signing-certificate-missing",
            IscCertificateReferenceMismatch {} => "isc-certificate-reference-mismatch",
            CvDigestMismatch {} => "cv-digest-mismatch",
            CvSignatureInvalid {} => "cv-signature-invalid",
            CvSignedDataMissing {} => "cv-signed-data-missing",
            XcvNoPath {} => "xcv-no-path",
            XcvExpired { .. } => "xcv-expired",
            XcvNotYetValid { .. } => "xcv-not-yet-valid",
            XcvKeyUsage { .. } => "xcv-key-usage",
            XcvExtendedKeyUsage { .. } => "xcv-extended-key-usage",
            XcvPolicy { .. } => "xcv-policy",
            XcvIssuerSignatureInvalid { .. } => "xcv-issuer-signature-invalid",
            XcvBasicConstraints { .. } => "xcv-basic-constraints",
            XcvPathLength { .. } => "xcv-path-length",
            XcvNameConstraints { .. } => "xcv-name-constraints",
            XcvCriticalExtensionUnknown { .. } => "xcv-critical-extension-unknown",
            XcvCertificateMalformed { .. } => "xcv-certificate-malformed",
            XcvBudgetExceeded { .. } => "xcv-budget-exceeded",
            RevRevoked { .. } => "rev-revoked",
            RevCaRevoked { .. } => "rev-ca-revoked",
            RevUnavailable { .. } => "rev-unavailable",
            RevStale { .. } => "rev-stale",
            RevOnHold { .. } => "rev-on-hold",
            RevUnknown {} => "rev-unknown",
            SavAlgorithmNotAllowed { .. } => "sav-algorithm-not-allowed",
            SavAttributeMissing { .. } => "sav-attribute-missing",
            SavAttributeDuplicated { .. } => "sav-attribute-duplicated",
            SavAttributeInconsistent { .. } => "sav-attribute-inconsistent",
            SavSigningTimeImplausible { .. } => "sav-signing-time-implausible",
            SavMessageExpired { .. } => "sav-message-expired",
            SavMessageReplayed { .. } => "sav-message-replayed",
            SavSeenBefore {} => "sav-seen-before",
            SavPolicyNotInForce { .. } => "sav-policy-not-in-force",
            TspMalformed { .. } => "tsp-malformed",
            TspAlgorithmNotAllowed { .. } => "tsp-algorithm-not-allowed",
            TspImprintMismatch {} => "tsp-imprint-mismatch",
            TspSignatureInvalid {} => "tsp-signature-invalid",
            TspCertificateMissing {} => "tsp-certificate-missing",
            TspCertificateReferenceMismatch {} => "tsp-certificate-reference-mismatch",
            TspExtendedKeyUsage {} => "tsp-extended-key-usage",
            TspAuthorityMismatch {} => "tsp-authority-mismatch",
            TspHashIndexInvalid { .. } => "tsp-hash-index-invalid",
            TspOrder { .. } => "tsp-order",
            TspTimeImplausible { .. } => "tsp-time-implausible",
            TspOutsideValidity { .. } => "tsp-outside-validity",
            TspNoPath {} => "tsp-no-path",
            TspCertificateInvalid { .. } => "tsp-certificate-invalid",
            TspExpired { .. } => "tsp-expired",
            TspRevoked { .. } => "tsp-revoked",
            TspRevocationUnavailable { .. } => "tsp-revocation-unavailable",
            IdNotDeclared {} => "id-not-declared",
            IdApplicantMismatch { .. } => "id-applicant-mismatch",
            IdContentMismatch { .. } => "id-content-mismatch",
            IdContentUnreadable { .. } => "id-content-unreadable",
            IdBinNotDeclared {} => "id-bin-not-declared",
            IdAttributeMissing { .. } => "id-attribute-missing",
            IdAttributeAmbiguous { .. } => "id-attribute-ambiguous",
            IdRoleNotAllowed {} => "id-role-not-allowed",
            IdCheckDigit { .. } => "id-check-digit",
        }
    }

    /// What the reason means in the terms of EN 319 102-1 when nothing proves that the signature existed earlier.
    pub fn verdict(&self) -> Verdict {
        use Reason::*;
        use SubIndication as S;
        let (indication, sub_indication) = match self {
            FcMalformed { .. }
            | FcNoSignature {}
            | FcTransformNotAllowed { .. }
            | FcAmbiguousReference { .. }
            | FcNotCovered { .. }
            | FcLimitExceeded { .. }
            | FcUnsupportedFormat { .. } => (Indication::TotalFailed, Some(S::FormatFailure)),
            CvDigestMismatch {} => (Indication::TotalFailed, Some(S::HashFailure)),
            CvSignatureInvalid {} => (Indication::TotalFailed, Some(S::SigCryptoFailure)),
            other => (
                Indication::Indeterminate,
                match other {
                    IscSigningCertificateMissing {} | IscCertificateReferenceMismatch {} => {
                        Some(S::NoSigningCertificateFound)
                    }
                    FcCheckNotEvaluated { .. } => Some(S::PolicyProcessingError),
                    CvSignedDataMissing {} => Some(S::SignedDataNotFound),
                    XcvNoPath {} => Some(S::NoCertificateChainFound),
                    XcvExpired { .. } | XcvNotYetValid { .. } => Some(S::OutOfBoundsNoPoe),
                    XcvKeyUsage { .. } | XcvExtendedKeyUsage { .. } | XcvPolicy { .. } => {
                        Some(S::ChainConstraintsFailure)
                    }
                    XcvIssuerSignatureInvalid { .. }
                    | XcvBasicConstraints { .. }
                    | XcvPathLength { .. }
                    | XcvNameConstraints { .. }
                    | XcvCriticalExtensionUnknown { .. }
                    | XcvCertificateMalformed { .. }
                    | XcvBudgetExceeded { .. } => Some(S::CertificateChainGeneralFailure),
                    RevRevoked { .. } => Some(S::RevokedNoPoe),
                    RevCaRevoked { .. } => Some(S::RevokedCaNoPoe),
                    RevUnavailable { .. }
                    | RevStale { .. }
                    | RevOnHold { .. }
                    | TspRevocationUnavailable { .. } => Some(S::TryLater),
                    TspOrder { .. } => Some(S::TimestampOrderFailure),
                    // Order 500/НҚ p. 19.7: an answer "unknown" is negative.
                    RevUnknown {} => Some(S::CertificateChainGeneralFailure),
                    SavAlgorithmNotAllowed { .. } => Some(S::CryptoConstraintsFailureNoPoe),
                    SavAttributeMissing { .. }
                    | SavAttributeDuplicated { .. }
                    | SavAttributeInconsistent { .. }
                    | SavSigningTimeImplausible { .. }
                    | SavMessageExpired { .. }
                    | SavMessageReplayed { .. }
                    | SavPolicyNotInForce { .. }
                    // Where a policy does not let a signature stand without its time-stamp, the token is one of its
                    // constraints (EN 319 102-1 §5.5.4 step 3 c).
                    | TspMalformed { .. }
                    | TspAlgorithmNotAllowed { .. }
                    | TspImprintMismatch {}
                    | TspSignatureInvalid {}
                    | TspCertificateMissing {}
                    | TspCertificateReferenceMismatch {}
                    | TspExtendedKeyUsage {}
                    | TspAuthorityMismatch {}
                    | TspHashIndexInvalid { .. }
                    | TspTimeImplausible { .. }
                    | TspOutsideValidity { .. }
                    | TspNoPath {}
                    | TspCertificateInvalid { .. }
                    | TspExpired { .. }
                    | TspRevoked { .. } => Some(S::SigConstraintsFailure),
                    _ => None,
                },
            ),
        };
        Verdict { indication, sub_indication }
    }

    /// Whether a later try with fresh revocation data may come out differently (contract §3, `retryable`).
    pub fn retryable(&self) -> bool {
        self.verdict().sub_indication == Some(SubIndication::TryLater)
    }

    /// The sentence in the three languages.
    pub fn message(&self) -> Message {
        Message { kk: self.sentence(Language::Kk), ru: self.sentence(Language::Ru), en: self.sentence(Language::En) }
    }

    /// The sentence in one language.
    pub fn sentence(&self, language: Language) -> String {
        super::sentences::sentence(self, language)
    }
}

pub(super) fn certificate_name(language: Language, position: usize) -> String {
    certificate(language, position)
}

/// `{code, args, message}` as in contract §3.
pub(super) struct WithMessage<'a>(pub(super) &'a Reason);

impl Serialize for WithMessage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Reason", 3)?;
        out.serialize_field("code", self.0.code())?;
        let tagged = serde_json::to_value(self.0).map_err(serde::ser::Error::custom)?;
        // A variant without fields has no "args" in the tagged form; the report always has an object there.
        let none = serde_json::Value::Object(serde_json::Map::new());
        out.serialize_field("args", tagged.get("args").unwrap_or(&none))?;
        out.serialize_field("message", &self.0.message())?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// One value of every reason. The match below stops compiling where a variant is added without an example.
    fn examples() -> Vec<Reason> {
        use Reason::*;
        let (t0, t1) = (Time::from_unix(1_790_000_000), Time::from_unix(1_795_312_800));
        let text = |text: &str| text.to_owned();
        vec![
            FcMalformed { what: text("truncated element at offset 7") },
            FcNoSignature {},
            FcTransformNotAllowed { algorithm: text("http://www.w3.org/TR/1999/REC-xslt-19991116") },
            FcAmbiguousReference { what: text("two elements have the same Id") },
            FcNotCovered { what: text("soap:Body") },
            FcLimitExceeded { limit: text("signers"), maximum: 32 },
            FcUnsupportedFormat { format: text("pdf") },
            FcCheckNotEvaluated { check: text("revocation") },
            IscSigningCertificateMissing {},
            IscCertificateReferenceMismatch {},
            CvDigestMismatch {},
            CvSignatureInvalid {},
            CvSignedDataMissing {},
            XcvNoPath {},
            XcvExpired { certificate: 0, not_after: t0, validation_time: t1 },
            XcvNotYetValid { certificate: 1, not_before: t1, validation_time: t0 },
            XcvKeyUsage { certificate: 0 },
            XcvExtendedKeyUsage { certificate: 0 },
            XcvPolicy { certificate: 0 },
            XcvIssuerSignatureInvalid { certificate: 1 },
            XcvBasicConstraints { certificate: 1 },
            XcvPathLength { certificate: 2 },
            XcvNameConstraints { certificate: 0 },
            XcvCriticalExtensionUnknown { certificate: 0, extension: text("1.2.3.4") },
            XcvCertificateMalformed { certificate: 1, what: text("key usage") },
            XcvBudgetExceeded { limit: text("signature checks"), maximum: 128 },
            RevRevoked { revoked_at: t0, reason: text("keyCompromise") },
            RevCaRevoked { certificate: 1, revoked_at: t0, reason: text("cACompromise") },
            RevUnavailable { certificate: 0, cause: text("no list for this issuer") },
            RevStale { certificate: 0, next_update: Some(t0), validation_time: t1 },
            RevOnHold { certificate: 0, since: t0 },
            RevUnknown {},
            SavAlgorithmNotAllowed { algorithm: text("RSA with SHA-1") },
            SavAttributeMissing { attribute: text("messageDigest") },
            SavAttributeDuplicated { attribute: text("signingTime") },
            SavAttributeInconsistent { attribute: text("contentType") },
            SavSigningTimeImplausible { claimed: t1, validation_time: t0 },
            SavMessageExpired { expires: t0, validation_time: t1 },
            SavMessageReplayed { expires: Some(t1) },
            SavSeenBefore {},
            SavPolicyNotInForce { until: t0, best_signature_time: t1 },
            TspMalformed { what: text("TSTInfo: truncated element at offset 7") },
            TspAlgorithmNotAllowed { algorithm: text("SHA-1") },
            TspImprintMismatch {},
            TspSignatureInvalid {},
            TspCertificateMissing {},
            TspCertificateReferenceMismatch {},
            TspExtendedKeyUsage {},
            TspAuthorityMismatch {},
            TspHashIndexInvalid { what: text("not one index") },
            TspOrder { gen_time: t1, covered_at: t0 },
            TspTimeImplausible { gen_time: t1, validation_time: t0 },
            TspOutsideValidity { gen_time: t0, not_before: t1, not_after: t1 },
            TspNoPath {},
            TspCertificateInvalid { cause: text("xcv-key-usage") },
            TspExpired { not_after: t0, validation_time: t1 },
            TspRevoked { revoked_at: t0, reason: text("keyCompromise") },
            TspRevocationUnavailable { cause: text("rev-unavailable") },
            IdNotDeclared {},
            IdApplicantMismatch { identifier: text("iin") },
            IdContentMismatch { identifier: text("bin") },
            IdContentUnreadable { what: text("not JSON, or a key is repeated") },
            IdBinNotDeclared {},
            IdAttributeMissing { attribute: text("iin") },
            IdAttributeAmbiguous { attribute: text("bin") },
            IdRoleNotAllowed {},
            IdCheckDigit { identifier: text("iin") },
        ]
    }

    /// A golden file for every code: what stands in reports is fixed. Set `TAMGA_BLESS=1` to write new ones.
    #[test]
    fn every_code_has_its_golden_file() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/reasons");
        let mut codes = BTreeSet::new();
        for reason in examples() {
            let verdict = reason.verdict();
            let golden = serde_json::json!({
                "reason": WithMessage(&reason),
                "indication": verdict.indication,
                "sub_indication": verdict.sub_indication,
                "retryable": reason.retryable(),
            });
            let text = serde_json::to_string_pretty(&golden).unwrap() + "\n";
            let file = folder.join(format!("{}.json", reason.code()));
            if std::env::var_os("TAMGA_BLESS").is_some() {
                std::fs::write(&file, &text).unwrap();
            }
            let stored = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            assert_eq!(stored, text, "{}", reason.code());
            // The derived form and the table of codes are the same names.
            assert_eq!(serde_json::to_value(&reason).unwrap()["code"], reason.code());
            codes.insert(reason.code().to_owned());
        }
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(files, codes, "every file has its code and every code its file");
        let source = include_str!("reason.rs");
        let variants = source.split("pub enum Reason {").nth(1).unwrap().split("\n}\n").next().unwrap();
        assert_eq!(codes.len(), variants.matches(" },").count() + variants.matches(" {},").count());
    }
}
