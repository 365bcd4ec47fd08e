//! A licence as XML with an enveloped XAdES-B seal, for the portals that take nothing else.
//!
//! The content is the same as in the CMS form, member by member:
//!
//! ```text
//! <licence xmlns="urn:tamga:licence:1"> <number>KZ18LAA00032760</number> … </licence>
//! object  -> an element for each member       array -> type="array", an <item> for each
//! string  -> text      number, boolean, null  -> type="number | boolean | null"
//! ```
//!
//! *Invariant:* a licence has one XML form, and only that form is read back.

use super::{SealError, SealProfile, Sealer, StampRefused, ToBeSigned, lint};
use crate::crypto::Digest;
use crate::format::xml::{Document, Element};
use crate::format::xmldsig::{
    self,
    enveloped::{Order, PrepareError, PreparedXml, Profile},
};
use crate::licensing::Licence;
use crate::report::Time;
use serde_json::{Map, Value};

/// The namespace of the content.
pub const NAMESPACE: &str = "urn:tamga:licence:1";

/// What [`seal_xml`] needs besides the signature's value.
#[derive(Debug)]
pub struct XmlStampToken {
    prepared: PreparedXml,
    content_digest: Digest,
}

impl XmlStampToken {
    /// SHA-256 of the content, the XML form before the seal.
    pub fn content_digest(&self) -> Digest {
        self.content_digest
    }
}

/// Prepares a licence to be sealed as XML: the lint, the content, the signature without its value.
///
/// # Errors
/// [`StampRefused`], by what the lint met first.
pub fn prepare_xml(
    profile: &SealProfile,
    licence: &Licence,
    sealer: &Sealer<'_>,
    at: Time,
) -> Result<(ToBeSigned, XmlStampToken), StampRefused> {
    profile.check_certificate(sealer, at)?;
    lint::check_licence(licence, at)?;
    let content = content(licence).ok_or_else(|| StampRefused::Content { what: "no XML form".into() })?;
    let prepared = PreparedXml::new(&Order {
        document: content.as_bytes(),
        certificate: sealer.certificate,
        chain: sealer.chain,
        algorithm: sealer.algorithm,
        signing_time: at,
        profile: Profile::BaselineB,
    })
    .map_err(|error| match error {
        PrepareError::Algorithm => StampRefused::Key(SealError::AlgorithmMismatch),
        other => StampRefused::Content { what: other.to_string() },
    })?;
    let to_be_signed = ToBeSigned(prepared.to_be_signed().to_vec());
    Ok((to_be_signed, XmlStampToken { prepared, content_digest: Digest::sha256(content.as_bytes()) }))
}

/// Puts the value that the authority's key made in its place: the sealed document.
///
/// # Errors
/// [`SealError`]: the value is not the certificate holder's signature of what was prepared; nothing is sealed.
pub fn seal_xml(token: XmlStampToken, signature: &[u8]) -> Result<Vec<u8>, SealError> {
    token.prepared.assemble(signature).map_err(|_| SealError::SignatureInvalid)
}

/// The licence that a sealed document says, where it says one in the only form in which it is sealed, and SHA-256 of
/// that form: the content as it was before the seal.
pub fn read_xml(document: &[u8]) -> Option<(Licence, Digest)> {
    let document = Document::parse(document).ok()?;
    let root = document.root();
    let signature = root.only_child(xmldsig::NAMESPACE, "Signature")?;
    let licence: Licence = serde_json::from_value(value_of(root).ok()?).ok()?;
    let source = document.source();
    let without = format!("{}{}", source.get(..signature.range().start)?, source.get(signature.range().end..)?);
    (content(&licence)? == without).then(|| (licence, Digest::sha256(without.as_bytes())))
}

/// The XML form of a licence; `None` where a member's name is no XML name.
fn content(licence: &Licence) -> Option<String> {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<licence xmlns=\"{NAMESPACE}\">");
    for (name, member) in serde_json::to_value(licence).ok()?.as_object()? {
        write(name, member, &mut text)?;
    }
    Some(text + "</licence>\n")
}

fn write(name: &str, value: &Value, out: &mut String) -> Option<()> {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !plain {
        return None;
    }
    let kind = match value {
        Value::String(_) | Value::Object(_) => "",
        Value::Array(_) => " type=\"array\"",
        Value::Number(_) => " type=\"number\"",
        Value::Bool(_) => " type=\"boolean\"",
        Value::Null => " type=\"null\"",
    };
    // An object without members would read as an empty string.
    let kind = if value.as_object().is_some_and(Map::is_empty) { " type=\"object\"" } else { kind };
    out.push_str(&format!("<{name}{kind}>"));
    match value {
        Value::String(text) => escape(text, out)?,
        Value::Object(members) => {
            for (name, member) in members {
                write(name, member, out)?;
            }
        }
        Value::Array(items) => {
            for item in items {
                write("item", item, out)?;
            }
        }
        Value::Number(_) | Value::Bool(_) => out.push_str(&value.to_string()),
        Value::Null => {}
    }
    out.push_str(&format!("</{name}>"));
    Some(())
}

fn escape(text: &str, out: &mut String) -> Option<()> {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            '\t' | '\n' => out.push(c),
            // XML 1.0 §2.2: there is no way to write these.
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => return None,
            other => out.push(other),
        }
    }
    Some(())
}

/// What an element says, the signature aside.
fn value_of(element: Element<'_>) -> Result<Value, serde_json::Error> {
    let members = || element.child_elements().filter(|e| e.namespace() == NAMESPACE);
    let kind = element.attribute("", "type");
    Ok(match kind.as_deref() {
        Some("array") => Value::Array(members().map(value_of).collect::<Result<_, _>>()?),
        Some("null") => Value::Null,
        Some("number" | "boolean") => serde_json::from_str(&element.string_value())?,
        Some(_) => Value::Object(Map::new()),
        None if members().next().is_some() => {
            let named = members().map(|e| Ok((e.local_name().to_owned(), value_of(e)?)));
            Value::Object(named.collect::<Result<_, serde_json::Error>>()?)
        }
        None => Value::String(element.string_value()),
    })
}
