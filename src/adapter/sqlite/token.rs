//! Access tokens.

use super::journal;
use super::row::{column, damaged, named, time};
use crate::port::token::{Role, TokenRecord};
use crate::port::{JournalEntry, JournalEvent, RegistryError};
use crate::report::Time;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Who stands in the journal for a token: tokens are made and revoked by an operator at the machine.
const ACTOR: &str = "operator";

const COLUMNS: &str = "SELECT id, holder, role, digest, created, expires, revoked FROM token";

fn read(row: &Row<'_>) -> Result<TokenRecord, RegistryError> {
    Ok(TokenRecord {
        id: column(row, 0)?,
        holder: column(row, 1)?,
        role: named(row, 2, |name| name.parse::<Role>().ok())?,
        digest: column(row, 3)?,
        created: time(row, 4)?,
        expires: time(row, 5)?,
        revoked: column::<Option<i64>>(row, 6)?.map(Time::from_unix),
    })
}

/// Keeps a new token.
pub(super) fn insert(connection: &Connection, token: &TokenRecord) -> Result<(), RegistryError> {
    connection
        .prepare_cached(
            "INSERT INTO token (id, holder, role, digest, created, expires, revoked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            token.id,
            token.holder,
            token.role.as_str(),
            token.digest,
            token.created.unix(),
            token.expires.unix(),
            token.revoked.map(Time::unix),
        ])?;
    let event = JournalEvent::TokenCreated { token: token.id.clone(), role: token.role.as_str().to_owned() };
    journal::append(connection, &JournalEntry { at: token.created, actor: ACTOR.to_owned(), event })?;
    Ok(())
}

/// The token of an id.
pub(super) fn find(connection: &Connection, id: &str) -> Result<Option<TokenRecord>, RegistryError> {
    connection
        .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
        .query_row([id], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Every token, oldest first.
pub(super) fn list(connection: &Connection) -> Result<Vec<TokenRecord>, RegistryError> {
    connection.prepare_cached(&format!("{COLUMNS} ORDER BY seq"))?.query_and_then([], read)?.collect()
}

/// Revokes a token; whether there is one of that id. One that is revoked keeps its time.
pub(super) fn revoke(connection: &Connection, id: &str, at: Time) -> Result<bool, RegistryError> {
    let Some(token) = find(connection, id)? else { return Ok(false) };
    if token.revoked.is_some() {
        return Ok(true);
    }
    let changed =
        connection.prepare_cached("UPDATE token SET revoked = ?1 WHERE id = ?2")?.execute(params![at.unix(), id])?;
    if changed != 1 {
        return Err(damaged("a token that stands twice"));
    }
    let event = JournalEvent::TokenRevoked { token: id.to_owned() };
    journal::append(connection, &JournalEntry { at, actor: ACTOR.to_owned(), event })?;
    Ok(true)
}
