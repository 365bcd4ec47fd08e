//! A demonstration public-key infrastructure: everything a trial, a test or a benchmark needs to be issued.
//!
//! Certificates in the national profile, revocation lists and OCSP responses, all with given keys and given times, so
//! that what is made twice is the same twice. Each part of a template is a public field: what no authority would ever
//! issue can be made too, and that is what negative tests are about.
//!
//! *Invariant:* every name made here by default carries [`MARK`]; a service configured for production refuses it.

pub mod certificate;
pub mod crl;
pub mod extension;
mod key;
mod name;
pub mod ocsp;
mod world;

pub use certificate::{CertificateTemplate, Credential, KeyIdentifier, Validity};
pub use crl::{CrlTemplate, RevokedEntry};
pub use extension::Extension;
pub use key::{Key, KeyKind};
pub use name::NameTemplate;
pub use ocsp::{CertificateStatus, OcspTemplate, SingleResponse};
pub use world::{Holder, World};

/// What every demonstration subject says.
pub const MARK: &str = "DEMONSTRATION";

/// A binary object in PEM (RFC 7468): `label` is `CERTIFICATE`, `X509 CRL`, `PRIVATE KEY`, `CMS`.
pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while let Some((line, tail)) = rest.split_at_checked(64) {
        out.push_str(line);
        out.push('\n');
        rest = tail;
    }
    if !rest.is_empty() {
        out.push_str(rest);
        out.push('\n');
    }
    out + "-----END " + label + "-----\n"
}
