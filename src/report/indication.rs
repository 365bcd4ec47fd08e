//! The result model of EN 319 102-1 §5.1.

use serde::{Deserialize, Serialize};

/// Main status indication (EN 319 102-1 §5.1.3, Table 4). Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Indication {
    /// All checks of the policy passed.
    TotalPassed,
    /// The facts at hand do not decide.
    Indeterminate,
    /// A check failed for good.
    TotalFailed,
}

/// Sub-indication (EN 319 102-1 §5.1.3, Tables 5 and 6), in the standard's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)] // The names are the standard's own; validation.md §6.1 explains each.
pub enum SubIndication {
    FormatFailure,
    HashFailure,
    SigCryptoFailure,
    Revoked,
    Expired,
    NotYetValid,
    SigConstraintsFailure,
    ChainConstraintsFailure,
    CertificateChainGeneralFailure,
    CryptoConstraintsFailure,
    CryptoConstraintsFailureNoPoe,
    PolicyProcessingError,
    SignaturePolicyNotAvailable,
    TimestampOrderFailure,
    NoSigningCertificateFound,
    NoCertificateChainFound,
    NoCertificateChainFoundNoPoe,
    RevokedNoPoe,
    RevokedCaNoPoe,
    OutOfBoundsNotRevoked,
    OutOfBoundsNoPoe,
    RevocationOutOfBoundsNoPoe,
    NoPoe,
    TryLater,
    SignedDataNotFound,
}

/// What a reason means for the signature in the standard's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// Main status.
    pub indication: Indication,
    /// Sub-indication; `None` only where the finding is not the standard's (identity).
    pub sub_indication: Option<SubIndication>,
}

/// Our decision, apart from the ETSI part (contract §3). Ordered from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The request may be registered.
    Accepted,
    /// A later try may settle it.
    Undetermined,
    /// The request is refused.
    Refused,
}

impl Decision {
    /// The name as it stands in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Decision::Accepted => "accepted",
            Decision::Undetermined => "undetermined",
            Decision::Refused => "refused",
        }
    }
}
