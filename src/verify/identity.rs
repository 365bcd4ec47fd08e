//! Condition 3 (c): the IIN/BIN of the request is the certificate's (`validation.md` §1).
//!
//! *Invariant:* identifiers are compared as twelve ASCII digits, declared against certificate and signed content
//! against certificate; nothing is compared with text that was not signed.

use super::inputs::{ContentIdentityRule, VerificationInputs};
use super::policy::{IdentityRequirement, Severity};
use super::xml;
use crate::format::ParsedSignature;
use crate::pki::identity::{Bin, Found, Identity, Iin, Role};
use crate::report::{CheckId, Checks, Reason};

/// Checks what the caller declares and what the signed content says.
pub(super) fn check(
    inputs: &VerificationInputs<'_>,
    signature: &ParsedSignature<'_>,
    content: Option<&[u8]>,
    identity: &Identity,
    checks: &mut Checks,
) {
    check_declared(inputs, identity, checks);
    let Some(service) = inputs.service else { return };
    let Some(rule) = service.content_identity.as_ref() else { return };
    let claimed = match signature.element {
        Some(_) if !signature.covers_content() => xml::identifiers(service, rule, signature),
        _ => content_identifiers(rule, content),
    };
    match claimed {
        Err(reason) => checks.fail(CheckId::IdentityContent, reason),
        Ok(claimed) => {
            let agrees = compare(&claimed, identity, |identifier| Reason::IdContentMismatch { identifier });
            // The three agree: what the caller declared is also what the content says.
            let declared = &inputs.declared;
            let contradicts = (declared.iin.is_some() && claimed.iin.is_some() && declared.iin != claimed.iin)
                || (declared.bin.is_some() && claimed.bin.is_some() && declared.bin != claimed.bin);
            match agrees {
                Err(reason) => checks.fail(CheckId::IdentityContent, reason),
                Ok(()) if contradicts => {
                    checks.fail(CheckId::IdentityContent, Reason::IdContentMismatch { identifier: "declared".into() });
                }
                Ok(()) => checks.pass(CheckId::IdentityContent),
            }
        }
    }
}

/// Checks what the caller declares, and the signer's role.
pub(super) fn check_declared(inputs: &VerificationInputs<'_>, identity: &Identity, checks: &mut Checks) {
    let policy = inputs.policy;
    // kazakhstan-pki §1.2: a Treasury-Client certificate is rejected outside that system.
    if policy.identity == IdentityRequirement::Required && identity.roles.contains(&Role::TreasuryClient) {
        checks.fail(CheckId::IdentityDeclared, Reason::IdRoleNotAllowed {});
    }
    let roles = match inputs.service {
        Some(service) if !service.roles.is_empty() => service.roles.as_slice(),
        _ => policy.roles.as_slice(),
    };
    if !roles.is_empty() && !roles.iter().any(|role| identity.roles.contains(role)) {
        checks.fail(CheckId::IdentityDeclared, Reason::IdRoleNotAllowed {});
    }
    let declared = Claimed { iin: inputs.declared.iin, bin: inputs.declared.bin };
    if declared.iin.is_none() && declared.bin.is_none() {
        if policy.identity == IdentityRequirement::Required {
            checks.fail(CheckId::IdentityDeclared, Reason::IdNotDeclared {});
        }
        return;
    }
    if let Err(reason) = compare(&declared, identity, |identifier| Reason::IdApplicantMismatch { identifier }) {
        checks.fail(CheckId::IdentityDeclared, reason);
        return;
    }
    if declared.bin.is_none() && matches!(identity.bin, Found::One(_)) {
        checks.warn(CheckId::IdentityDeclared, Reason::IdBinNotDeclared {});
    }
    let wrong_digit = match (declared.iin, declared.bin) {
        (Some(iin), _) if !iin.check_digit_holds() => Some("iin"),
        (_, Some(bin)) if !bin.check_digit_holds() => Some("bin"),
        _ => None,
    };
    if let Some(identifier) = wrong_digit {
        let reason = Reason::IdCheckDigit { identifier: identifier.to_owned() };
        match policy.check_digit {
            Severity::Refuse => checks.fail(CheckId::IdentityDeclared, reason),
            Severity::Warn => checks.warn(CheckId::IdentityDeclared, reason),
            Severity::Ignore => {}
        }
    }
    checks.pass(CheckId::IdentityDeclared);
}

/// Identifiers that somebody claims.
pub(super) struct Claimed {
    pub(super) iin: Option<Iin>,
    pub(super) bin: Option<Bin>,
}

fn compare(claimed: &Claimed, identity: &Identity, mismatch: impl Fn(String) -> Reason) -> Result<(), Reason> {
    fn one<T: Copy + PartialEq>(
        name: &str,
        claimed: Option<T>,
        found: &Found<T>,
        mismatch: &impl Fn(String) -> Reason,
    ) -> Result<(), Reason> {
        match (claimed, found) {
            (None, _) => Ok(()),
            (Some(claimed), Found::One(found)) if claimed == *found => Ok(()),
            (Some(_), Found::One(_)) => Err(mismatch(name.to_owned())),
            (Some(_), Found::Absent) => Err(Reason::IdAttributeMissing { attribute: name.to_owned() }),
            (Some(_), Found::Ambiguous) => Err(Reason::IdAttributeAmbiguous { attribute: name.to_owned() }),
        }
    }
    one("iin", claimed.iin, &identity.iin, &mismatch)?;
    one("bin", claimed.bin, &identity.bin, &mismatch)
}

/// Reads the identifiers out of signed JSON content.
fn content_identifiers(rule: &ContentIdentityRule, content: Option<&[u8]>) -> Result<Claimed, Reason> {
    let unreadable = |what: &str| Reason::IdContentUnreadable { what: what.to_owned() };
    let content = content.ok_or_else(|| unreadable("no signed content"))?;
    if rule.json_iin.is_none() && rule.json_bin.is_none() {
        return Err(unreadable("the service has no rule for this format"));
    }
    let json: UniqueKeys = serde_json::from_slice(content).map_err(|_| unreadable("not JSON, or a key is repeated"))?;
    let text = |pointer: &Option<String>| -> Result<Option<String>, Reason> {
        match pointer.as_ref().and_then(|pointer| json.0.pointer(pointer)) {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(serde_json::Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(unreadable("the identifier is not a string")),
        }
    };
    let iin = text(&rule.json_iin)?
        .map(|text| Iin::parse(&text).ok_or_else(|| unreadable("the IIN is not twelve digits")))
        .transpose()?;
    let bin = text(&rule.json_bin)?
        .map(|text| Bin::parse(&text).ok_or_else(|| unreadable("the BIN is not twelve digits")))
        .transpose()?;
    if iin.is_none() && bin.is_none() {
        return Err(unreadable("the content names no applicant"));
    }
    Ok(Claimed { iin, bin })
}

/// JSON in which no object repeats a key: two readers could take different ones (attack 3 in JSON's clothes).
struct UniqueKeys(serde_json::Value);

impl<'de> serde::Deserialize<'de> for UniqueKeys {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<UniqueKeys, D::Error> {
        use serde::de::{Error, MapAccess, SeqAccess, Visitor};
        struct Value;
        impl<'de> Visitor<'de> for Value {
            type Value = UniqueKeys;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON without repeated keys")
            }
            fn visit_bool<E>(self, value: bool) -> Result<UniqueKeys, E> {
                Ok(UniqueKeys(value.into()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<UniqueKeys, E> {
                Ok(UniqueKeys(value.into()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<UniqueKeys, E> {
                Ok(UniqueKeys(value.into()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<UniqueKeys, E> {
                Ok(UniqueKeys(value.into()))
            }
            fn visit_str<E>(self, value: &str) -> Result<UniqueKeys, E> {
                Ok(UniqueKeys(value.into()))
            }
            fn visit_unit<E>(self) -> Result<UniqueKeys, E> {
                Ok(UniqueKeys(serde_json::Value::Null))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UniqueKeys, A::Error> {
                let mut items = Vec::new();
                while let Some(UniqueKeys(item)) = seq.next_element()? {
                    items.push(item);
                }
                Ok(UniqueKeys(serde_json::Value::Array(items)))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueKeys, A::Error> {
                let mut object = serde_json::Map::new();
                while let Some((key, UniqueKeys(value))) = map.next_entry::<String, UniqueKeys>()? {
                    if object.insert(key, value).is_some() {
                        return Err(A::Error::custom("repeated key"));
                    }
                }
                Ok(UniqueKeys(serde_json::Value::Object(object)))
            }
        }
        deserializer.deserialize_any(Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> ContentIdentityRule {
        ContentIdentityRule {
            json_iin: Some("/applicant/iin".into()),
            json_bin: Some("/applicant/bin".into()),
            ..ContentIdentityRule::default()
        }
    }

    fn read(content: &str) -> Result<(Option<String>, Option<String>), String> {
        content_identifiers(&rule(), Some(content.as_bytes()))
            .map(|c| (c.iin.map(|i| i.as_str().to_owned()), c.bin.map(|b| b.as_str().to_owned())))
            .map_err(|reason| reason.code().to_owned())
    }

    #[test]
    fn content_names_the_applicant_or_is_refused() {
        let iin = Ok((Some("850412300123".to_owned()), None));
        assert_eq!(read(r#"{"applicant":{"iin":"850412300123"}}"#), iin);
        assert_eq!(read(r#"{"applicant":{"iin":"850412300123","bin":null}}"#), iin);
        for broken in [
            r#"{"applicant":{"iin":"850412300123"},"applicant":{"iin":"111111111111"}}"#,
            r#"{"applicant":{"iin":850412300123}}"#,
            r#"{"applicant":{"iin":" 850412300123"}}"#,
            r#"{"applicant":{}}"#,
            "not json",
            "",
        ] {
            assert_eq!(read(broken), Err("id-content-unreadable".to_owned()), "{broken}");
        }
    }
}
