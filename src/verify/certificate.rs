//! Validation of one certificate: path, validity, revocation, use (EN 319 102-1 §5.2.6; RFC 5280 §6).
//!
//! Every candidate path is judged until one has nothing against it; if none has, the one that comes nearest is
//! reported: what a later try may settle before what is wrong for good, few findings before many.
//!
//! *Invariant:* an outcome passes a check only after the check ran on a path that reaches a trust anchor.

use super::budget::Budgets;
use super::carried::Carried;
use super::crl_validation::ListSignatures;
use super::extension_policy::Position;
use super::inputs::VerificationInputs;
use super::open_questions::OpenQuestions;
use super::path::{self, Finding, PathInputs};
use super::path_building::PathBuilder;
pub use super::path_building::SignatureCache;
use super::policy::{Absence, KeyUsagePolicy, Policy, SignerKeyUsage};
use super::revocation::PathStatus;
use crate::asn1::{Oid, OidBuf};
use crate::crypto::Digest;
use crate::pki::extension::{KeyUsage, id, purpose};
use crate::pki::{Certificate, CertificateError, Crl, OcspResponse, RevocationList};
use crate::report::{CheckId, Checks, Reason, RevocationEvidence, Time};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What the certificate is to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing documents: an applicant's or an authority's signature.
    DocumentSignature,
    /// Signing OCSP responses.
    OcspResponder,
    /// Signing time-stamp tokens.
    TimestampAuthority,
    /// Signing revocation lists.
    CrlSigner,
}

/// A source of revocation data that did not answer: a fact, and a reason to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// Which source, without secrets: a host, a file's name.
    pub source: String,
    /// What became of it.
    pub cause: String,
}

/// Certificates and revocation data to build and judge paths with.
#[derive(Clone, Copy, Default)]
pub struct ValidationContext<'a> {
    /// Trust anchors, by key and name; an intermediate may be one.
    pub trust_anchors: &'a [Certificate],
    /// Certificates at hand that are not trusted by themselves.
    pub intermediates: &'a [Certificate],
    /// Revocation lists; nothing about them is trusted yet.
    pub lists: &'a [Arc<dyn RevocationList>],
    /// OCSP responses; nothing about them is trusted yet.
    pub responses: &'a [OcspResponse],
    /// Sources that were asked in vain.
    pub unavailable: &'a [Unavailable],
    /// The present, where the verdict is about a time in the past: what revocation data may not be newer than.
    pub now: Option<Time>,
    /// Facts found out before.
    pub cache: Option<&'a dyn SignatureCache>,
    /// Where to write down what stays open, for whoever may ask the network.
    pub questions: Option<&'a OpenQuestions>,
}

impl ValidationContext<'_> {
    /// The certificate that these octets are.
    ///
    /// # Errors
    /// As [`Certificate::parse`].
    pub fn parse_certificate(&self, der: &[u8]) -> Result<Certificate, CertificateError> {
        match self.cache {
            Some(cache) => cache.parse_certificate(der),
            None => Certificate::parse(der),
        }
    }
}

/// What validation found.
#[derive(Clone, Debug, Default)]
pub struct CertificateOutcome {
    /// The path, from the certificate to the last one found.
    pub path: Vec<Certificate>,
    /// Whether the path ends in a trust anchor.
    pub reaches_trust_anchor: bool,
    /// Evidence about revocation.
    pub revocation: Vec<RevocationEvidence>,
    /// Outcomes of `certification-path`, `certificate-validity`, `revocation`, `key-usage`, `certificate-policy`,
    /// `algorithms`.
    pub findings: Checks,
}

/// Certificates and revocation data that came with the document.
#[derive(Clone, Copy, Default)]
pub struct Material<'a> {
    /// Certificates.
    pub certificates: &'a [Certificate],
    /// Revocation lists.
    pub lists: &'a [Crl],
    /// OCSP responses.
    pub responses: &'a [OcspResponse],
}

/// Validates a certificate for a purpose at a time.
pub fn validate_certificate(
    certificate: &Certificate,
    material: &Material<'_>,
    purpose: Purpose,
    at: Time,
    policy: &Policy,
    context: &ValidationContext<'_>,
) -> CertificateOutcome {
    let budgets = Budgets::default();
    let now = context.now.unwrap_or(at).max(at);
    let mut validator = Validator::new(at, now, policy, context, &budgets);
    validator.add(material.certificates, material.lists, material.responses);
    validator.outcome(certificate, purpose)
}

/// Validates a certificate for a purpose at the validation time, with what its document carries and what the context has.
pub(super) fn validate(
    certificate: &Certificate,
    carried: &[&Carried],
    purpose: Purpose,
    inputs: &VerificationInputs<'_>,
) -> CertificateOutcome {
    validate_at(certificate, carried, purpose, inputs.at, inputs)
}

/// The same as of another time, with revocation data of now. Algorithms are held to the validation time all the same:
/// what was made then is looked at now (EN 319 102-1 §5.5.4 step 10).
pub(super) fn validate_at(
    certificate: &Certificate,
    carried: &[&Carried],
    purpose: Purpose,
    at: Time,
    inputs: &VerificationInputs<'_>,
) -> CertificateOutcome {
    let budgets = Budgets::default();
    let now = inputs.context.now.unwrap_or(inputs.at).max(inputs.at);
    let mut validator = Validator::new(at, now, inputs.policy, &inputs.context, &budgets);
    validator.builder.reliable_at = Some(inputs.at);
    validator.carry(carried);
    validator.outcome(certificate, purpose)
}

/// Everything that one verdict about a certificate depends on, and what it has found out on the way.
pub(super) struct Validator<'a> {
    pub(super) at: Time,
    pub(super) now: Time,
    pub(super) policy: &'a Policy,
    pub(super) unavailable: &'a [Unavailable],
    pub(super) questions: Option<&'a OpenQuestions>,
    pub(super) lists: Vec<&'a dyn RevocationList>,
    pub(super) responses: Vec<&'a OcspResponse>,
    pub(super) list_signatures: ListSignatures,
    pub(super) budgets: &'a Budgets,
    pub(super) builder: PathBuilder<'a>,
}

/// Validations inside a validation: the signer of a list has a path of its own.
#[derive(Clone, Default)]
pub(super) struct Nesting {
    /// The trust anchor that the inner path must end in (RFC 5280 §6.3.3 (f)).
    pub(super) anchor: Option<Certificate>,
    /// Certificates whose status is being found out: none of them may vouch for itself.
    pub(super) in_question: Vec<Digest>,
}

/// How deep validations may nest: a list, its signer's list, that one's signer's.
pub(super) const MAX_NESTING: usize = 3;

/// A path with what was found about it.
pub(super) struct JudgedPath {
    pub(super) certificates: Vec<Certificate>,
    pub(super) anchor: Option<Certificate>,
    pub(super) findings: Vec<Finding>,
    pub(super) revocation: Option<PathStatus>,
}

impl JudgedPath {
    /// Whether there is nothing against the path.
    pub(super) fn holds(&self) -> bool {
        self.findings.is_empty()
            && self.anchor.is_some()
            && self.revocation.as_ref().is_some_and(|status| status.findings.is_empty())
    }

    /// Less is nearer to a good path.
    fn distance(&self) -> (bool, usize) {
        let all = || self.findings.iter().chain(self.revocation.iter().flat_map(|status| &status.findings));
        (all().any(|(_, reason)| !reason.retryable()), all().count())
    }

    fn is_over_budget(&self) -> bool {
        self.findings.iter().any(|(_, reason)| matches!(reason, Reason::XcvBudgetExceeded { .. }))
    }
}

impl<'a> Validator<'a> {
    /// A validator with what the context has.
    pub(super) fn new(
        at: Time,
        now: Time,
        policy: &'a Policy,
        context: &ValidationContext<'a>,
        budgets: &'a Budgets,
    ) -> Validator<'a> {
        Validator {
            at,
            now,
            policy,
            unavailable: context.unavailable,
            questions: context.questions,
            lists: context.lists.iter().map(|list| &**list).collect(),
            responses: context.responses.iter().collect(),
            list_signatures: ListSignatures::default(),
            budgets,
            builder: PathBuilder::new(context, at, policy, budgets),
        }
    }

    /// Adds what documents carry.
    pub(super) fn carry(&mut self, carried: &[&'a Carried]) {
        for Carried { certificates, lists, responses } in carried {
            self.add(certificates, lists, responses);
        }
    }

    /// Adds evidence; its certificates are tried before the ones at hand.
    fn add(&mut self, certificates: &'a [Certificate], lists: &'a [Crl], responses: &'a [OcspResponse]) {
        let new = certificates.iter().filter(|one| !self.builder.pool.iter().any(|known| known == one));
        let new: Vec<&Certificate> = new.collect();
        self.builder.pool.splice(0..0, new);
        self.lists.extend(lists.iter().map(|list| -> &dyn RevocationList { list }));
        self.responses.extend(responses);
    }
}

impl Validator<'_> {
    fn outcome(&self, certificate: &Certificate, purpose: Purpose) -> CertificateOutcome {
        let judged = self.judge(certificate, purpose, &Nesting::default());
        let mut findings = Checks::default();
        for (check, reason) in judged.findings {
            findings.fail(check, reason);
        }
        let reaches_trust_anchor = judged.anchor.is_some();
        if reaches_trust_anchor {
            for check in [
                CheckId::CertificationPath,
                CheckId::CertificateValidity,
                CheckId::KeyUsage,
                CheckId::CertificatePolicy,
                CheckId::Algorithms,
            ] {
                findings.pass(check);
            }
        }
        let mut revocation = Vec::new();
        if let Some(status) = judged.revocation {
            for (check, reason) in status.findings {
                findings.fail(check, reason);
            }
            findings.pass(CheckId::Revocation);
            revocation = status.evidence;
        }
        let mut path = judged.certificates;
        path.extend(judged.anchor.filter(|anchor| path.last() != Some(anchor)));
        CertificateOutcome { path, reaches_trust_anchor, revocation, findings }
    }

    /// The best path of a certificate, judged.
    pub(super) fn judge(&self, target: &Certificate, purpose: Purpose, nesting: &Nesting) -> JudgedPath {
        if let Some(path) = self.judge_anchor(target, purpose, nesting) {
            return path;
        }
        let mut best: Option<JudgedPath> = None;
        let dead_ends = self.builder.search(target, &mut |certificates, anchor| {
            if nesting.anchor.as_ref().is_some_and(|wanted| wanted.spki() != anchor.spki()) {
                return ControlFlow::Continue(());
            }
            let judged = self.judge_path(certificates, anchor, purpose, nesting);
            let done = judged.holds() || judged.is_over_budget();
            if best.as_ref().is_none_or(|best| judged.distance() < best.distance()) {
                best = Some(judged);
            }
            if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match best {
            Some(mut judged) => {
                if let (None, Some(anchor)) = (&judged.revocation, &judged.anchor) {
                    judged.revocation = Some(self.check_revocation(&judged.certificates, anchor, nesting));
                }
                judged
            }
            None => {
                if let Some(questions) = self.questions {
                    dead_ends.orphans().for_each(|orphan| questions.ask_issuer(orphan));
                }
                let mut findings = vec![dead_ends.finding()];
                findings.extend(path::validity(target, 0, self.at));
                findings.extend(self.check_use(target, purpose));
                JudgedPath { certificates: vec![target.clone()], anchor: None, findings, revocation: None }
            }
        }
    }

    /// The trust anchor itself as the target: nothing lies below it, so there is no path and no status to ask for.
    fn judge_anchor(&self, target: &Certificate, purpose: Purpose, nesting: &Nesting) -> Option<JudgedPath> {
        let anchor = self.builder.anchors.iter().find(|anchor| *anchor == target)?;
        if nesting.anchor.as_ref().is_some_and(|wanted| wanted.spki() != anchor.spki()) {
            return None;
        }
        let mut findings: Vec<Finding> = path::validity(target, 0, self.at).into_iter().collect();
        path::check_profile(target, 0, Position::Target, &mut findings);
        findings.extend(self.check_use(target, purpose));
        Some(JudgedPath {
            certificates: vec![target.clone()],
            anchor: Some(anchor.clone()),
            findings,
            revocation: Some(PathStatus::default()),
        })
    }

    fn judge_path(
        &self,
        certificates: &[Certificate],
        anchor: &Certificate,
        purpose: Purpose,
        nesting: &Nesting,
    ) -> JudgedPath {
        let mut judged = JudgedPath {
            certificates: certificates.to_vec(),
            anchor: Some(anchor.clone()),
            findings: self.findings_at(self.at, certificates, anchor, purpose),
            revocation: None,
        };
        if judged.findings.is_empty() {
            judged.revocation = Some(self.check_revocation(certificates, anchor, nesting));
        }
        judged
    }

    /// What stands against a path at a time, revocation apart.
    pub(super) fn findings_at(
        &self,
        at: Time,
        certificates: &[Certificate],
        anchor: &Certificate,
        purpose: Purpose,
    ) -> Vec<Finding> {
        // The policies asked for are the signer's; a list's signer is judged under any policy.
        let asked = purpose == Purpose::DocumentSignature;
        let policies: Vec<Oid<'_>> = self.policy.path.certificate_policies.iter().map(|oid| oid.as_oid()).collect();
        let any = super::policy::PathPolicy {
            trust_anchor_validity: self.policy.path.trust_anchor_validity,
            ..super::policy::PathPolicy::default()
        };
        let inputs = PathInputs {
            at,
            initial_policy_set: if asked { &policies } else { &[] },
            policy: if asked { &self.policy.path } else { &any },
            budgets: self.budgets,
        };
        let mut findings = path::check_path(certificates, anchor, &inputs);
        if let Some(target) = certificates.first() {
            findings.extend(self.check_use(target, purpose));
        }
        findings.extend(self.check_issuers_use(certificates, purpose));
        findings
    }

    /// Whether the target's keyUsage and extKeyUsage allow the purpose.
    fn check_use(&self, target: &Certificate, purpose: Purpose) -> Vec<Finding> {
        let mut findings = Vec::new();
        let key_usage = match purpose {
            Purpose::DocumentSignature => match self.policy.key_usage.signer {
                SignerKeyUsage::NonRepudiation => KeyUsage::NON_REPUDIATION,
                SignerKeyUsage::NonRepudiationOrDigitalSignature => {
                    KeyUsage::NON_REPUDIATION | KeyUsage::DIGITAL_SIGNATURE
                }
            },
            Purpose::OcspResponder | Purpose::TimestampAuthority => {
                KeyUsage::NON_REPUDIATION | KeyUsage::DIGITAL_SIGNATURE
            }
            Purpose::CrlSigner => KeyUsage::CRL_SIGN,
        };
        if target.key_usage().is_some_and(|usage| !usage.intersects(key_usage)) {
            findings.push((CheckId::KeyUsage, Reason::XcvKeyUsage { certificate: 0 }));
        }
        if !self.extended_key_usage_allows(target, purpose) {
            findings.push((CheckId::KeyUsage, Reason::XcvExtendedKeyUsage { certificate: 0 }));
        }
        if purpose == Purpose::DocumentSignature && !self.names_policy(target) {
            findings.push((CheckId::CertificatePolicy, Reason::XcvPolicy { certificate: 0 }));
        }
        findings
    }

    /// Whether a signer's certificate names one of the policies that are asked for.
    fn names_policy(&self, target: &Certificate) -> bool {
        let asked = &self.policy.key_usage.certificate_policies;
        let is_asked = |policy: Oid<'_>| asked.iter().any(|oid| oid.as_oid() == policy);
        let named = target.certificate_policies();
        asked.is_empty() || named.is_some_and(|list| list.iter().any(|information| is_asked(information.policy)))
    }

    fn extended_key_usage_allows(&self, target: &Certificate, purpose: Purpose) -> bool {
        let Some(purposes) = target.extended_key_usage() else {
            return match purpose {
                Purpose::DocumentSignature => self.policy.key_usage.without_extended == Absence::Allowed,
                // RFC 6960 §4.2.2.2 and RFC 3161 §2.3 ask for the purpose by name.
                Purpose::OcspResponder | Purpose::TimestampAuthority => false,
                Purpose::CrlSigner => true,
            };
        };
        match purpose {
            Purpose::DocumentSignature => {
                let KeyUsagePolicy { extended: allowed, excluded, .. } = &self.policy.key_usage;
                let one_of = |list: &[OidBuf]| purposes.iter().any(|p| list.iter().any(|a| a.as_oid() == p));
                (allowed.is_empty() || one_of(allowed)) && !one_of(excluded)
            }
            Purpose::OcspResponder => purposes.iter().any(|p| p == purpose::OCSP_SIGNING),
            // RFC 3161 §2.3: "The corresponding certificate MUST contain only one instance of the extended key usage
            // field extension [...] with KeyPurposeID having value id-kp-timeStamping. This extension MUST be critical."
            Purpose::TimestampAuthority => {
                target.is_critical(id::EXTENDED_KEY_USAGE) && purposes.iter().eq([purpose::TIME_STAMPING])
            }
            Purpose::CrlSigner => true,
        }
    }

    /// extKeyUsage of an issuing certificate limits what it may issue for: RFC 5280 §4.2.1.12 leaves that open, path
    /// validators in use hold to it, and a CA limited to TLS must not make signers.
    fn check_issuers_use(&self, certificates: &[Certificate], purpose: Purpose) -> Option<Finding> {
        let allows = |issuer: &Certificate| match (issuer.extended_key_usage(), purpose) {
            (None, _) | (_, Purpose::OcspResponder | Purpose::CrlSigner) => true,
            (Some(purposes), Purpose::DocumentSignature) => {
                let allowed = &self.policy.key_usage.extended;
                let is_allowed = |p: Oid<'_>| p == purpose::ANY || allowed.iter().any(|a| a.as_oid() == p);
                allowed.is_empty() || purposes.iter().any(is_allowed)
            }
            (Some(purposes), Purpose::TimestampAuthority) => {
                purposes.iter().any(|p| p == purpose::ANY || p == purpose::TIME_STAMPING)
            }
        };
        let (certificate, _) = certificates.iter().enumerate().skip(1).find(|(_, issuer)| !allows(issuer))?;
        Some((CheckId::KeyUsage, Reason::XcvExtendedKeyUsage { certificate }))
    }
}
