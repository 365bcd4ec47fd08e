//! Values between Rust and SQLite. What does not fit is damage, never a default.

use crate::crypto::{Digest, DigestAlgorithm};
use crate::port::RegistryError;
use crate::report::Time;
use rusqlite::types::FromSql;
use rusqlite::{ErrorCode, Row};
use std::str::FromStr;
use uuid::Uuid;

impl From<rusqlite::Error> for RegistryError {
    fn from(error: rusqlite::Error) -> RegistryError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RegistryError::Busy,
            Some(ErrorCode::DiskFull) => RegistryError::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                RegistryError::Damaged { what: error.to_string() }
            }
            Some(_) => RegistryError::Failed { cause: error.to_string() },
            // A value of the wrong type: only a changed file has one.
            None => RegistryError::Damaged { what: error.to_string() },
        }
    }
}

/// Something stored cannot be what was stored.
pub(super) fn damaged(what: &str) -> RegistryError {
    RegistryError::Damaged { what: what.to_owned() }
}

/// A column by position.
pub(super) fn column<T: FromSql>(row: &Row<'_>, at: usize) -> Result<T, RegistryError> {
    Ok(row.get(at)?)
}

/// A point in time.
pub(super) fn time(row: &Row<'_>, at: usize) -> Result<Time, RegistryError> {
    Ok(Time::from_unix(column(row, at)?))
}

/// A SHA-256 digest.
pub(super) fn digest(row: &Row<'_>, at: usize) -> Result<Digest, RegistryError> {
    let octets: [u8; 32] = column(row, at)?;
    Digest::from_octets(DigestAlgorithm::Sha256, &octets).ok_or_else(|| damaged("a digest of another length"))
}

/// An id.
pub(super) fn id(row: &Row<'_>, at: usize) -> Result<Uuid, RegistryError> {
    Ok(Uuid::from_bytes(column(row, at)?))
}

/// A name out of a fixed list.
pub(super) fn named<T>(row: &Row<'_>, at: usize, from: fn(&str) -> Option<T>) -> Result<T, RegistryError> {
    from(&column::<String>(row, at)?).ok_or_else(|| damaged("a state or kind that does not exist"))
}

/// Text with a form.
pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, RegistryError> {
    text.parse().map_err(|_| damaged("a text that is not of its form"))
}
