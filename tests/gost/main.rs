//! Keys and signatures against OpenSSL, with Debian's GOST engine where GOST is asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod engine;
mod key_store;
mod openssl;
