//! Revocation data from the outside: lists and responses that are good, old, broken, late, or somebody else's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)] // tests fail loudly

mod command;
mod corpus;
mod crash;
mod mirrors;
mod online;
mod responder;
mod server;
mod store;
