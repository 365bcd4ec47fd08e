//! Certificate policies as a graph (RFC 5280 §6.1 with RFC 9618, which replaces its tree).
//!
//! Level `i` has at most one node for each valid policy, with its parents in level `i - 1`; a node's expected policies
//! are those that certificate `i + 1` may assert below it. So the graph is as large as the certificates, not exponential
//! in them (CVE-2023-0464).
//!
//! *Invariant:* a graph without a node in its last level is NULL, and stays NULL.

use super::budget::Budget;
use crate::asn1::Oid;
use crate::pki::Certificate;
use crate::pki::extension::id::ANY_POLICY;
use crate::report::Reason;
use std::collections::{BTreeSet, HashMap};

struct Node<'a> {
    valid_policy: Oid<'a>,
    parents: Vec<usize>,
}

#[derive(Default)]
struct Level<'a> {
    nodes: Vec<Node<'a>>,
    /// valid_policy to position.
    by_policy: HashMap<Oid<'a>, usize>,
    /// expected_policy_set, turned round: which nodes expect a policy.
    expecting: HashMap<Oid<'a>, Vec<usize>>,
}

impl<'a> Level<'a> {
    fn add(&mut self, valid_policy: Oid<'a>, parents: Vec<usize>, budget: &Budget) -> Result<usize, Reason> {
        budget.spend(u32::try_from(1 + parents.len()).unwrap_or(u32::MAX))?;
        let position = self.nodes.len();
        self.by_policy.insert(valid_policy, position);
        self.nodes.push(Node { valid_policy, parents });
        Ok(position)
    }
}

/// Whether anyPolicy in a certificate counts: "inhibit_anyPolicy is greater than 0" or a self-issued CA certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AnyPolicy {
    /// It stands for every policy.
    Processed,
    /// It is ignored.
    Inhibited,
}

/// Whether policies may be mapped: policy_mapping is greater than 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mapping {
    /// Mapped policies are valid below.
    Allowed,
    /// Mapped policies are deleted.
    Inhibited,
}

/// A mapping has anyPolicy on one side (RFC 5280 §6.1.4 (a)).
#[derive(Debug)]
pub(super) enum MappingError {
    /// anyPolicy is mapped from or to.
    AnyPolicy,
    /// The work was too much.
    Budget(Reason),
}

impl From<Reason> for MappingError {
    fn from(reason: Reason) -> MappingError {
        MappingError::Budget(reason)
    }
}

/// The state variable valid_policy_graph.
pub(super) struct PolicyGraph<'a> {
    levels: Vec<Level<'a>>,
}

impl<'a> PolicyGraph<'a> {
    /// RFC 5280 §6.1.2 (a): one node, anyPolicy, expecting anyPolicy.
    pub(super) fn new() -> PolicyGraph<'a> {
        let mut level = Level::default();
        level.by_policy.insert(ANY_POLICY, 0);
        level.expecting.insert(ANY_POLICY, vec![0]);
        level.nodes.push(Node { valid_policy: ANY_POLICY, parents: Vec::new() });
        PolicyGraph { levels: vec![level] }
    }

    /// Whether the graph is NULL.
    pub(super) fn is_null(&self) -> bool {
        self.levels.last().is_none_or(|level| level.nodes.is_empty())
    }

    /// RFC 5280 §6.1.3 (d) and (e): the policies of the next certificate.
    pub(super) fn add_certificate(
        &mut self,
        certificate: &'a Certificate,
        any_policy: AnyPolicy,
        budget: &Budget,
    ) -> Result<(), Reason> {
        let mut next = Level::default();
        // (e): no certificatePolicies sets the graph to NULL.
        if let (Some(policies), Some(previous)) = (certificate.certificate_policies(), self.levels.last()) {
            let any_parent = previous.by_policy.get(&ANY_POLICY).copied();
            let mut has_any = false;
            // (d)(1)
            for policy in policies.iter().map(|information| information.policy) {
                if policy == ANY_POLICY {
                    has_any = true;
                    continue;
                }
                let parents = match (previous.expecting.get(&policy), any_parent) {
                    (Some(expecting), _) => expecting.clone(),
                    (None, Some(any)) => vec![any],
                    (None, None) => continue,
                };
                next.add(policy, parents, budget)?;
            }
            // (d)(2)
            if has_any && any_policy == AnyPolicy::Processed {
                for (policy, expecting) in &previous.expecting {
                    if !next.by_policy.contains_key(policy) {
                        next.add(*policy, expecting.clone(), budget)?;
                    }
                }
            }
        }
        // A new node expects its own policy, until a mapping says otherwise.
        next.expecting = next.by_policy.iter().map(|(policy, node)| (*policy, vec![*node])).collect();
        self.levels.push(next);
        Ok(())
    }

    /// RFC 5280 §6.1.4 (a) and (b): the mappings of the certificate that was added last.
    pub(super) fn map(
        &mut self,
        certificate: &'a Certificate,
        mapping: Mapping,
        budget: &Budget,
    ) -> Result<(), MappingError> {
        let Some(mappings) = certificate.policy_mappings() else { return Ok(()) };
        let is_any = |oid| oid == ANY_POLICY;
        if mappings.iter().any(|m| is_any(m.issuer_domain_policy) || is_any(m.subject_domain_policy)) {
            return Err(MappingError::AnyPolicy);
        }
        let any_grandparent =
            self.levels.iter().rev().nth(1).and_then(|level| level.by_policy.get(&ANY_POLICY)).copied();
        let Some(level) = self.levels.last_mut().filter(|level| !level.nodes.is_empty()) else { return Ok(()) };
        let any_here = level.by_policy.contains_key(&ANY_POLICY);
        if mapping == Mapping::Inhibited {
            // (b)(2): delete the nodes, and what they expect.
            for m in mappings.iter() {
                level.by_policy.remove(&m.issuer_domain_policy);
            }
            let kept: Vec<Node<'a>> = std::mem::take(&mut level.nodes)
                .into_iter()
                .filter(|node| level.by_policy.contains_key(&node.valid_policy))
                .collect();
            level.by_policy = kept.iter().enumerate().map(|(position, node)| (node.valid_policy, position)).collect();
            level.expecting = level.by_policy.iter().map(|(policy, node)| (*policy, vec![*node])).collect();
            level.nodes = kept;
            return Ok(());
        }
        // (b)(1)
        let mut subjects: HashMap<Oid<'a>, BTreeSet<Oid<'a>>> = HashMap::new();
        for m in mappings.iter() {
            budget.spend(1)?;
            subjects.entry(m.issuer_domain_policy).or_default().insert(m.subject_domain_policy);
        }
        let mut expecting: HashMap<Oid<'a>, Vec<usize>> = HashMap::new();
        for (policy, node) in &level.by_policy {
            if !subjects.contains_key(policy) {
                expecting.entry(*policy).or_default().push(*node);
            }
        }
        for (issuer_domain_policy, subject_domain_policies) in subjects {
            let node = match (level.by_policy.get(&issuer_domain_policy), any_here, any_grandparent) {
                (Some(node), ..) => *node,
                (None, true, Some(parent)) => level.add(issuer_domain_policy, vec![parent], budget)?,
                _ => continue,
            };
            for policy in subject_domain_policies {
                expecting.entry(policy).or_default().push(node);
            }
        }
        level.expecting = expecting;
        Ok(())
    }

    /// RFC 5280 §6.1.5 (g): whether the user-constrained policy set has a policy.
    pub(super) fn satisfies(&self, user_initial_policy_set: &[Oid<'_>]) -> bool {
        if self.is_null() {
            return false;
        }
        let is_any = |node: &Node<'_>| node.valid_policy == ANY_POLICY;
        if user_initial_policy_set.is_empty() || user_initial_policy_set.contains(&ANY_POLICY) {
            return true;
        }
        let Some(last) = self.levels.last() else { return false };
        if last.nodes.iter().any(is_any) {
            return true;
        }
        // From the last level upwards, the nodes that a path still goes through; a policy of the authorities' set is
        // one whose node has the anyPolicy node for a parent.
        let mut alive: Vec<bool> = vec![true; last.nodes.len()];
        for pair in self.levels.windows(2).rev() {
            let [above, level] = pair else { return false };
            let mut alive_above = vec![false; above.nodes.len()];
            for (node, _) in level.nodes.iter().zip(&alive).filter(|(_, alive)| **alive) {
                for &parent in &node.parents {
                    let below_any = above.nodes.get(parent).is_some_and(is_any);
                    if below_any && !is_any(node) && user_initial_policy_set.contains(&node.valid_policy) {
                        return true;
                    }
                    if let Some(slot) = alive_above.get_mut(parent) {
                        *slot = true;
                    }
                }
            }
            alive = alive_above;
        }
        false
    }
}
