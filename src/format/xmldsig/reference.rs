//! References: what they point at, how it becomes octets, and whether the digest agrees (XMLDSig §4.4.3, §3.2.1).
//!
//! *Invariant:* the nodes that are digested are the nodes that are reported; there is no transform that could make
//! octets out of something else.

use super::super::xml::canonical::{
    CanonicalError, Canonicalization, Comments, INCLUSIVE, Sink, Subtree, canonicalize,
};
use super::super::xml::{Document, Element, limits};
use super::{
    BASE64, Covered, ENVELOPED_SIGNATURE, Identifiers, NAMESPACE, algorithm_of, base64, canonicalization, malformed,
    octets_of, xades,
};
use crate::crypto::{Digest, DigestAlgorithm, Hasher};
use crate::format::limits::check_limit;
use crate::report::{CheckId, Outcome, Reason};

/// Octets of source that all references of a document may walk through together: four times the largest document, so
/// that four signers of such a document pass and a thousand references to it do not. What is walked counts, not what
/// comes out: comments cost time and leave nothing.
const MAX_WALKED: u64 = 4 * crate::format::limits::MAX_DOCUMENT_BYTES as u64;

/// Why a reference could not be evaluated, and the check that says so.
pub(super) type Refusal = (CheckId, Reason);

fn format_failure(reason: Reason) -> Refusal {
    (CheckId::DocumentFormat, reason)
}

/// What references are resolved in.
pub(super) struct Context<'a, 'i> {
    document: &'a Document<'a>,
    identifiers: &'i Identifiers<'a>,
    content: Option<&'a [u8]>,
    /// The URI that the content was referenced by: it has one name.
    content_name: Option<String>,
    walked: u64,
}

/// A reference whose digest agrees.
pub(super) struct Evaluated<'a> {
    pub(super) reference: Element<'a>,
    pub(super) covered: Covered<'a>,
    /// What the digest algorithm is worth.
    pub(super) weak: (CheckId, Outcome),
}

impl<'a> Evaluated<'a> {
    /// The element that the reference names, where it names one.
    pub(super) fn target(&self) -> Option<Element<'a>> {
        self.covered.nodes().map(Subtree::top)
    }

    /// Whether it covers a part that belongs to the signature, not to the content.
    pub(super) fn is_of_the_signature(&self) -> bool {
        self.target().is_some_and(|t| xades::is_signed_properties(&t) || t.is(NAMESPACE, "KeyInfo"))
    }

    pub(super) fn manifest(&self) -> Option<Element<'a>> {
        self.target().filter(|t| t.is(NAMESPACE, "Manifest"))
    }
}

/// Where the octets of a reference come from.
enum Source<'a> {
    /// Nodes, and whether comments are among them.
    Nodes(Subtree<'a>, Comments),
    /// The content that was handed in.
    Content(&'a [u8]),
}

/// The transforms of a reference, in the only order that means something here.
#[derive(Default)]
struct Transforms {
    enveloped: bool,
    canonicalization: Option<Canonicalization>,
    base64: bool,
}

/// A digest as a sink.
pub(super) struct Digesting {
    hasher: Hasher,
    octets: u64,
}

impl Digesting {
    pub(super) fn new(algorithm: DigestAlgorithm) -> Self {
        Self { hasher: algorithm.hasher(), octets: 0 }
    }

    pub(super) fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl Sink for Digesting {
    fn write(&mut self, octets: &[u8]) {
        self.hasher.update(octets);
        self.octets += octets.len() as u64;
    }
}

/// The other signatures of a document, as they stand around one.
#[derive(Clone, Copy)]
pub(super) struct CoSignatures<'a, 's> {
    pub(super) before: &'s [Element<'a>],
    pub(super) after: &'s [Element<'a>],
}

/// The states of the document that a co-signer can have signed: before the signatures that follow were appended, as it
/// is, before the signatures in front were put there.
fn states<'a>(
    subtree: Subtree<'a>,
    transforms: &Transforms,
    CoSignatures { before, after }: CoSignatures<'a, '_>,
) -> Vec<Subtree<'a>> {
    let without = |others: &[Element<'a>]| {
        let inside: Vec<Element<'a>> = others.iter().copied().filter(|other| subtree.covers(*other)).collect();
        let changes = transforms.enveloped && !inside.is_empty();
        changes.then(|| inside.into_iter().fold(subtree.clone(), Subtree::without))
    };
    [without(after), Some(subtree.clone()), without(before)].into_iter().flatten().collect()
}

impl<'a, 'i> Context<'a, 'i> {
    pub(super) fn new(document: &'a Document<'a>, identifiers: &'i Identifiers<'a>, content: Option<&'a [u8]>) -> Self {
        Self { document, identifiers, content, content_name: None, walked: 0 }
    }

    pub(super) fn identifiers(&self) -> &'i Identifiers<'a> {
        self.identifiers
    }

    pub(super) fn content_was_referenced(&self) -> bool {
        self.content_name.is_some()
    }

    /// ```text
    /// <Reference Id? URI? Type?> Transforms? DigestMethod DigestValue </Reference>
    /// ```
    ///
    /// `co_signatures` are the signatures before and after this one in the document. Co-signers each envelop the whole
    /// document: what the earlier ones signed did not have the later signatures yet, so that without them the digest
    /// agrees (kazakhstan-pki §3.7).
    pub(super) fn evaluate(
        &mut self,
        reference: Element<'a>,
        signature: Element<'a>,
        co_signatures: CoSignatures<'a, '_>,
    ) -> Result<Evaluated<'a>, Refusal> {
        let mut children = reference.child_elements().peekable();
        let transforms = children.next_if(|e| e.is(NAMESPACE, "Transforms"));
        let method = children.next().filter(|e| e.is(NAMESPACE, "DigestMethod"));
        let value = children.next().filter(|e| e.is(NAMESPACE, "DigestValue"));
        let (Some(method), Some(value), None) = (method, value, children.next()) else {
            return Err(format_failure(malformed("Reference")));
        };
        let uri = algorithm_of(method).map_err(format_failure)?;
        let unknown = || (CheckId::Algorithms, Reason::SavAlgorithmNotAllowed { algorithm: format!("digest {uri}") });
        let algorithm = DigestAlgorithm::from_uri(&uri).ok_or_else(unknown)?;
        let weak = match algorithm.is_collision_resistant() {
            true => Outcome::NotEvaluated,
            false => Outcome::Failed(Reason::SavAlgorithmNotAllowed { algorithm: algorithm.name().to_owned() }),
        };
        let expected = octets_of(value).ok_or_else(|| format_failure(malformed("DigestValue")))?;
        let transforms = read_transforms(transforms).map_err(format_failure)?;
        let source = self.dereference(reference)?;

        let (subtree, comments) = match source {
            Source::Content(octets) => {
                let digest = self.digest_content(octets, &transforms, algorithm)?;
                return match digest == expected {
                    true => Ok(Evaluated { reference, covered: Covered::Content, weak: (CheckId::Algorithms, weak) }),
                    false => Err((CheckId::ContentDigest, Reason::CvDigestMismatch {})),
                };
            }
            Source::Nodes(subtree, comments) => (subtree, comments),
        };
        let subtree = if transforms.enveloped { subtree.without(signature) } else { subtree };
        for subtree in states(subtree, &transforms, co_signatures) {
            if self.digest_nodes(&subtree, comments, &transforms, algorithm)? == expected {
                let covered = Covered::Nodes(subtree);
                return Ok(Evaluated { reference, covered, weak: (CheckId::Algorithms, weak) });
            }
        }
        Err((CheckId::ContentDigest, Reason::CvDigestMismatch {}))
    }

    /// XMLDSig §4.4.3.2 and §4.4.3.3: same-document references, without comments but for the XPointer forms.
    fn dereference(&mut self, reference: Element<'a>) -> Result<Source<'a>, Refusal> {
        let Some(uri) = reference.attribute("", "URI") else {
            let what = "a reference without URI".to_owned();
            return Err(format_failure(Reason::FcAmbiguousReference { what }));
        };
        let Some(fragment) = uri.strip_prefix('#') else {
            if uri.is_empty() {
                return Ok(Source::Nodes(Subtree::whole(self.document), Comments::Omitted));
            }
            // Attack 8: nothing is fetched. Content that was handed in answers to one name.
            let content = self.content.filter(|_| self.content_name.as_deref().is_none_or(|name| name == uri));
            let content = content.ok_or((CheckId::ContentDigest, Reason::CvSignedDataMissing {}))?;
            self.content_name = Some(uri.into_owned());
            return Ok(Source::Content(content));
        };
        let (identifier, comments) = match fragment.strip_prefix("xpointer(").and_then(|f| f.strip_suffix(')')) {
            Some("/") => return Ok(Source::Nodes(Subtree::whole(self.document), Comments::Kept)),
            Some(pointer) => {
                let quoted = pointer.strip_prefix("id(").and_then(|p| p.strip_suffix(')'));
                let quoted = quoted.and_then(|q| {
                    let bare = |mark: char| q.strip_prefix(mark)?.strip_suffix(mark);
                    bare('\'').or_else(|| bare('"'))
                });
                let identifier = quoted.filter(|id| !id.contains(['\'', '"']));
                (identifier.ok_or_else(|| not_allowed(&uri))?, Comments::Kept)
            }
            None if fragment.contains(['(', ')']) => return Err(not_allowed(&uri)),
            None => (fragment, Comments::Omitted),
        };
        let element =
            self.identifiers.get(identifier).ok_or((CheckId::ContentDigest, Reason::CvSignedDataMissing {}))?;
        Ok(Source::Nodes(Subtree::of(element), comments))
    }

    fn digest_nodes(
        &mut self,
        subtree: &Subtree<'a>,
        comments: Comments,
        transforms: &Transforms,
        algorithm: DigestAlgorithm,
    ) -> Result<Vec<u8>, Refusal> {
        self.charge(subtree.source_len())?;
        let mut digesting = Digesting::new(algorithm);
        let canonicalization = match &transforms.canonicalization {
            Some(chosen) => chosen.clone(),
            // XMLDSig §4.4.3.2: nodes become octets by Canonical XML 1.0 where nothing else is said.
            None => Canonicalization::from_uri(INCLUSIVE).ok_or_else(|| not_allowed(INCLUSIVE))?,
        };
        let canonicalization = match comments {
            Comments::Omitted => Canonicalization { comments: Comments::Omitted, ..canonicalization },
            Comments::Kept => canonicalization,
        };
        let failed = |error: CanonicalError| format_failure(malformed(&error.to_string()));
        if transforms.base64 {
            let text = match &transforms.canonicalization {
                // XMLDSig §6.6.2: of nodes, the text.
                None => {
                    let mut text = String::new();
                    subtree.top().append_text(&mut text, subtree.left_out());
                    text
                }
                Some(_) => {
                    let mut octets = Vec::new();
                    canonicalize(self.document, subtree, &canonicalization, &mut octets).map_err(failed)?;
                    String::from_utf8(octets).unwrap_or_default()
                }
            };
            digesting.write(&base64(&text).ok_or_else(|| format_failure(malformed("base64")))?);
        } else {
            canonicalize(self.document, subtree, &canonicalization, &mut digesting).map_err(failed)?;
        }
        finish(digesting, Emptiness::Refused)
    }

    fn digest_content(
        &mut self,
        octets: &[u8],
        transforms: &Transforms,
        algorithm: DigestAlgorithm,
    ) -> Result<Vec<u8>, Refusal> {
        self.charge(octets.len())?;
        let mut digesting = Digesting::new(algorithm);
        match transforms {
            Transforms { enveloped: true, .. } => return Err(not_allowed(ENVELOPED_SIGNATURE)),
            Transforms { canonicalization: Some(algorithm), base64: false, .. } => {
                let document = Document::parse(octets).map_err(|error| format_failure(error.into()))?;
                canonicalize(&document, &Subtree::whole(&document), algorithm, &mut digesting)
                    .map_err(|error| format_failure(malformed(&error.to_string())))?;
            }
            Transforms { canonicalization: Some(_), base64: true, .. } => return Err(not_allowed(BASE64)),
            Transforms { base64: true, .. } => {
                let text = std::str::from_utf8(octets).ok().and_then(base64);
                digesting.write(&text.ok_or_else(|| format_failure(malformed("base64")))?);
            }
            Transforms { .. } => digesting.write(octets),
        }
        finish(digesting, Emptiness::Allowed)
    }

    /// Takes the cost of a walk out of the budget, before it is made.
    fn charge(&mut self, octets: usize) -> Result<(), Refusal> {
        self.walked = self.walked.saturating_add(octets as u64);
        if self.walked > MAX_WALKED {
            let limit = "octets under references".to_owned();
            return Err(format_failure(Reason::FcLimitExceeded { limit, maximum: MAX_WALKED }));
        }
        Ok(())
    }
}

fn finish(digesting: Digesting, emptiness: Emptiness) -> Result<Vec<u8>, Refusal> {
    if digesting.octets == 0 && emptiness == Emptiness::Refused {
        // Attack 4: a canonicalizer that fails and a digest that is taken all the same.
        return Err(format_failure(malformed("a reference over nothing")));
    }
    Ok(digesting.finish().as_bytes().to_vec())
}

/// Whether a digest over no octets at all may stand.
#[derive(PartialEq, Eq)]
enum Emptiness {
    Allowed,
    Refused,
}

fn not_allowed(algorithm: &str) -> Refusal {
    format_failure(Reason::FcTransformNotAllowed { algorithm: algorithm.to_owned() })
}

/// Attack 6: transforms by allow-list. XSLT and XPath are programs, and none of the national formats uses them.
fn read_transforms(element: Option<Element<'_>>) -> Result<Transforms, Reason> {
    let mut transforms = Transforms::default();
    let Some(element) = element else { return Ok(transforms) };
    let list: Vec<Element<'_>> = element.child_elements().collect();
    if list.is_empty() || !list.iter().all(|t| t.is(NAMESPACE, "Transform")) {
        return Err(malformed("Transforms"));
    }
    check_limit("transforms", list.len(), limits::MAX_TRANSFORMS)?;
    for transform in list {
        let uri = algorithm_of(transform)?;
        let has_parameters = transform.child_elements().next().is_some();
        let not_allowed = || Reason::FcTransformNotAllowed { algorithm: uri.to_string() };
        match &*uri {
            ENVELOPED_SIGNATURE
                if !has_parameters
                    && !transforms.enveloped
                    && transforms.canonicalization.is_none()
                    && !transforms.base64 =>
            {
                transforms.enveloped = true;
            }
            BASE64 if !has_parameters && !transforms.base64 => transforms.base64 = true,
            // Octets that are parsed again would be a second reading of the document (attack 3).
            _ if transforms.canonicalization.is_some() || transforms.base64 => return Err(not_allowed()),
            _ => transforms.canonicalization = Some(canonicalization(transform)?),
        }
    }
    Ok(transforms)
}
