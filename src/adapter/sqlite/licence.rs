//! Licences, their documents and states.

use super::evidence::optional_digest;
use super::journal;
use super::row::{column, damaged, digest, named, parsed, time};
use crate::crypto::Digest;
use crate::licensing::{Container, DocumentKind, Holder, LicenceNumber, LicenceState, RequestNumber};
use crate::port::{
    Conflict, DocumentRecord, JournalEntry, JournalEvent, LicenceRecord, RegistryError, SealedForm, StateChange,
    Unknown,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

const RECORD: &str = "SELECT l.seq, l.number, l.kind, l.state, l.service, l.iin, l.bin, l.issued_to, r.number,
        l.issue_date, l.valid_until, old.number, new.number
    FROM licence l JOIN request r ON r.seq = l.request
        LEFT JOIN licence old ON old.seq = l.replaces LEFT JOIN licence new ON new.replaces = l.seq
    WHERE l.number = ?1";

fn read_record(row: &Row<'_>) -> Result<(i64, LicenceRecord), RegistryError> {
    let record = LicenceRecord {
        number: LicenceNumber(column(row, 1)?),
        kind: named(row, 2, DocumentKind::from_name)?,
        state: named(row, 3, LicenceState::from_name)?,
        service: column(row, 4)?,
        holder: Holder { iin: column(row, 5)?, bin: column(row, 6)?, issued_to: column(row, 7)? },
        request: RequestNumber(column(row, 8)?),
        issue_date: parsed(&column::<String>(row, 9)?)?,
        valid_until: column::<Option<String>>(row, 10)?.as_deref().map(parsed).transpose()?,
        replaces: column::<Option<String>>(row, 11)?.map(LicenceNumber),
        replaced_by: column::<Option<String>>(row, 12)?.map(LicenceNumber),
        documents: Vec::new(),
    };
    Ok((column(row, 0)?, record))
}

/// A licence by number, with its row.
pub(super) fn find(
    connection: &Connection,
    number: &LicenceNumber,
) -> Result<Option<(i64, LicenceRecord)>, RegistryError> {
    let found = connection
        .prepare_cached(RECORD)?
        .query_row([&number.0], |row| Ok(read_record(row)))
        .optional()?
        .transpose()?;
    let Some((seq, mut record)) = found else { return Ok(None) };
    record.documents = connection
        .prepare_cached(
            "SELECT d.kind, b.digest, d.content, d.stamped_at, d.seq, d.facts FROM document d JOIN body b ON b.id = d.body
             WHERE d.licence = ?1 ORDER BY d.seq",
        )?
        .query_and_then([seq], |row| {
            Ok::<_, RegistryError>(DocumentRecord {
                kind: named(row, 0, DocumentKind::from_name)?,
                digest: digest(row, 1)?,
                content: digest(row, 2)?,
                stamped_at: time(row, 3)?,
                forms: forms(connection, column(row, 4)?)?,
                facts: optional_digest(row, 5)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some((seq, record)))
}

/// A document in its other containers.
fn forms(connection: &Connection, document: i64) -> Result<Vec<SealedForm>, RegistryError> {
    connection
        .prepare_cached(
            "SELECT f.container, b.digest, f.content FROM document_form f JOIN body b ON b.id = f.body
             WHERE f.document = ?1 ORDER BY f.container",
        )?
        .query_and_then([document], |row| {
            let container = named(row, 0, Container::from_name)?;
            Ok(SealedForm { container, digest: digest(row, 1)?, content: digest(row, 2)? })
        })?
        .collect()
}

/// The number under which a document was issued, in whichever container.
pub(super) fn of_document(connection: &Connection, document: &Digest) -> Result<Option<LicenceNumber>, RegistryError> {
    let number = connection
        .prepare_cached(
            "SELECT l.number FROM body b JOIN document d ON d.body = b.id JOIN licence l ON l.seq = d.licence
             WHERE b.digest = ?1
             UNION ALL
             SELECT l.number FROM body b JOIN document_form f ON f.body = b.id JOIN document d ON d.seq = f.document
                 JOIN licence l ON l.seq = d.licence
             WHERE b.digest = ?1 LIMIT 1",
        )?
        .query_row([document.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(number.map(LicenceNumber))
}

/// How many there are.
pub(super) fn count(connection: &Connection) -> Result<u64, RegistryError> {
    let count: i64 = connection.prepare_cached("SELECT count(*) FROM licence")?.query_row([], |row| row.get(0))?;
    u64::try_from(count).map_err(|_| damaged("fewer licences than none"))
}

/// Numbers in the order of issue.
pub(super) fn after(
    connection: &Connection,
    after: Option<&LicenceNumber>,
    limit: usize,
) -> Result<Vec<LicenceNumber>, RegistryError> {
    let seq = match after {
        None => 0,
        Some(number) => find(connection, number)?.ok_or_else(|| Unknown::Licence(number.clone()))?.0,
    };
    connection
        .prepare_cached("SELECT number FROM licence WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
        .query_and_then([seq, i64::try_from(limit).unwrap_or(i64::MAX)], |row| Ok(LicenceNumber(column(row, 0)?)))?
        .collect()
}

/// Writes a state that was found to be allowed, with its row in the journal.
pub(super) fn write_state(
    connection: &Connection,
    seq: i64,
    from: LicenceState,
    to: LicenceState,
    change: &StateChange,
) -> Result<(), RegistryError> {
    connection.prepare_cached("UPDATE licence SET state = ?1 WHERE seq = ?2")?.execute(params![to.as_str(), seq])?;
    let event = JournalEvent::StateChanged {
        number: change.number.clone(),
        action: change.action,
        from,
        to,
        reason: change.reason.as_ref().map(|reason| Digest::sha256(reason.as_bytes())),
    };
    let position = journal::append(connection, &JournalEntry { at: change.at, actor: change.actor.clone(), event })?;
    if let Some(reason) = &change.reason {
        connection
            .prepare_cached("INSERT INTO state_change (licence, journal, reason) VALUES (?1, ?2, ?3)")?
            .execute(params![seq, position, reason])?;
    }
    Ok(())
}

/// The state becomes another, where it may.
pub(super) fn change_state(connection: &Connection, change: &StateChange) -> Result<LicenceRecord, RegistryError> {
    let (seq, record) = find(connection, &change.number)?.ok_or_else(|| Unknown::Licence(change.number.clone()))?;
    if !record.kind.has_states() {
        return Err(Conflict::Kind { kind: record.kind, action: change.action }.into());
    }
    let to = record.state.after(change.action).map_err(Conflict::Transition)?;
    write_state(connection, seq, record.state, to, change)?;
    let (_, record) = find(connection, &change.number)?.ok_or_else(|| damaged("a licence that was just written"))?;
    Ok(record)
}
