//! Attempts to stamp: a number set aside, the intent, the completion or the void.
//!
//! ```text
//! reserved ──► intended ──► completed
//!     └───────────┴───────► voided
//! ```

use super::row::{column, damaged, id, named, time};
use super::{journal, licence, request};
use crate::crypto::Digest;
use crate::licensing::{DocumentKind, LicenceAction, LicenceNumber, LicenceState, RequestNumber, RequestState};
use crate::port::{
    CompletedForm, Completion, Conflict, FormDigest, IdempotencyKey, Intent, JournalEntry, JournalEvent, LicenceRecord,
    RegistryError, Reservation, Reserved, SealedForm, StampingId, StampingPurpose, StateChange, Unfinished, Unknown,
};
use crate::report::Time;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// Sets a number aside.
pub(super) fn reserve(connection: &Connection, reservation: &Reservation) -> Result<Reserved, RegistryError> {
    if let Some(key) = &reservation.idempotency
        && let Some(answer) = answered(connection, key)?
    {
        return Ok(Reserved::Answered { answer: Box::new(answer) });
    }
    let target = target(connection, &reservation.purpose)?;
    let number = match &reservation.purpose {
        StampingPurpose::Duplicate { of } => of.0.clone(),
        _ => request::next_number(
            connection,
            &reservation.series,
            "SELECT 1 FROM stamping WHERE number = ?1 AND kind <> 'duplicate'",
        )?,
    };
    let id = Uuid::now_v7();
    connection
        .prepare_cached(
            "INSERT INTO stamping (id, number, kind, request, licence, state, actor, reserved_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 'reserved', ?6, ?7)",
        )?
        .execute(params![
            id.as_bytes(),
            number,
            reservation.purpose.kind().as_str(),
            target.request,
            target.licence,
            reservation.actor,
            reservation.at.unix(),
        ])?;
    if let Some(key) = &reservation.idempotency {
        let stamping = connection.last_insert_rowid();
        connection
            .prepare_cached("INSERT INTO idempotency (actor, key, body, stamping) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![key.actor, key.key, key.body.as_bytes(), stamping])?;
    }
    Ok(Reserved::Number { id: StampingId(id), number: LicenceNumber(number) })
}

/// The answer that the same call was given before.
pub(super) fn answered(connection: &Connection, key: &IdempotencyKey) -> Result<Option<LicenceRecord>, RegistryError> {
    let found: Option<([u8; 32], Option<Vec<u8>>)> = connection
        .prepare_cached("SELECT body, answer FROM idempotency WHERE actor = ?1 AND key = ?2")?
        .query_row([&key.actor, &key.key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Ok(None),
        Some((body, _)) if body != key.body.as_bytes() => Err(Conflict::KeyReused.into()),
        Some((_, None)) => Err(Conflict::KeyUnderWay.into()),
        Some((_, Some(answer))) => {
            serde_json::from_slice(&answer).map(Some).map_err(|_| damaged("an answer that cannot be read"))
        }
    }
}

struct Target {
    request: i64,
    licence: Option<i64>,
}

/// Rows that the purpose is about, where nothing stands against it.
fn target(connection: &Connection, purpose: &StampingPurpose) -> Result<Target, RegistryError> {
    let (request, licence) = match purpose {
        StampingPurpose::Result { request, kind } => {
            if matches!(kind, DocumentKind::Duplicate | DocumentKind::ReissuedLicence) {
                return Err(Conflict::Kind { kind: *kind, action: LicenceAction::Duplicate }.into());
            }
            (open_request(connection, request)?.0, None)
        }
        StampingPurpose::Reissue { request, replaces } => {
            let (seq, licence) = replaceable(connection, replaces, LicenceAction::Reissue)?;
            let (request_seq, service, iin, bin) = open_request(connection, request)?;
            if (&service, &iin, &bin) != (&licence.service, &licence.holder.iin, &licence.holder.bin) {
                return Err(Conflict::OtherHolder { request: request.clone() }.into());
            }
            (request_seq, Some(seq))
        }
        StampingPurpose::Duplicate { of } => {
            let (seq, licence) = replaceable(connection, of, LicenceAction::Duplicate)?;
            let request = connection
                .prepare_cached("SELECT seq FROM request WHERE number = ?1")?
                .query_row([&licence.request.0], |row| row.get(0))?;
            (request, Some(seq))
        }
    };
    let under_way = connection
        .prepare_cached("SELECT 1 FROM stamping WHERE state IN ('reserved', 'intended') AND request = ?1")?
        .exists([request])?
        || connection
            .prepare_cached(
                "SELECT 1 FROM stamping
                 WHERE state IN ('reserved', 'intended') AND licence IS NOT NULL AND licence = ?1",
            )?
            .exists([licence])?;
    if under_way { Err(Conflict::StampingUnderWay.into()) } else { Ok(Target { request, licence }) }
}

type OpenRequest = (i64, String, Option<String>, Option<String>);

fn open_request(connection: &Connection, number: &RequestNumber) -> Result<OpenRequest, RegistryError> {
    let (open, state) = connection
        .prepare_cached("SELECT seq, service, iin, bin, state FROM request WHERE number = ?1")?
        .query_row([&number.0], |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), named(row, 4, RequestState::from_name)))
        })
        .optional()?
        .ok_or_else(|| Unknown::Request(number.clone()))?;
    match state? {
        RequestState::Registered => Ok(open),
        RequestState::Issued | RequestState::Refused => {
            let licence = request::record(connection, number)?.and_then(|record| record.licence);
            Err(Conflict::RequestDecided { request: number.clone(), licence }.into())
        }
    }
}

fn replaceable(
    connection: &Connection,
    number: &LicenceNumber,
    action: LicenceAction,
) -> Result<(i64, LicenceRecord), RegistryError> {
    let (seq, record) = licence::find(connection, number)?.ok_or_else(|| Unknown::Licence(number.clone()))?;
    if !record.kind.has_states() {
        return Err(Conflict::Kind { kind: record.kind, action }.into());
    }
    record.state.after(action).map_err(Conflict::Transition)?;
    Ok((seq, record))
}

struct Attempt {
    seq: i64,
    number: LicenceNumber,
    kind: DocumentKind,
    request: i64,
    request_number: RequestNumber,
    licence: Option<i64>,
    actor: String,
}

/// The attempt, where it is in one of these states.
fn attempt(connection: &Connection, id: StampingId, states: &[&str]) -> Result<Attempt, RegistryError> {
    let (attempt, state) = connection
        .prepare_cached(
            "SELECT s.seq, s.number, s.kind, s.request, r.number, s.licence, s.actor, s.state
             FROM stamping s JOIN request r ON r.seq = s.request WHERE s.id = ?1",
        )?
        .query_row([id.0.as_bytes()], |row| {
            let kind = named(row, 2, DocumentKind::from_name);
            let attempt = kind.and_then(|kind| {
                Ok(Attempt {
                    seq: column(row, 0)?,
                    number: LicenceNumber(column(row, 1)?),
                    kind,
                    request: column(row, 3)?,
                    request_number: RequestNumber(column(row, 4)?),
                    licence: column(row, 5)?,
                    actor: column(row, 6)?,
                })
            });
            Ok((attempt, row.get::<_, String>(7)?))
        })
        .optional()?
        .ok_or(Unknown::Stamping)?;
    if states.contains(&state.as_str()) { attempt } else { Err(Unknown::Stamping.into()) }
}

/// Records that the key is about to sign.
pub(super) fn record_intent(connection: &Connection, intent: &Intent) -> Result<(), RegistryError> {
    let attempt = attempt(connection, intent.id, &["reserved"])?;
    connection
        .prepare_cached("UPDATE stamping SET state = 'intended', content = ?1, certificate = ?2 WHERE seq = ?3")?
        .execute(params![intent.content.as_bytes(), intent.certificate.as_bytes(), attempt.seq])?;
    let event = JournalEvent::Stamping {
        number: attempt.number,
        kind: attempt.kind,
        request: attempt.request_number,
        content: intent.content,
        certificate: intent.certificate,
        forms: intent.forms.clone(),
    };
    journal::append(connection, &JournalEntry { at: intent.at, actor: attempt.actor, event })?;
    Ok(())
}

/// Issues the document.
pub(super) fn complete(connection: &Connection, completion: &Completion) -> Result<LicenceRecord, RegistryError> {
    let attempt = attempt(connection, completion.id, &["intended"])?;
    let body = request::put_body(connection, &completion.digest, &completion.document)?;
    let licence_seq = match (attempt.kind, attempt.licence) {
        (DocumentKind::Duplicate, Some(licence)) => {
            // The licence may have been suspended since the number was set aside.
            replaceable(connection, &attempt.number, LicenceAction::Duplicate)?;
            licence
        }
        (_, replaces) => insert_licence(connection, &attempt, completion, replaces)?,
    };
    connection
        .prepare_cached(
            "INSERT INTO document (licence, kind, body, content, stamped_at, stamping, facts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            licence_seq,
            attempt.kind.as_str(),
            body,
            completion.content.as_bytes(),
            completion.at.unix(),
            attempt.seq,
            completion.facts.as_ref().map(Digest::as_bytes),
        ])?;
    put_forms(connection, connection.last_insert_rowid(), &completion.forms)?;
    connection
        .prepare_cached("UPDATE stamping SET state = 'completed', ended_at = ?1 WHERE seq = ?2")?
        .execute(params![completion.at.unix(), attempt.seq])?;
    let event = JournalEvent::Stamped {
        number: attempt.number.clone(),
        kind: attempt.kind,
        request: attempt.request_number,
        document: completion.digest,
        forms: completion.forms.iter().map(|CompletedForm { form, .. }| form_digest(form)).collect(),
    };
    journal::append(connection, &JournalEntry { at: completion.at, actor: attempt.actor, event })?;
    let (_, record) =
        licence::find(connection, &attempt.number)?.ok_or_else(|| damaged("a licence that was just written"))?;
    let answer = serde_json::to_vec(&record).map_err(|error| RegistryError::Failed { cause: error.to_string() })?;
    connection
        .prepare_cached("UPDATE idempotency SET answer = ?1 WHERE stamping = ?2")?
        .execute(params![answer, attempt.seq])?;
    Ok(record)
}

fn form_digest(form: &SealedForm) -> FormDigest {
    FormDigest { container: form.container, digest: form.digest }
}

/// The rows of a document's other containers.
fn put_forms(connection: &Connection, document: i64, forms: &[CompletedForm]) -> Result<(), RegistryError> {
    for CompletedForm { form, document: octets } in forms {
        let body = request::put_body(connection, &form.digest, octets)?;
        connection
            .prepare_cached("INSERT INTO document_form (document, container, body, content) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![document, form.container.as_str(), body, form.content.as_bytes()])?;
    }
    Ok(())
}

/// The row of a new licence; the request is decided by it, and the licence it replaces ends.
fn insert_licence(
    connection: &Connection,
    attempt: &Attempt,
    completion: &Completion,
    replaces: Option<i64>,
) -> Result<i64, RegistryError> {
    let state = match attempt.kind {
        DocumentKind::ReasonedRefusal => RequestState::Refused,
        _ => RequestState::Issued,
    };
    connection
        .prepare_cached("UPDATE request SET state = ?1 WHERE seq = ?2")?
        .execute(params![state.as_str(), attempt.request])?;
    connection
        .prepare_cached(
            "INSERT INTO licence (number, kind, state, service, iin, bin, issued_to, request, issue_date, valid_until,
                 replaces)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            attempt.number.0,
            attempt.kind.as_str(),
            LicenceState::Issued.as_str(),
            completion.service,
            completion.holder.iin,
            completion.holder.bin,
            completion.holder.issued_to,
            attempt.request,
            completion.issue_date.to_string(),
            completion.valid_until.map(|date| date.to_string()),
            replaces,
        ])?;
    let licence_seq = connection.last_insert_rowid();
    if let Some(old) = replaces {
        let number = LicenceNumber(
            connection
                .prepare_cached("SELECT number FROM licence WHERE seq = ?1")?
                .query_row([old], |row| row.get(0))?,
        );
        let (_, record) = replaceable(connection, &number, LicenceAction::Reissue)?;
        let to = record.state.after(LicenceAction::Reissue).map_err(Conflict::Transition)?;
        let change = StateChange {
            number,
            action: LicenceAction::Reissue,
            reason: None,
            at: completion.at,
            actor: attempt.actor.clone(),
        };
        licence::write_state(connection, old, record.state, to, &change)?;
    }
    Ok(licence_seq)
}

/// Ends an attempt without a document.
pub(super) fn void(connection: &Connection, id: StampingId, reason: &str, at: Time) -> Result<(), RegistryError> {
    let attempt = attempt(connection, id, &["reserved", "intended"])?;
    connection
        .prepare_cached("UPDATE stamping SET state = 'voided', ended_at = ?1, void_reason = ?2 WHERE seq = ?3")?
        .execute(params![at.unix(), reason, attempt.seq])?;
    connection.prepare_cached("DELETE FROM idempotency WHERE stamping = ?1")?.execute([attempt.seq])?;
    let event = JournalEvent::Voided {
        number: attempt.number,
        kind: attempt.kind,
        request: attempt.request_number,
        reason: reason.to_owned(),
    };
    journal::append(connection, &JournalEntry { at, actor: attempt.actor, event })?;
    Ok(())
}

/// Attempts that were begun and not ended.
pub(super) fn unfinished(connection: &Connection) -> Result<Vec<Unfinished>, RegistryError> {
    connection
        .prepare_cached(
            "SELECT id, number, kind, reserved_at FROM stamping INDEXED BY stamping_open_request
             WHERE state IN ('reserved', 'intended') ORDER BY seq",
        )?
        .query_and_then([], |row| {
            Ok(Unfinished {
                id: StampingId(id(row, 0)?),
                number: LicenceNumber(column(row, 1)?),
                kind: named(row, 2, DocumentKind::from_name)?,
                since: time(row, 3)?,
            })
        })?
        .collect()
}
