//! Budgets of one verdict: what bounds the work that a document can cause (attacks 23 and 24, CVE-2025-58187).
//!
//! *Invariant:* every loop whose length an attacker chooses spends from a budget, and a spent one ends the search with
//! `xcv-budget-exceeded`, never with a pass.

use crate::report::Reason;
use std::cell::Cell;

/// Certificates of a path below its trust anchor (`validation.md` §4).
pub const MAX_PATH_DEPTH: usize = 8;
/// Signatures of certificates, lists and responses verified for one verdict (`validation.md` §4; webpki has 100).
pub const MAX_SIGNATURE_CHECKS: u32 = 128;
/// Certificates tried as an issuer for one verdict: a mesh of cross-certificates has more paths than stars.
pub const MAX_PATH_STEPS: u32 = 1_024;
/// Comparisons of a name with a name constraint: half of what `validation.md` §4 allows at most (webpki has 250,000). All
/// 2^18 took a core some 50 ms, which is the most that a hostile certificate may take altogether.
pub const MAX_NAME_COMPARISONS: u32 = 1 << 17;
/// Nodes and edges of the policy graph (`validation.md` §4; RFC 9618 §1 on the exponential tree, CVE-2023-0464).
pub const MAX_POLICY_NODES: u32 = 4_096;

/// One budget.
pub struct Budget {
    limit: &'static str,
    maximum: u32,
    left: Cell<u32>,
}

impl Budget {
    /// A full budget, named for the report.
    pub const fn new(limit: &'static str, maximum: u32) -> Budget {
        Budget { limit, maximum, left: Cell::new(maximum) }
    }

    /// Spends.
    ///
    /// # Errors
    /// `xcv-budget-exceeded` once nothing is left; it stays spent.
    pub fn spend(&self, units: u32) -> Result<(), Reason> {
        match self.left.get().checked_sub(units) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => {
                self.left.set(0);
                Err(Reason::XcvBudgetExceeded { limit: self.limit.to_owned(), maximum: u64::from(self.maximum) })
            }
        }
    }
}

/// The budgets of one verdict.
pub struct Budgets {
    /// [`MAX_SIGNATURE_CHECKS`].
    pub signatures: Budget,
    /// [`MAX_PATH_STEPS`].
    pub steps: Budget,
    /// [`MAX_NAME_COMPARISONS`].
    pub name_comparisons: Budget,
    /// [`MAX_POLICY_NODES`].
    pub policy_nodes: Budget,
}

impl Default for Budgets {
    fn default() -> Budgets {
        Budgets {
            signatures: Budget::new("signature checks", MAX_SIGNATURE_CHECKS),
            steps: Budget::new("path building steps", MAX_PATH_STEPS),
            name_comparisons: Budget::new("name constraint comparisons", MAX_NAME_COMPARISONS),
            policy_nodes: Budget::new("policy graph nodes", MAX_POLICY_NODES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_budget_stays_spent() {
        let budget = Budget::new("steps", 3);
        assert!(budget.spend(2).is_ok() && budget.spend(2).is_err() && budget.spend(1).is_err());
        assert_eq!(budget.spend(1), Err(Reason::XcvBudgetExceeded { limit: "steps".into(), maximum: 3 }));
    }
}
