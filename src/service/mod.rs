//! Use cases, knowing nothing of HTTP.
//!
//! Every use case is one synchronous call: it may wait for the store, so an asynchronous caller gives it a thread of
//! its own.
//!
//! *Invariant:* time is read once per use case and handed down; a caller's role is checked here, whatever the protocol
//! checked before.

pub mod access;
mod error;
mod model;
pub mod readiness;

pub use error::ServiceError;
pub use model::{
    Applicant, Caller, Idempotency, LicenceVerified, LicenceView, Novelty, Recovery, Registered, RegistryFinding,
    RequestView, STATE_ACTIONS, StampOrder, StateOrder, Submission, VerificationParameters, Verified,
};
