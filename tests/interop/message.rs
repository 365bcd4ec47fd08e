//! SignedData put together by hand, each part replaceable: what no signer would make.

use tamga::asn1::{Oid, Tag, encode, oid};
use tamga::crypto::{DigestAlgorithm, SignatureAlgorithm};
use tamga::demonstration::Credential;
use tamga::pki::Certificate;

pub const ID_DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 1);
pub const CONTENT_TYPE: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 3);
pub const MESSAGE_DIGEST: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 4);
pub const SIGNING_TIME: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 5);
pub const ALGORITHM_PROTECTION: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 52);
pub const SIGNING_CERTIFICATE_V2: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 2, 47);

/// An attribute with its values, in the order given.
pub fn attribute(kind: Oid<'_>, values: &[Vec<u8>]) -> Vec<u8> {
    encode::sequence(&[&encode::oid(kind), &encode::element(Tag::SET, &[&values.concat()])])
}

/// signingCertificateV2 that names a certificate by its SHA-256.
pub fn signing_certificate(certificate: &[u8]) -> Vec<u8> {
    let hash = DigestAlgorithm::Sha256.digest(certificate);
    let identifier = encode::sequence(&[&encode::octet_string(hash.as_bytes())]);
    attribute(SIGNING_CERTIFICATE_V2, &[encode::sequence(&[&encode::sequence(&[&identifier])])])
}

#[derive(Clone)]
pub struct Message {
    pub algorithm: SignatureAlgorithm,
    /// digestAlgorithms.
    pub declared_digests: Vec<Vec<u8>>,
    pub content_type: Oid<'static>,
    /// What stands where the content does, an element; detached where it is none.
    pub content: Option<Vec<u8>>,
    pub certificates: Vec<Vec<u8>>,
    /// sid.
    pub signer: Vec<u8>,
    pub digest_identifier: Vec<u8>,
    pub signature_identifier: Vec<u8>,
    /// Signed attributes, sorted before they are signed.
    pub attributes: Vec<Vec<u8>>,
}

impl Message {
    /// A message that every verifier accepts.
    pub fn new(signer: &Credential, content: &[u8]) -> Message {
        let digest = signer.algorithm.digest().unwrap_or(DigestAlgorithm::Sha512);
        let mut message = Message {
            algorithm: signer.algorithm,
            declared_digests: vec![digest.to_identifier()],
            content_type: ID_DATA,
            content: Some(encode::octet_string(content)),
            certificates: vec![signer.certificate.clone()],
            signer: issuer_and_serial(&signer.certificate),
            digest_identifier: digest.to_identifier(),
            signature_identifier: signer.algorithm.to_identifier().unwrap(),
            attributes: Vec::new(),
        };
        message.attributes = vec![
            attribute(CONTENT_TYPE, &[encode::oid(ID_DATA)]),
            attribute(MESSAGE_DIGEST, &[encode::octet_string(digest.digest(content).as_bytes())]),
            attribute(SIGNING_TIME, &[encode::time(crate::fixture::moment())]),
            signing_certificate(&signer.certificate),
        ];
        message
    }

    /// The message with one attribute replaced.
    pub fn with(mut self, kind: Oid<'_>, attribute: Vec<u8>) -> Message {
        let at = self.position(kind);
        self.attributes[at] = attribute;
        self
    }

    /// The message without an attribute.
    pub fn without(mut self, kind: Oid<'_>) -> Message {
        let at = self.position(kind);
        self.attributes.remove(at);
        self
    }

    /// The message with one more attribute.
    pub fn and(mut self, attribute: Vec<u8>) -> Message {
        self.attributes.push(attribute);
        self
    }

    fn position(&self, kind: Oid<'_>) -> usize {
        let kind = encode::oid(kind);
        self.attributes.iter().position(|a| a.windows(kind.len()).any(|w| w == kind)).unwrap()
    }

    /// Signed as a signer would.
    pub fn sign(&self, signer: &Credential) -> Vec<u8> {
        let attributes = encode::set_of(&self.attributes);
        self.sign_octets(signer, &attributes)
    }

    /// Signed over these attributes, a SET, which travel as they are under `[0]`.
    pub fn sign_octets(&self, signer: &Credential, attributes: &[u8]) -> Vec<u8> {
        let value = signer.key.private().sign(&self.algorithm, attributes).unwrap();
        self.assemble(Some(attributes), &value)
    }

    /// Put together around any attributes and any value.
    pub fn assemble(&self, attributes: Option<&[u8]>, value: &[u8]) -> Vec<u8> {
        let mut attributes = attributes.map(<[u8]>::to_vec).unwrap_or_default();
        if let Some(tag) = attributes.first_mut() {
            *tag = 0xa0;
        }
        let signer_info = encode::sequence(&[
            &encode::small_unsigned(1),
            &self.signer,
            &self.digest_identifier,
            &attributes,
            &self.signature_identifier,
            &encode::octet_string(value),
        ]);
        self.enclose(&[signer_info])
    }

    /// The frame around SignerInfos.
    pub fn enclose(&self, signer_infos: &[Vec<u8>]) -> Vec<u8> {
        let content = self.content.as_ref().map(|content| encode::explicit(0, content)).unwrap_or_default();
        let signed_data = encode::sequence(&[
            &encode::small_unsigned(1),
            &encode::set_of(&self.declared_digests),
            &encode::sequence(&[&encode::oid(self.content_type), &content]),
            &encode::implicit_set_of(Tag(0xa0), &self.certificates),
            &encode::set_of(signer_infos),
        ]);
        content_info(&signed_data)
    }
}

pub fn content_info(signed_data: &[u8]) -> Vec<u8> {
    encode::sequence(&[&encode::oid(oid!(1, 2, 840, 113549, 1, 7, 2)), &encode::explicit(0, signed_data)])
}

pub fn issuer_and_serial(certificate: &[u8]) -> Vec<u8> {
    let certificate = Certificate::parse(certificate).unwrap();
    let serial_number = encode::element(Tag::INTEGER, &[certificate.serial_number()]);
    encode::sequence(&[certificate.issuer().raw(), &serial_number])
}
