//! The `[journal]` table.

use super::{ConfigError, Seconds};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How the journal is published.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Journal {
    /// Ed25519 key of the checkpoints, PKCS #8, PEM or DER; made as `log/key.pem` in the data folder where none is named.
    pub key: Option<PathBuf>,
    /// The log's name on every checkpoint, a URL without its scheme: `log.agency.kz/tamga`. It never changes; without
    /// one, a name is made of the key.
    pub origin: Option<String>,
    /// The longest time from a row to the checkpoint that covers it; `1s`.
    pub checkpoint_interval: Seconds,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { key: None, origin: None, checkpoint_interval: Seconds(1) }
    }
}

impl Journal {
    /// Refuses what is well-formed and cannot work.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |detail: &str| Err(ConfigError::Contradiction(detail.into()));
        if self.checkpoint_interval.0 == 0 {
            return refuse("journal.checkpoint_interval is at least 1 second");
        }
        let improper = |origin: &str| {
            origin.is_empty() || origin.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
        };
        if self.origin.as_deref().is_some_and(improper) {
            return refuse("journal.origin is a name without spaces or `+`");
        }
        Ok(())
    }
}
