//! Evidence, and reports with what gives them again.

use super::journal;
use super::row::{column, damaged, id, time};
use crate::crypto::{Digest, DigestAlgorithm};
use crate::port::{EvidenceObject, JournalEntry, JournalEvent, RegistryError, ReplayableReport};
use crate::report::Time;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Who stands in the journal for objects that are kept.
const ACTOR: &str = "evidence";

/// Keeps objects that are not kept yet.
pub(super) fn record(connection: &Connection, objects: &[EvidenceObject], at: Time) -> Result<(), RegistryError> {
    for object in objects {
        let new = connection
            .prepare_cached(
                "INSERT INTO evidence (digest, kind, octets) VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO NOTHING",
            )?
            .execute(params![object.digest.as_bytes(), object.kind.as_str(), object.octets.as_deref()])?;
        if new == 1 {
            let event = JournalEvent::EvidenceKept { kind: object.kind, object: object.digest.to_string() };
            journal::append(connection, &JournalEntry { at, actor: ACTOR.to_owned(), event })?;
        }
    }
    Ok(())
}

/// An object's octets; `Some(None)` where they are kept elsewhere.
pub(super) fn find(connection: &Connection, digest: &Digest) -> Result<Option<Option<Vec<u8>>>, RegistryError> {
    Ok(connection
        .prepare_cached("SELECT octets FROM evidence WHERE digest = ?1")?
        .query_row([digest.as_bytes()], |row| row.get(0))
        .optional()?)
}

/// Reports after a position.
pub(super) fn reports_after(
    connection: &Connection,
    position: u64,
    limit: usize,
) -> Result<Vec<ReplayableReport>, RegistryError> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "SELECT seq, id, digest, json, coalesce(judged_at, at), facts, parameters, document FROM report
             WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )?
        .query_and_then([position, limit], |row| read(connection, row))?
        .collect()
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<ReplayableReport, RegistryError> {
    let (report_id, json) = (id(row, 1)?, column::<Vec<u8>>(row, 3)?);
    if Digest::sha256(&json).as_bytes() != column::<[u8; 32]>(row, 2)? {
        return Err(RegistryError::Damaged { what: format!("report {report_id} is not the one that was recorded") });
    }
    let document = super::row::digest(row, 7)?;
    Ok(ReplayableReport {
        position: u64::try_from(column::<i64>(row, 0)?).map_err(|_| damaged("a report position below zero"))?,
        id: report_id,
        json,
        judged_at: time(row, 4)?,
        facts: optional_digest(row, 5)?,
        parameters: column(row, 6)?,
        content: content_of(connection, &document)?,
        document,
    })
}

/// A SHA-256 digest that may be missing.
pub(super) fn optional_digest(row: &Row<'_>, at: usize) -> Result<Option<Digest>, RegistryError> {
    let octets: Option<[u8; 32]> = column(row, at)?;
    let read = |octets: [u8; 32]| {
        Digest::from_octets(DigestAlgorithm::Sha256, &octets).ok_or_else(|| damaged("a digest of another length"))
    };
    octets.map(read).transpose()
}

/// The detached content of a registered request with this document.
fn content_of(connection: &Connection, document: &Digest) -> Result<Option<Digest>, RegistryError> {
    let content: Option<[u8; 32]> = connection
        .prepare_cached(
            "SELECT c.digest FROM body b JOIN request r ON r.document = b.id JOIN body c ON c.id = r.content
             WHERE b.digest = ?1 LIMIT 1",
        )?
        .query_row([document.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(content.and_then(|octets| Digest::from_octets(DigestAlgorithm::Sha256, &octets)))
}
