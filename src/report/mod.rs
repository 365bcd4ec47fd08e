//! What a verdict is made of: indications, reasons, checks, the report. Depends on nothing.
//!
//! *Invariant:* a verdict starts as "not proven"; only outcomes of checks that ran and passed raise it.

mod check;
mod indication;
mod reason;
mod sentences;
mod time;
mod validation_report;

pub use check::{CheckId, Checks, Outcome};
pub use indication::{Decision, Indication, SubIndication, Verdict};
pub use reason::{Language, Message, Reason};
pub use sentences::refusal_message;
pub use time::{NotATime, Time};
pub use validation_report::*;
