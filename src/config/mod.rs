//! What the operator decides: built-in defaults, then a TOML file, then `TAMGA_*` variables, then command-line flags.
//!
//! *Invariant:* an unknown key or variable is refused, never ignored; a secret never leaves through `Debug` or
//! [`Config::masked`].

mod catalogue;
mod journal;
mod layers;
mod policy;
mod revocation;
mod services;
mod size;
mod timestamps;

pub use catalogue::read_catalogue;
pub use journal::Journal;
pub use layers::ConfigError;
pub use policy::read_policy;
pub use revocation::{Asked, Revocation, Series};
pub use services::ServiceSettings;
pub use size::{Bytes, Seconds};
pub use timestamps::{ImprintDigest, Timestamps, Tsa};

use crate::licensing::NumberFormat;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

/// Whether the service may work with keys that prove nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// Keys, certificates and tokens may be made on the spot; each is marked DEMONSTRATION.
    #[default]
    Demonstration,
    /// Demonstration material is refused; every key is named by the operator.
    Production,
}

/// The whole configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `demonstration` (default) or `production`.
    pub environment: Environment,
    /// Folder of the embedded database and of demonstration material; `./tamga-data`.
    pub data: DataFolder,
    /// The listener and its limits.
    pub http: Http,
    /// Whom we believe, and what we know of revocation.
    pub trust: Trust,
    /// Which revocation lists are kept fresh, and how.
    pub revocation: Revocation,
    /// The key that seals licences.
    pub authority: Authority,
    /// Which time-stamping authorities are asked, and for what.
    pub timestamps: Timestamps,
    /// Our own time-stamping authority.
    pub tsa: Tsa,
    /// Who issues: what a licence says where the officer says nothing else.
    pub issuer: Option<crate::service::Authority>,
    /// How the journal is published as a transparency log.
    pub journal: Journal,
    /// Policy files beside the built-in policies.
    pub policies: Vec<PathBuf>,
    /// What an installation decides about services of the catalogue, by id.
    pub services: BTreeMap<String, ServiceSettings>,
    /// A file of services (`[[services]]`) in the place of the built-in catalogue.
    pub catalogue: Option<PathBuf>,
    /// How requests and licences are numbered.
    pub numbers: Numbers,
    /// What is written to the log.
    pub log: Log,
}

/// The listener and its limits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// PEM file of the server's certificate and its chain; with `tls_key`, the listener speaks TLS alone.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file of the server's private key.
    pub tls_key: Option<PathBuf>,
    /// PEM file of the authorities that issue client certificates; makes mutual TLS possible.
    pub tls_client_ca: Option<PathBuf>,
    /// Client certificates that stand for a role.
    pub clients: Vec<Client>,
    /// Largest document, `64MiB` (validation limit on a document).
    pub max_document: Bytes,
    /// From the first byte of a request to the last byte of its body and the answer.
    pub request_timeout: Seconds,
    /// For the request line and the headers.
    pub header_timeout: Seconds,
    /// Requests answered at the same time; one more gets 503 and `Retry-After`.
    pub max_concurrent_requests: u32,
    /// Memory that the bodies of all requests may take together, beyond 64 KiB each; a body that finds none gets 503.
    pub max_body_memory: Bytes,
    /// Licence verifications a minute from one address, without a token.
    pub public_requests_per_minute: u32,
    /// How long requests under way may take after the signal to stop.
    pub shutdown_grace: Seconds,
}

impl Default for Http {
    fn default() -> Http {
        Http {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls_certificate: None,
            tls_key: None,
            tls_client_ca: None,
            clients: Vec::new(),
            max_document: Bytes(64 << 20),
            request_timeout: Seconds(30),
            header_timeout: Seconds(10),
            max_concurrent_requests: 256,
            max_body_memory: Bytes(192 << 20),
            public_requests_per_minute: 30,
            shutdown_grace: Seconds(20),
        }
    }
}

/// A client certificate that stands for a role (mutual TLS).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// A name for the log.
    pub name: String,
    /// SHA-256 of the DER certificate, hexadecimal.
    pub certificate_sha256: String,
    /// `portal`, `officer`, `auditor` or `admin`.
    pub role: String,
}

/// Whom we believe, and what we know of revocation.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Files or folders of trust anchors, PEM or DER.
    pub anchors: Vec<PathBuf>,
    /// Files or folders of intermediate certificates.
    pub intermediates: Vec<PathBuf>,
    /// Files or folders of revocation lists.
    pub crls: Vec<PathBuf>,
}

/// How requests and licences are numbered. A format may change at any time: numbers given before stay taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Numbers {
    /// Licences, permits, orders and refusals; `KZ{check}{type}{serial:8}`.
    pub licence: NumberFormat,
    /// Requests; `{year}-{serial:8}`.
    pub request: NumberFormat,
}

impl Default for Numbers {
    fn default() -> Numbers {
        Numbers { licence: NumberFormat::default_licence(), request: NumberFormat::default_request() }
    }
}

/// The key that seals licences.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authority {
    /// PKCS#12, or encrypted PKCS#8 with `certificate` beside it.
    pub key: Option<PathBuf>,
    /// The authority's certificate, where `key` does not carry it.
    pub certificate: Option<PathBuf>,
    /// Password of `key`; better given as `TAMGA_AUTHORITY_PASSWORD` or by `password_file`.
    #[serde(serialize_with = "mask")]
    pub password: Option<SecretString>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
}

/// What is written to the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a `tracing` filter.
    pub level: String,
    /// `json` (default) or `text`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".into(), format: LogFormat::Json }
    }
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// The folder of the database and of demonstration material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataFolder(pub PathBuf);

impl Default for DataFolder {
    fn default() -> DataFolder {
        DataFolder(PathBuf::from("tamga-data"))
    }
}

/// What a secret looks like when it is printed.
const MASK: &str = "********";

fn mask<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some(MASK),
        None => serializer.serialize_none(),
    }
}

impl Config {
    /// The configuration as TOML, with every secret masked.
    pub fn masked(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self)
            .map_err(|error| ConfigError::Value { origin: "configuration".into(), detail: error.to_string() })
    }

    /// Refuses what is well-formed and cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |detail: &str| Err(ConfigError::Contradiction(detail.into()));
        self.revocation.check()?;
        self.catalogue()?;
        self.journal.check()?;
        self.timestamps.check()?;
        let http = &self.http;
        if http.tls_certificate.is_some() != http.tls_key.is_some() {
            return refuse("http.tls_certificate and http.tls_key are given together or not at all");
        }
        if http.tls_client_ca.is_some() && http.tls_key.is_none() {
            return refuse("http.tls_client_ca needs http.tls_certificate and http.tls_key");
        }
        if !http.clients.is_empty() && http.tls_client_ca.is_none() {
            return refuse("http.clients needs http.tls_client_ca");
        }
        if http.max_document.0 == 0 || http.max_document.0 > crate::config::size::MAX_DOCUMENT {
            return refuse("http.max_document is between 1 byte and 64 MiB");
        }
        if http.max_concurrent_requests == 0 || http.public_requests_per_minute == 0 {
            return refuse("http.max_concurrent_requests and http.public_requests_per_minute are at least 1");
        }
        if http.request_timeout.0 == 0 || http.header_timeout.0 == 0 {
            return refuse("http.request_timeout and http.header_timeout are at least 1 second");
        }
        if self.revocation.ask_timeout.0 >= http.request_timeout.0 {
            return refuse("revocation.ask_timeout is shorter than http.request_timeout");
        }
        for client in &http.clients {
            let digest = &client.certificate_sha256;
            if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return refuse("http.clients.certificate_sha256 is 64 hexadecimal digits");
            }
        }
        if self.tsa.password.is_some() && self.tsa.password_file.is_some() {
            return refuse("tsa.password and tsa.password_file exclude each other");
        }
        if self.authority.password.is_some() && self.authority.password_file.is_some() {
            return refuse("authority.password and authority.password_file exclude each other");
        }
        if self.environment == Environment::Production {
            if self.authority.key.is_none() {
                return refuse("a production environment needs authority.key: demonstration keys are refused");
            }
            if self.issuer.is_none() {
                return refuse("a production environment needs issuer: who issues stands on every licence");
            }
            if self.tsa.enabled && (self.tsa.key.is_none() || self.tsa.policy.is_none()) {
                return refuse("a production environment needs tsa.key and tsa.policy where tsa.enabled is set");
            }
            if self.trust.anchors.is_empty() {
                return refuse("a production environment needs trust.anchors");
            }
        }
        Ok(())
    }

    /// The password of the authority's key: the setting, or the first line of the file.
    pub fn authority_password(&self) -> Result<Option<SecretString>, ConfigError> {
        password(self.authority.password.as_ref(), self.authority.password_file.as_deref())
    }

    /// The password of the time-stamping authority's key, in the same way.
    pub fn tsa_password(&self) -> Result<Option<SecretString>, ConfigError> {
        password(self.tsa.password.as_ref(), self.tsa.password_file.as_deref())
    }
}

fn password(given: Option<&SecretString>, file: Option<&std::path::Path>) -> Result<Option<SecretString>, ConfigError> {
    match (given, file) {
        (Some(password), _) => Ok(Some(SecretString::from(password.expose_secret().to_owned()))),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
            Ok(Some(SecretString::from(text.lines().next().unwrap_or_default().to_owned())))
        }
        (None, None) => Ok(None),
    }
}
