//! The HTTP service from outside: a real listener, real bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod batch;
mod command;
mod edges;
mod harness;
mod hostile;
mod operations;
mod registry;
mod tls;
mod xml;
