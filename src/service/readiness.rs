//! Whether the service can do its work.

/// One thing the service needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `signer`, `store`, `trust` or `revocation`.
    pub name: &'static str,
    /// What there is, or why it does not do.
    pub state: Result<String, String>,
}

/// Looks at everything the service needs, now.
pub trait Readiness: Send + Sync {
    /// Every part, always in the same order.
    fn parts(&self) -> Vec<Part>;
}
