//! Time-stamping authorities: others over the network, and our own.

mod client;
mod clock;
mod own;
mod serial;

pub use client::{TimestampClient, TimestampSettings};
pub use clock::{ClockNotProven, GuardedClock};
pub use own::{OwnAuthority, OwnAuthorityError};
