//! Tamga (таңба, "seal, mark"): verification and sealing for electronic licensing.
//!
//! # The rooms
//!
//! | ring | room | what stands there |
//! |---|---|---|
//! | 0 | [`report`] | what a verdict is made of: indications, reasons, checks, the report |
//! | 0 | [`asn1`] | ASN.1 over borrowed slices |
//! | 1 | [`crypto`] | algorithms behind one registry: digests, signatures, keys |
//! | 1 | [`pki`] | bytes to certificates, names, extensions, lists, identities; no judgement |
//! | 1 | [`mod@format`] | each container lowered to what was signed and by whom it claims to be signed |
//! | 2 | [`verify`] | pure judgement: facts in, report out |
//! | 2 | [`licensing`] | services, numbers, states |
//! | 2 | [`transparency`] | the journal as a Merkle tree: tiles, checkpoints, proofs |
//! | 3 | `port`, `service` | roles and use cases |
//! | 4 | `adapter`, `http`, `cli`, `config`, `app`, … | how things are done, and the outside |
//!
//! Arrows point inward only (`tests/architecture.rs`). Rings 0 to 2 do no I/O, read no clock, draw no randomness and
//! write no log; they build without the `server` feature.
//!
//! # Invariants
//!
//! * Facts are gathered first, then judged: time, anchors, certificates, revocation data and policy are arguments.
//! * A verdict starts as "not proven"; only checks that ran and passed raise it.
//! * What was verified is what was received: no octet is re-encoded to be verified.
//! * A number is never used twice and never lost; nothing is signed before the intent is on disk.
//!
//! # Verbs
//!
//! `parse` bytes → type · `inspect` an object alone · `verify` with a key · `validate` both · `check_*` one rule →
//! outcome · `plan`, `prepare`, `seal`.

pub mod asn1;
pub mod crypto;
pub mod format;
pub mod licensing;
pub mod pki;
pub mod report;
pub mod stamp;
pub mod transparency;
pub mod verify;

#[cfg(feature = "server")]
pub mod adapter;
#[cfg(feature = "server")]
pub mod app;
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
