//! XML: what was signed, and whether that is what counts (attack 1; contract §5).
//!
//! By default a signature must cover the whole document, other signatures aside; of a SOAP message, Body and Timestamp;
//! of a service that names an element, that element. An enveloping signature is the document, and must cover every
//! object it carries.
//!
//! *Invariant:* a value is read only from a node that the same signature covers, in the tree that was digested.

use super::identity::Claimed;
use super::{
    ContentIdentityRule, MAX_CLOCK_SKEW_SECONDS, ServiceRules, VerificationInputs, unreadable, verify_document,
};
use crate::format::xml::path::Path;
use crate::format::xml::{Document, Element, Node};
use crate::format::{Format, ParsedSignature, wsse, xmldsig};
use crate::pki::identity::{Bin, Iin};
use crate::report::{CheckId, Checks, Freshness, Reason, ValidationReport};

/// Verifies a document that is XML.
pub(super) fn verify(inputs: &VerificationInputs<'_>, format: Format) -> ValidationReport {
    let document = match Document::parse(inputs.document) {
        Ok(document) => document,
        Err(error) => return unreadable(inputs, format, error.into()),
    };
    let message = match (wsse::is_message(&document), format) {
        (true, _) => wsse::parse(&document).map(Some),
        (false, Format::Wsse) => Err(Reason::FcMalformed { what: "not a SOAP message with a Security header".into() }),
        (false, _) => Ok(None),
    };
    match message.and_then(|message| Ok((xmldsig::parse(&document, inputs.content)?, message))) {
        Ok((parsed, message)) => verify_document(inputs, &parsed, message.as_ref()),
        Err(reason) => unreadable(inputs, format, reason),
    }
}

/// Checks that the signature covers what counts.
pub(super) fn check_coverage(
    inputs: &VerificationInputs<'_>,
    message: Option<&wsse::Message<'_>>,
    signature: &ParsedSignature<'_>,
    checks: &mut Checks,
) {
    let Some(element) = signature.element else { return };
    // Where a digest does not agree, that is what is wrong.
    if checks.outcome(CheckId::ContentDigest).failure().is_some() {
        return;
    }
    let document = element.document();
    let covers = |element: Element<'_>| signature.covers(element);
    let mut missing: Option<String> = None;
    let mut require = |element: Element<'_>| {
        if !covers(element) {
            missing.get_or_insert_with(|| element.location());
        }
    };
    match (inputs.service.and_then(|s| Some((s, s.xml_element.as_ref()?))), message) {
        (Some((service, path)), _) => match Path::parse(path, &service.xml_namespaces).map(|p| p.elements(document)) {
            Ok(found) => match found.as_slice() {
                [one] => require(*one),
                [] => missing = Some(path.clone()),
                _ => {
                    let what = format!("{path} names {} elements", found.len());
                    checks.fail(CheckId::DocumentFormat, Reason::FcAmbiguousReference { what });
                }
            },
            Err(_) => missing = Some(path.clone()),
        },
        (None, Some(message)) => require(message.body),
        (None, None) if covers_whole(signature, element, &covers) => {}
        (None, None) => missing = Some(document.root().location()),
    }
    if let Some((message, timestamp)) = message.and_then(|m| Some((m, m.timestamp.as_ref()?))) {
        // A form inside the Body may be signed for itself: then the header's signature speaks for the message.
        if !covers(timestamp.element) && (message.security.contains(&element) || !message.is_signed_in_its_header()) {
            missing.get_or_insert_with(|| timestamp.element.location());
        }
        let validation_time = inputs.received_at.unwrap_or(inputs.at);
        if let Some(expires) = timestamp.expires.filter(|e| *e < validation_time) {
            checks.fail(CheckId::SignedAttributes, Reason::SavMessageExpired { expires, validation_time });
        }
        if let Some(claimed) = timestamp.created.filter(|c| *c > validation_time.plus_seconds(MAX_CLOCK_SKEW_SECONDS)) {
            let reason = Reason::SavSigningTimeImplausible { claimed, validation_time };
            checks.fail(CheckId::SignedAttributes, reason);
        }
    }
    if let Some(what) = missing {
        checks.fail(CheckId::DocumentFormat, Reason::FcNotCovered { what });
    }
}

/// How long a message is fresh, where this signature says so.
pub(super) fn freshness(message: Option<&wsse::Message<'_>>, signature: &ParsedSignature<'_>) -> Option<Freshness> {
    let timestamp = message?.timestamp.as_ref().filter(|timestamp| signature.covers(timestamp.element))?;
    Some(Freshness { created: timestamp.created, expires: timestamp.expires })
}

/// Whether the signature covers all that the document says.
fn covers_whole(signature: &ParsedSignature<'_>, element: Element<'_>, covers: &dyn Fn(Element<'_>) -> bool) -> bool {
    let root = element.document().root();
    if root != element {
        // What an Object of the signature carries is no part of the document that the enveloped transform leaves: it
        // must be signed too, or say nothing but how the signature is qualified.
        let mut objects = element.children_named(xmldsig::NAMESPACE, "Object");
        return covers(root)
            && objects.all(|object| xmldsig::is_of_the_signature(&object) || is_covered(object, covers));
    }
    // The signature is the document: enveloping, or detached with the content beside it.
    let mut objects =
        element.children_named(xmldsig::NAMESPACE, "Object").filter(|o| !xmldsig::is_of_the_signature(o)).peekable();
    let some = objects.peek().is_some() || signature.covers_content();
    some && objects.all(|object| is_covered(object, covers))
}

/// Whether the signature covers an Object, or each element in it where it holds elements alone.
fn is_covered(object: Element<'_>, covers: &dyn Fn(Element<'_>) -> bool) -> bool {
    let is_empty = |node: &Node<'_>| match node {
        Node::Text(text) => text.trim().is_empty(),
        Node::Element(_) => false,
        Node::Comment | Node::Instruction => true,
    };
    let holds_covered = |parent: Element<'_>, is_covered: &dyn Fn(Element<'_>) -> bool| {
        parent.child_elements().next().is_some()
            && parent.children().filter(|node| !is_empty(node)).all(|node| match node {
                Node::Element(child) => is_covered(child),
                _ => false,
            })
    };
    // Signature properties may be signed one by one (XMLDSig §5.2).
    let child_is_covered = |child: Element<'_>| {
        covers(child) || child.is(xmldsig::NAMESPACE, "SignatureProperties") && holds_covered(child, covers)
    };
    covers(object) || holds_covered(object, &child_is_covered)
}

/// Reads the applicant's identifiers out of what the signature covers.
pub(super) fn identifiers(
    service: &ServiceRules,
    rule: &ContentIdentityRule,
    signature: &ParsedSignature<'_>,
) -> Result<Claimed, Reason> {
    let unreadable = |what: &str| Reason::IdContentUnreadable { what: what.to_owned() };
    let element = signature.element.ok_or_else(|| unreadable("no signed content"))?;
    if rule.xml_iin.is_none() && rule.xml_bin.is_none() {
        return Err(unreadable("the service has no rule for this format"));
    }
    let read = |path: &Option<String>| -> Result<Option<String>, Reason> {
        let Some(path) = path else { return Ok(None) };
        let path = Path::parse(path, &service.xml_namespaces).map_err(|error| unreadable(&error.to_string()))?;
        let found = path.elements(element.document());
        let one = match found.as_slice() {
            [] => return Ok(None),
            [one] => *one,
            _ => return Err(unreadable("the content names several applicants")),
        };
        if !signature.covers(one) {
            return Err(unreadable("the element that names the applicant is not signed"));
        }
        let value =
            path.value(one).ok_or_else(|| unreadable("the element that names the applicant has no plain value"))?;
        Ok(Some(value.into_owned()))
    };
    let iin = read(&rule.xml_iin)?
        .map(|text| Iin::parse(&text).ok_or_else(|| unreadable("the IIN is not twelve digits")))
        .transpose()?;
    let bin = read(&rule.xml_bin)?
        .map(|text| Bin::parse(&text).ok_or_else(|| unreadable("the BIN is not twelve digits")))
        .transpose()?;
    match (iin, bin) {
        (None, None) => Err(unreadable("the content names no applicant")),
        (iin, bin) => Ok(Claimed { iin, bin }),
    }
}
