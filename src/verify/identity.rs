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
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

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
    let mut claims = [Claim::Absent, Claim::Absent];
    let wanted = [rule.json_iin.as_deref(), rule.json_bin.as_deref()];
    // Checked as a whole with vector instructions: letter by letter it would cost more than the signature.
    let text = simdutf8::basic::from_utf8(content).map_err(|_| unreadable("not JSON, or a key is repeated"))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Scan { wanted, claims: &mut claims }.deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|_| unreadable("not JSON, or a key is repeated"))?;
    let text = |claim: Claim| match claim {
        Claim::Absent => Ok(None),
        Claim::Text(text) => Ok(Some(text)),
        Claim::NoText => Err(unreadable("the identifier is not a string")),
    };
    let [iin, bin] = claims;
    let iin = text(iin)?
        .map(|text| Iin::parse(&text).ok_or_else(|| unreadable("the IIN is not twelve digits")))
        .transpose()?;
    let bin = text(bin)?
        .map(|text| Bin::parse(&text).ok_or_else(|| unreadable("the BIN is not twelve digits")))
        .transpose()?;
    if iin.is_none() && bin.is_none() {
        return Err(unreadable("the content names no applicant"));
    }
    Ok(Claimed { iin, bin })
}

/// What stands where a pointer points.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Claim {
    /// Nothing, or null.
    Absent,
    Text(String),
    NoText,
}

/// Reads JSON once, without building it: keeps what two JSON Pointers (RFC 6901) name, and refuses an object that
/// repeats a key wherever it stands, for two readers could take different ones (attack 3 in JSON's clothes).
struct Scan<'p, 'c> {
    /// What is left of each pointer below this value; `None` where it leads elsewhere.
    wanted: [Option<&'p str>; 2],
    claims: &'c mut [Claim; 2],
}

impl<'p> Scan<'p, '_> {
    fn found(&mut self, claim: &Claim) {
        for (wanted, slot) in self.wanted.iter().zip(&mut *self.claims) {
            if *wanted == Some("") {
                *slot = claim.clone();
            }
        }
    }

    /// The reader of a member of this value.
    fn below(&mut self, is_next: impl Fn(&str) -> bool) -> Scan<'p, '_> {
        let wanted = self.wanted.map(|pointer| {
            let rest = pointer?.strip_prefix('/')?;
            let (token, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let is_member = if token.contains('~') {
                is_next(&token.replace("~1", "/").replace("~0", "~"))
            } else {
                is_next(token)
            };
            is_member.then_some(rest)
        });
        Scan { wanted, claims: self.claims }
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scan<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated keys")
    }

    fn visit_bool<E>(mut self, _: bool) -> Result<(), E> {
        self.found(&Claim::NoText);
        Ok(())
    }

    fn visit_i64<E>(mut self, _: i64) -> Result<(), E> {
        self.found(&Claim::NoText);
        Ok(())
    }

    fn visit_u64<E>(mut self, _: u64) -> Result<(), E> {
        self.found(&Claim::NoText);
        Ok(())
    }

    fn visit_f64<E>(mut self, _: f64) -> Result<(), E> {
        self.found(&Claim::NoText);
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        if self.wanted.contains(&Some("")) {
            self.found(&Claim::Text(text.to_owned()));
        }
        Ok(())
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.found(&Claim::Absent);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.found(&Claim::NoText);
        for position in 0usize.. {
            // RFC 6901 §4: no leading zeros, which a printed number has none of.
            let item = self.below(|token| token == position.to_string());
            if items.next_element_seed(item)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.found(&Claim::NoText);
        let mut keys = Keys::default();
        while let Some(Key(key)) = members.next_key()? {
            members.next_value_seed(self.below(|token| token == key))?;
            if !keys.insert(key) {
                return Err(A::Error::custom("repeated key"));
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it stands without escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key<'de>, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The keys of one object: compared one by one while they are few, then by hash, so that many cost no more each.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    const FEW: usize = 16;

    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'de, str>) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < Keys::FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
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
            r#"{"applicant":{"iin":"850412300123"},"x":[{"a":1,"a":2}]}"#,
            r#"{"applicant":{"iin":"850412300123","\u0069in":"850412300123"}}"#,
            r#"{"applicant":{"iin":"850412300123"}} {}"#,
            r#"{"applicant":{"iin":"850412300123"}"#,
            "not json",
            "",
        ] {
            assert_eq!(read(broken), Err("id-content-unreadable".to_owned()), "{broken}");
        }
    }

    #[test]
    fn a_key_repeated_among_many_is_seen() {
        let keys = |last: &str| {
            let many: String = (0..100).map(|n| format!("\"k{n}\":{n},")).collect();
            format!(r#"{{"applicant":{{"iin":"850412300123"}},{many}"{last}":0}}"#)
        };
        assert!(read(&keys("k100")).is_ok());
        for repeated in ["k0", "k15", "k16", "k99", "applicant"] {
            assert_eq!(read(&keys(repeated)), Err("id-content-unreadable".to_owned()), "{repeated}");
        }
    }

    /// Against the pointers of serde_json over the whole value.
    #[test]
    fn pointers_name_what_rfc_6901_says() {
        let text = r#"{"a":{"":"empty","/":"slash","~":"tilde"},"l":["x",{"y":"z"},null,7],"":"root"}"#;
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        for pointer in
            ["", "/", "/a", "/a/", "/a/~1", "/a/~0", "/l/0", "/l/1/y", "/l/2", "/l/3", "/l/00", "/l/-", "l/0", "/b/c"]
        {
            let mut claims = [Claim::Absent, Claim::Absent];
            let mut json = serde_json::Deserializer::from_str(text);
            Scan { wanted: [Some(pointer), None], claims: &mut claims }.deserialize(&mut json).unwrap();
            let expected = match value.pointer(pointer) {
                None | Some(serde_json::Value::Null) => Claim::Absent,
                Some(serde_json::Value::String(text)) => Claim::Text(text.clone()),
                Some(_) => Claim::NoText,
            };
            assert_eq!(claims, [expected, Claim::Absent], "{pointer}");
        }
    }
}
