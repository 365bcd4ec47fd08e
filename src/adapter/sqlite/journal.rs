//! Rows of the journal.

use super::row::{column, damaged};
use crate::port::{ChainHash, JournalEntry, JournalRow, RegistryError, chain};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Appends a row behind the last one; its position.
pub(super) fn append(connection: &Connection, entry: &JournalEntry) -> Result<i64, RegistryError> {
    let (position, previous) = connection
        .prepare_cached("SELECT position, hash FROM journal ORDER BY position DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, ChainHash>(1)?)))
        .optional()?
        .unwrap_or((0, [0; 32]));
    let position = position.checked_add(1).ok_or_else(|| damaged("a journal position beyond counting"))?;
    let leaf = entry.leaf().map_err(|error| RegistryError::Failed { cause: error.to_string() })?;
    let hash = chain(&previous, leaf.as_bytes());
    connection
        .prepare_cached("INSERT INTO journal (position, subject, leaf, hash) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![position, entry.event.subject(), leaf, hash])?;
    Ok(position)
}

/// The last row.
pub(super) fn head(connection: &Connection) -> Result<Option<JournalRow>, RegistryError> {
    connection
        .prepare_cached("SELECT position, leaf, hash FROM journal ORDER BY position DESC LIMIT 1")?
        .query_row([], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Rows after a position, oldest first.
pub(super) fn rows_after(
    connection: &Connection,
    position: u64,
    limit: usize,
) -> Result<Vec<JournalRow>, RegistryError> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached("SELECT position, leaf, hash FROM journal WHERE position > ?1 ORDER BY position LIMIT ?2")?
        .query_and_then([position, limit], read)?
        .collect()
}

/// Everything about one number, oldest first.
pub(super) fn history(connection: &Connection, subject: &str) -> Result<Vec<JournalEntry>, RegistryError> {
    connection
        .prepare_cached("SELECT leaf FROM journal WHERE subject = ?1 ORDER BY position")?
        .query_and_then([subject], |row| {
            serde_json::from_str(&column::<String>(row, 0)?).map_err(|_| damaged("a journal row that cannot be read"))
        })?
        .collect()
}

fn read(row: &Row<'_>) -> Result<JournalRow, RegistryError> {
    let position = u64::try_from(column::<i64>(row, 0)?).map_err(|_| damaged("a journal position below zero"))?;
    Ok(JournalRow { position, leaf: column(row, 1)?, hash: column(row, 2)? })
}
