//! A file of services in the place of the built-in catalogue.
//!
//! ```toml
//! [[services]]
//! id = "agency-pipelines"
//! edition = "2026"
//! name = { kk = "…", ru = "…" }
//! activity = { kk = "…", ru = "…" }
//! result = "licence"
//! permit_type = "LPE"
//! identity = { json_iin = "/applicant/iin", json_bin = "/applicant/bin" }
//! ```
//!
//! *Invariant:* unknown keys, an id given twice and letters given twice are refused.

use super::ConfigError;
use crate::licensing::{Catalogue, Service};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    services: Vec<Service>,
}

/// Reads a catalogue file.
///
/// # Errors
/// [`ConfigError`].
pub fn read_catalogue(path: &Path) -> Result<Catalogue, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    let wrong = |detail: String| ConfigError::Value { origin: path.display().to_string(), detail };
    let file: CatalogueFile = toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
    Catalogue::try_from(file.services).map_err(|error| wrong(error.to_string()))
}
