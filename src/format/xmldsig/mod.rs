//! XML Signature (XMLDSig Core 1.1), enveloped, enveloping and detached, with XAdES-B on top.
//!
//! A signature covers what its references resolve to, and nothing is taken from anywhere else: the covered subtrees
//! stand in [`ParsedSignature::covered`], and whoever reads a value asks them. Identifiers come from four attributes,
//! transforms from a list of three, keys from certificates alone.
//!
//! *Invariant:* a reference counts as covered only if its digest was recomputed over the very nodes that are reported;
//! a document in which one identifier names two elements is refused whole (attacks 1 to 4).

pub mod enveloped;
mod key_info;
mod reference;
mod rsa_pss;
mod xades;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::cms::long_term::SignedDataElements;
use super::limits::{MAX_CERTIFICATES, MAX_SIGNERS, check_limit};
use super::xml::canonical::{Canonicalization, Subtree, canonicalize};
use super::xml::{Attribute, Document, Element, Node, XML_NAMESPACE, limits};
use super::{Format, ParsedDocument, ParsedSignature, Scope, SignerIdentifier, wsse};
use crate::crypto::{Digest, SignatureAlgorithm, ecdsa_der_from_fixed};
use crate::report::{CheckId, Checks, Reason};
use reference::{CoSignatures, Context, Evaluated};
pub(super) use xades::date_time;

/// The namespace of XMLDSig.
pub const NAMESPACE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The algorithm identifier of the enveloped signature transform (XMLDSig §6.6.4).
pub const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// The algorithm identifier of the base64 transform (XMLDSig §6.6.2).
pub const BASE64: &str = "http://www.w3.org/2000/09/xmldsig#base64";

/// Something that a signature covers.
#[derive(Clone, Debug)]
pub enum Covered<'a> {
    /// A part of the document, or all of it.
    Nodes(Subtree<'a>),
    /// The content that was handed in beside the document.
    Content,
}

impl<'a> Covered<'a> {
    /// The part of the document.
    pub fn nodes(&self) -> Option<&Subtree<'a>> {
        match self {
            Covered::Nodes(subtree) => Some(subtree),
            Covered::Content => None,
        }
    }
}

pub(super) fn malformed(what: &str) -> Reason {
    Reason::FcMalformed { what: format!("XML signature: {what}") }
}

/// The elements that identifiers name. Only `Id`, `ID`, `xml:id` and `wsu:Id` are identifiers (contract §5).
///
/// Digests of the identifiers, sorted: a document may have one on each of its elements.
pub(super) struct Identifiers<'a>(Vec<(u64, Element<'a>)>);

impl<'a> Identifiers<'a> {
    fn of(document: &'a Document<'a>) -> Result<Self, Reason> {
        let of_element = |element| identifiers(element).map(move |identifier| (short_digest(&identifier), element));
        let mut found: Vec<(u64, Element<'a>)> = document.elements().flat_map(of_element).collect();
        found.sort_unstable_by_key(|(digest, element)| (*digest, element.order()));
        for run in found.chunk_by(|(a, _), (b, _)| a == b).filter(|run| run.len() > 1) {
            let mut seen: BTreeMap<Cow<'a, str>, Element<'a>> = BTreeMap::new();
            for &(digest, element) in run {
                for identifier in identifiers(element).filter(|identifier| short_digest(identifier) == digest) {
                    // Attack 2: whoever looks an identifier up must find what was digested.
                    let what = format!("two elements are named {identifier:?}");
                    if seen.insert(identifier, element).is_some_and(|other| other != element) {
                        return Err(Reason::FcAmbiguousReference { what });
                    }
                }
            }
        }
        Ok(Self(found))
    }

    pub(super) fn get(&self, wanted: &str) -> Option<Element<'a>> {
        let digest = short_digest(wanted);
        let from = self.0.partition_point(|(found, _)| *found < digest);
        let run = self.0.get(from..).unwrap_or_default().iter().take_while(|(found, _)| *found == digest);
        run.map(|(_, element)| *element).find(|element| identifiers(*element).any(|identifier| identifier == wanted))
    }
}

/// The identifiers of one element.
fn identifiers<'a>(element: Element<'a>) -> impl Iterator<Item = Cow<'a, str>> {
    let is_identifier = |attribute: &Attribute<'a>| match attribute.local_name() {
        "Id" => matches!(attribute.namespace(), "" | wsse::UTILITY),
        "ID" => attribute.namespace().is_empty(),
        "id" => attribute.namespace() == XML_NAMESPACE,
        _ => false,
    };
    element.attributes().filter(is_identifier).map(|attribute| attribute.value())
}

/// SipHash with fixed keys: equal ones are compared in full.
fn short_digest(identifier: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    identifier.hash(&mut hasher);
    hasher.finish()
}

/// Reads the signatures of a document.
///
/// `content` is what a detached signature is over.
///
/// # Errors
/// A `fc-` reason where the signatures cannot be told apart or read at all; findings about one signature are in its
/// [`ParsedSignature::findings`].
pub fn parse<'a>(document: &'a Document<'a>, content: Option<&'a [u8]>) -> Result<ParsedDocument<'a>, Reason> {
    let signers: Vec<Element<'a>> = document.elements().filter(is_signer).collect();
    if signers.is_empty() {
        return Err(Reason::FcNoSignature {});
    }
    check_limit("signers", signers.len(), MAX_SIGNERS)?;
    let identifiers = Identifiers::of(document)?;
    let mut context = Context::new(document, &identifiers, content);
    let mut certificates = Vec::new();
    let mut signatures = Vec::with_capacity(signers.len());
    for (position, &signature) in signers.iter().enumerate() {
        let co_signatures = CoSignatures {
            before: signers.get(..position).unwrap_or_default(),
            after: signers.get(position + 1..).unwrap_or_default(),
        };
        signatures.push(lower(signature, co_signatures, &mut context, &mut certificates)?);
    }
    let detached = context.content_was_referenced();
    if content.is_some_and(|given| !detached && given != document.source().as_bytes()) {
        // Contract §5: content beside a document that carries its own must be the same octets.
        signatures.iter_mut().for_each(|s| s.findings.fail(CheckId::ContentDigest, Reason::CvDigestMismatch {}));
    }
    let content = content.filter(|_| detached);
    Ok(ParsedDocument {
        format: if wsse::is_message(document) { Format::Wsse } else { Format::Xmldsig },
        detached,
        content: content.map(Cow::Borrowed),
        content_digest: content.map(Digest::sha256),
        certificates,
        elements: SignedDataElements::default(),
        signatures,
    })
}

/// Whether an element is a signature that speaks for a signer: counter-signatures speak about another signature
/// (XAdES, ETSI EN 319 132-1 §5.2.7).
fn is_signer(element: &Element<'_>) -> bool {
    element.is(NAMESPACE, "Signature") && !element.ancestors().any(|a| xades::is_counter_signature(&a))
}

/// Whether an object carries nothing but the properties of its own signature.
pub fn is_of_the_signature(object: &Element<'_>) -> bool {
    let mut children = object.child_elements().peekable();
    children.peek().is_some()
        && children.all(|e| xades::is_qualifying_properties(&e))
        && object.children().all(|node| !matches!(node, Node::Text(text) if !text.trim().is_empty()))
}

/// ```text
/// <Signature Id?> SignedInfo SignatureValue KeyInfo? Object* </Signature>
/// ```
struct Parts<'a> {
    signed_info: Element<'a>,
    value: Element<'a>,
    key_info: Option<Element<'a>>,
    objects: Vec<Element<'a>>,
}

/// XMLDSig §4.1: these children in this order and no other, so that no second SignedInfo can be read (CVE-2025-29775).
fn parts(signature: Element<'_>) -> Result<Parts<'_>, Reason> {
    let mut children = signature.child_elements().peekable();
    let mut next = |name: &str| children.next_if(|e| e.is(NAMESPACE, name));
    let signed_info = next("SignedInfo").ok_or_else(|| malformed("SignedInfo"))?;
    let value = next("SignatureValue").ok_or_else(|| malformed("SignatureValue"))?;
    let key_info = next("KeyInfo");
    let mut objects = Vec::new();
    while let Some(object) = next("Object") {
        objects.push(object);
    }
    match children.next() {
        None => Ok(Parts { signed_info, value, key_info, objects }),
        Some(other) => Err(malformed(&format!("{} where it does not belong", other.local_name()))),
    }
}

/// One signature as the facts that judgement needs.
fn lower<'a>(
    signature: Element<'a>,
    co_signatures: CoSignatures<'a, '_>,
    context: &mut Context<'a, '_>,
    certificates: &mut Vec<Cow<'a, [u8]>>,
) -> Result<ParsedSignature<'a>, Reason> {
    let parts = parts(signature)?;
    let mut findings = Checks::default();
    let SignedInfo { message, algorithm, references } = signed_info(parts.signed_info)?;

    let mut evaluated: Vec<Evaluated<'a>> = Vec::with_capacity(references.len());
    for reference in references {
        match context.evaluate(reference, signature, co_signatures) {
            Ok(found) => {
                findings.record(found.weak.0, found.weak.1.clone());
                evaluated.push(found);
            }
            Err((check, reason)) => findings.fail(check, reason),
        }
    }
    let manifests = evaluated.iter().filter_map(Evaluated::manifest);
    let in_manifests: Vec<Element<'a>> = manifests.flat_map(|m| m.children_named(NAMESPACE, "Reference")).collect();
    check_limit("references", in_manifests.len(), limits::MAX_REFERENCES)?;
    for reference in in_manifests {
        // Attack 9: a manifest that nobody verifies proves nothing.
        if let Err((check, reason)) = context.evaluate(reference, signature, co_signatures) {
            findings.fail(check, reason);
        }
    }
    let xades = xades::read(signature, &parts, &evaluated, &mut findings);
    let key = key_info::read(parts.key_info, context.identifiers(), &xades)?;
    key_info::check_serial_number(&key, &xades, &mut findings);
    check_limit("certificates", certificates.len() + key.certificates.len(), MAX_CERTIFICATES)?;
    certificates.extend(key.certificates.iter().cloned().map(Cow::Owned));

    let value = octets_of(parts.value).ok_or_else(|| malformed("SignatureValue"))?;
    let value = match &algorithm {
        // RFC 9231 §2.3.6: r and s side by side; the registry takes the DER of X9.62.
        // Any other form is none of a signature.
        Ok(SignatureAlgorithm::Ecdsa(_)) => ecdsa_der_from_fixed(&value).unwrap_or_default(),
        _ => value,
    };
    findings.pass(CheckId::DocumentFormat);
    findings.pass(CheckId::ContentDigest);
    findings.pass(CheckId::SignedAttributes);
    Ok(ParsedSignature {
        signer: key.signer.unwrap_or(SignerIdentifier::Certificate(Cow::Borrowed(&[]))),
        certificate_references: xades.certificate_references,
        algorithm,
        message: Cow::Owned(message),
        signature: Cow::Owned(value),
        claimed_signing_time: xades.signing_time,
        signature_timestamps: Vec::new(),
        archive_timestamps: Vec::new(),
        signer_fields: Vec::new(),
        unsigned_values: Vec::new(),
        findings,
        scope: scope(&evaluated),
        covered: evaluated.into_iter().map(|e| e.covered).collect(),
        element: Some(signature),
    })
}

struct SignedInfo<'a> {
    message: Vec<u8>,
    algorithm: Result<SignatureAlgorithm, Reason>,
    references: Vec<Element<'a>>,
}

/// ```text
/// <SignedInfo> CanonicalizationMethod SignatureMethod Reference+ </SignedInfo>
/// ```
fn signed_info(element: Element<'_>) -> Result<SignedInfo<'_>, Reason> {
    let mut children = element.child_elements();
    let method = children.next().filter(|e| e.is(NAMESPACE, "CanonicalizationMethod"));
    let method = method.ok_or_else(|| malformed("CanonicalizationMethod"))?;
    let signature_method = children.next().filter(|e| e.is(NAMESPACE, "SignatureMethod"));
    let signature_method = signature_method.ok_or_else(|| malformed("SignatureMethod"))?;
    let references: Vec<Element<'_>> = children.collect();
    if references.is_empty() || !references.iter().all(|r| r.is(NAMESPACE, "Reference")) {
        return Err(malformed("Reference"));
    }
    check_limit("references", references.len(), limits::MAX_REFERENCES)?;
    let canonicalization = canonicalization(method)?;
    let mut message = Vec::new();
    canonicalize(element.document(), &Subtree::of(element), &canonicalization, &mut message)
        .map_err(|error| malformed(&error.to_string()))?;
    Ok(SignedInfo { message, algorithm: signature_algorithm(signature_method), references })
}

/// The value of the `Algorithm` attribute.
fn algorithm_of(element: Element<'_>) -> Result<Cow<'_, str>, Reason> {
    element.attribute("", "Algorithm").ok_or_else(|| malformed(&format!("{} without Algorithm", element.local_name())))
}

/// A canonicalization method or transform with its prefix list.
fn canonicalization(method: Element<'_>) -> Result<Canonicalization, Reason> {
    let uri = algorithm_of(method)?;
    let not_allowed = || Reason::FcTransformNotAllowed { algorithm: uri.to_string() };
    let algorithm = Canonicalization::from_uri(&uri).ok_or_else(not_allowed)?;
    let mut parameters = method.child_elements();
    match (parameters.next(), parameters.next()) {
        (None, _) => Ok(algorithm),
        (Some(list), None)
            if list.is(super::xml::canonical::EXCLUSIVE, "InclusiveNamespaces") && algorithm.is_exclusive() =>
        {
            let prefixes = list.attribute("", "PrefixList").unwrap_or_default();
            algorithm.with_prefix_list(&prefixes).ok_or_else(|| Reason::FcLimitExceeded {
                limit: "inclusive prefixes".into(),
                maximum: limits::MAX_INCLUSIVE_PREFIXES as u64,
            })
        }
        _ => Err(not_allowed()),
    }
}

fn signature_algorithm(method: Element<'_>) -> Result<SignatureAlgorithm, Reason> {
    let uri = algorithm_of(method)?;
    let not_allowed = |algorithm: String| Reason::SavAlgorithmNotAllowed { algorithm };
    if uri == rsa_pss::URI {
        return rsa_pss::parameters(method).ok_or_else(|| not_allowed("RSA-PSS parameters".into()));
    }
    // No other method has parameters: a truncated HMAC began so (CVE-2009-0217).
    if method.child_elements().next().is_some() {
        return Err(not_allowed(format!("{uri} with parameters")));
    }
    SignatureAlgorithm::from_uri(&uri).map_err(|error| not_allowed(error.to_string()))
}

/// What the report shows as the scope: the first covered part that is not the signature's own.
fn scope(evaluated: &[Evaluated<'_>]) -> Option<Scope> {
    let part = evaluated.iter().filter(|e| !e.is_of_the_signature()).find_map(|e| e.covered.nodes())?;
    let top = part.top();
    Some(Scope {
        path: top.location(),
        name: format!("{{{}}}{}", top.namespace(), top.local_name()),
        whole_document: top.parent().is_none(),
    })
}

/// base64 of an element with a single text child (attack 4: a comment would show different readers different values).
pub(super) fn octets_of(element: Element<'_>) -> Option<Vec<u8>> {
    base64(&element.only_text()?)
}

/// base64 with the white space that XML allows in it (XML Schema 2 §3.2.16).
fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let compact: Vec<u8> = text.bytes().filter(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r')).collect();
    base64::engine::general_purpose::STANDARD.decode(compact).ok()
}
