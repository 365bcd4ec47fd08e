//! Everything that a verdict depends on, as one value.

use super::certificate::ValidationContext;
use super::policy::Policy;
use crate::format::Format;
use crate::pki::identity::{Bin, Iin, Role};
use crate::report::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The applicant as the caller declares him.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredApplicant {
    /// Individual identification number.
    pub iin: Option<Iin>,
    /// Business identification number.
    pub bin: Option<Bin>,
}

/// How a service's signed content says who applies.
///
/// Each pointer names one string of twelve digits; where both are given, at least one must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentIdentityRule {
    /// JSON Pointer (RFC 6901) to the IIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_iin: Option<String>,
    /// JSON Pointer to the BIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_bin: Option<String>,
    /// XML: path to the IIN, as [`crate::format::xml::path`] describes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml_iin: Option<String>,
    /// XML: path to the BIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml_bin: Option<String>,
}

/// What a service asks beyond the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceRules {
    /// Where the signed content names the applicant; `None` where the service has no rule.
    pub content_identity: Option<ContentIdentityRule>,
    /// Roles of which the signer must have one; empty where any will do.
    pub roles: Vec<Role>,
    /// XML: path of the element that a signature must cover; `None` for the whole document, or a message's Body.
    pub xml_element: Option<String>,
    /// Prefixes of the XML paths.
    pub xml_namespaces: BTreeMap<String, String>,
}

/// Everything that a verdict depends on.
pub struct VerificationInputs<'a> {
    /// Identifier of the report to be written.
    pub report_id: &'a str,
    /// The time for which the verdict holds.
    pub at: Time,
    /// When the document arrived, where it is judged again later: a message is fresh or stale when it arrives. `None`
    /// where that is `at`.
    pub received_at: Option<Time>,
    /// The document as received.
    pub document: &'a [u8],
    /// What the caller says it is; `None` to tell by its beginning.
    pub format: Option<Format>,
    /// Detached content.
    pub content: Option<&'a [u8]>,
    /// Whom the caller declares.
    pub declared: DeclaredApplicant,
    /// The service's own rules.
    pub service: Option<&'a ServiceRules>,
    /// The policy.
    pub policy: &'a Policy,
    /// Certificates and revocation data to build and judge paths with.
    pub context: ValidationContext<'a>,
}
