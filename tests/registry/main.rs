//! The use cases on a real registry file: order of events, crashes, states, idempotency.
//!
//! What is played here is the outside of the order of events: judging and sealing are stand-ins that can be told what
//! to find, because these tests are about what the service does with a verdict, not about how one is reached.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub
)]

mod crash;
mod log;
mod log_crash;
mod scale;
mod use_cases;
mod world;
