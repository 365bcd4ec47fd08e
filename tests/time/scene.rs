//! A signer, a time-stamping authority and what they make, at chosen times.

use std::sync::Arc;
use tamga::asn1::{Oid, oid};
use tamga::crypto::{Digest, DigestAlgorithm};
use tamga::demonstration::{CertificateTemplate, Credential, Holder, KeyKind, World};
use tamga::format::cms;
use tamga::pki::timestamp::{CertificateRequested, NewTstInfo};
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::report::{CheckId, Time, TimestampReport, ValidationReport};
use tamga::stamp::extension::add_signature_timestamp;
use tamga::stamp::timestamp::{Authority, prepare_token};
use tamga::stamp::{CadesOrder, Encapsulation, PreparedSignature};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::{Policy, Severity};
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

/// The policy of demonstration tokens.
pub const TSA_POLICY: Oid<'static> = oid!(1, 2, 398, 3, 3, 2, 6, 4);

/// A moment inside the validity of everything.
pub fn moment() -> Time {
    "2026-11-22T02:00:00Z".parse().unwrap()
}

pub fn certificate(credential: &Credential) -> Certificate {
    Certificate::parse(&credential.certificate).unwrap()
}

/// Who is there.
pub struct Scene {
    pub world: World,
    pub signer: Credential,
    pub authority: Credential,
}

impl Scene {
    pub fn new(at: Time, kind: KeyKind) -> Scene {
        let world = World::new(at, kind).unwrap();
        let signer = world.holder(&Holder::person(), kind).unwrap();
        let authority = world.timestamp_authority(kind).unwrap();
        Scene { world, signer, authority }
    }

    /// A signed document without a time-stamp.
    pub fn signed(&self, content: &[u8]) -> Vec<u8> {
        let certificate = certificate(&self.signer);
        let prepared = PreparedSignature::new(&CadesOrder {
            content,
            content_type: cms::ID_DATA,
            encapsulation: Encapsulation::Attached,
            certificate: &certificate,
            chain: std::slice::from_ref(&self.world.authority.certificate),
            algorithm: self.signer.algorithm,
            at: self.world.at,
            content_description: None,
        })
        .unwrap();
        sign(&self.signer, prepared)
    }

    /// A token of the scene's authority over these octets.
    pub fn token(&self, stamped: &[u8], gen_time: Time) -> Vec<u8> {
        self.token_of(&self.authority, stamped, gen_time)
    }

    /// A token of any authority over these octets.
    pub fn token_of(&self, authority: &Credential, stamped: &[u8], gen_time: Time) -> Vec<u8> {
        Token::new(stamped, gen_time).made_by(authority, &self.world)
    }

    /// A time-stamping authority as a changed template describes it.
    pub fn other_authority(&self, change: impl FnOnce(CertificateTemplate) -> CertificateTemplate) -> Credential {
        let key = Arc::clone(&self.authority.key);
        self.world.authority.issue(&change(self.world.timestamp_template(key.spki())), key).unwrap()
    }

    /// Verifies with the root trusted and no list at hand.
    pub fn verify(&self, document: &[u8], at: Time, unconfirmed: Severity) -> ValidationReport {
        self.verify_with(document, at, unconfirmed, &[])
    }

    /// Verifies with the root trusted and these lists.
    pub fn verify_with(&self, document: &[u8], at: Time, unconfirmed: Severity, lists: &[Vec<u8>]) -> ValidationReport {
        let roots = [certificate(&self.world.root)];
        let lists: Vec<Arc<dyn RevocationList>> =
            lists.iter().map(|der| -> Arc<dyn RevocationList> { Arc::new(Crl::parse(der).unwrap()) }).collect();
        let context = ValidationContext { trust_anchors: &roots, lists: &lists, ..ValidationContext::default() };
        judge(document, at, unconfirmed, context)
    }
}

/// A token in the making.
pub struct Token<'a> {
    pub imprint: Digest,
    pub gen_time: Time,
    pub certificate: CertificateRequested,
    pub nonce: Option<&'a [u8]>,
}

impl Token<'_> {
    pub fn new(stamped: &[u8], gen_time: Time) -> Token<'static> {
        let imprint = DigestAlgorithm::Sha256.digest(stamped);
        Token { imprint, gen_time, certificate: CertificateRequested::Yes, nonce: None }
    }

    pub fn made_by(&self, authority: &Credential, world: &World) -> Vec<u8> {
        let info = NewTstInfo {
            policy: TSA_POLICY,
            message_imprint: self.imprint,
            serial_number: &[1, 2, 3],
            gen_time: self.gen_time,
            accuracy: None,
            nonce: self.nonce,
        };
        let certificate = certificate(authority);
        let chain = [world.authority.certificate.clone()];
        let who = Authority { certificate: &certificate, chain: &chain, algorithm: authority.algorithm };
        sign(authority, prepare_token(&who, &info, self.certificate).unwrap())
    }
}

fn sign(credential: &Credential, prepared: PreparedSignature) -> Vec<u8> {
    let value = credential.key.private().sign(&credential.algorithm, prepared.to_be_signed()).unwrap();
    prepared.assemble(&value).unwrap()
}

/// The octets of the first signer's signature value.
pub fn signature_value(document: &[u8]) -> Vec<u8> {
    cms::parse(document, None).unwrap().signatures[0].signature.to_vec()
}

/// The document with the token at its first signer.
pub fn stamped(document: &[u8], token: &[u8]) -> Vec<u8> {
    add_signature_timestamp(document, 0, token).unwrap()
}

/// Verifies under the policy `signature`.
pub fn judge(document: &[u8], at: Time, unconfirmed: Severity, context: ValidationContext<'_>) -> ValidationReport {
    let mut policy = Policy::built_in("signature").unwrap();
    policy.unconfirmed_timestamp = unconfirmed;
    verify(&VerificationInputs {
        report_id: "test",
        at,
        received_at: None,
        document,
        format: None,
        content: None,
        declared: DeclaredApplicant::default(),
        service: None,
        policy: &policy,
        context,
    })
}

/// The first token of the first signature.
pub fn first_token(report: &ValidationReport) -> &TimestampReport {
    &report.signatures[0].timestamps[0]
}

/// The code with which the check `timestamp` failed.
pub fn failure(report: &ValidationReport) -> Option<&str> {
    report.signatures[0].checks.outcome(CheckId::Timestamp).failure().map(tamga::report::Reason::code)
}

/// A token with its one SignerInfo twice.
pub fn with_repeated_signer(token: &[u8]) -> Vec<u8> {
    use tamga::asn1::{Reader, Tag, encode};
    let mut content_info = Reader::der(token).sequence().unwrap();
    let kind = content_info.element().unwrap();
    let mut signed_data = content_info.element().unwrap().reader().unwrap().sequence().unwrap();
    let mut parts = Vec::new();
    while signed_data.peek() != Some(Tag::SET) || parts.len() == 1 {
        parts.push(signed_data.element().unwrap().raw.to_vec());
    }
    let signer = signed_data.set().unwrap().element().unwrap().raw.to_vec();
    parts.push(encode::set_of(&[signer.clone(), signer]));
    encode::sequence(&[kind.raw, &encode::explicit(0, &encode::sequence_of(&parts))])
}
