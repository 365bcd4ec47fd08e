//! What the use cases take and give. Plain data; the protocol around it is the caller's.

use crate::licensing::{DocumentKind, LicenceAction, LicenceNumber, LicenceTerms, RequestNumber};
use crate::port::token::Role;
use crate::port::{JournalEntry, LicenceRecord, RequestRecord};
use crate::report::{Decision, Time};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Id of the access token, or a name such as `cli`; stands in reports and journal rows, so never a person's name.
    pub id: String,
    /// What the caller may do.
    pub role: Role,
}

/// The applicant as the caller declares him.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applicant {
    /// Individual identification number.
    #[serde(default)]
    pub iin: Option<String>,
    /// Business identification number.
    #[serde(default)]
    pub bin: Option<String>,
}

/// How a document is to be verified; kept with a registered request, so that it can be verified again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerificationParameters {
    /// Container format; by content where it is absent or `auto`.
    #[serde(default)]
    pub format: Option<String>,
    /// The declared applicant.
    #[serde(default)]
    pub applicant: Applicant,
    /// Id of the service, which chooses how the applicant is read out of the content.
    #[serde(default)]
    pub service: Option<String>,
    /// Id of the policy; `request` where it is absent.
    #[serde(default)]
    pub policy: Option<String>,
    /// Point in time to judge at; only auditors may name one in the past.
    #[serde(default)]
    pub validation_time: Option<Time>,
}

/// A document to be verified. The octets are shared and never change: what is verified is what is stored.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The document.
    pub document: Bytes,
    /// The content, where the signature is detached.
    pub content: Option<Bytes>,
    /// How to verify it.
    pub parameters: VerificationParameters,
}

/// A verdict, recorded.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Id of the report.
    pub id: Uuid,
    /// The decision.
    pub decision: Decision,
    /// Whether a later try may come out differently.
    pub retryable: bool,
    /// Code of the first failing reason, where there is one.
    pub refusal: Option<String>,
    /// The report, JSON, as recorded.
    pub json: Bytes,
}

/// Whether a registration is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// It is.
    New,
    /// The same signed document was registered before; number and time are those of then.
    Before,
}

/// A registered request as answered.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The record.
    pub record: RequestRecord,
    /// The report of this call, JSON.
    pub verification: Bytes,
    /// Whether it is new.
    pub novelty: Novelty,
}

/// A request with what happened to it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RequestView {
    /// The record.
    #[serde(flatten)]
    pub record: RequestRecord,
    /// The journal's rows about it, oldest first.
    pub history: Vec<JournalEntry>,
}

/// A licence with what happened to it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct LicenceView {
    /// The record.
    #[serde(flatten)]
    pub record: LicenceRecord,
    /// The journal's rows about it, oldest first.
    pub history: Vec<JournalEntry>,
}

/// An officer's decision on a registered request: one flat object, `request` beside the terms; unknown fields refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Map<String, serde_json::Value>")]
pub struct StampOrder {
    /// The registered request.
    pub request: RequestNumber,
    /// What the document says. With `reasons` it is a reasoned refusal, otherwise the service's result.
    #[serde(flatten)]
    pub terms: LicenceTerms,
}

/// `deny_unknown_fields` does not reach through `flatten`, so the object is taken apart here.
impl TryFrom<serde_json::Map<String, serde_json::Value>> for StampOrder {
    type Error = serde_json::Error;

    fn try_from(mut object: serde_json::Map<String, serde_json::Value>) -> Result<StampOrder, serde_json::Error> {
        let missing = || serde::de::Error::missing_field("request");
        let request = serde_json::from_value(object.remove("request").ok_or_else(missing)?)?;
        Ok(StampOrder { request, terms: serde_json::from_value(serde_json::Value::Object(object))? })
    }
}

/// A change of a licence's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StateOrder {
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The caller's idempotency key and the digest of what he sent with it.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The key, as sent.
    pub key: String,
    /// The body, as sent.
    pub body: Arc<[u8]>,
}

/// What the registry says about a sealed document that was presented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case", tag = "finding")]
pub enum RegistryFinding {
    /// It is one of the documents that were issued.
    Issued {
        /// Which one.
        kind: DocumentKind,
        /// Whether the holder may act under it today.
        in_force: bool,
        /// The licence.
        licence: Box<LicenceRecord>,
    },
    /// The content was issued under this number, but in other octets around it.
    Rewrapped {
        /// Whether the holder may act under it today.
        in_force: bool,
        /// The licence.
        licence: Box<LicenceRecord>,
    },
    /// A licence has this number, but this content was never issued under it.
    OtherContent {
        /// The number.
        number: LicenceNumber,
    },
    /// No licence has this number.
    NumberUnknown {
        /// The number.
        number: LicenceNumber,
    },
    /// The document names no licence.
    NotALicence {},
}

/// A licence presented by anyone, judged.
#[derive(Clone, Debug)]
pub struct LicenceVerified {
    /// The verdict on the seal.
    pub verified: Verified,
    /// What the registry says.
    pub registry: RegistryFinding,
}

impl LicenceVerified {
    /// Whether the document may be relied on as a licence of this authority.
    ///
    /// A seal that verifies proves who sealed; that it was the authority, and what it issued, the registry alone says:
    /// anybody with a certificate can sign a text that looks like a licence. Whether the licence is in force is another
    /// question.
    pub fn decision(&self) -> Decision {
        match self.registry {
            RegistryFinding::Issued { .. } | RegistryFinding::Rewrapped { .. } => self.verified.decision,
            RegistryFinding::OtherContent { .. }
            | RegistryFinding::NumberUnknown { .. }
            | RegistryFinding::NotALicence {} => Decision::Refused,
        }
    }
}

/// What start-up found and settled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// Numbers of attempts that were cut short; each is voided, and the journal says so.
    pub voided: Vec<LicenceNumber>,
}

/// Actions on a licence that change its state and seal nothing.
pub const STATE_ACTIONS: [LicenceAction; 3] = [LicenceAction::Suspend, LicenceAction::Resume, LicenceAction::Terminate];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_with_an_unknown_or_missing_field_is_not_read() {
        let read = |text: &str| serde_json::from_str::<StampOrder>(text).map_err(|error| error.to_string());
        let order = read(r#"{"request": "2026-00000001", "issued_to": "ТОО"}"#).unwrap();
        assert_eq!(serde_json::to_value(&order).unwrap()["issued_to"], "ТОО");
        assert!(
            read(r#"{"request": "1", "issued_to": "x", "valid_til": "2027-01-01"}"#).unwrap_err().contains("valid_til")
        );
        assert!(read(r#"{"issued_to": "x"}"#).unwrap_err().contains("request"));
        assert!(read(r#"{"request": "1"}"#).unwrap_err().contains("issued_to"));
    }
}
