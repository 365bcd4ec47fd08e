//! Implementations of the roles in [`crate::port`]: how, and with what.
//!
//! *Invariant:* an adapter never names a protocol room (`http`, `cli`); only the composition root sees both.

pub mod asking;
pub mod clock;
pub mod demonstration_folder;
pub mod evidence;
pub mod facts;
pub mod fetch;
pub mod log;
pub mod material;
pub mod revocation_store;
pub mod sealing;
pub mod signature_cache;
pub mod soft_key;
pub mod sqlite;
pub mod timestamp;
pub mod whole_file;
