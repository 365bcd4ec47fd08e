//! Tamga (таңба, "seal, mark"): verification and sealing for electronic licensing.
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod crypto;
