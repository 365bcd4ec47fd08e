//! Reports, documents, requests, and the numbers of both requests and licences.

use super::journal;
use super::row::{column, damaged, digest, id, named, time};
use crate::crypto::Digest;
use crate::licensing::{LicenceNumber, RequestNumber, RequestState};
use crate::port::{
    Conflict, JournalEntry, JournalEvent, NewReport, NewRequest, NumberSeries, Registration, RegistryError,
    RequestRecord, SeenKey, StoredReport, StoredRequest,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

/// Numbers of another series that may stand in the way of a new one before something must be wrong: a changed format
/// can come upon numbers of the old one.
const MAX_TAKEN_NUMBERS: u32 = 10_000;

/// Keeps a report; its row.
pub(super) fn insert_report(
    connection: &Connection,
    report: &NewReport,
    json_digest: &Digest,
) -> Result<i64, RegistryError> {
    connection
        .prepare_cached(
            "INSERT INTO report (id, at, actor, decision, document, digest, json, judged_at, facts, parameters)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            report.id.as_bytes(),
            report.at.unix(),
            report.actor,
            report.decision.as_str(),
            report.document.as_bytes(),
            json_digest.as_bytes(),
            &*report.json,
            report.judged_at.unix(),
            report.facts.as_ref().map(Digest::as_bytes),
            report.parameters,
        ])?;
    Ok(connection.last_insert_rowid())
}

/// A report, its digest compared.
pub(super) fn report(connection: &Connection, report: Uuid) -> Result<Option<StoredReport>, RegistryError> {
    let stored = connection
        .prepare_cached("SELECT id, actor, digest, json FROM report WHERE id = ?1")?
        .query_row([report.as_bytes()], |row| {
            Ok((|| {
                Ok::<_, RegistryError>(StoredReport {
                    id: id(row, 0)?,
                    actor: column(row, 1)?,
                    digest: digest(row, 2)?,
                    json: column(row, 3)?,
                })
            })())
        })
        .optional()?
        .transpose()?;
    match stored {
        Some(stored) if Digest::sha256(&stored.json) != stored.digest => {
            Err(RegistryError::Damaged { what: format!("report {report} is not the one that was recorded") })
        }
        stored => Ok(stored),
    }
}

/// Keeps octets once under their digest; their row.
pub(super) fn put_body(connection: &Connection, digest: &Digest, bytes: &[u8]) -> Result<i64, RegistryError> {
    let found = connection
        .prepare_cached("SELECT id FROM body WHERE digest = ?1")?
        .query_row([digest.as_bytes()], |row| row.get(0))
        .optional()?;
    if let Some(found) = found {
        return Ok(found);
    }
    connection
        .prepare_cached("INSERT INTO body (digest, bytes) VALUES (?1, ?2)")?
        .execute(params![digest.as_bytes(), bytes])?;
    Ok(connection.last_insert_rowid())
}

/// Octets by digest, compared.
pub(super) fn body(connection: &Connection, digest: &Digest) -> Result<Option<Vec<u8>>, RegistryError> {
    let bytes: Option<Vec<u8>> = connection
        .prepare_cached("SELECT bytes FROM body WHERE digest = ?1")?
        .query_row([digest.as_bytes()], |row| row.get(0))
        .optional()?;
    match bytes {
        Some(bytes) if Digest::sha256(&bytes) != *digest => {
            Err(RegistryError::Damaged { what: format!("document {digest} is not the one that was stored") })
        }
        bytes => Ok(bytes),
    }
}

/// The next number of a series that `taken` does not know.
pub(super) fn next_number(
    connection: &Connection,
    series: &NumberSeries,
    taken: &str,
) -> Result<String, RegistryError> {
    let scope = series.format.scope(series.permit_type, series.year);
    for _ in 0..MAX_TAKEN_NUMBERS {
        let serial: i64 = connection
            .prepare_cached(
                "INSERT INTO counter (scope, last) VALUES (?1, 1)
                 ON CONFLICT (scope) DO UPDATE SET last = last + 1 RETURNING last",
            )?
            .query_row([&scope], |row| row.get(0))?;
        let serial = u64::try_from(serial).map_err(|_| damaged("a serial below zero"))?;
        let number = series
            .format
            .number(series.permit_type, series.year, serial)
            .map_err(|_| RegistryError::Conflict(Conflict::NumbersUsedUp))?;
        if !connection.prepare_cached(taken)?.exists([&number])? {
            return Ok(number);
        }
    }
    Err(RegistryError::Conflict(Conflict::NumbersUsedUp))
}

/// The request registered with any of these signatures.
pub(super) fn seen(connection: &Connection, keys: &[SeenKey]) -> Result<Option<RequestNumber>, RegistryError> {
    let mut lookup = connection
        .prepare_cached("SELECT request.number FROM seen JOIN request ON request.seq = seen.request WHERE key = ?1")?;
    for key in keys {
        if let Some(number) = lookup.query_row([key.0], |row| row.get(0)).optional()? {
            return Ok(Some(RequestNumber(number)));
        }
    }
    Ok(None)
}

/// Digests that are computed before the writing thread is asked.
pub(super) struct RequestDigests {
    pub(super) report: Digest,
    pub(super) document: Digest,
    pub(super) content: Option<Digest>,
}

/// Registers once.
pub(super) fn register(
    connection: &Connection,
    request: &NewRequest,
    digests: &RequestDigests,
) -> Result<Registration, RegistryError> {
    let report = insert_report(connection, &request.report, &digests.report)?;
    if let Some(before) = seen(connection, &request.seen)? {
        let record = record(connection, &before)?.ok_or_else(|| damaged("a signature without its request"))?;
        return Ok(Registration::Before(record));
    }
    let document = put_body(connection, &digests.document, &request.document)?;
    let content = match (&digests.content, &request.content) {
        (Some(digest), Some(content)) => Some(put_body(connection, digest, content)?),
        _ => None,
    };
    let number = next_number(connection, &request.series, "SELECT 1 FROM request WHERE number = ?1")?;
    connection
        .prepare_cached(
            "INSERT INTO request (number, registered_at, actor, service, edition, state, iin, bin, document, content,
                 parameters, report)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            number,
            request.at.unix(),
            request.actor,
            request.service,
            request.edition,
            RequestState::Registered.as_str(),
            request.iin,
            request.bin,
            document,
            content,
            request.parameters,
            report,
        ])?;
    let seq = connection.last_insert_rowid();
    let mut keys = request.seen.clone();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        connection.prepare_cached("INSERT INTO seen (key, request) VALUES (?1, ?2)")?.execute(params![key.0, seq])?;
    }
    let number = RequestNumber(number);
    let event = JournalEvent::RequestRegistered {
        number: number.clone(),
        service: request.service.clone(),
        document: digests.document,
        report: digests.report,
    };
    journal::append(connection, &JournalEntry { at: request.at, actor: request.actor.clone(), event })?;
    let record = record(connection, &number)?.ok_or_else(|| damaged("a request that was just written"))?;
    Ok(Registration::New(record))
}

const RECORD: &str = "SELECT r.number, r.registered_at, r.service, r.edition, r.state, r.iin, r.bin, b.digest, p.id,
        p.digest, l.number
    FROM request r JOIN body b ON b.id = r.document JOIN report p ON p.seq = r.report
        LEFT JOIN licence l ON l.request = r.seq
    WHERE r.number = ?1";

fn read_record(row: &Row<'_>) -> Result<RequestRecord, RegistryError> {
    Ok(RequestRecord {
        number: RequestNumber(column(row, 0)?),
        registered_at: time(row, 1)?,
        service: column(row, 2)?,
        edition: column(row, 3)?,
        state: named(row, 4, RequestState::from_name)?,
        iin: column(row, 5)?,
        bin: column(row, 6)?,
        document: digest(row, 7)?,
        verification: id(row, 8)?,
        report: digest(row, 9)?,
        licence: column::<Option<String>>(row, 10)?.map(LicenceNumber),
    })
}

/// A request by number.
pub(super) fn record(connection: &Connection, number: &RequestNumber) -> Result<Option<RequestRecord>, RegistryError> {
    connection.prepare_cached(RECORD)?.query_row([&number.0], |row| Ok(read_record(row))).optional()?.transpose()
}

/// A request with its documents, their digests compared.
pub(super) fn stored(connection: &Connection, number: &RequestNumber) -> Result<Option<StoredRequest>, RegistryError> {
    let Some(record) = record(connection, number)? else { return Ok(None) };
    let (parameters, content): (Vec<u8>, Option<[u8; 32]>) = connection
        .prepare_cached(
            "SELECT r.parameters, c.digest FROM request r LEFT JOIN body c ON c.id = r.content WHERE r.number = ?1",
        )?
        .query_row([&number.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let missing = || damaged("a request without its document");
    let document = body(connection, &record.document)?.ok_or_else(missing)?;
    let content = match content {
        None => None,
        Some(octets) => {
            let digest = Digest::from_octets(crate::crypto::DigestAlgorithm::Sha256, &octets).ok_or_else(missing)?;
            Some(body(connection, &digest)?.ok_or_else(missing)?)
        }
    };
    // The report is compared too: what was accepted must still be what stands there.
    report(connection, record.verification)?.ok_or_else(|| damaged("a request without its report"))?;
    Ok(Some(StoredRequest { record, document, content, parameters }))
}
