//! Revocation data from the outside: lists and responses that are good, old, broken, late, or somebody else's.

mod corpus;
mod crash;
mod mirrors;
mod responder;
mod server;
mod store;
