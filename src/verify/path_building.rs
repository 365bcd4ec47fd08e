//! Building certification paths: from the target upwards, every candidate issuer by name, each step by its signature.
//!
//! Several certificates may have the issuer's name (renewed keys, cross-certificates, impostors): those whose key
//! identifier fits come first, key identifiers being hints and not rules (RFC 4158 §3.5). Candidates that lead nowhere
//! cost signature checks, which are budgeted and remembered; where there is a choice, what is nearer to a trust anchor
//! is tried first.
//!
//! *Invariant:* every certificate of a path that is visited verifies under the key of the next; none occurs twice.

use super::budget::{Budgets, MAX_PATH_DEPTH};
use super::certificate::ValidationContext;
use super::policy::Policy;
use crate::crypto::{Digest, PublicKey, SignatureAlgorithm};
use crate::pki::public_key::signature_algorithm;
use crate::pki::{Certificate, CertificateError, VerificationError};
use crate::report::{CheckId, Reason, Time};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Remembers facts that no time and no policy changes, and nothing else (attack 33): which signatures were found good,
/// by what was signed and the key; and what octets are when they are read as a certificate.
pub trait SignatureCache: Sync {
    /// Whether the object with this digest is known to verify under the key with this digest.
    fn is_known_good(&self, object: &Digest, key: &Digest) -> bool;

    /// Remembers that it does.
    fn remember_good(&self, object: &Digest, key: &Digest);

    /// The certificate that these octets are: parsed, or the one that the same octets gave before, with what was worked
    /// out of it since (digests, prepared key, names as printed).
    ///
    /// # Errors
    /// As [`Certificate::parse`].
    fn parse_certificate(&self, der: &[u8]) -> Result<Certificate, CertificateError> {
        Certificate::parse(der)
    }

    /// The digest of a policy's text.
    fn policy_digest(&self, policy: &Policy) -> String {
        policy.digest()
    }
}

/// Why one certificate does not come from another.
#[derive(Clone, Debug)]
pub(super) enum StepError {
    /// The signature does not verify.
    Signature,
    /// The algorithm or the key is refused.
    Algorithm(String),
    /// The work was too much.
    Budget(Reason),
}

impl StepError {
    /// The finding about the certificate at a position.
    pub(super) fn finding(self, position: usize) -> (CheckId, Reason) {
        match self {
            StepError::Signature => {
                (CheckId::CertificationPath, Reason::XcvIssuerSignatureInvalid { certificate: position })
            }
            StepError::Algorithm(algorithm) => (CheckId::Algorithms, Reason::SavAlgorithmNotAllowed { algorithm }),
            StepError::Budget(reason) => (CheckId::CertificationPath, reason),
        }
    }

    /// The more specific of two dead ends is reported.
    fn rank(&self) -> u8 {
        match self {
            StepError::Signature => 1,
            StepError::Algorithm(_) => 2,
            StepError::Budget(_) => 3,
        }
    }
}

/// Where no path came to an end.
#[derive(Default)]
pub(super) struct DeadEnds {
    worst: Option<(usize, StepError)>,
    /// The certificates that were last in a path, and whether somebody at hand has issued them.
    last: Vec<(Certificate, bool)>,
}

impl DeadEnds {
    fn add(&mut self, position: usize, error: StepError) {
        if self.worst.as_ref().is_none_or(|(_, worst)| worst.rank() < error.rank()) {
            self.worst = Some((position, error));
        }
    }

    fn saw(&mut self, certificate: &Certificate) {
        if !self.last.iter().any(|(seen, _)| seen == certificate) {
            self.last.push((certificate.clone(), false));
        }
    }

    fn has_issuer(&mut self, certificate: &Certificate) {
        self.last.iter_mut().filter(|(seen, _)| seen == certificate).for_each(|(_, issued)| *issued = true);
    }

    /// The certificates that nobody at hand has issued; who issued itself waits for nobody.
    pub(super) fn orphans(&self) -> impl Iterator<Item = &Certificate> {
        self.last.iter().filter(|(certificate, issued)| !issued && !certificate.is_self_issued()).map(|(seen, _)| seen)
    }

    /// The finding to report when there is no path at all.
    pub(super) fn finding(self) -> (CheckId, Reason) {
        match self.worst {
            Some((position, error)) => error.finding(position),
            None => (CheckId::CertificationPath, Reason::XcvNoPath {}),
        }
    }

    fn is_over_budget(&self) -> bool {
        matches!(self.worst, Some((_, StepError::Budget(_))))
    }
}

/// Certificates to build paths from.
pub(super) struct PathBuilder<'a> {
    pub(super) anchors: &'a [Certificate],
    pub(super) pool: Vec<&'a Certificate>,
    pub(super) at: Time,
    /// The time to which the ends of algorithms are held; `None` where they are looked at elsewhere.
    pub(super) reliable_at: Option<Time>,
    pub(super) policy: &'a Policy,
    pub(super) budgets: &'a Budgets,
    pub(super) cache: Option<&'a dyn SignatureCache>,
    steps: RefCell<HashMap<(Digest, Digest), Result<(), StepError>>>,
    distances: OnceCell<HashMap<Vec<u8>, usize>>,
    /// Certificates of the pool by the issuer name that was asked for: names are compared once.
    named: RefCell<HashMap<Box<[u8]>, Vec<&'a Certificate>>>,
}

impl<'a> PathBuilder<'a> {
    pub(super) fn new(
        context: &ValidationContext<'a>,
        at: Time,
        policy: &'a Policy,
        budgets: &'a Budgets,
    ) -> PathBuilder<'a> {
        PathBuilder {
            anchors: context.trust_anchors,
            pool: context.intermediates.iter().collect(),
            at,
            reliable_at: Some(at),
            policy,
            budgets,
            cache: context.cache,
            steps: RefCell::default(),
            distances: OnceCell::new(),
            named: RefCell::default(),
        }
    }

    /// Whether an algorithm and a key may still be trusted.
    ///
    /// # Errors
    /// The name of what may not.
    pub(super) fn check_algorithm(&self, algorithm: &SignatureAlgorithm, key: &PublicKey) -> Result<(), String> {
        self.reliable_at.map_or(Ok(()), |at| self.policy.algorithm_is_allowed(algorithm, key, at))
    }

    /// Whether a certificate verifies under the key of another.
    pub(super) fn check_step(&self, certificate: &Certificate, issuer: &Certificate) -> Result<(), StepError> {
        let step = (*certificate.digest(), *issuer.public_key().digest());
        if let Some(known) = self.steps.borrow().get(&step) {
            return known.clone();
        }
        let result = self.verify_step(certificate, issuer, &step);
        self.steps.borrow_mut().insert(step, result.clone());
        result
    }

    fn verify_step(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        step: &(Digest, Digest),
    ) -> Result<(), StepError> {
        let refused = |error: VerificationError| match error {
            VerificationError::Signature(_) => StepError::Signature,
            other => StepError::Algorithm(other.to_string()),
        };
        let algorithm = signature_algorithm(certificate.signature_algorithm()).map_err(|e| refused(e.into()))?;
        let key = issuer.public_key().key().map_err(|e| refused(e.into()))?;
        self.check_algorithm(&algorithm, key).map_err(StepError::Algorithm)?;
        if self.cache.is_some_and(|cache| cache.is_known_good(&step.0, &step.1)) {
            return Ok(());
        }
        self.budgets.signatures.spend(1).map_err(StepError::Budget)?;
        key.verify(&algorithm, certificate.tbs(), certificate.signature()).map_err(|_| StepError::Signature)?;
        if let Some(cache) = self.cache {
            cache.remember_good(&step.0, &step.1);
        }
        Ok(())
    }

    /// Calls `visit` with every path from the target to a trust anchor, target first, anchor apart, until it breaks off.
    pub(super) fn search(
        &self,
        target: &Certificate,
        visit: &mut dyn FnMut(&[Certificate], &Certificate) -> ControlFlow<()>,
    ) -> DeadEnds {
        let mut dead_ends = DeadEnds::default();
        let mut chain = vec![target.clone()];
        // Shorter paths first; what was tried before is remembered, so the rounds repeat no signature.
        for depth in 1..=MAX_PATH_DEPTH {
            let mut deeper = false;
            if self.extend(&mut chain, depth, &mut deeper, visit, &mut dead_ends).is_break() {
                return dead_ends;
            }
            if dead_ends.is_over_budget() {
                return dead_ends;
            }
            if !deeper {
                return dead_ends;
            }
        }
        let reason = Reason::XcvBudgetExceeded { limit: "path depth".to_owned(), maximum: MAX_PATH_DEPTH as u64 };
        dead_ends.add(0, StepError::Budget(reason));
        dead_ends
    }

    /// Visits the paths of exactly `depth` certificates that begin with `chain`.
    fn extend(
        &self,
        chain: &mut Vec<Certificate>,
        depth: usize,
        deeper: &mut bool,
        visit: &mut dyn FnMut(&[Certificate], &Certificate) -> ControlFlow<()>,
        dead_ends: &mut DeadEnds,
    ) -> ControlFlow<()> {
        let Some(current) = chain.last().cloned() else { return ControlFlow::Continue(()) };
        let position = chain.len() - 1;
        if chain.len() == depth {
            dead_ends.saw(&current);
            let issuer = current.issuer();
            let anchors = self.anchors.iter().filter(|anchor| anchor.subject() == issuer).collect();
            for anchor in self.likeliest_first(&current, anchors) {
                if anchor == &current {
                    continue;
                }
                if let Err(error) = self.step(&current, anchor) {
                    dead_ends.add(position, error);
                    continue;
                }
                dead_ends.has_issuer(&current);
                visit(chain, anchor)?;
            }
            *deeper |= self.named(&current).iter().any(|candidate| !repeats(chain, candidate));
            return ControlFlow::Continue(());
        }
        let mut candidates = self.likeliest_first(&current, self.named(&current));
        candidates.retain(|candidate| !repeats(chain, candidate));
        if candidates.len() > 1 {
            let distance = |candidate: &Certificate| self.distance(candidate);
            candidates.retain(|candidate| distance(candidate).is_some());
            candidates.sort_by_key(|candidate| distance(candidate));
        }
        for candidate in candidates {
            if let Err(error) = self.step(&current, candidate) {
                dead_ends.add(position, error);
                if dead_ends.is_over_budget() {
                    return ControlFlow::Continue(());
                }
                continue;
            }
            dead_ends.has_issuer(&current);
            chain.push(candidate.clone());
            let flow = self.extend(chain, depth, deeper, visit, dead_ends);
            chain.pop();
            flow?;
            if dead_ends.is_over_budget() {
                return ControlFlow::Continue(());
            }
        }
        ControlFlow::Continue(())
    }

    fn step(&self, certificate: &Certificate, issuer: &Certificate) -> Result<(), StepError> {
        self.budgets.steps.spend(1).map_err(StepError::Budget)?;
        self.check_step(certificate, issuer)
    }

    /// Certificates of the pool with the issuer's name.
    fn named(&self, certificate: &Certificate) -> Vec<&'a Certificate> {
        let issuer = certificate.issuer();
        if let Some(known) = self.named.borrow().get(issuer.raw()) {
            return known.clone();
        }
        let found: Vec<&Certificate> = self.pool.iter().copied().filter(|c| c.subject() == issuer).collect();
        self.named.borrow_mut().insert(issuer.raw().into(), found.clone());
        found
    }

    /// Candidates with fitting key identifiers and dates first.
    fn likeliest_first<'c>(
        &self,
        certificate: &Certificate,
        mut candidates: Vec<&'c Certificate>,
    ) -> Vec<&'c Certificate> {
        let authority = certificate.authority_key_identifier().and_then(|identifier| identifier.key_identifier);
        candidates.sort_by_key(|candidate| {
            let fits = match (authority, candidate.subject_key_identifier()) {
                (Some(wanted), Some(own)) if wanted == own => 0,
                (Some(_), Some(_)) => 2,
                _ => 1,
            };
            (fits, !candidate.is_valid_at(self.at))
        });
        candidates
    }

    /// How many certificates lie between a candidate and the nearest trust anchor, by name alone; `None` for never.
    fn distance(&self, candidate: &Certificate) -> Option<usize> {
        let distances = self.distances.get_or_init(|| {
            let names: Vec<(Vec<u8>, Vec<u8>)> =
                self.pool.iter().map(|c| (c.issuer().canonical(), c.subject().canonical())).collect();
            let mut distances: HashMap<Vec<u8>, usize> =
                self.anchors.iter().map(|anchor| (anchor.subject().canonical(), 0)).collect();
            for round in 1..=MAX_PATH_DEPTH {
                for (issuer, subject) in &names {
                    if distances.get(issuer).is_some_and(|d| *d < round) {
                        distances.entry(subject.clone()).or_insert(round);
                    }
                }
            }
            distances
        });
        distances.get(&candidate.issuer().canonical()).copied()
    }
}

/// Whether a certificate of the same name and key is in the chain already (RFC 4158 §2.4.2).
fn repeats(chain: &[Certificate], candidate: &Certificate) -> bool {
    chain.iter().any(|c| c.spki() == candidate.spki() && c.subject() == candidate.subject())
}
