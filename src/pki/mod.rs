//! Public-key infrastructure objects: bytes to typed objects, without judgement.
//!
//! *Invariant:* an object that exists was parsed as strict DER in full and still owns the bytes it was parsed from; no
//! rule of path validation is applied here.

pub mod certificate;
pub mod crl;
pub mod extension;
pub mod identity;
pub mod name;
pub mod national;
pub mod ocsp;
pub mod public_key;
pub mod timestamp;

pub use certificate::{Certificate, CertificateError, Version};
pub use crl::{Crl, CrlReason, RevocationList, RevokedEntry};
pub use identity::{Bin, Identity, Iin, Role};
pub use name::{Attribute, Name};
pub use ocsp::OcspResponse;
pub use public_key::{SubjectPublicKeyInfo, VerificationError};
