//! Time: tokens over signatures, and what they prove when certificates expire and are revoked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub
)]

mod archive;
mod attacks;
mod authority;
mod command;
mod national;
mod ocsp;
mod openssl;
mod peer;
mod pyhanko;
mod scene;
mod truth_table;
mod walk;
