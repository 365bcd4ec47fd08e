//! Rows of the journal.

use super::row::{column, damaged, time};
use crate::port::{ChainHash, JournalEntry, JournalRow, RegistryError, StoredCheckpoint, chain};
use crate::transparency::tile::MAX_ENTRY_OCTETS;
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
    if leaf.len() > MAX_ENTRY_OCTETS {
        return Err(RegistryError::Failed { cause: "a journal row too long to be published".to_owned() });
    }
    let hash = chain(&previous, leaf.as_bytes());
    connection
        .prepare_cached("INSERT INTO journal (position, subject, leaf, hash) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![position, entry.event.subject(), leaf, hash])?;
    Ok(position)
}

/// The last row.
pub(super) fn head(connection: &Connection) -> Result<Option<JournalRow>, RegistryError> {
    connection
        .prepare_cached("SELECT position, leaf, hash, subject FROM journal ORDER BY position DESC LIMIT 1")?
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
        .prepare_cached(
            "SELECT position, leaf, hash, subject FROM journal WHERE position > ?1 ORDER BY position LIMIT ?2",
        )?
        .query_and_then([position, limit], read)?
        .collect()
}

/// Every row about one number, oldest first.
pub(super) fn rows_about(connection: &Connection, subject: &str) -> Result<Vec<JournalRow>, RegistryError> {
    connection
        .prepare_cached("SELECT position, leaf, hash, subject FROM journal WHERE subject = ?1 ORDER BY position")?
        .query_and_then([subject], read)?
        .collect()
}

/// The checkpoints of a log, smallest first.
pub(super) fn checkpoints(connection: &Connection, origin: &str) -> Result<Vec<StoredCheckpoint>, RegistryError> {
    connection
        .prepare_cached("SELECT origin, size, at, note, token FROM checkpoint WHERE origin = ?1 ORDER BY size")?
        .query_and_then([origin], read_checkpoint)?
        .collect()
}

/// The last checkpoint of a log.
pub(super) fn last_checkpoint(
    connection: &Connection,
    origin: &str,
) -> Result<Option<StoredCheckpoint>, RegistryError> {
    connection
        .prepare_cached(
            "SELECT origin, size, at, note, token FROM checkpoint WHERE origin = ?1 ORDER BY size DESC LIMIT 1",
        )?
        .query_row([origin], |row| Ok(read_checkpoint(row)))
        .optional()?
        .transpose()
}

fn read_checkpoint(row: &Row<'_>) -> Result<StoredCheckpoint, RegistryError> {
    Ok(StoredCheckpoint {
        origin: column(row, 0)?,
        size: u64::try_from(column::<i64>(row, 1)?).map_err(|_| damaged("a checkpoint over less than nothing"))?,
        at: time(row, 2)?,
        note: column(row, 3)?,
        token: column(row, 4)?,
    })
}

/// Keeps a checkpoint in the place of the last one without a token.
pub(super) fn record_checkpoint(connection: &Connection, checkpoint: &StoredCheckpoint) -> Result<(), RegistryError> {
    let size = i64::try_from(checkpoint.size).map_err(|_| damaged("a checkpoint beyond counting"))?;
    let rows: i64 =
        connection.prepare_cached("SELECT coalesce(max(position), 0) FROM journal")?.query_row([], |row| row.get(0))?;
    let last: i64 = connection
        .prepare_cached("SELECT coalesce(max(size), 0) FROM checkpoint WHERE origin = ?1")?
        .query_row([&checkpoint.origin], |row| row.get(0))?;
    if size > rows || size < last {
        return Err(damaged("a checkpoint that does not extend the last one"));
    }
    connection
        .prepare_cached("DELETE FROM checkpoint WHERE origin = ?1 AND token IS NULL AND size <= ?2")?
        .execute(params![checkpoint.origin, size])?;
    connection
        .prepare_cached(
            "INSERT INTO checkpoint (origin, size, at, note, token) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (origin, size) DO NOTHING",
        )?
        .execute(params![checkpoint.origin, size, checkpoint.at.unix(), checkpoint.note, checkpoint.token])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<JournalRow, RegistryError> {
    let position = u64::try_from(column::<i64>(row, 0)?).map_err(|_| damaged("a journal position below zero"))?;
    Ok(JournalRow { position, leaf: column(row, 1)?, hash: column(row, 2)?, subject: column(row, 3)? })
}
