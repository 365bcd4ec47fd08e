//! What a document carries so that its proof lasts: every element that an archive time-stamp can cover, and the index
//! that says which of them one does cover (ETSI EN 319 122-1 §5.5).
//!
//! ```text
//! ATSHashIndexV3 ::= SEQUENCE {
//!     hashIndAlgorithm AlgorithmIdentifier, certificatesHashIndex SEQUENCE OF OCTET STRING,
//!     crlsHashIndex SEQUENCE OF OCTET STRING, unsignedAttrValuesHashIndex SEQUENCE OF OCTET STRING }
//! ```
//!
//! *Invariant:* what is digested are the octets that were received; an element that no index names is not covered.

use super::malformed;
use crate::asn1::{Element, Error, Oid, Reader, Tag, encode, oid};
use crate::crypto::{AlgorithmIdentifier, DigestAlgorithm};
use crate::format::limits::{MAX_ATTRIBUTES, MAX_CERTIFICATES, MAX_UNSIGNED_VALUES, check_limit};
use crate::format::{ParsedDocument, ParsedSignature};
use crate::report::Reason;

/// id-aa-signatureTimeStampToken (RFC 3161 §A).
pub const SIGNATURE_TIMESTAMP: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 14);
/// id-aa-ets-archiveTimestampV3 (EN 319 122-1 §5.5.3).
pub const ARCHIVE_TIMESTAMP_V3: Oid<'static> = oid!(0, 4, 0, 1733, 2, 4);
/// id-aa-ATSHashIndex-v3 (EN 319 122-1 §5.5.2).
pub const HASH_INDEX_V3: Oid<'static> = oid!(0, 4, 0, 19122, 1, 5);
/// id-aa-ets-certValues (EN 319 122-1 §A.1.1.2).
pub const CERTIFICATE_VALUES: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 23);
/// id-aa-ets-revocationValues (EN 319 122-1 §A.1.2.2).
pub const REVOCATION_VALUES: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 24);
/// id-ri-ocsp-response (RFC 5940 §2.1): a whole OCSPResponse.
pub const OCSP_RESPONSE: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 16, 2);
/// id-pkix-ocsp-basic: a BasicOCSPResponse alone, as EN 319 122-1 §5.4.2.2 has it.
pub const BASIC_OCSP_RESPONSE: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 1);

/// The sets of SignedData, member by member, and the type of its content: whole encodings.
#[derive(Clone, Debug, Default)]
pub struct SignedDataElements<'a> {
    /// eContentType, the whole OBJECT IDENTIFIER.
    pub content_type: &'a [u8],
    /// Every CertificateChoices, of whatever kind.
    pub certificates: Vec<&'a [u8]>,
    /// Every RevocationInfoChoice, of whatever kind.
    pub revocations: Vec<&'a [u8]>,
}

/// One value of an unsigned attribute.
#[derive(Clone, Copy, Debug)]
pub struct UnsignedValue<'a> {
    /// attrType.
    pub kind: Oid<'a>,
    /// attrType, the whole OBJECT IDENTIFIER.
    kind_encoding: &'a [u8],
    /// The value, whole.
    pub value: &'a [u8],
}

impl UnsignedValue<'_> {
    /// What a hash index digests: the type and one value, one after the other.
    fn digest(&self, algorithm: DigestAlgorithm) -> Vec<u8> {
        algorithm.digest(&[self.kind_encoding, self.value].concat()).as_bytes().to_vec()
    }
}

/// `[1] IMPLICIT UnsignedAttributes`, value by value.
pub(super) fn unsigned_values<'a>(attributes: &Element<'a>) -> Result<Vec<UnsignedValue<'a>>, Reason> {
    let mut reader = attributes.reader().map_err(malformed)?;
    let mut found = Vec::new();
    let mut count = 0;
    while !reader.is_empty() {
        count += 1;
        check_limit("unsigned attributes", count, MAX_ATTRIBUTES)?;
        let mut attribute = reader.sequence().map_err(malformed)?;
        let kind = attribute.expect(Tag::OID).map_err(malformed)?;
        let mut values = attribute.set().map_err(malformed)?;
        attribute.finish().map_err(malformed)?;
        let name = Oid::from_contents(kind.contents).ok_or_else(|| malformed(kind.invalid()))?;
        while !values.is_empty() {
            check_limit("unsigned attribute values", found.len() + 1, MAX_UNSIGNED_VALUES)?;
            let value = values.element().map_err(malformed)?.raw;
            found.push(UnsignedValue { kind: name, kind_encoding: kind.raw, value });
        }
    }
    Ok(found)
}

/// A piece of evidence inside a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarriedEvidence<'a> {
    /// A certificate.
    Certificate(&'a [u8]),
    /// A revocation list.
    RevocationList(&'a [u8]),
    /// An OCSPResponse.
    OcspResponse(&'a [u8]),
    /// A BasicOCSPResponse.
    BasicOcspResponse(&'a [u8]),
    /// A time-stamp token, which carries evidence of its own.
    Token(&'a [u8]),
}

/// The certificate of a CertificateChoices; attribute certificates and other kinds prove nothing here.
pub fn certificate_choice(choice: &[u8]) -> Option<CarriedEvidence<'_>> {
    (choice.first() == Some(&Tag::SEQUENCE.0)).then_some(CarriedEvidence::Certificate(choice))
}

/// ```text
/// RevocationInfoChoice ::= CHOICE { crl CertificateList, other [1] IMPLICIT OtherRevocationInfoFormat }
/// OtherRevocationInfoFormat ::= SEQUENCE { otherRevInfoFormat OBJECT IDENTIFIER, otherRevInfo ANY }
/// ```
/// (RFC 5652 §10.2.1). Unknown formats are nothing.
pub fn revocation_choice(choice: &[u8]) -> Option<CarriedEvidence<'_>> {
    if choice.first() == Some(&Tag::SEQUENCE.0) {
        return Some(CarriedEvidence::RevocationList(choice));
    }
    let mut other = Reader::ber(choice).expect(Tag::context_constructed(1)).ok()?.reader().ok()?;
    let format = other.oid().ok()?;
    let information = other.element().ok()?.raw;
    other.finish().ok()?;
    match format {
        OCSP_RESPONSE => Some(CarriedEvidence::OcspResponse(information)),
        BASIC_OCSP_RESPONSE => Some(CarriedEvidence::BasicOcspResponse(information)),
        _ => None,
    }
}

/// What an unsigned attribute carries: tokens, and the values of documents that were extended in the older way.
///
/// ```text
/// CertificateValues ::= SEQUENCE OF Certificate
/// RevocationValues ::= SEQUENCE { crlVals [0] SEQUENCE OF CertificateList OPTIONAL,
///     ocspVals [1] SEQUENCE OF BasicOCSPResponse OPTIONAL, otherRevVals [2] OtherRevVals OPTIONAL }
/// ```
/// (EN 319 122-1 §A.1). What cannot be read is left out: it was a hint.
pub fn unsigned_evidence<'a>(value: &UnsignedValue<'a>) -> Vec<CarriedEvidence<'a>> {
    fn members<'a>(
        sequence: Element<'a>,
        of: fn(&'a [u8]) -> CarriedEvidence<'a>,
    ) -> Result<Vec<CarriedEvidence<'a>>, Error> {
        let mut reader = sequence.expect(Tag::SEQUENCE)?.reader()?;
        let mut found = Vec::new();
        while !reader.is_empty() && found.len() < MAX_CERTIFICATES {
            found.push(of(reader.expect(Tag::SEQUENCE)?.raw));
        }
        Ok(found)
    }
    let read = || -> Result<Vec<CarriedEvidence<'a>>, Error> {
        let mut reader = Reader::ber(value.value);
        match value.kind {
            SIGNATURE_TIMESTAMP | ARCHIVE_TIMESTAMP_V3 => Ok(vec![CarriedEvidence::Token(value.value)]),
            CERTIFICATE_VALUES => members(reader.element()?, CarriedEvidence::Certificate),
            REVOCATION_VALUES => {
                let mut values = reader.sequence()?;
                let mut found = Vec::new();
                if let Some(lists) = values.optional(Tag::context_constructed(0))? {
                    found.extend(members(lists.reader()?.element()?, CarriedEvidence::RevocationList)?);
                }
                if let Some(responses) = values.optional(Tag::context_constructed(1))? {
                    found.extend(members(responses.reader()?.element()?, CarriedEvidence::BasicOcspResponse)?);
                }
                Ok(found)
            }
            _ => Ok(Vec::new()),
        }
    };
    read().unwrap_or_default()
}

/// ATSHashIndexV3.
#[derive(Clone, Debug)]
pub struct HashIndex<'a> {
    /// The whole encoding.
    pub encoding: &'a [u8],
    /// Identifier of the digest algorithm.
    pub algorithm: Oid<'a>,
    certificates: Vec<&'a [u8]>,
    revocations: Vec<&'a [u8]>,
    unsigned: Vec<&'a [u8]>,
}

/// What an archive time-stamp covers besides the signature, its attributes and the content.
#[derive(Clone, Debug, Default)]
pub struct IndexedElements<'a> {
    /// Members of SignedData.certificates.
    pub certificates: Vec<&'a [u8]>,
    /// Members of SignedData.crls.
    pub revocations: Vec<&'a [u8]>,
    /// Values of the signer's unsigned attributes.
    pub unsigned: Vec<UnsignedValue<'a>>,
}

impl<'a> HashIndex<'a> {
    /// Reads an index.
    ///
    /// # Errors
    /// Where the octets are not its DER.
    pub fn parse(der: &'a [u8]) -> Result<HashIndex<'a>, Error> {
        let mut outer = Reader::der(der);
        let mut reader = outer.sequence()?;
        outer.finish()?;
        let algorithm = AlgorithmIdentifier::parse(&mut reader)?.algorithm;
        let mut digests = || -> Result<Vec<&'a [u8]>, Error> {
            let mut list = reader.sequence()?;
            let mut found = Vec::new();
            while !list.is_empty() {
                found.push(list.octet_string()?);
            }
            Ok(found)
        };
        let (certificates, revocations, unsigned) = (digests()?, digests()?, digests()?);
        reader.finish()?;
        Ok(HashIndex { encoding: der, algorithm, certificates, revocations, unsigned })
    }

    /// The index of everything that a document carries for a signature at this moment, in DER; `None` for a digest
    /// without an identifier.
    pub fn build(
        document: &ParsedDocument<'_>,
        signature: &ParsedSignature<'_>,
        algorithm: DigestAlgorithm,
    ) -> Option<Vec<u8>> {
        algorithm.oid()?;
        let digests = |elements: &[&[u8]]| {
            let digest = |element: &&[u8]| encode::octet_string(algorithm.digest(element).as_bytes());
            encode::sequence_of(&elements.iter().map(digest).collect::<Vec<_>>())
        };
        let unsigned = signature.unsigned_values.iter().map(|value| encode::octet_string(&value.digest(algorithm)));
        Some(encode::sequence(&[
            &algorithm.to_identifier(),
            &digests(&document.elements.certificates),
            &digests(&document.elements.revocations),
            &encode::sequence_of(&unsigned.collect::<Vec<_>>()),
        ]))
    }

    /// The elements of the document that the index names; `None` where it names one that is not there, which makes the
    /// whole index invalid (EN 319 122-1 §5.5.2).
    pub fn elements<'d>(
        &self,
        algorithm: DigestAlgorithm,
        document: &ParsedDocument<'d>,
        signature: &ParsedSignature<'d>,
    ) -> Option<IndexedElements<'d>> {
        fn named<T: Copy>(present: &[T], digest: impl Fn(&T) -> Vec<u8>, index: &[&[u8]]) -> Option<Vec<T>> {
            let digests: Vec<(Vec<u8>, T)> = present.iter().map(|element| (digest(element), *element)).collect();
            let find =
                |wanted: &&[u8]| digests.iter().find(|(digest, _)| digest == wanted).map(|(_, element)| *element);
            index.iter().map(find).collect()
        }
        let whole = |element: &&[u8]| algorithm.digest(element).as_bytes().to_vec();
        Some(IndexedElements {
            certificates: named(&document.elements.certificates, whole, &self.certificates)?,
            revocations: named(&document.elements.revocations, whole, &self.revocations)?,
            unsigned: named(&signature.unsigned_values, |value| value.digest(algorithm), &self.unsigned)?,
        })
    }

    /// How many elements it names.
    pub fn len(&self) -> usize {
        self.certificates.len() + self.revocations.len() + self.unsigned.len()
    }

    /// Whether it names nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The octets whose digest an archive time-stamp is over (EN 319 122-1 §5.5.3): the type of the content, the digest of
/// the content, the fields of the signer from version to signature, the index.
///
/// `None` where the content is not at hand.
pub fn archived_octets(
    document: &ParsedDocument<'_>,
    signature: &ParsedSignature<'_>,
    algorithm: DigestAlgorithm,
    hash_index: &[u8],
) -> Option<Vec<u8>> {
    let content = algorithm.digest(document.content.as_deref()?);
    let fields = signature.signer_fields.concat();
    Some([document.elements.content_type, content.as_bytes(), &fields, hash_index].concat())
}
