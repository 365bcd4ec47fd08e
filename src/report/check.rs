//! The fixed list of checks and what became of each.

use super::{Reason, reason::WithMessage};
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A check of the report (contract §3). The order is the order of the report and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The container is what it says and can be read in one way only.
    DocumentFormat,
    /// The signer's certificate is identified.
    SigningCertificate,
    /// A path to a trust anchor exists and keeps RFC 5280 §6.1.
    CertificationPath,
    /// Every certificate is within its validity period.
    CertificateValidity,
    /// No certificate is revoked, on evidence.
    Revocation,
    /// Key usage and extended key usage fit the purpose.
    KeyUsage,
    /// Certificate policies fit the purpose.
    CertificatePolicy,
    /// The digest of the content is the one that was signed.
    ContentDigest,
    /// The signature value verifies under the signer's key.
    SignatureValue,
    /// Signed attributes are present, single and consistent.
    SignedAttributes,
    /// Every algorithm and key size is allowed at the time in question.
    Algorithms,
    /// Time-stamps, where present, are valid.
    Timestamp,
    /// The declared IIN or BIN is the certificate's.
    IdentityDeclared,
    /// The IIN or BIN in the signed content is the certificate's.
    IdentityContent,
    /// The same signed document was not registered before.
    NotSeenBefore,
}

impl CheckId {
    /// Every check, in the order of the report.
    pub const ALL: [CheckId; 15] = [
        CheckId::DocumentFormat,
        CheckId::SigningCertificate,
        CheckId::CertificationPath,
        CheckId::CertificateValidity,
        CheckId::Revocation,
        CheckId::KeyUsage,
        CheckId::CertificatePolicy,
        CheckId::ContentDigest,
        CheckId::SignatureValue,
        CheckId::SignedAttributes,
        CheckId::Algorithms,
        CheckId::Timestamp,
        CheckId::IdentityDeclared,
        CheckId::IdentityContent,
        CheckId::NotSeenBefore,
    ];

    /// The id as it stands in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            CheckId::DocumentFormat => "document-format",
            CheckId::SigningCertificate => "signing-certificate",
            CheckId::CertificationPath => "certification-path",
            CheckId::CertificateValidity => "certificate-validity",
            CheckId::Revocation => "revocation",
            CheckId::KeyUsage => "key-usage",
            CheckId::CertificatePolicy => "certificate-policy",
            CheckId::ContentDigest => "content-digest",
            CheckId::SignatureValue => "signature-value",
            CheckId::SignedAttributes => "signed-attributes",
            CheckId::Algorithms => "algorithms",
            CheckId::Timestamp => "timestamp",
            CheckId::IdentityDeclared => "identity-declared",
            CheckId::IdentityContent => "identity-content",
            CheckId::NotSeenBefore => "not-seen-before",
        }
    }
}

/// What became of a check.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Outcome {
    /// Not run: it proves nothing.
    #[default]
    NotEvaluated,
    /// Run, and the rule holds.
    Passed,
    /// The rule does not hold, and the policy lets it pass.
    Warned(Reason),
    /// The rule does not hold.
    Failed(Reason),
}

impl Outcome {
    /// Passed where there is no reason against it.
    pub fn from_result(result: Result<(), Reason>) -> Outcome {
        match result {
            Ok(()) => Outcome::Passed,
            Err(reason) => Outcome::Failed(reason),
        }
    }

    /// The reason of a failure.
    pub fn failure(&self) -> Option<&Reason> {
        match self {
            Outcome::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// The outcome of every check: all of them, always.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks([Outcome; CheckId::ALL.len()]);

impl Checks {
    /// What became of one check.
    pub fn outcome(&self, id: CheckId) -> &Outcome {
        // The discriminant of a fieldless enum indexes the array of the same length.
        self.0.get(id as usize).unwrap_or(&Outcome::NotEvaluated)
    }

    /// Records an outcome. The first failure of a check stays; a pass never covers a warning or a failure.
    pub fn record(&mut self, id: CheckId, outcome: Outcome) {
        if let Some(slot) = self.0.get_mut(id as usize) {
            let rank = |outcome: &Outcome| match outcome {
                Outcome::NotEvaluated => 0,
                Outcome::Passed => 1,
                Outcome::Warned(_) => 2,
                Outcome::Failed(_) => 3,
            };
            if rank(&outcome) > rank(slot) {
                *slot = outcome;
            }
        }
    }

    /// Records a failure.
    pub fn fail(&mut self, id: CheckId, reason: Reason) {
        self.record(id, Outcome::Failed(reason));
    }

    /// Records a pass, if nothing stands against it.
    pub fn pass(&mut self, id: CheckId) {
        self.record(id, Outcome::Passed);
    }

    /// Records a warning.
    pub fn warn(&mut self, id: CheckId, reason: Reason) {
        self.record(id, Outcome::Warned(reason));
    }

    /// Turns a failure into a warning, where another signer's result makes it one (contract §5, several signers).
    pub fn downgrade(&mut self, id: CheckId) {
        if let Some(slot) = self.0.get_mut(id as usize)
            && let Outcome::Failed(reason) = slot
        {
            *slot = Outcome::Warned(reason.clone());
        }
    }

    /// Every check with its outcome, in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = (CheckId, &Outcome)> {
        CheckId::ALL.into_iter().zip(&self.0)
    }
}

impl Serialize for Checks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(CheckId, &'a Outcome);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let (outcome, reason) = match self.1 {
                    Outcome::NotEvaluated => ("not_evaluated", None),
                    Outcome::Passed => ("passed", None),
                    Outcome::Warned(reason) => ("warned", Some(reason)),
                    Outcome::Failed(reason) => ("failed", Some(reason)),
                };
                let mut row = serializer.serialize_struct("Check", 2 + usize::from(reason.is_some()))?;
                row.serialize_field("id", self.0.as_str())?;
                row.serialize_field("outcome", outcome)?;
                if let Some(reason) = reason {
                    row.serialize_field("reason", &WithMessage(reason))?;
                }
                row.end()
            }
        }
        let mut rows = serializer.serialize_seq(Some(CheckId::ALL.len()))?;
        for (id, outcome) in self.iter() {
            rows.serialize_element(&Row(id, outcome))?;
        }
        rows.end()
    }
}

impl<'de> Deserialize<'de> for Checks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Checks, D::Error> {
        #[derive(Deserialize)]
        struct Row {
            id: CheckId,
            outcome: String,
            reason: Option<Reason>,
        }
        let mut checks = Checks::default();
        for row in Vec::<Row>::deserialize(deserializer)? {
            let outcome = match (row.outcome.as_str(), row.reason) {
                ("not_evaluated", None) => Outcome::NotEvaluated,
                ("passed", None) => Outcome::Passed,
                ("warned", Some(reason)) => Outcome::Warned(reason),
                ("failed", Some(reason)) => Outcome::Failed(reason),
                _ => return Err(serde::de::Error::custom("an outcome and its reason do not fit")),
            };
            checks.record(row.id, outcome);
        }
        Ok(checks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_place() {
        let mut checks = Checks::default();
        for (position, id) in CheckId::ALL.into_iter().enumerate() {
            assert_eq!(id as usize, position);
            assert_eq!(serde_json::to_value(id).unwrap(), id.as_str());
            checks.pass(id);
            assert_eq!(checks.outcome(id), &Outcome::Passed);
        }
    }

    #[test]
    fn a_pass_never_covers_a_failure() {
        let mut checks = Checks::default();
        checks.fail(CheckId::Revocation, Reason::RevUnknown {});
        checks.pass(CheckId::Revocation);
        checks.fail(CheckId::Revocation, Reason::FcNoSignature {});
        assert_eq!(checks.outcome(CheckId::Revocation).failure(), Some(&Reason::RevUnknown {}));
    }
}
