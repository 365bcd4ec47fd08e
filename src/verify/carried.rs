//! What a document carries to be judged by: certificates, lists, responses. Hints, all of them: nothing is trusted for
//! being there.
//!
//! *Invariant:* what cannot be read is left out; what is here is found again by the digest of its encoding.

use super::certificate::ValidationContext;
use crate::crypto::Digest;
use crate::format::cms::long_term::{self, CarriedEvidence, IndexedElements};
use crate::format::limits::MAX_CERTIFICATES;
use crate::format::{ParsedDocument, ParsedSignature, cms};
use crate::pki::timestamp::ID_CT_TST_INFO;
use crate::pki::{Certificate, Crl, OcspResponse};
use std::collections::HashSet;

/// Evidence that was parsed.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) certificates: Vec<Certificate>,
    pub(super) lists: Vec<Crl>,
    pub(super) responses: Vec<OcspResponse>,
}

impl Carried {
    /// What a container carries.
    pub(super) fn by(document: &ParsedDocument<'_>, context: &ValidationContext<'_>) -> Carried {
        Carried::of(document, context, |_| true)
    }

    /// What of it is among these digests.
    pub(super) fn covered(
        document: &ParsedDocument<'_>,
        digests: &HashSet<Digest>,
        context: &ValidationContext<'_>,
    ) -> Carried {
        Carried::of(document, context, |evidence| digests.contains(&own_digest(evidence)))
    }

    fn of(
        document: &ParsedDocument<'_>,
        context: &ValidationContext<'_>,
        wanted: impl Fn(CarriedEvidence<'_>) -> bool,
    ) -> Carried {
        let mut carried = Carried::default();
        let mut add = |evidence: CarriedEvidence<'_>| {
            if wanted(evidence) {
                carried.add(evidence, context);
            }
        };
        for certificate in &document.certificates {
            add(CarriedEvidence::Certificate(certificate));
        }
        document.elements.revocations.iter().filter_map(|c| long_term::revocation_choice(c)).for_each(&mut add);
        for value in document.signatures.iter().flat_map(|signature| &signature.unsigned_values) {
            // Tokens are read where they are judged, and their evidence serves themselves.
            let evidence = long_term::unsigned_evidence(value).into_iter();
            evidence.filter(|evidence| !matches!(evidence, CarriedEvidence::Token(_))).for_each(&mut add);
        }
        carried
    }

    fn add(&mut self, evidence: CarriedEvidence<'_>, context: &ValidationContext<'_>) {
        match evidence {
            CarriedEvidence::Certificate(der) if self.certificates.len() < MAX_CERTIFICATES => {
                self.certificates.extend(context.parse_certificate(der).ok());
            }
            CarriedEvidence::RevocationList(der) if self.lists.len() < MAX_CERTIFICATES => {
                self.lists.extend(Crl::parse(der).ok());
            }
            CarriedEvidence::OcspResponse(der) if self.responses.len() < MAX_CERTIFICATES => {
                self.responses.extend(OcspResponse::parse(der).ok());
            }
            CarriedEvidence::BasicOcspResponse(der) if self.responses.len() < MAX_CERTIFICATES => {
                self.responses.extend(OcspResponse::parse_basic_response(der).ok());
            }
            _ => {}
        }
    }
}

/// The digests of all evidence that travels in a document: what it need not be given again.
pub fn evidence_in(document: &ParsedDocument<'_>) -> Vec<Digest> {
    digests_of(&IndexedElements {
        certificates: document.elements.certificates.clone(),
        revocations: document.elements.revocations.clone(),
        unsigned: document.signatures.iter().flat_map(|signature| signature.unsigned_values.clone()).collect(),
    })
}

/// The digests of everything that an archive time-stamp proves to have existed (EN 319 102-1 §5.6.2.3): what its index
/// names, and what lies inside of that.
pub(super) fn digests_of(elements: &IndexedElements<'_>) -> Vec<Digest> {
    let mut digests = Vec::new();
    let certificates = elements.certificates.iter().filter_map(|choice| long_term::certificate_choice(choice));
    let revocations = elements.revocations.iter().filter_map(|choice| long_term::revocation_choice(choice));
    let unsigned = elements.unsigned.iter().flat_map(long_term::unsigned_evidence);
    certificates.chain(revocations).chain(unsigned).for_each(|evidence| add_digests(evidence, &mut digests));
    digests
}

/// The digests of what a time-stamp token carries.
pub(super) fn digests_in_token(token: &ParsedDocument<'_>, digests: &mut Vec<Digest>) {
    for certificate in &token.certificates {
        add_digests(CarriedEvidence::Certificate(certificate), digests);
    }
    let revocations = token.elements.revocations.iter().filter_map(|choice| long_term::revocation_choice(choice));
    let values = |signature: &ParsedSignature<'_>| {
        let unsigned = signature.unsigned_values.iter();
        // A token within a token's attributes is nothing that is judged here: one level is all there is.
        unsigned.flat_map(long_term::unsigned_evidence).map(own_digest).collect::<Vec<_>>()
    };
    revocations.for_each(|evidence| add_digests(evidence, digests));
    digests.extend(token.signatures.iter().flat_map(values));
}

fn own_digest(evidence: CarriedEvidence<'_>) -> Digest {
    match evidence {
        CarriedEvidence::Certificate(der)
        | CarriedEvidence::RevocationList(der)
        | CarriedEvidence::OcspResponse(der)
        | CarriedEvidence::BasicOcspResponse(der)
        | CarriedEvidence::Token(der) => Digest::sha256(der),
    }
}

fn add_digests(evidence: CarriedEvidence<'_>, digests: &mut Vec<Digest>) {
    digests.push(own_digest(evidence));
    match evidence {
        CarriedEvidence::Token(der) => {
            if let Ok(token) = cms::parse_signed_data(der, ID_CT_TST_INFO, None) {
                digests_in_token(&token, digests);
            }
        }
        // The responder's certificate travels in the response.
        CarriedEvidence::OcspResponse(der) => {
            let response = OcspResponse::parse(der).ok();
            digests.extend(response.iter().flat_map(|response| &response.certificates).map(|c| *c.digest()));
        }
        CarriedEvidence::BasicOcspResponse(der) => {
            let response = OcspResponse::parse_basic_response(der).ok();
            digests.extend(response.iter().flat_map(|response| &response.certificates).map(|c| *c.digest()));
        }
        CarriedEvidence::Certificate(_) | CarriedEvidence::RevocationList(_) => {}
    }
}
