//! What is asked of a signature: the rules that may differ between uses.

use super::national_policy;
use crate::asn1::OidBuf;
use crate::crypto::{Digest, DigestAlgorithm, PublicKey, SignatureAlgorithm};
use crate::pki::extension::purpose;
use crate::pki::identity::Role;
use crate::report::{CheckId, Checks, Outcome, Reason, Time};
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

/// Which key usages a signer's certificate must have, where it says any (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignerKeyUsage {
    /// nonRepudiation (contract §5; Order 1187 p. 6.3).
    #[default]
    NonRepudiation,
    /// nonRepudiation or digitalSignature (a reading of Order 500/НҚ p. 16.4).
    NonRepudiationOrDigitalSignature,
}

/// What the absence of an extension is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Absence {
    /// The certificate may be used.
    #[default]
    Allowed,
    /// The certificate is refused.
    Refused,
}

/// What a signer's certificate may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyUsagePolicy {
    /// Key usages asked for where keyUsage is there.
    pub signer: SignerKeyUsage,
    /// Extended key purposes of which one must be there where extKeyUsage is; empty where any will do.
    pub extended: Vec<OidBuf>,
    /// A certificate without extKeyUsage.
    pub without_extended: Absence,
    /// Extended key purposes none of which may be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<OidBuf>,
    /// Certificate policies of which the signer's certificate must name one; empty where any will do. This is about
    /// what the certificate says; which policies hold along the path is [`PathPolicy::certificate_policies`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificate_policies: Vec<OidBuf>,
}

impl Default for KeyUsagePolicy {
    /// Contract §5: emailProtection, documentSigning or anyExtendedKeyUsage, or no extension.
    fn default() -> KeyUsagePolicy {
        KeyUsagePolicy {
            signer: SignerKeyUsage::default(),
            extended: [purpose::EMAIL_PROTECTION, purpose::DOCUMENT_SIGNING, purpose::ANY].map(OidBuf::from).into(),
            without_extended: Absence::default(),
            excluded: Vec::new(),
            certificate_policies: Vec::new(),
        }
    }
}

/// How a trust anchor is held to its validity period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustAnchorValidity {
    /// As every other certificate (Order 500/НҚ p. 16.1).
    #[default]
    Checked,
    /// Not at all: RFC 5280 §6.1.1 (d) takes name and key alone.
    Ignored,
}

/// Inputs of path validation (RFC 5280 §6.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathPolicy {
    /// user-initial-policy-set; empty for any-policy.
    pub certificate_policies: Vec<OidBuf>,
    /// initial-explicit-policy.
    pub require_explicit_policy: bool,
    /// initial-policy-mapping-inhibit.
    pub inhibit_policy_mapping: bool,
    /// initial-any-policy-inhibit.
    pub inhibit_any_policy: bool,
    /// How a trust anchor is held to its validity period.
    pub trust_anchor_validity: TrustAnchorValidity,
}

/// Where the status of a certificate is asked, and in which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationSources {
    /// OCSP; lists where it does not answer (Order 500/НҚ p. 4).
    #[default]
    OcspThenCrl,
    /// Lists; OCSP where there is none to use.
    CrlThenOcsp,
    /// OCSP alone.
    Ocsp,
    /// Lists alone.
    Crl,
    /// Both must say "good".
    Both,
}

/// What delta lists are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeltaLists {
    /// Used where they apply (use-deltas of RFC 5280 §6.3.1).
    #[default]
    Used,
    /// Not used.
    Ignored,
    /// Where the certificate or the list names a delta list, one must apply.
    Required,
}

/// What it is worth that no source says anything usable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatusUnavailable {
    /// Undetermined, to be tried later.
    #[default]
    Undetermined,
    /// Refused.
    Refuse,
}

impl StatusUnavailable {
    fn is_default(&self) -> bool {
        *self == StatusUnavailable::default()
    }
}

/// As of when the status of a time-stamping authority must be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampStatus {
    /// As of now (EN 319 102-1 §5.4 with the freshness of §5.2.5): a token is proven by what is known of its authority
    /// today.
    #[default]
    Now,
    /// As of the token, where nothing newer is at hand: an archive is verified without network. A revocation that is
    /// known counts all the same, and so do the ends of certificates and algorithms.
    AtToken,
}

/// How the status of a certificate is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RevocationPolicy {
    /// Sources and their order.
    pub sources: RevocationSources,
    /// Delta lists.
    pub deltas: DeltaLists,
    /// No usable answer.
    pub unavailable: StatusUnavailable,
    /// The newest usable answer is past its period.
    #[serde(skip_serializing_if = "StatusUnavailable::is_default")]
    pub stale: StatusUnavailable,
    /// Oldest list taken, in seconds, whatever its nextUpdate says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_crl_age_seconds: Option<u32>,
    /// Oldest OCSP answer taken, in seconds, whatever its nextUpdate says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_ocsp_age_seconds: Option<u32>,
    /// How long an OCSP answer without nextUpdate lives, in seconds.
    pub ocsp_life_seconds: u32,
    /// As of when the status of a time-stamping authority must be known.
    #[serde(skip_serializing_if = "is_default")]
    pub timestamp_status: TimestampStatus,
}

/// What is left out of a policy's text, so that the digests of policies that say nothing of it stay what they were.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for RevocationPolicy {
    fn default() -> RevocationPolicy {
        RevocationPolicy {
            sources: RevocationSources::default(),
            deltas: DeltaLists::default(),
            unavailable: StatusUnavailable::default(),
            stale: StatusUnavailable::default(),
            maximum_crl_age_seconds: None,
            maximum_ocsp_age_seconds: None,
            // The national responder sends no nextUpdate; its list lives for 27 hours.
            ocsp_life_seconds: 86_400,
            timestamp_status: TimestampStatus::default(),
        }
    }
}

/// An algorithm that is trusted until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlgorithmEnd {
    /// Scheme, digest or key as reports name it: `RSA`, `GOST 34.310-2004`, `SHA-256`, `RSA-2048`.
    pub name: String,
    /// The first moment at which it is no longer trusted; absent for never trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// How long something may be trusted. Ordered from the shortest to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reliability {
    /// It never was.
    Never,
    /// Before this moment.
    Until(Time),
    /// No end is known.
    Lasting,
}

impl Reliability {
    fn of(end: &AlgorithmEnd) -> Reliability {
        end.until.map_or(Reliability::Never, Reliability::Until)
    }

    /// Whether it may be trusted at a time.
    pub fn covers(self, at: Time) -> bool {
        match self {
            Reliability::Never => false,
            Reliability::Until(end) => at < end,
            Reliability::Lasting => true,
        }
    }

    /// The last second at which it may be trusted; `None` where that is no limit. What never was has none either: ask
    /// [`Reliability::covers`].
    pub fn last_second(self) -> Option<Time> {
        match self {
            Reliability::Until(end) => Some(end.plus_seconds(-1)),
            Reliability::Never | Reliability::Lasting => None,
        }
    }
}

/// A named policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// A time-stamp token that is intact, but whose authority cannot be confirmed.
    pub unconfirmed_timestamp: Severity,
    /// What a signer's certificate may be used for.
    pub key_usage: KeyUsagePolicy,
    /// Inputs of path validation.
    pub path: PathPolicy,
    /// How the status of a certificate is found.
    pub revocation: RevocationPolicy,
    /// Algorithms with an end; those that are always too weak are no choice.
    pub algorithms: Vec<AlgorithmEnd>,
    /// The first moment at which the policy is no longer in force; what is not proven to be older is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            id: "signature".to_owned(),
            version: "1".to_owned(),
            identity: IdentityRequirement::Optional,
            roles: Vec::new(),
            check_digit: Severity::Warn,
            signing_certificate_attribute: Severity::Warn,
            unconfirmed_timestamp: Severity::Warn,
            key_usage: KeyUsagePolicy::default(),
            path: PathPolicy::default(),
            revocation: RevocationPolicy::default(),
            algorithms: Vec::new(),
            until: None,
        }
    }
}

impl Policy {
    /// A policy of the software: `request`, `signature`, `licence`, `kz-500`, `kz-1187`.
    pub fn built_in(id: &str) -> Option<Policy> {
        let identity = match id {
            "request" => IdentityRequirement::Required,
            "signature" | "licence" => IdentityRequirement::Optional,
            "kz-500" => return Some(national_policy::order_500()),
            "kz-1187" => return Some(national_policy::order_1187()),
            _ => return None,
        };
        Some(Policy {
            id: id.to_owned(),
            identity,
            signing_certificate_attribute: if id == "licence" { Severity::Refuse } else { Severity::Warn },
            ..Policy::default()
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

    /// Whether the policy was still in force at the moment that a signature is judged for.
    ///
    /// # Errors
    /// [`Reason::SavPolicyNotInForce`].
    pub fn is_in_force(&self, best_signature_time: Time) -> Result<(), Reason> {
        match self.until {
            Some(until) if best_signature_time >= until => {
                Err(Reason::SavPolicyNotInForce { until, best_signature_time })
            }
            _ => Ok(()),
        }
    }

    /// Whether the algorithm and the key may still be trusted at a time.
    pub fn check_algorithm(&self, algorithm: &SignatureAlgorithm, key: &PublicKey, at: Time, checks: &mut Checks) {
        let result = self.algorithm_is_allowed(algorithm, key, at);
        let reason = |algorithm| Reason::SavAlgorithmNotAllowed { algorithm };
        checks.record(CheckId::Algorithms, Outcome::from_result(result.map_err(reason)));
    }

    /// The same as a result.
    ///
    /// # Errors
    /// The name of what is no longer trusted.
    pub fn algorithm_is_allowed(
        &self,
        algorithm: &SignatureAlgorithm,
        key: &PublicKey,
        at: Time,
    ) -> Result<(), String> {
        let mut ends = self.ends(algorithm, key);
        match ends.find(|end| end.until.is_none_or(|until| at >= until)) {
            Some(end) => Err(end.name.clone()),
            None => Ok(()),
        }
    }

    /// The same for a key that has signed nothing yet.
    ///
    /// # Errors
    /// As [`Policy::algorithm_is_allowed`].
    pub fn key_is_allowed(&self, key: &PublicKey, at: Time) -> Result<(), String> {
        let name = key.name();
        let ended = |end: &&AlgorithmEnd| end.name == name && end.until.is_none_or(|until| at >= until);
        match self.algorithms.iter().find(ended) {
            Some(end) => Err(end.name.clone()),
            None => Ok(()),
        }
    }

    /// Until when an algorithm and a key are trusted.
    pub fn reliability(&self, algorithm: &SignatureAlgorithm, key: &PublicKey) -> Reliability {
        self.ends(algorithm, key).map(Reliability::of).fold(Reliability::Lasting, Reliability::min)
    }

    /// Until when a digest is trusted.
    pub fn digest_reliability(&self, digest: DigestAlgorithm) -> Reliability {
        let named = self.algorithms.iter().filter(|end| end.name == digest.name());
        named.map(Reliability::of).fold(Reliability::Lasting, Reliability::min)
    }

    fn ends(&self, algorithm: &SignatureAlgorithm, key: &PublicKey) -> impl Iterator<Item = &AlgorithmEnd> {
        let key = if self.algorithms.is_empty() { String::new() } else { key.name() };
        let (scheme, digest) = (algorithm.scheme(), algorithm.digest().map_or("", DigestAlgorithm::name));
        self.algorithms.iter().filter(move |end| [scheme, digest, &key].contains(&end.name.as_str()))
    }
}

// TOML is there with the server alone.
#[cfg(all(test, feature = "server"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_leaves_out_is_the_policy_signature() {
        let policy: Policy = toml::from_str("id = \"x\"\n[revocation]\nsources = \"both\"").unwrap();
        assert_eq!((policy.id.as_str(), policy.revocation.sources), ("x", RevocationSources::Both));
        assert_eq!(policy.key_usage, KeyUsagePolicy::default());
        assert_eq!(toml::from_str::<Policy>("").unwrap(), Policy::built_in("signature").unwrap());
    }

    #[test]
    fn unknown_keys_and_values_are_refused() {
        for text in [
            "identiti = \"required\"",
            "[revocation]\nsource = \"crl\"",
            "[revocation]\nsources = \"none\"",
            "[key_usage]\nextended = [\"1.2.\"]",
            "[path]\ncertificate_policies = [\"3.9\"]",
            "[[algorithms]]\nname = \"RSA\"\nuntill = \"2030-01-01T00:00:00Z\"",
        ] {
            assert!(toml::from_str::<Policy>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn algorithms_end() {
        let text =
            "[[algorithms]]\nname = \"SHA-256\"\nuntil = \"2030-01-01T00:00:00Z\"\n[[algorithms]]\nname = \"P-521\"";
        let policy: Policy = toml::from_str(text).unwrap();
        let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
        let mut spki = vec![0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        spki.extend_from_slice(aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref());
        let key = PublicKey::from_spki(&spki).unwrap();
        let allowed = |digest, at: &str| {
            policy.algorithm_is_allowed(&SignatureAlgorithm::RsaPkcs1(digest), &key, at.parse().unwrap()).is_ok()
        };
        assert!(allowed(DigestAlgorithm::Sha256, "2029-12-31T23:59:59Z"));
        assert!(!allowed(DigestAlgorithm::Sha256, "2030-01-01T00:00:00Z"));
        assert!(allowed(DigestAlgorithm::Sha384, "2030-01-01T00:00:00Z"));
    }
}
