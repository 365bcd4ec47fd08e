//! The `[timestamps]` and `[tsa]` tables.

use super::{ConfigError, Seconds, mask};
use crate::asn1::OidBuf;
use crate::crypto::DigestAlgorithm;
use crate::service::extension::Level;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The digest that an authority is asked to stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImprintDigest {
    /// SHA-256.
    #[default]
    #[serde(rename = "sha-256")]
    Sha256,
    /// SHA-384.
    #[serde(rename = "sha-384")]
    Sha384,
    /// SHA-512.
    #[serde(rename = "sha-512")]
    Sha512,
    /// GOST 34.11-2015, 256 bits.
    #[serde(rename = "streebog-256")]
    Streebog256,
    /// GOST 34.11-2015, 512 bits.
    #[serde(rename = "streebog-512")]
    Streebog512,
}

impl From<ImprintDigest> for DigestAlgorithm {
    fn from(digest: ImprintDigest) -> DigestAlgorithm {
        match digest {
            ImprintDigest::Sha256 => DigestAlgorithm::Sha256,
            ImprintDigest::Sha384 => DigestAlgorithm::Sha384,
            ImprintDigest::Sha512 => DigestAlgorithm::Sha512,
            ImprintDigest::Streebog256 => DigestAlgorithm::Streebog256,
            ImprintDigest::Streebog512 => DigestAlgorithm::Streebog512,
        }
    }
}

/// Which time-stamping authorities are asked, and for what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timestamps {
    /// Addresses of authorities, asked in this order; their hosts are allowed by being named here. None: our own, where
    /// it runs.
    pub urls: Vec<String>,
    /// The policy to ask for, dotted; none for the authority's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<OidBuf>,
    /// `sha-256` (default), `sha-384`, `sha-512`, `streebog-256`, `streebog-512`.
    pub digest: ImprintDigest,
    /// How often each address is asked.
    pub attempts: u32,
    /// How long one answer may take.
    pub timeout: Seconds,
    /// The level of what is stamped: `b` (default), `t`, `lt`, `lta`. Above `b`, nothing is issued without a time-stamp.
    pub level: Level,
}

impl Default for Timestamps {
    fn default() -> Timestamps {
        Timestamps {
            urls: Vec::new(),
            policy: None,
            digest: ImprintDigest::default(),
            attempts: 2,
            timeout: Seconds(10),
            level: Level::B,
        }
    }
}

/// Our own time-stamping authority.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tsa {
    /// Whether it runs; `--with-tsa` says so too.
    pub enabled: bool,
    /// PKCS#12, or encrypted PKCS#8 with `certificate` beside it. A key of its own: never the one that seals.
    pub key: Option<PathBuf>,
    /// The certificate, where `key` does not carry it: extKeyUsage critical, timeStamping alone.
    pub certificate: Option<PathBuf>,
    /// Password of `key`; better given as `TAMGA_TSA_PASSWORD` or by `password_file`.
    #[serde(serialize_with = "mask")]
    pub password: Option<SecretString>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// The policy of its tokens, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<OidBuf>,
}

impl Timestamps {
    /// Refuses what is well-formed and cannot work.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.attempts == 0 || self.timeout.0 == 0 {
            return Err(ConfigError::Contradiction("timestamps.attempts and timestamps.timeout are not zero".into()));
        }
        Ok(())
    }
}
