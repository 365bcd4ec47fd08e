//! Tamga (таңба, "seal, mark"): verification and sealing for electronic licensing.

pub mod asn1;
pub mod crypto;
pub mod format;
pub mod licensing;
pub mod pki;
pub mod report;
pub mod verify;

#[cfg(feature = "server")]
pub mod port;
#[cfg(feature = "server")]
pub mod service;
