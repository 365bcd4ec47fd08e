//! What is asked of a signature: the rules that may differ between uses.

use crate::crypto::{Digest, PublicKey, SignatureAlgorithm};
use crate::pki::identity::Role;
use crate::report::{CheckId, Checks, Time};
use serde::{Deserialize, Serialize};

/// What a finding that policies weigh differently is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The signature is refused.
    Refuse,
    /// The check is reported as warned.
    Warn,
    /// Nothing is said.
    Ignore,
}

/// Whether the applicant must be declared and matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityRequirement {
    /// Condition 3: an IIN or BIN is declared and is the certificate's.
    Required,
    /// Compared where declared.
    Optional,
}

/// A named policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Policy {
    /// Its name.
    pub id: String,
    /// Version of its text.
    pub version: String,
    /// Whether the applicant must be declared.
    pub identity: IdentityRequirement,
    /// Roles of which the signer must have one; empty where any will do.
    pub roles: Vec<Role>,
    /// A wrong check digit of a declared IIN or BIN.
    pub check_digit: Severity,
    /// A signature without ESS signingCertificate.
    pub signing_certificate_attribute: Severity,
}

impl Policy {
    /// A policy of the software: `request`, `signature`, `licence`.
    pub fn built_in(id: &str) -> Option<Policy> {
        let identity = match id {
            "request" => IdentityRequirement::Required,
            "signature" | "licence" => IdentityRequirement::Optional,
            _ => return None,
        };
        Some(Policy {
            id: id.to_owned(),
            version: "1".to_owned(),
            identity,
            roles: Vec::new(),
            check_digit: Severity::Warn,
            signing_certificate_attribute: if id == "licence" { Severity::Refuse } else { Severity::Warn },
        })
    }

    /// Digest of the policy's whole text.
    pub fn digest(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        Digest::sha256(&text).to_string()
    }

    /// The checks that must have been evaluated and passed before a signature is accepted.
    pub fn required_checks(&self, service_reads_content: bool) -> Vec<CheckId> {
        let mut required = self.required_certificate_checks();
        required.extend([CheckId::ContentDigest, CheckId::SignatureValue, CheckId::SignedAttributes]);
        if service_reads_content {
            required.push(CheckId::IdentityContent);
        }
        required
    }

    /// The same for a certificate alone.
    pub fn required_certificate_checks(&self) -> Vec<CheckId> {
        let mut required = vec![
            CheckId::DocumentFormat,
            CheckId::SigningCertificate,
            CheckId::CertificationPath,
            CheckId::CertificateValidity,
            CheckId::Revocation,
            CheckId::KeyUsage,
            CheckId::Algorithms,
        ];
        if self.identity == IdentityRequirement::Required {
            required.push(CheckId::IdentityDeclared);
        }
        required
    }

    /// Whether the algorithm and the key may still be trusted at a time.
    pub fn check_algorithm(&self, algorithm: &SignatureAlgorithm, key: &PublicKey, at: Time, checks: &mut Checks) {
        // Everything that the registry verifies is allowed without an end date; weak algorithms never get here.
        let _ = (algorithm, key, at);
        checks.pass(CheckId::Algorithms);
    }
}
