//! The `[revocation]` table.

use super::{Bytes, ConfigError, Seconds};
use crate::adapter::fetch::PrivateAddresses;
use serde::{Deserialize, Serialize};

/// Which revocation lists are kept fresh, from where, and how much of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Revocation {
    /// Hosts that may be asked for lists, OCSP responses and issuers' certificates: `crl.pki.gov.kz`, or `.pki.gov.kz`
    /// for it and every name below. Redirects lead nowhere else.
    pub allowed_hosts: Vec<String>,
    /// `refuse` (default) or `allow`: whether such a host may be at an address that is not of the public internet.
    pub private_addresses: PrivateAddresses,
    /// Largest list, `256MiB` (validation limit on a list).
    pub max_list: Bytes,
    /// What the lists kept for auditors may take; the oldest go first, those in force never. `65536MiB`.
    pub max_archive: Bytes,
    /// For one list, from the request to its last octet.
    pub list_timeout: Seconds,
    /// For one OCSP response or certificate.
    pub response_timeout: Seconds,
    /// Whether the responders that certificates name are asked for what lists and policy leave open.
    pub ocsp: Asked,
    /// Whether issuers' certificates are fetched from where certificates say, when nobody at hand has issued them.
    pub issuers: Asked,
    /// For all that one verdict asks, together.
    pub ask_timeout: Seconds,
    /// Series of lists, `[[revocation.lists]]`.
    pub lists: Vec<Series>,
}

/// Whether the network is asked for what a verdict needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Never: what is at hand decides.
    #[default]
    Never,
    /// When what is at hand leaves it open.
    WhenOpen,
}

/// A series of lists and the places that serve it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// A name for the log and the metrics.
    pub name: String,
    /// The same list at several places, asked in this order.
    pub urls: Vec<String>,
    /// The longest time between two looks; sooner when the list in force nears its nextUpdate. `60min`; for deltas
    /// less.
    #[serde(default = "hourly")]
    pub interval: Seconds,
}

fn hourly() -> Seconds {
    Seconds(3600)
}

impl Default for Revocation {
    fn default() -> Revocation {
        Revocation {
            allowed_hosts: vec![".pki.gov.kz".into()],
            private_addresses: PrivateAddresses::Refuse,
            max_list: Bytes(256 << 20),
            max_archive: Bytes(64 << 30),
            list_timeout: Seconds(120),
            response_timeout: Seconds(5),
            ocsp: Asked::Never,
            issuers: Asked::Never,
            // The portal answers within 10 to 15 seconds.
            ask_timeout: Seconds(8),
            lists: Vec::new(),
        }
    }
}

impl Revocation {
    /// Refuses what is well-formed and cannot work.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |detail: &str| Err(ConfigError::Contradiction(detail.into()));
        let mut names: Vec<&str> = self.lists.iter().map(|series| series.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return refuse("revocation.lists have names of their own");
        }
        for series in &self.lists {
            if series.name.is_empty() || series.urls.is_empty() || series.interval.0 < 60 {
                return refuse("revocation.lists have a name, at least one URL and an interval of at least 1min");
            }
        }
        let times = [self.list_timeout.0, self.response_timeout.0, self.ask_timeout.0];
        if times.contains(&0) || self.max_list.0 == 0 {
            return refuse("revocation.list_timeout, response_timeout, ask_timeout and max_list are not zero");
        }
        Ok(())
    }
}
