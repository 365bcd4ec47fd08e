//! What a verdict is made of: indications, reasons, checks, the report. Depends on nothing.

mod time;

pub use time::{NotATime, Time};
