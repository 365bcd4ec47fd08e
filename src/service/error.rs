//! Why a use case was not carried out.

use crate::licensing::TermsRefused;
use crate::port::{Conflict, LogError, RegistryError, SignerError, Unknown};

/// A use case was not carried out. Whose fault it is decides what a protocol makes of it: the caller's for
/// [`ServiceError::is_callers`], the document's for [`ServiceError::NotAcceptable`], ours otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The caller's role does not allow it.
    #[error("this needs the role {needed}")]
    Forbidden {
        /// A role that would do.
        needed: &'static str,
    },
    /// A field of what was asked for cannot be used.
    #[error("{field}: {problem}")]
    Invalid {
        /// JSON Pointer of the field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such thing.
    #[error(transparent)]
    Unknown(Unknown),
    /// It cannot be done as things stand.
    #[error(transparent)]
    Conflict(Conflict),
    /// The signed request is not acceptable; the report says why.
    #[error("the request is not acceptable")]
    NotAcceptable {
        /// The report, JSON.
        report: bytes::Bytes,
        /// Whether a later try may come out differently.
        retryable: bool,
    },
    /// The authority's own certificate must not be used now (Order 500/НҚ, p. 4).
    #[error("the authority's certificate cannot be used: {code}")]
    SignerNotUsable {
        /// Reason code of the report on it.
        code: String,
        /// Whether a later try may come out differently.
        retryable: bool,
    },
    /// No key is configured, or the key did not sign.
    #[error("nothing was signed: {cause}")]
    NotSigned {
        /// What was met.
        cause: String,
        /// Whether a later try may come out differently.
        retryable: bool,
    },
    /// What we sealed did not pass our own verification; it was not issued.
    #[error("the sealed document did not pass verification ({code}) and was not issued")]
    OwnOutputRefused {
        /// Reason code of the report on it.
        code: String,
    },
    /// The document could not be extended.
    #[error("nothing was extended: {cause}")]
    NotExtended {
        /// What was met.
        cause: String,
        /// Whether a later try may come out differently.
        retryable: bool,
    },
    /// The clock stands before the last row of the journal: nothing is stamped on an unproven time.
    #[error("the clock stands {seconds} s before the last row of the journal")]
    ClockWentBack {
        /// By how much.
        seconds: i64,
    },
    /// The store is busy.
    #[error("the store is busy")]
    StoreBusy,
    /// The store is full.
    #[error("the store is full")]
    StoreFull,
    /// What is stored is not what was stored.
    #[error("the store is damaged: {what}")]
    StoreDamaged {
        /// What does not fit.
        what: String,
    },
    /// Anything else that we could not do.
    #[error("{cause}")]
    Internal {
        /// What was met.
        cause: String,
    },
}

impl ServiceError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ServiceError::Forbidden { .. } => "forbidden",
            ServiceError::Invalid { .. } => "invalid-field",
            ServiceError::Unknown(Unknown::Request(_)) => "request-unknown",
            ServiceError::Unknown(Unknown::Licence(_)) => "licence-unknown",
            ServiceError::Unknown(Unknown::Stamping) => "stamping-unknown",
            ServiceError::Conflict(conflict) => match conflict {
                Conflict::RequestDecided { .. } => "request-decided",
                Conflict::StampingUnderWay => "stamping-under-way",
                Conflict::KeyReused => "idempotency-key-reused",
                Conflict::KeyUnderWay => "idempotency-key-under-way",
                Conflict::Transition(_) => "state-not-allowed",
                Conflict::Kind { .. } => "kind-not-allowed",
                Conflict::OtherHolder { .. } => "request-of-another",
                Conflict::NumbersUsedUp => "numbers-used-up",
            },
            ServiceError::NotAcceptable { .. } => "request-not-acceptable",
            ServiceError::SignerNotUsable { .. } => "signer-not-usable",
            ServiceError::NotSigned { .. } => "not-signed",
            ServiceError::OwnOutputRefused { .. } => "own-output-refused",
            ServiceError::NotExtended { .. } => "not-extended",
            ServiceError::ClockWentBack { .. } => "clock-went-back",
            ServiceError::StoreBusy => "store-busy",
            ServiceError::StoreFull => "store-full",
            ServiceError::StoreDamaged { .. } => "store-damaged",
            ServiceError::Internal { .. } => "internal",
        }
    }

    /// Whether the same call may succeed later without anyone changing it.
    pub fn retryable(&self) -> bool {
        match self {
            ServiceError::StoreBusy | ServiceError::StoreFull | ServiceError::ClockWentBack { .. } => true,
            ServiceError::Conflict(conflict) => {
                matches!(conflict, Conflict::StampingUnderWay | Conflict::KeyUnderWay)
            }
            ServiceError::NotAcceptable { retryable, .. }
            | ServiceError::SignerNotUsable { retryable, .. }
            | ServiceError::NotSigned { retryable, .. }
            | ServiceError::NotExtended { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// Whether the caller asked for something that cannot be, as opposed to our not being able.
    pub fn is_callers(&self) -> bool {
        matches!(
            self,
            ServiceError::Forbidden { .. }
                | ServiceError::Invalid { .. }
                | ServiceError::Unknown(_)
                | ServiceError::Conflict(_)
                | ServiceError::NotAcceptable { .. }
        )
    }
}

impl From<RegistryError> for ServiceError {
    fn from(error: RegistryError) -> ServiceError {
        match error {
            RegistryError::Unknown(unknown) => ServiceError::Unknown(unknown),
            RegistryError::Conflict(conflict) => ServiceError::Conflict(conflict),
            RegistryError::Busy => ServiceError::StoreBusy,
            RegistryError::Full => ServiceError::StoreFull,
            RegistryError::Damaged { what } => ServiceError::StoreDamaged { what },
            RegistryError::Failed { cause } => ServiceError::Internal { cause },
        }
    }
}

impl From<LogError> for ServiceError {
    fn from(error: LogError) -> ServiceError {
        match error {
            LogError::Journal(error) => error.into(),
            LogError::Tile { .. }
            | LogError::RolledBack { .. }
            | LogError::Altered { .. }
            | LogError::Checkpoint(_) => ServiceError::StoreDamaged { what: error.to_string() },
            LogError::File { .. } | LogError::Key => ServiceError::Internal { cause: error.to_string() },
        }
    }
}

impl From<SignerError> for ServiceError {
    fn from(error: SignerError) -> ServiceError {
        let retryable = matches!(error, SignerError::Transient { .. });
        ServiceError::NotSigned { cause: error.to_string(), retryable }
    }
}

impl From<TermsRefused> for ServiceError {
    fn from(refused: TermsRefused) -> ServiceError {
        ServiceError::Invalid { field: refused.field, problem: refused.problem.to_string() }
    }
}
