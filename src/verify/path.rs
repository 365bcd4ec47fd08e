//! Certification path validation (RFC 5280 §6.1), revocation apart.
//!
//! The walk goes from the trust anchor to the target, as §6.1.3 to §6.1.5 number it; what fails is collected, so that a
//! report says everything that is wrong. DEVIATION, on the strict side: §6.1.1 (d) takes nothing from the trust anchor
//! but its name and key; here its validity period, basicConstraints, keyUsage, pathLenConstraint, nameConstraints,
//! critical extensions and the profile count too (RFC 5937; Order 500/НҚ p. 16.1, "every certificate up to the trusted
//! root"). Validity can be left out by policy.
//!
//! *Invariant:* an empty list of findings means that every step of §6.1 ran for every certificate.

use super::budget::Budgets;
use super::extension_policy::{self, Position};
use super::name_constraints::{NameConstraintsState, Violation};
use super::policy::{PathPolicy, TrustAnchorValidity};
use super::policy_graph::{AnyPolicy, Mapping, MappingError, PolicyGraph};
use crate::asn1::Oid;
use crate::pki::extension::KeyUsage;
use crate::pki::{Certificate, Version};
use crate::report::{CheckId, Reason, Time};

/// What a path is judged by.
pub(super) struct PathInputs<'a> {
    /// The time in question.
    pub(super) at: Time,
    /// user-initial-policy-set; empty for any-policy.
    pub(super) initial_policy_set: &'a [Oid<'a>],
    /// The flags of §6.1.1 (e) to (g), and how the trust anchor is held to its dates.
    pub(super) policy: &'a PathPolicy,
    /// Budgets of the verdict.
    pub(super) budgets: &'a Budgets,
}

/// What is wrong, and which check it fails.
pub(super) type Finding = (CheckId, Reason);

/// Validates a path of certificates, target first, under a trust anchor. Names chain and signatures verify already:
/// path building takes no other step.
pub(super) fn check_path(path: &[Certificate], anchor: &Certificate, inputs: &PathInputs<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_validity(path, anchor, inputs, &mut findings);
    check_anchor(path.len(), anchor, &mut findings);
    check_constraints(path, anchor, &mut findings);
    check_names(path, anchor, inputs, &mut findings);
    check_policies(path, inputs, &mut findings);
    findings
}

/// §6.1.3 (a)(2) for one certificate.
pub(super) fn validity(certificate: &Certificate, position: usize, at: Time) -> Option<Finding> {
    let reason = if at < certificate.not_before() {
        Reason::XcvNotYetValid { certificate: position, not_before: certificate.not_before(), validation_time: at }
    } else if at > certificate.not_after() {
        Reason::XcvExpired { certificate: position, not_after: certificate.not_after(), validation_time: at }
    } else {
        return None;
    };
    Some((CheckId::CertificateValidity, reason))
}

fn check_validity(path: &[Certificate], anchor: &Certificate, inputs: &PathInputs<'_>, findings: &mut Vec<Finding>) {
    let anchor = match inputs.policy.trust_anchor_validity {
        TrustAnchorValidity::Checked if !is_before_reissue(path, anchor, inputs.at) => Some(anchor),
        TrustAnchorValidity::Checked | TrustAnchorValidity::Ignored => None,
    };
    let dated = path.iter().chain(anchor).enumerate();
    findings.extend(dated.filter_map(|(position, certificate)| validity(certificate, position, inputs.at)));
}

/// Whether a time lies before the trust anchor's certificate, but not before its key: a root that was issued again on
/// the same key is younger than the authorities below it, whose certificates show how long the key has been in use.
///
/// DEVIATION: Order 500/НҚ p. 16.1 asks for the dates of every certificate up to the root. The national root of 2020 was
/// re-issued, and its subordinate of 2019 would be invalid for a year in which it was not. The risk is the old
/// certificate's own notBefore, which nobody has any more.
fn is_before_reissue(path: &[Certificate], anchor: &Certificate, at: Time) -> bool {
    let begins_earlier = |subordinate: &Certificate| subordinate.not_before() < anchor.not_before();
    at < anchor.not_before() && path.last().is_some_and(|last| begins_earlier(last) && at >= last.not_before())
}

fn check_anchor(position: usize, anchor: &Certificate, findings: &mut Vec<Finding>) {
    let mut fail = |reason| findings.push((CheckId::CertificationPath, reason));
    // Roots of before version 3 are still about; they cannot say what they are for.
    let is_ca = anchor.basic_constraints().map_or(anchor.version() != Version::V3, |constraints| constraints.ca);
    if !is_ca {
        fail(Reason::XcvBasicConstraints { certificate: position });
    }
    if anchor.key_usage().is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
        fail(Reason::XcvKeyUsage { certificate: position });
    }
    check_profile(anchor, position, Position::Issuer, findings);
}

/// §6.1.4 (o), §6.1.5 (f), and the profile.
pub(super) fn check_profile(certificate: &Certificate, position: usize, role: Position, findings: &mut Vec<Finding>) {
    let mut fail = |reason| findings.push((CheckId::CertificationPath, reason));
    if let Some(extension) = certificate.unrecognised_critical().next() {
        let extension = extension.to_string();
        fail(Reason::XcvCriticalExtensionUnknown { certificate: position, extension });
    }
    if let Some(row) = extension_policy::first_broken(certificate, role) {
        let what = format!("RFC 5280 §{}: {}", row.clause, row.rule);
        fail(Reason::XcvCertificateMalformed { certificate: position, what });
    }
}

/// §6.1.4 (k) to (o), §6.1.5 (f), and the profile.
fn check_constraints(path: &[Certificate], anchor: &Certificate, findings: &mut Vec<Finding>) {
    let mut max_path_length = path.len();
    let limit =
        |constraint: Option<u32>| constraint.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    max_path_length = max_path_length.min(limit(anchor.basic_constraints().and_then(|c| c.path_len)));
    for (position, certificate) in path.iter().enumerate().rev() {
        let mut fail = |reason| findings.push((CheckId::CertificationPath, reason));
        if position > 0 {
            // (k): "If certificate i is a version 3 certificate, verify that the basicConstraints extension is present
            // and that cA is set to TRUE"; versions 1 and 2 would have to be known by other means, and none is.
            let constraints = certificate.basic_constraints();
            if certificate.version() != Version::V3 || !constraints.is_some_and(|constraints| constraints.ca) {
                fail(Reason::XcvBasicConstraints { certificate: position });
            }
            // (l)
            if !certificate.is_self_issued() {
                match max_path_length.checked_sub(1) {
                    Some(left) => max_path_length = left,
                    None => fail(Reason::XcvPathLength { certificate: position }),
                }
            }
            // (m)
            max_path_length = max_path_length.min(limit(constraints.and_then(|constraints| constraints.path_len)));
            // (n)
            if certificate.key_usage().is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
                fail(Reason::XcvKeyUsage { certificate: position });
            }
        }
        let role = if position > 0 { Position::Issuer } else { Position::Target };
        check_profile(certificate, position, role, findings);
    }
}

/// §6.1.3 (b) and (c), §6.1.4 (g).
fn check_names(path: &[Certificate], anchor: &Certificate, inputs: &PathInputs<'_>, findings: &mut Vec<Finding>) {
    let mut state = NameConstraintsState::default();
    if let Some(constraints) = anchor.name_constraints() {
        state.add(constraints);
    }
    for (position, certificate) in path.iter().enumerate().rev() {
        if position == 0 || !certificate.is_self_issued() {
            match state.check(certificate, &inputs.budgets.name_comparisons) {
                Ok(()) => {}
                Err(Violation::NotAllowed) => {
                    let reason = Reason::XcvNameConstraints { certificate: position };
                    findings.push((CheckId::CertificationPath, reason));
                }
                Err(Violation::Budget(reason)) => {
                    findings.push((CheckId::CertificationPath, reason));
                    return;
                }
            }
        }
        if let Some(constraints) = certificate.name_constraints().filter(|_| position > 0) {
            state.add(constraints);
        }
    }
}

/// §6.1.3 (d) to (f), §6.1.4 (a), (b), (h) to (j), §6.1.5 (a), (b) and (g).
fn check_policies(path: &[Certificate], inputs: &PathInputs<'_>, findings: &mut Vec<Finding>) {
    // Without a constraint explicit_policy never reaches zero, and without a mapping nothing else can fail: every policy
    // that the certificates name is then acceptable, whatever the graph holds.
    let can_fail = |certificate: &Certificate| {
        certificate.policy_constraints().is_some() || certificate.policy_mappings().is_some()
    };
    if !inputs.policy.require_explicit_policy && !path.iter().any(can_fail) {
        return;
    }
    let n = u32::try_from(path.len()).unwrap_or(u32::MAX);
    let initial = |set: bool| if set { 0 } else { n.saturating_add(1) };
    let mut explicit_policy = initial(inputs.policy.require_explicit_policy);
    let mut inhibit_any_policy = initial(inputs.policy.inhibit_any_policy);
    let mut policy_mapping = initial(inputs.policy.inhibit_policy_mapping);
    let budget = &inputs.budgets.policy_nodes;
    let mut graph = PolicyGraph::new();
    for (position, certificate) in path.iter().enumerate().rev() {
        let mut fail = |reason| findings.push((CheckId::CertificatePolicy, reason));
        let self_issued = certificate.is_self_issued();
        // §6.1.3 (d)(2): "inhibit_anyPolicy is greater than 0, or i < n and the certificate is self-issued".
        let any_policy = if inhibit_any_policy > 0 || (position > 0 && self_issued) {
            AnyPolicy::Processed
        } else {
            AnyPolicy::Inhibited
        };
        if let Err(reason) = graph.add_certificate(certificate, any_policy, budget) {
            return fail(reason);
        }
        // §6.1.3 (f)
        if explicit_policy == 0 && graph.is_null() {
            return fail(Reason::XcvPolicy { certificate: position });
        }
        let constraints = certificate.policy_constraints();
        let require_explicit = constraints.and_then(|constraints| constraints.require_explicit_policy);
        if position == 0 {
            // §6.1.5 (a) and (b)
            explicit_policy = explicit_policy.saturating_sub(1);
            if require_explicit == Some(0) {
                explicit_policy = 0;
            }
            // §6.1.5 (g)
            if explicit_policy == 0 && !graph.satisfies(inputs.initial_policy_set) {
                fail(Reason::XcvPolicy { certificate: position });
            }
            return;
        }
        // §6.1.4 (a) and (b)
        let mapping = if policy_mapping > 0 { Mapping::Allowed } else { Mapping::Inhibited };
        match graph.map(certificate, mapping, budget) {
            Ok(()) => {}
            Err(MappingError::AnyPolicy) => return fail(Reason::XcvPolicy { certificate: position }),
            Err(MappingError::Budget(reason)) => return fail(reason),
        }
        // (h)
        if !self_issued {
            explicit_policy = explicit_policy.saturating_sub(1);
            policy_mapping = policy_mapping.saturating_sub(1);
            inhibit_any_policy = inhibit_any_policy.saturating_sub(1);
        }
        // (i) and (j)
        explicit_policy = explicit_policy.min(require_explicit.unwrap_or(u32::MAX));
        let inhibit = constraints.and_then(|constraints| constraints.inhibit_policy_mapping);
        policy_mapping = policy_mapping.min(inhibit.unwrap_or(u32::MAX));
        inhibit_any_policy = inhibit_any_policy.min(certificate.inhibit_any_policy().unwrap_or(u32::MAX));
    }
}
