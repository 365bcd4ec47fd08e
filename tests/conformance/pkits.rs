//! NIST PKITS: 246 rows, each a path with its policy inputs (RFC 5280 §6).
//!
//! A row with `error` must fail, every other must pass. The three rows signed with DSA are refused by name on purpose.

use crate::corpus;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::report::{CheckId, Outcome, Reason, Time};
use tamga::verify::certificate::{Material, Purpose, ValidationContext, validate_certificate};
use tamga::verify::policy::Policy;

/// Every certificate and list of the suite is valid at this time, where the suite means it to be.
const AT: &str = "2022-06-01T00:00:00Z";

const CHECKS: [CheckId; 6] = [
    CheckId::CertificationPath,
    CheckId::CertificateValidity,
    CheckId::Revocation,
    CheckId::KeyUsage,
    CheckId::CertificatePolicy,
    CheckId::Algorithms,
];

/// Rows that pass in the suite and are refused here, with the reason.
const REFUSED: &[(&str, &str)] = &[("40104", "DSA"), ("40105", "DSA: parameters inherited from the issuer")];

struct Suite {
    folder: std::path::PathBuf,
    anchor: Certificate,
}

impl Suite {
    fn certificate(&self, name: &str) -> Certificate {
        Certificate::parse(&std::fs::read(self.folder.join("certs").join(name)).unwrap()).unwrap()
    }

    fn list(&self, name: &str) -> Arc<dyn RevocationList> {
        Arc::new(Crl::parse(&std::fs::read(self.folder.join("crls").join(name)).unwrap()).unwrap())
    }

    /// The reasons that stand against a row.
    fn reasons(&self, row: &Value) -> Vec<Reason> {
        let names = |key: &str| -> Vec<String> {
            let list = row.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
            list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let target = self.certificate(row["cert"].as_str().unwrap());
        let others: Vec<Certificate> = names("other_certs").iter().map(|name| self.certificate(name)).collect();
        let mut lists: Vec<_> = names("crls").iter().map(|name| self.list(name)).collect();
        lists.push(self.list("TrustAnchorRootCRL.crl"));
        let flag = |name: &str| row["params"].get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut policy = Policy::default();
        // The suite's certificates have keyUsage and no extKeyUsage; what they are for is not its question.
        policy.path.require_explicit_policy = flag("initial_explicit_policy");
        policy.path.inhibit_policy_mapping = flag("initial_policy_mapping_inhibit");
        policy.path.inhibit_any_policy = flag("initial_any_policy_inhibit");
        let set = row["params"].get("user_initial_policy_set").and_then(Value::as_array).cloned().unwrap_or_default();
        policy.path.certificate_policies = set.iter().map(|oid| oid.as_str().unwrap().parse().unwrap()).collect();
        let context = ValidationContext {
            trust_anchors: std::slice::from_ref(&self.anchor),
            lists: &lists,
            ..ValidationContext::default()
        };
        let material = Material { certificates: &others, ..Material::default() };
        let at: Time = AT.parse().unwrap();
        let outcome = validate_certificate(&target, &material, Purpose::DocumentSignature, at, &policy, &context);
        let passed = CHECKS.iter().all(|id| outcome.findings.outcome(*id) == &Outcome::Passed);
        let reasons: Vec<Reason> =
            CHECKS.iter().filter_map(|id| outcome.findings.outcome(*id).failure()).cloned().collect();
        assert_eq!(passed, reasons.is_empty(), "{}: a check that neither passed nor failed", row["name"]);
        reasons
    }
}

fn load(folder: &Path) -> (Suite, Vec<Value>) {
    let rows = serde_json::from_slice(&std::fs::read(folder.join("pkits.json")).unwrap()).unwrap();
    let anchor = std::fs::read(folder.join("certs/TrustAnchorRootCertificate.crt")).unwrap();
    (Suite { folder: folder.to_owned(), anchor: Certificate::parse(&anchor).unwrap() }, rows)
}

#[test]
fn every_row_is_right() {
    let Some(folder) = corpus("pkits") else { return };
    let (suite, rows) = load(&folder);
    assert_eq!(rows.len(), 246);
    let mut wrong = Vec::new();
    for row in &rows {
        let (id, name) = (row["id"].as_str().unwrap(), row["name"].as_str().unwrap());
        let reasons = suite.reasons(row);
        let refused = REFUSED.iter().find(|(refused, _)| *refused == id);
        let right = match (row.get("error"), refused) {
            (None, None) => reasons.is_empty(),
            (None, Some(_)) => reasons.iter().any(
                |reason| matches!(reason, Reason::SavAlgorithmNotAllowed { algorithm } if algorithm.contains("DSA")),
            ),
            (Some(_), _) => !reasons.is_empty(),
        };
        if !right {
            let codes: Vec<String> = reasons.iter().map(|reason| format!("{reason:?}")).collect();
            wrong.push(format!("{id} {name}: expected {}, found {codes:?}", row.get("error").unwrap_or(&Value::Null)));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// Which reason must be the one: the suite says why a row fails.
#[test]
fn rows_fail_for_their_own_reason() {
    let Some(folder) = corpus("pkits") else { return };
    let (suite, rows) = load(&folder);
    let mut wrong = Vec::new();
    for row in &rows {
        let Some(error) = row.get("error") else { continue };
        let text = error["msg_regex"].as_str().unwrap();
        let expected: &[&str] = match text {
            t if t.contains("signature of") => &["xcv-issuer-signature-invalid", "sav-algorithm-not-allowed"],
            t if t.contains("issuer name could not be matched") => &["xcv-no-path"],
            t if t.contains("is not valid until") => &["xcv-not-yet-valid"],
            t if t.contains("expired") && t.contains("path could not be validated because") => &["xcv-expired"],
            t if t.contains("no valid set of policies") => &["xcv-policy"],
            t if t.contains("policy mapping for the") => &["xcv-policy"],
            t if t.contains("namespace") => &["xcv-name-constraints"],
            t if t.contains("maximum path length") => &["xcv-path-length"],
            t if t.contains("is not a CA") => &["xcv-basic-constraints"],
            t if t.contains("not allowed to sign certificates") => &["xcv-key-usage"],
            t if t.contains("unsupported critical extension") => &["xcv-critical-extension-unknown"],
            t if t.contains("certificate hold") => &["rev-on-hold"],
            t if t.contains("not recent enough") => &["rev-stale"],
            _ => match error["class"].as_str().unwrap() {
                "RevokedError" => &["rev-revoked", "rev-ca-revoked"],
                "InsufficientRevinfoError" => &["rev-unavailable"],
                other => panic!("{other}: {text}"),
            },
        };
        let codes: Vec<&str> = suite.reasons(row).iter().map(Reason::code).collect();
        if !codes.first().is_some_and(|code| expected.contains(code)) {
            wrong.push(format!("{} {}: {expected:?}, found {codes:?} for {text}", row["id"], row["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}
