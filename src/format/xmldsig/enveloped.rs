//! The writing side: an enveloped signature in the form that NCALayer makes, plain or as XAdES baseline B.
//!
//! Prepare, sign elsewhere, assemble: no key is seen here (architecture, "prepare → seal"). The signature becomes the
//! last child of the document element; every octet before and after it stays as it was.
//!
//! ```text
//! CanonicalizationMethod  Canonical XML 1.0
//! Reference URI=""        enveloped-signature, Canonical XML 1.0 with comments
//! KeyInfo                 X509Data with the signer's certificate, and the chain where one is given
//! Object                  QualifyingProperties: SigningTime, SigningCertificateV2, DataObjectFormat   (baseline B)
//! ```
//!
//! *Invariant:* what is signed is computed from the assembled document by the canonicalizer that verifies it.

use super::super::xml::canonical::{CanonicalError, Canonicalization, INCLUSIVE, Subtree, canonicalize};
use super::super::xml::{Document, XmlError};
use super::NAMESPACE;
use crate::crypto::{Digest, DigestAlgorithm, PublicKey, SignatureAlgorithm, SignatureError, ecdsa_fixed_from_der};
use crate::pki::Certificate;
use crate::report::Time;
use base64::Engine as _;
use std::fmt::Write as _;

/// How much the signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// XMLDSig alone: what NCALayer's `signXml` makes.
    Plain,
    /// XAdES baseline B (ETSI EN 319 132-1 §6.3): the certificate and the time are signed too.
    BaselineB,
}

/// What is to be signed, and for whom.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The document, UTF-8.
    pub document: &'a [u8],
    /// The signer's certificate.
    pub certificate: &'a Certificate,
    /// Certificates above it, DER, to travel along.
    pub chain: &'a [Vec<u8>],
    /// The algorithm of the signer's key.
    pub algorithm: SignatureAlgorithm,
    /// The time that the signature claims.
    pub signing_time: Time,
    /// How much it says.
    pub profile: Profile,
}

/// Why nothing can be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The document is not XML that may be signed.
    #[error(transparent)]
    Document(#[from] XmlError),
    /// It has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The signature is written in UTF-8, and the document is not.
    #[error("only a document in UTF-8 is signed")]
    NotUtf8,
    /// The algorithm is not one of the certificate's key, or has no identifier in XML Signature.
    #[error("the algorithm does not fit the certificate's key, or XML Signature has no identifier for it")]
    Algorithm,
    /// The value does not verify under the certificate.
    #[error("the signature does not verify under the signer's certificate")]
    SignatureValue,
}

/// A signature that lacks its value.
#[derive(Clone, Debug)]
pub struct PreparedXml {
    /// Up to and behind the place of the value.
    before: String,
    after: String,
    to_be_signed: Vec<u8>,
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    /// ECDSA: octets of r and of s.
    coordinate_len: Option<usize>,
}

impl PreparedXml {
    /// Lays the signature out and computes what its value must be over.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn new(order: &Order<'_>) -> Result<PreparedXml, PrepareError> {
        let algorithm = order.algorithm.uri().ok_or(PrepareError::Algorithm)?;
        let digest = order.algorithm.digest().unwrap_or(DigestAlgorithm::Sha512);
        let digest_uri = digest.uri().ok_or(PrepareError::Algorithm)?;
        let key = PublicKey::from_spki(order.certificate.spki()).map_err(|_| PrepareError::Algorithm)?;
        if key.verify(&order.algorithm, &[], &[]) == Err(SignatureError::KeyMismatch) {
            return Err(PrepareError::Algorithm);
        }
        let coordinate_len = key.coordinate_len();
        let document = Document::parse(order.document)?;
        let source = document.source();
        let unmarked = order.document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(order.document);
        if unmarked != source.as_bytes() {
            return Err(PrepareError::NotUtf8);
        }
        let content = digest_of(&Subtree::whole(&document), digest)?;
        // Unique in the document without chance: the digest changes with every signature that is added.
        let identifier: String = content.as_bytes().iter().take(16).map(|b| format!("{b:02x}")).collect();
        let layout = Layout { order, algorithm, digest_uri, content: encode(content.as_bytes()), identifier };

        let (head, tail) = around_the_place(&document);
        let object = match order.profile {
            Profile::Plain => String::new(),
            Profile::BaselineB => layout.object(),
        };
        // The digest of the signed properties is over them in their place.
        let properties = match order.profile {
            Profile::Plain => None,
            Profile::BaselineB => {
                let draft = format!("{head}{}{object}</ds:Signature>{tail}", layout.opening());
                let draft = Document::parse(draft.as_bytes())?;
                let id = layout.properties_id();
                let found = draft
                    .elements()
                    .find(|e| e.attribute("", "Id").as_deref() == Some(&id))
                    .ok_or(PrepareError::Algorithm)?;
                Some(encode(digest_of(&Subtree::of(found), digest)?.as_bytes()))
            }
        };
        let before =
            format!("{head}{}{}<ds:SignatureValue>\n", layout.opening(), layout.signed_info(properties.as_deref()));
        let after = format!("\n</ds:SignatureValue>\n{}{object}</ds:Signature>{tail}", layout.key_info());
        let assembled = format!("{before}{after}");
        let assembled = Document::parse(assembled.as_bytes())?;
        let signed_info = assembled
            .elements()
            .filter(|e| e.is(NAMESPACE, "SignedInfo"))
            .find(|e| e.range().end <= before.len() && e.range().start >= head.len())
            .ok_or(PrepareError::Algorithm)?;
        let mut to_be_signed = Vec::new();
        canonicalize(&assembled, &Subtree::of(signed_info), &inclusive()?, &mut to_be_signed)?;
        Ok(PreparedXml { before, after, to_be_signed, key, algorithm: order.algorithm, coordinate_len })
    }

    /// The octets that the signature value is over.
    pub fn to_be_signed(&self) -> &[u8] {
        &self.to_be_signed
    }

    /// Puts the value in its place: as [`crate::crypto::PrivateKey::sign`] gives it.
    ///
    /// # Errors
    /// [`PrepareError::SignatureValue`].
    pub fn assemble(self, signature: &[u8]) -> Result<Vec<u8>, PrepareError> {
        let verified = self.key.verify(&self.algorithm, &self.to_be_signed, signature);
        verified.map_err(|_| PrepareError::SignatureValue)?;
        let fixed = match self.coordinate_len {
            Some(length) => ecdsa_fixed_from_der(signature, length).ok_or(PrepareError::SignatureValue)?,
            None => signature.to_vec(),
        };
        Ok(format!("{}{}{}", self.before, lines(&fixed), self.after).into_bytes())
    }
}

fn inclusive() -> Result<Canonicalization, PrepareError> {
    Canonicalization::from_uri(INCLUSIVE).ok_or(PrepareError::Algorithm)
}

fn digest_of(subtree: &Subtree<'_>, algorithm: DigestAlgorithm) -> Result<Digest, PrepareError> {
    let mut hasher = super::reference::Digesting::new(algorithm);
    canonicalize(subtree.document(), subtree, &inclusive()?, &mut hasher)?;
    Ok(hasher.finish())
}

/// The text before and after the end of the document element's content; an empty-element tag is opened.
fn around_the_place(document: &Document<'_>) -> (String, String) {
    let source = document.source();
    let root = document.root();
    let split = |at: usize| source.split_at_checked(at).unwrap_or((source, ""));
    match root.content_range() {
        Some(content) => {
            let (head, tail) = split(content.end);
            (head.to_owned(), tail.to_owned())
        }
        None => {
            let (tag, tail) = split(root.range().end);
            let open = tag.strip_suffix("/>").unwrap_or(tag).trim_end();
            (format!("{open}>"), format!("</{}>{tail}", root.qualified_name()))
        }
    }
}

fn encode(octets: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// base64 in lines of 76, as MIME and the national library break it.
fn lines(octets: &[u8]) -> String {
    let mut text = encode(octets);
    let mut at = 76;
    while at < text.len() {
        text.insert(at, '\n');
        at += 77;
    }
    text
}

/// The texts of one signature.
struct Layout<'a> {
    order: &'a Order<'a>,
    algorithm: &'static str,
    digest_uri: &'static str,
    /// base64 of the digest of the document.
    content: String,
    identifier: String,
}

impl Layout<'_> {
    fn signature_id(&self) -> String {
        format!("xmldsig-{}", self.identifier)
    }

    fn properties_id(&self) -> String {
        format!("{}-signedprops", self.signature_id())
    }

    fn reference_id(&self) -> String {
        format!("{}-ref0", self.signature_id())
    }

    fn opening(&self) -> String {
        match self.order.profile {
            Profile::Plain => format!("<ds:Signature xmlns:ds=\"{NAMESPACE}\">\n"),
            Profile::BaselineB => format!("<ds:Signature xmlns:ds=\"{NAMESPACE}\" Id=\"{}\">\n", self.signature_id()),
        }
    }

    fn signed_info(&self, properties: Option<&str>) -> String {
        let Layout { algorithm, digest_uri, content, .. } = self;
        let reference_id = match self.order.profile {
            Profile::Plain => String::new(),
            Profile::BaselineB => format!("Id=\"{}\" ", self.reference_id()),
        };
        let mut text = format!(
            "<ds:SignedInfo>\n\
             <ds:CanonicalizationMethod Algorithm=\"{INCLUSIVE}\"/>\n\
             <ds:SignatureMethod Algorithm=\"{algorithm}\"/>\n\
             <ds:Reference {reference_id}URI=\"\">\n\
             <ds:Transforms>\n\
             <ds:Transform Algorithm=\"{}\"/>\n\
             <ds:Transform Algorithm=\"{INCLUSIVE}#WithComments\"/>\n\
             </ds:Transforms>\n\
             <ds:DigestMethod Algorithm=\"{digest_uri}\"/>\n\
             <ds:DigestValue>{content}</ds:DigestValue>\n\
             </ds:Reference>\n",
            super::ENVELOPED_SIGNATURE
        );
        if let Some(properties) = properties {
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "<ds:Reference Type=\"http://uri.etsi.org/01903#SignedProperties\" URI=\"#{}\">\n\
                 <ds:DigestMethod Algorithm=\"{digest_uri}\"/>\n\
                 <ds:DigestValue>{properties}</ds:DigestValue>\n\
                 </ds:Reference>\n",
                self.properties_id()
            );
        }
        text + "</ds:SignedInfo>\n"
    }

    fn key_info(&self) -> String {
        let own = self.order.certificate.raw();
        let above = self.order.chain.iter().map(Vec::as_slice).filter(|der| *der != own);
        let certificates: String = std::iter::once(own)
            .chain(above)
            .map(|der| format!("<ds:X509Certificate>\n{}\n</ds:X509Certificate>\n", lines(der)))
            .collect();
        format!("<ds:KeyInfo>\n<ds:X509Data>\n{certificates}</ds:X509Data>\n</ds:KeyInfo>\n")
    }

    fn object(&self) -> String {
        let certificate = DigestAlgorithm::Sha256.digest(self.order.certificate.raw());
        format!(
            "<ds:Object><xades:QualifyingProperties xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\" Target=\"#{}\">\
             <xades:SignedProperties Id=\"{}\"><xades:SignedSignatureProperties>\
             <xades:SigningTime>{}</xades:SigningTime>\
             <xades:SigningCertificateV2><xades:Cert><xades:CertDigest>\
             <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue>{}</ds:DigestValue>\
             </xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>\
             <xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference=\"#{}\">\
             <xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>\
             </xades:SignedProperties></xades:QualifyingProperties></ds:Object>\n",
            self.signature_id(),
            self.properties_id(),
            self.order.signing_time,
            encode(certificate.as_bytes()),
            self.reference_id(),
        )
    }
}
