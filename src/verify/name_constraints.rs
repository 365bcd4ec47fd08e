//! Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c), §6.1.4 (g)).
//!
//! Permitted subtrees of several certificates intersect: a name must lie in one subtree of its form in *each* of them.
//! Excluded subtrees add up. A form that cannot be processed here refuses every name of that form, and so does a name
//! that cannot be read while its form is constrained.
//!
//! *Invariant:* every comparison is paid for; a spent budget is an error, never a match.

use super::budget::Budget;
use crate::pki::Certificate;
use crate::pki::extension::{GeneralName, NameConstraints};
use crate::pki::name::attribute;
use crate::report::Reason;
use std::mem::discriminant;

/// What a comparison of distinguished names costs, in comparisons of the other forms.
const NAME_COST: u32 = 8;

/// SmtpUTF8Mailbox (RFC 9598): an otherName that rfc822Name constraints are about too.
const SMTP_UTF8_MAILBOX: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x09];

/// Why a certificate's names are not acceptable.
#[derive(Debug)]
pub(super) enum Violation {
    /// A name is outside the permitted subtrees, inside an excluded one, or cannot be judged.
    NotAllowed,
    /// The work was too much.
    Budget(Reason),
}

impl From<Reason> for Violation {
    fn from(reason: Reason) -> Violation {
        Violation::Budget(reason)
    }
}

/// The state variables permitted_subtrees and excluded_subtrees.
#[derive(Default)]
pub(super) struct NameConstraintsState<'a> {
    constraints: Vec<NameConstraints<'a>>,
}

impl<'a> NameConstraintsState<'a> {
    /// RFC 5280 §6.1.4 (g).
    pub(super) fn add(&mut self, constraints: NameConstraints<'a>) {
        self.constraints.push(constraints);
    }

    /// RFC 5280 §6.1.3 (b) and (c).
    pub(super) fn check(&self, certificate: &Certificate, budget: &Budget) -> Result<(), Violation> {
        if self.constraints.is_empty() {
            return Ok(());
        }
        let subject = certificate.subject();
        if !subject.is_empty() {
            self.check_name(&GeneralName::Directory(subject), budget)?;
        }
        // RFC 5280 asks for this where there is no subjectAltName; mail programs read the attribute in any case, so
        // an alternative name of another form must not set it free.
        subject.values(attribute::EMAIL_ADDRESS).try_for_each(|email| match email.text() {
            Some(text) => self.check_name(&GeneralName::Rfc822(&text), budget),
            None => self.check_name(&GeneralName::Rfc822(""), budget),
        })?;
        let names = certificate.subject_alt_name();
        names.iter().flat_map(|names| names.iter()).try_for_each(|name| self.check_name(&name, budget))
    }

    fn check_name(&self, name: &GeneralName<'_>, budget: &Budget) -> Result<(), Violation> {
        for constraints in &self.constraints {
            let mut permitted = None;
            for subtree in constraints.permitted.iter().flat_map(|list| list.iter()) {
                budget.spend(if matches!(name, GeneralName::Directory(_)) { NAME_COST } else { 1 })?;
                if same_form(&subtree.base, name) {
                    let matches = permits(&subtree.base, name).ok_or(Violation::NotAllowed)?;
                    *permitted.get_or_insert(false) |= matches;
                }
            }
            if permitted == Some(false) {
                return Err(Violation::NotAllowed);
            }
            for subtree in constraints.excluded.iter().flat_map(|list| list.iter()) {
                budget.spend(if matches!(name, GeneralName::Directory(_)) { NAME_COST } else { 1 })?;
                if same_form(&subtree.base, name) && excludes(&subtree.base, name).ok_or(Violation::NotAllowed)? {
                    return Err(Violation::NotAllowed);
                }
            }
        }
        Ok(())
    }
}

/// Whether a constraint is about names of this form.
fn same_form(base: &GeneralName<'_>, name: &GeneralName<'_>) -> bool {
    discriminant(base) == discriminant(name)
        || matches!((base, name), (GeneralName::Rfc822(_), GeneralName::Other(other)) if other.starts_with(SMTP_UTF8_MAILBOX))
}

/// Whether a name lies in a permitted subtree; `None` where that cannot be told.
fn permits(base: &GeneralName<'_>, name: &GeneralName<'_>) -> Option<bool> {
    match (base, name) {
        (GeneralName::Directory(base), GeneralName::Directory(name)) => Some(name.is_within(base)),
        (GeneralName::Dns(base), GeneralName::Dns(name)) => dns_within(base, name),
        (GeneralName::Rfc822(base), GeneralName::Rfc822(name)) => mailbox_within(base, name),
        (GeneralName::Uri(base), GeneralName::Uri(name)) => host_within(base, uri_host(name)?),
        (GeneralName::Ip(base), GeneralName::Ip(name)) => address_within(base, name),
        _ => None,
    }
}

/// Whether a name lies in an excluded subtree, or stands for one that does; `None` where that cannot be told.
fn excludes(base: &GeneralName<'_>, name: &GeneralName<'_>) -> Option<bool> {
    if let (GeneralName::Dns(base), GeneralName::Dns(name)) = (base, name)
        && let Some(parent) = name.strip_prefix("*.")
    {
        // A wildcard stands for every name one label below: the excluded one may be among them.
        return Some(dns_within(base, parent)? || dns_within(parent, base.trim_start_matches('.')).unwrap_or(true));
    }
    permits(base, name)
}

/// A host name without its root dot; `None` when it is not letters, digits, hyphens and underscores between dots.
fn host_labels(name: &str) -> Option<&str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let label_is_sound =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    name.split('.').all(label_is_sound).then_some(name)
}

/// "Any DNS name that can be constructed by simply adding zero or more labels to the left-hand side of the name
/// satisfies the name constraint."
///
/// DEVIATION: a constraint with a leading dot has no meaning in RFC 5280, but issuers write it; it is read as "one or
/// more labels", which permits less than without the dot. As an excluded subtree it excludes the name itself too.
fn dns_within(base: &str, name: &str) -> Option<bool> {
    let name = host_labels(name.strip_prefix("*.").unwrap_or(name))?;
    if base.is_empty() {
        return Some(true);
    }
    match base.strip_prefix('.') {
        Some(parent) => Some(is_below(host_labels(parent)?, name)),
        None => {
            let base = host_labels(base)?;
            Some(base.eq_ignore_ascii_case(name) || is_below(base, name))
        }
    }
}

/// Whether `name` has one or more labels before `parent`.
fn is_below(parent: &str, name: &str) -> bool {
    let Some(at) = name.len().checked_sub(parent.len()) else { return false };
    name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(parent))
        && name.get(..at).is_some_and(|s| s.ends_with('.'))
}

/// Host of a mailbox or URI constraint: with a leading dot one or more labels below it, without one exactly it.
fn host_within(base: &str, host: &str) -> Option<bool> {
    let host = host_labels(host)?;
    match base.strip_prefix('.') {
        Some(parent) => Some(is_below(host_labels(parent)?, host)),
        None if base.is_empty() => Some(true),
        None => Some(host_labels(base)?.eq_ignore_ascii_case(host)),
    }
}

/// rfc822Name: "a particular mailbox, all addresses at a particular host, or all mailboxes in a domain".
fn mailbox_within(base: &str, name: &str) -> Option<bool> {
    let (local, host) = mailbox(name)?;
    match mailbox(base) {
        // RFC 5280 §7.5: the local part is compared exactly, the host without regard to case.
        Some((base_local, base_host)) => Some(base_local == local && host_within(base_host, host)?),
        None if base.contains('@') => None,
        None => host_within(base, host),
    }
}

/// Local part and host; quoted and odd local parts have several spellings, so they are not judged.
fn mailbox(text: &str) -> Option<(&str, &str)> {
    let (local, host) = text.split_once('@')?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    (!local.is_empty() && local.bytes().all(is_plain) && host_labels(host).is_some()).then_some((local, host))
}

/// The host of a URI with an authority; "the URI MUST be rejected" for one without, and for an address in its place.
fn uri_host(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let first_is_letter = scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if !first_is_letter || !scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
        return None;
    }
    let rest = rest.strip_prefix("//")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host_and_port.split_once(':') {
        Some((host, port)) => port.bytes().all(|b| b.is_ascii_digit()).then_some(host)?,
        None => host_and_port,
    };
    let host = host_labels(host)?;
    // A name whose last label is a number is an IPv4 address (WHATWG URL §3.5).
    let last = host.rsplit('.').next()?;
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X");
    (!is_number).then_some(host)
}

/// iPAddress: address and mask of RFC 4632; `None` for odd lengths and masks with holes.
fn address_within(base: &[u8], name: &[u8]) -> Option<bool> {
    if !matches!(base.len(), 8 | 32) || !matches!(name.len(), 4 | 16) {
        return None;
    }
    let (address, mask) = base.split_at(base.len() / 2);
    let ones = mask.iter().take_while(|&&b| b == 0xff).count();
    let mut rest = mask.iter().skip(ones);
    let contiguous = rest.next().is_none_or(|b| b.leading_ones() + b.trailing_zeros() >= 8) && rest.all(|&b| b == 0);
    if !contiguous {
        return None;
    }
    Some(address.len() == name.len() && address.iter().zip(mask).zip(name).all(|((a, m), n)| a & m == n & m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns() {
        for (base, name, expected) in [
            ("example.com", "example.com", Some(true)),
            ("example.com", "WWW.Example.COM", Some(true)),
            ("example.com", "www.example.com.", Some(true)),
            ("example.com", "badexample.com", Some(false)),
            ("example.com", "com", Some(false)),
            ("", "anything", Some(true)),
            (".example.com", "example.com", Some(false)),
            (".example.com", "a.example.com", Some(true)),
            ("example.com", "a..example.com", None),
            ("example.com", "a\0.example.com", None),
            ("example.com", "", None),
            ("example.com", "*.example.com", Some(true)),
        ] {
            assert_eq!(permits(&GeneralName::Dns(base), &GeneralName::Dns(name)), expected, "{base} {name}");
        }
        for (base, name, expected) in [
            ("secret.example.com", "*.example.com", Some(true)),
            ("a.secret.example.com", "*.example.com", Some(true)),
            ("secret.example.org", "*.example.com", Some(false)),
            ("example.com", "www.example.com", Some(true)),
            ("", "www.example.com", Some(true)),
        ] {
            assert_eq!(excludes(&GeneralName::Dns(base), &GeneralName::Dns(name)), expected, "{base} {name}");
        }
    }

    #[test]
    fn mailboxes() {
        for (base, name, expected) in [
            ("example.com", "joe@example.com", Some(true)),
            ("example.com", "joe@host.example.com", Some(false)),
            (".example.com", "joe@host.example.com", Some(true)),
            (".example.com", "joe@example.com", Some(false)),
            ("joe@example.com", "joe@EXAMPLE.com", Some(true)),
            ("joe@example.com", "Joe@example.com", Some(false)),
            ("example.com", "joe@evil.org@example.com", None),
            ("example.com", "\"joe@evil.org\"@example.com", None),
            ("example.com", "example.com", None),
            ("a@b@c", "joe@example.com", None),
        ] {
            assert_eq!(permits(&GeneralName::Rfc822(base), &GeneralName::Rfc822(name)), expected, "{base} {name}");
        }
    }

    #[test]
    fn uris() {
        for (base, name, expected) in [
            ("host.com", "http://host.com/x", Some(true)),
            ("host.com", "http://user:pw@HOST.com:80?x", Some(true)),
            ("host.com", "http://a.host.com/", Some(false)),
            (".host.com", "http://a.host.com/", Some(true)),
            (".host.com", "http://host.com/", Some(false)),
            ("host.com", "http://evil.org\\@host.com/", Some(true)),
            ("host.com", "http://evil.org#@host.com/", Some(false)),
            ("host.com", "urn:x:y", None),
            ("host.com", "http:///x", None),
            ("host.com", "http://10.0.0.1/", None),
            ("host.com", "http://[::1]/", None),
            ("host.com", "http://host%2ecom/", None),
        ] {
            assert_eq!(permits(&GeneralName::Uri(base), &GeneralName::Uri(name)), expected, "{base} {name}");
        }
    }

    #[test]
    fn addresses() {
        let within = |base: &[u8], name: &[u8]| permits(&GeneralName::Ip(base), &GeneralName::Ip(name));
        assert_eq!(within(&[10, 0, 0, 0, 255, 0, 0, 0], &[10, 1, 2, 3]), Some(true));
        assert_eq!(within(&[10, 0, 0, 0, 255, 0, 0, 0], &[11, 1, 2, 3]), Some(false));
        assert_eq!(within(&[10, 0, 0, 0, 255, 0, 0, 0], &[0; 16]), Some(false), "another family");
        assert_eq!(within(&[10, 0, 0, 0, 255, 0, 255, 0], &[10, 1, 2, 3]), None, "a mask with holes");
        assert_eq!(within(&[10, 0, 0, 0, 255, 0, 0], &[10, 1, 2, 3]), None);
        assert_eq!(within(&[0; 8], &[10, 1, 2]), None);
        assert_eq!(within(&[0; 8], &[10, 1, 2, 3]), Some(true));
    }

    #[test]
    fn forms_that_cannot_be_processed_refuse() {
        assert_eq!(permits(&GeneralName::EdiParty(b""), &GeneralName::EdiParty(b"")), None);
        let mailbox = [SMTP_UTF8_MAILBOX, &[0xa0, 0]].concat();
        assert!(same_form(&GeneralName::Rfc822("a"), &GeneralName::Other(&mailbox)));
        assert!(!same_form(&GeneralName::Rfc822("a"), &GeneralName::Other(&[6, 1, 1])));
        assert_eq!(excludes(&GeneralName::Rfc822("a"), &GeneralName::Other(&mailbox)), None);
    }
}
