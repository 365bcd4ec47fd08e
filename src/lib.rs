//! Tamga (таңба, "seal, mark"): verification and sealing for electronic licensing.

pub mod asn1;
pub mod crypto;
pub mod format;
pub mod licensing;
pub mod pki;
pub mod report;
pub mod verify;

#[cfg(feature = "server")]
pub mod adapter;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod demonstration;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod port;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod telemetry;

/// Name and version of this software, as reports and answers carry them.
pub const SOFTWARE: &str = concat!("tamga ", env!("CARGO_PKG_VERSION"));
