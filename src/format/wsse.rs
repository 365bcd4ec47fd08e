//! SOAP messages with WS-Security (WS-Security 1.1, X.509 Token Profile 1.1), as the e-government gateway sends them.
//!
//! *Invariant:* a message has one Body, one Security header and at most one Timestamp in it; anything doubled is
//! refused, because two readers could take different ones (attack 1).

use super::xml::{Document, Element};
use super::xmldsig;
use crate::report::{Reason, Time};

/// The namespace of `wsse`.
pub const SECURITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// The namespace of `wsu`.
pub const UTILITY: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
/// SOAP 1.1 and 1.2.
const SOAP: [&str; 2] = ["http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"];
/// The token profile that the value types of certificates begin with.
const TOKEN_PROFILE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0";
const BASE64_BINARY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

fn is_soap(element: &Element<'_>, local_name: &str) -> bool {
    element.local_name() == local_name && SOAP.contains(&element.namespace())
}

/// A secured message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// `wsse:Security`.
    pub security: Element<'a>,
    /// `soap:Body`.
    pub body: Element<'a>,
    /// `wsu:Timestamp`, where there is one.
    pub timestamp: Option<Timestamp<'a>>,
}

impl Message<'_> {
    /// Whether the Security header carries a signature.
    pub fn is_signed_in_its_header(&self) -> bool {
        self.security.children_named(xmldsig::NAMESPACE, "Signature").next().is_some()
    }
}

/// How long a message claims to be fresh.
#[derive(Clone, Debug)]
pub struct Timestamp<'a> {
    /// The element, which must be signed.
    pub element: Element<'a>,
    /// When it was made.
    pub created: Option<Time>,
    /// When it ends.
    pub expires: Option<Time>,
}

/// Whether the document is a SOAP envelope with a Security header.
pub fn is_message(document: &Document<'_>) -> bool {
    let root = document.root();
    is_soap(&root, "Envelope")
        && root
            .child_elements()
            .filter(|e| is_soap(e, "Header"))
            .flat_map(|h| h.child_elements())
            .any(|e| e.is(SECURITY, "Security"))
}

/// Reads the outline of a message.
///
/// # Errors
/// `fc-ambiguous-reference` where a part is there twice, `fc-malformed` where it is missing or says nonsense.
pub fn parse<'a>(document: &'a Document<'a>) -> Result<Message<'a>, Reason> {
    let malformed = |what: &str| Reason::FcMalformed { what: format!("SOAP: {what}") };
    let root = document.root();
    let namespace = root.namespace();
    let header =
        one(root.child_elements().filter(|e| is_soap(e, "Header")), "Header")?.ok_or_else(|| malformed("Header"))?;
    let body = one(root.child_elements().filter(|e| is_soap(e, "Body")), "Body")?.ok_or_else(|| malformed("Body"))?;
    if root.child_elements().count() != 2 || header.namespace() != namespace || body.namespace() != namespace {
        // SOAP 1.1 §4: Header, then Body; SOAP 1.2 §5 allows nothing after it either.
        return Err(malformed("Envelope"));
    }
    let security = one(header.child_elements().filter(|e| e.is(SECURITY, "Security")), "Security")?;
    let security = security.ok_or_else(|| malformed("Security"))?;
    if let Some(must) = security.attribute(namespace, "mustUnderstand")
        && !matches!(must.trim(), "0" | "1" | "true" | "false")
    {
        return Err(malformed("mustUnderstand"));
    }
    let timestamp = match one(security.child_elements().filter(|e| e.is(UTILITY, "Timestamp")), "Timestamp")? {
        None => None,
        Some(element) => {
            let time = |name: &str| match one(element.children_named(UTILITY, name), name)? {
                None => Ok(None),
                Some(e) => {
                    e.only_text().as_deref().and_then(xmldsig::date_time).map(Some).ok_or_else(|| malformed(name))
                }
            };
            Some(Timestamp { element, created: time("Created")?, expires: time("Expires")? })
        }
    };
    Ok(Message { security, body, timestamp })
}

fn one<'a>(mut elements: impl Iterator<Item = Element<'a>>, name: &str) -> Result<Option<Element<'a>>, Reason> {
    let first = elements.next();
    match elements.next() {
        None => Ok(first),
        Some(_) => Err(Reason::FcAmbiguousReference { what: format!("SOAP: two {name}") }),
    }
}

/// What a security token reference leads to.
pub(super) enum Token {
    /// A certificate, whole DER.
    Certificate(Vec<u8>),
    /// The subject key identifier of one.
    SubjectKeyIdentifier(Vec<u8>),
}

/// X.509 Token Profile 1.1 §3.2: a key identifier, or a direct reference to a token in the message.
pub(super) fn token<'a>(
    reference: Element<'a>,
    find: impl Fn(&str) -> Option<Element<'a>>,
) -> Result<Option<Token>, Reason> {
    let malformed = |what: &str| Reason::FcMalformed { what: format!("WS-Security: {what}") };
    let mut children = reference.child_elements();
    let (Some(child), None) = (children.next(), children.next()) else {
        return Err(malformed("SecurityTokenReference"));
    };
    let octets = |element: Element<'_>| {
        let encoding = element.attribute("", "EncodingType");
        let plain = encoding.is_none_or(|e| e == BASE64_BINARY);
        plain.then(|| xmldsig::octets_of(element)).flatten().ok_or_else(|| malformed(element.local_name()))
    };
    let kind = |element: Element<'_>| {
        element
            .attribute("", "ValueType")
            .and_then(|v| v.strip_prefix(TOKEN_PROFILE).map(str::to_owned))
            .unwrap_or_default()
    };
    if child.is(SECURITY, "KeyIdentifier") {
        return match kind(child).as_str() {
            "#X509v3" => Ok(Some(Token::Certificate(octets(child)?))),
            "#X509SubjectKeyIdentifier" => Ok(Some(Token::SubjectKeyIdentifier(octets(child)?))),
            _ => Ok(None),
        };
    }
    if child.is(SECURITY, "Reference") {
        let uri = child.attribute("", "URI").unwrap_or_default();
        let token = uri.strip_prefix('#').and_then(find).filter(|e| e.is(SECURITY, "BinarySecurityToken"));
        return match token {
            Some(token) if kind(token) == "#X509v3" => Ok(Some(Token::Certificate(octets(token)?))),
            _ => Ok(None),
        };
    }
    Ok(None)
}
