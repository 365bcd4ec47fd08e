//! The HTTP service from outside: a real listener, real bytes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss
)]

mod access;
mod authority_key;
mod batch;
mod command;
mod edges;
mod evidence;
mod harness;
mod hostile;
mod log;
mod million;
mod operations;
mod proof;
mod registry;
mod tls;
mod xml;
