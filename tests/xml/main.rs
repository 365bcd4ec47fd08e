//! XML: the parser and the canonicalizer beside other people's, and the published vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod attacks;
mod canonical_peers;
mod canonical_vectors;
mod command;
mod corpus;
mod generator;
mod messages;
mod parser_peers;
mod properties;
mod seeds;
mod signature_peers;
mod signature_vectors;
mod support;
