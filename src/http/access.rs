//! Who may call what: the one table of routes and roles.
//!
//! *Invariant:* a route without a rule is closed.

use crate::port::token::Role::{self, Auditor, Officer, Portal};
use axum::http::Method;

/// Who may make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Anyone; the answer holds no personal data.
    Anyone,
    /// Anyone, so many times a minute from one address.
    RateLimited,
    /// Holders of one of these roles.
    Roles(&'static [Role]),
}

/// How large the body of a call may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upload {
    /// None, or a few parameters.
    Small,
    /// A sealed licence, which is ours and never large.
    Licence,
    /// A document up to the configured limit.
    Document,
    /// Documents up to that limit, one a line, without end.
    Lines,
}

/// Whether a call must say by which name its repetition is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    /// The call may be repeated as it is.
    Harmless,
    /// The call writes what must not be written twice: `Idempotency-Key` required.
    NeedsKey,
}

/// One row: a call and its conditions.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) upload: Upload,
    pub(super) repetition: Repetition,
}

const fn rule(method: Method, path: &'static str, access: Access, upload: Upload, repetition: Repetition) -> Rule {
    Rule { method, path, access, upload, repetition }
}

use Access::{Anyone, RateLimited, Roles};
use Repetition::{Harmless, NeedsKey};
use Upload::{Document, Licence, Lines, Small};

const GET: Method = Method::GET;
const POST: Method = Method::POST;

/// Every call there is. The contract's roles, call by call.
#[rustfmt::skip]
pub(super) static RULES: &[Rule] = &[
    rule(GET, "/healthz", Anyone, Small, Harmless),
    rule(GET, "/readyz", Anyone, Small, Harmless),
    rule(GET, "/metrics", Anyone, Small, Harmless),
    rule(GET, "/openapi.json", Anyone, Small, Harmless),
    rule(GET, "/docs", Anyone, Small, Harmless),
    rule(GET, "/docs/", Anyone, Small, Harmless),
    rule(GET, "/docs/{*rest}", Anyone, Small, Harmless),
    rule(GET, "/log/checkpoint", Anyone, Small, Harmless),
    rule(GET, "/log/tile/{*tile}", Anyone, Small, Harmless),
    rule(POST, "/v1/verifications", Roles(&[Portal, Auditor]), Document, Harmless),
    rule(POST, "/v1/verifications/batch", Roles(&[Portal, Auditor]), Lines, Harmless),
    rule(GET, "/v1/verifications/{id}", Roles(&[Portal, Auditor]), Small, Harmless),
    rule(POST, "/v1/requests", Roles(&[Portal]), Document, Harmless),
    rule(GET, "/v1/requests/{number}", Roles(&[Portal, Officer]), Small, Harmless),
    rule(POST, "/v1/licences", Roles(&[Officer]), Small, NeedsKey),
    rule(GET, "/v1/licences/{number}", Roles(&[Officer, Auditor]), Small, Harmless),
    rule(GET, "/v1/licences/{number}/document", Roles(&[Officer, Auditor]), Small, Harmless),
    rule(GET, "/v1/licences/{number}/proof", Roles(&[Officer, Auditor]), Small, Harmless),
    rule(POST, "/v1/licences/{number}/reissue", Roles(&[Officer]), Small, Harmless),
    rule(POST, "/v1/licences/{number}/duplicate", Roles(&[Officer]), Small, Harmless),
    rule(POST, "/v1/licences/{number}/suspend", Roles(&[Officer]), Small, Harmless),
    rule(POST, "/v1/licences/{number}/resume", Roles(&[Officer]), Small, Harmless),
    rule(POST, "/v1/licences/{number}/terminate", Roles(&[Officer]), Small, Harmless),
    rule(POST, "/v1/licence-verifications", RateLimited, Licence, Harmless),
    rule(POST, "/v1/extensions", Roles(&[Portal, Officer, Auditor]), Document, Harmless),
    rule(POST, "/tsa", RateLimited, Small, Harmless),
];

/// The conditions of a call, `None` where no rule opens it. `HEAD` follows `GET`.
pub(super) fn rule_for(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    RULES.iter().find(|rule| rule.method == *method && rule.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_has_two_rules() {
        for (index, rule) in RULES.iter().enumerate() {
            assert!(RULES[..index].iter().all(|other| (&other.method, other.path) != (&rule.method, rule.path)));
        }
    }

    #[test]
    fn what_has_no_rule_is_closed() {
        assert!(rule_for(&Method::DELETE, "/v1/licences/{number}").is_none());
        assert!(rule_for(&Method::GET, "/v1/secrets").is_none());
        assert!(rule_for(&Method::HEAD, "/healthz").is_some());
    }

    #[test]
    fn everything_versioned_but_the_public_call_needs_a_role() {
        for rule in RULES.iter().filter(|rule| rule.path.starts_with("/v1/")) {
            let public = rule.path == "/v1/licence-verifications";
            assert_eq!(matches!(rule.access, Access::Roles(roles) if !roles.is_empty()), !public, "{}", rule.path);
        }
    }
}
