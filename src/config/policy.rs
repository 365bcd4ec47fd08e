//! A policy file: a built-in policy made stricter.
//!
//! ```toml
//! id = "agency-strict"
//! version = "2026-11"
//! extends = "request"
//! roles = ["first-head", "right-to-sign"]
//! check_digit = "refuse"
//! signing_certificate_attribute = "refuse"
//!
//! [revocation]
//! sources = "both"
//! ```
//!
//! The sections `key_usage`, `path`, `revocation` and `algorithms` stand as the file has them; `docs/policy.md` lists
//! every key.
//!
//! *Invariant:* the identity rule and the severities can only be made stricter than in the policy that is extended;
//! unknown keys are refused.

use super::ConfigError;
use crate::{
    pki::identity::Role,
    verify::policy::{
        AlgorithmEnd, IdentityRequirement, KeyUsagePolicy, PathPolicy, Policy, RevocationPolicy, Severity,
    },
};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    id: String,
    version: String,
    extends: String,
    identity: Option<IdentityRequirement>,
    roles: Option<Vec<Role>>,
    check_digit: Option<Severity>,
    signing_certificate_attribute: Option<Severity>,
    unconfirmed_timestamp: Option<Severity>,
    key_usage: Option<KeyUsagePolicy>,
    path: Option<PathPolicy>,
    revocation: Option<RevocationPolicy>,
    algorithms: Option<Vec<AlgorithmEnd>>,
}

/// Reads a policy file.
///
/// # Errors
/// [`ConfigError`].
pub fn read_policy(path: &Path) -> Result<Policy, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    let wrong = |detail: String| ConfigError::Value { origin: path.display().to_string(), detail };
    let file: PolicyFile = toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
    let base =
        Policy::built_in(&file.extends).ok_or_else(|| wrong(format!("there is no policy `{}`", file.extends)))?;
    if Policy::built_in(&file.id).is_some() {
        return Err(wrong(format!("`{}` is the name of a built-in policy", file.id)));
    }
    let stricter = |name: &str, given: Option<Severity>, base: Severity| match given {
        Some(given) if strictness(given) < strictness(base) => {
            Err(wrong(format!("{name} is looser than in `{}`", file.extends)))
        }
        given => Ok(given.unwrap_or(base)),
    };
    if file.identity == Some(IdentityRequirement::Optional) && base.identity == IdentityRequirement::Required {
        return Err(wrong(format!("identity is looser than in `{}`", file.extends)));
    }
    Ok(Policy {
        check_digit: stricter("check_digit", file.check_digit, base.check_digit)?,
        signing_certificate_attribute: stricter(
            "signing_certificate_attribute",
            file.signing_certificate_attribute,
            base.signing_certificate_attribute,
        )?,
        unconfirmed_timestamp: stricter(
            "unconfirmed_timestamp",
            file.unconfirmed_timestamp,
            base.unconfirmed_timestamp,
        )?,
        identity: file.identity.unwrap_or(base.identity),
        roles: file.roles.unwrap_or(base.roles),
        key_usage: file.key_usage.unwrap_or(base.key_usage),
        path: file.path.unwrap_or(base.path),
        revocation: file.revocation.unwrap_or(base.revocation),
        algorithms: file.algorithms.unwrap_or(base.algorithms),
        until: base.until,
        id: file.id,
        version: file.version,
    })
}

fn strictness(severity: Severity) -> u8 {
    match severity {
        Severity::Ignore => 0,
        Severity::Warn => 1,
        Severity::Refuse => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, ConfigError> {
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        std::fs::write(file.path(), text).expect("written");
        read_policy(file.path())
    }

    #[test]
    fn a_file_makes_a_policy_stricter() {
        let policy =
            read("id = \"strict\"\nversion = \"1\"\nextends = \"request\"\ncheck_digit = \"refuse\"").expect("valid");
        assert_eq!((policy.id.as_str(), policy.check_digit), ("strict", Severity::Refuse));
        assert_eq!(policy.identity, IdentityRequirement::Required);
        assert_ne!(policy.digest(), Policy::built_in("request").expect("built in").digest());
    }

    #[test]
    fn the_documentation_names_every_key() {
        let text = include_str!("../../docs/policy.md");
        let example = text.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let policy = read(example).expect("the example is a policy");
        let json = serde_json::to_value(&policy).expect("a policy is JSON");
        for section in ["key_usage", "path", "revocation"] {
            for key in json[section].as_object().expect("a section").keys() {
                assert!(example.contains(&format!("\n{key} = ")), "{section}.{key}");
            }
        }
    }

    #[test]
    fn loosening_and_unknown_words_are_refused() {
        let head = "id = \"x\"\nversion = \"1\"\n";
        for text in [
            "extends = \"request\"\nidentity = \"optional\"",
            "extends = \"request\"\ncheck_digit = \"ignore\"",
            "extends = \"licence\"\nsigning_certificate_attribute = \"warn\"",
            "extends = \"nothing\"",
            "extends = \"request\"\ncheckdigit = \"refuse\"",
            "extends = \"request\"\nroles = [\"king\"]",
            "",
        ] {
            assert!(read(&format!("{head}{text}")).is_err(), "{text}");
        }
        assert!(read("id = \"request\"\nversion = \"2\"\nextends = \"signature\"").is_err(), "a built-in name");
    }
}
