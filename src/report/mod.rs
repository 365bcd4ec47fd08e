//! What a verdict is made of: indications, reasons, checks, the report. Depends on nothing.

mod check;
mod indication;
mod reason;
mod sentences;
mod time;

pub use check::{CheckId, Checks, Outcome};
pub use indication::{Decision, Indication, SubIndication, Verdict};
pub use reason::{Language, Message, Reason};
pub use sentences::refusal_message;
pub use time::{NotATime, Time};
