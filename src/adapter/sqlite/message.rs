//! Messages that were taken, each remembered as long as it says that it is fresh.
//!
//! On disk like everything else here, so that a restart forgets none.

use crate::port::RegistryError;
use crate::report::Time;
use crate::verify::replay::Taken;
use rusqlite::{Connection, params};

/// How long after its end a message is still remembered: clocks of several instances differ, and a clock steps back.
const MARGIN_SECONDS: i64 = 300;

/// Remembers messages; whether all of them are new.
pub(super) fn take(connection: &Connection, messages: &[Taken], at: Time) -> Result<bool, RegistryError> {
    connection
        .prepare_cached("DELETE FROM message WHERE until < ?1")?
        .execute([at.unix().saturating_sub(MARGIN_SECONDS)])?;
    let mut new = true;
    for Taken { key, until } in messages {
        let added = connection
            .prepare_cached("INSERT OR IGNORE INTO message (key, until) VALUES (?1, ?2)")?
            .execute(params![key.as_bytes(), until.map(Time::unix)])?;
        new &= added == 1;
    }
    Ok(new)
}
