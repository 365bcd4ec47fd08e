//! Implementations of the roles in [`crate::port`]: how, and with what.
//!
//! *Invariant:* an adapter never names a protocol room (`http`, `cli`); only the composition root sees both.

pub mod material;
pub mod sqlite;
