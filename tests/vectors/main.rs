//! Published vectors of other suites through the library: what they say is invalid is never accepted, what they say is
//! valid and our rules allow is accepted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod wycheproof;
