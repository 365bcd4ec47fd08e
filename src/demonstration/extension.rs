//! Extensions of certificates and lists, each from what it says.
//!
//! `critical` is what RFC 5280 and the national profile ask for; the field is public.

use crate::asn1::{Oid, Tag, encode};
use crate::pki::extension::{KeyUsage, id};

/// An extension as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// extnID.
    pub id: Oid<'static>,
    /// critical.
    pub critical: bool,
    /// What the extnValue OCTET STRING holds.
    pub value: Vec<u8>,
}

impl Extension {
    /// An extension that may be ignored.
    pub fn new(id: Oid<'static>, value: Vec<u8>) -> Extension {
        Extension { id, critical: false, value }
    }

    /// The same, critical.
    pub fn critical(self) -> Extension {
        Extension { critical: true, ..self }
    }

    /// The same, not critical.
    pub fn non_critical(self) -> Extension {
        Extension { critical: false, ..self }
    }

    /// `Extension` in DER (RFC 5280 §4.1).
    pub fn to_der(&self) -> Vec<u8> {
        // DER leaves the default out (X.690 §11.5).
        let critical = if self.critical { encode::boolean(true) } else { Vec::new() };
        encode::sequence(&[&encode::oid(self.id), &critical, &encode::octet_string(&self.value)])
    }
}

/// `Extensions` in DER.
pub(super) fn list(extensions: &[Extension]) -> Vec<u8> {
    encode::sequence_of(&extensions.iter().map(Extension::to_der).collect::<Vec<_>>())
}

/// basicConstraints (§4.2.1.9) of an authority.
pub fn authority(path_len: Option<u8>) -> Extension {
    let path_len = path_len.map(|n| encode::small_unsigned(n.into())).unwrap_or_default();
    Extension::new(id::BASIC_CONSTRAINTS, encode::sequence(&[&encode::boolean(true), &path_len])).critical()
}

/// basicConstraints of an end entity: an empty SEQUENCE.
pub fn end_entity() -> Extension {
    Extension::new(id::BASIC_CONSTRAINTS, encode::sequence(&[]))
}

/// keyUsage (§4.2.1.3).
pub fn key_usage(usage: KeyUsage) -> Extension {
    Extension::new(id::KEY_USAGE, encode::named_bits(usage.bits())).critical()
}

/// extKeyUsage (§4.2.1.12).
pub fn extended_key_usage(purposes: &[Oid<'_>]) -> Extension {
    Extension::new(id::EXTENDED_KEY_USAGE, oids(purposes))
}

/// certificatePolicies (§4.2.1.4) without qualifiers.
pub fn certificate_policies(policies: &[Oid<'_>]) -> Extension {
    let policies: Vec<_> = policies.iter().map(|policy| encode::sequence(&[&encode::oid(*policy)])).collect();
    Extension::new(id::CERTIFICATE_POLICIES, encode::sequence_of(&policies))
}

/// policyMappings (§4.2.1.5): issuer's policy, subject's policy.
pub fn policy_mappings(pairs: &[(Oid<'_>, Oid<'_>)]) -> Extension {
    let pairs: Vec<_> =
        pairs.iter().map(|(from, to)| encode::sequence(&[&encode::oid(*from), &encode::oid(*to)])).collect();
    Extension::new(id::POLICY_MAPPINGS, encode::sequence_of(&pairs)).critical()
}

/// policyConstraints (§4.2.1.11).
pub fn policy_constraints(require_explicit: Option<u8>, inhibit_mapping: Option<u8>) -> Extension {
    let skip = |n: u8, value: Option<u8>| value.map(|v| encode::element(Tag::context(n), &[&[v]])).unwrap_or_default();
    let value = encode::sequence(&[&skip(0, require_explicit), &skip(1, inhibit_mapping)]);
    Extension::new(id::POLICY_CONSTRAINTS, value).critical()
}

/// inhibitAnyPolicy (§4.2.1.14).
pub fn inhibit_any_policy(skip: u8) -> Extension {
    Extension::new(id::INHIBIT_ANY_POLICY, encode::small_unsigned(skip.into())).critical()
}

/// nameConstraints (§4.2.1.10): the bases of permitted and excluded subtrees, each a GeneralName.
pub fn name_constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
    let trees = |n: u8, bases: &[Vec<u8>]| {
        if bases.is_empty() {
            return Vec::new();
        }
        let trees: Vec<Vec<u8>> = bases.iter().map(|base| encode::sequence(&[base])).collect();
        encode::element(Tag::context_constructed(n), &[&trees.concat()])
    };
    let value = encode::sequence(&[&trees(0, permitted), &trees(1, excluded)]);
    Extension::new(id::NAME_CONSTRAINTS, value).critical()
}

/// subjectAltName (§4.2.1.6).
pub fn subject_alt_name(names: &[Vec<u8>]) -> Extension {
    Extension::new(id::SUBJECT_ALT_NAME, encode::sequence_of(names))
}

/// subjectKeyIdentifier (§4.2.1.2).
pub fn subject_key_identifier(identifier: &[u8]) -> Extension {
    Extension::new(id::SUBJECT_KEY_IDENTIFIER, encode::octet_string(identifier))
}

/// authorityKeyIdentifier (§4.2.1.1) by identifier alone.
pub fn authority_key_identifier(identifier: &[u8]) -> Extension {
    let identifier = encode::element(Tag::context(0), &[identifier]);
    Extension::new(id::AUTHORITY_KEY_IDENTIFIER, encode::sequence(&[&identifier]))
}

/// cRLDistributionPoints (§4.2.1.13): one point per address.
pub fn crl_distribution_points(uris: &[&str]) -> Extension {
    Extension::new(id::CRL_DISTRIBUTION_POINTS, distribution_points(uris))
}

/// freshestCRL (§4.2.1.15): where the delta lists are.
pub fn freshest_crl(uris: &[&str]) -> Extension {
    Extension::new(id::FRESHEST_CRL, distribution_points(uris))
}

/// authorityInfoAccess (§4.2.2.1): OCSP responders and issuer's certificates.
pub fn authority_information_access(ocsp: &[&str], ca_issuers: &[&str]) -> Extension {
    let access = |method: Oid<'_>, location: &str| encode::sequence(&[&encode::oid(method), &uri(location)]);
    let descriptions: Vec<_> = (ocsp.iter().map(|at| access(id::ACCESS_OCSP, at)))
        .chain(ca_issuers.iter().map(|at| access(id::ACCESS_CA_ISSUERS, at)))
        .collect();
    Extension::new(id::AUTHORITY_INFORMATION_ACCESS, encode::sequence_of(&descriptions))
}

/// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
pub fn ocsp_nocheck() -> Extension {
    Extension::new(id::OCSP_NOCHECK, encode::null())
}

/// issuingDistributionPoint (§5.2.5).
#[derive(Clone, Copy, Debug, Default)]
pub struct IssuingDistributionPoint<'a> {
    /// distributionPoint, by address.
    pub uri: Option<&'a str>,
    /// onlyContainsUserCerts.
    pub only_user: bool,
    /// onlyContainsCACerts.
    pub only_authority: bool,
    /// onlySomeReasons: bit `n` of ReasonFlags where `1 << n` is.
    pub reasons: Option<u16>,
    /// indirectCRL.
    pub indirect: bool,
    /// onlyContainsAttributeCerts.
    pub only_attribute: bool,
}

impl IssuingDistributionPoint<'_> {
    /// The extension.
    pub fn to_extension(&self) -> Extension {
        let flag = |n: u8, on: bool| if on { encode::element(Tag::context(n), &[&[0xff]]) } else { Vec::new() };
        let point = self.uri.map(|at| encode::explicit(0, &full_name(&[at]))).unwrap_or_default();
        let reasons = self.reasons.map(|bits| retag(Tag::context(3), encode::named_bits(bits))).unwrap_or_default();
        let value = encode::sequence(&[
            &point,
            &flag(1, self.only_user),
            &flag(2, self.only_authority),
            &reasons,
            &flag(4, self.indirect),
            &flag(5, self.only_attribute),
        ]);
        Extension::new(id::ISSUING_DISTRIBUTION_POINT, value).critical()
    }
}

/// The GeneralName `uniformResourceIdentifier`.
pub fn uri(address: &str) -> Vec<u8> {
    encode::string(Tag::context(6), address)
}

/// The GeneralName `dNSName`.
pub fn dns_name(name: &str) -> Vec<u8> {
    encode::string(Tag::context(2), name)
}

/// The GeneralName `rfc822Name`.
pub fn rfc822_name(address: &str) -> Vec<u8> {
    encode::string(Tag::context(1), address)
}

/// The GeneralName `directoryName` around a `Name` in DER.
pub fn directory_name(name: &[u8]) -> Vec<u8> {
    encode::explicit(4, name)
}

fn oids(oids: &[Oid<'_>]) -> Vec<u8> {
    encode::sequence_of(&oids.iter().map(|oid| encode::oid(*oid)).collect::<Vec<_>>())
}

/// `fullName [0] GeneralNames` of addresses.
fn full_name(uris: &[&str]) -> Vec<u8> {
    encode::explicit(0, &uris.iter().flat_map(|at| uri(at)).collect::<Vec<_>>())
}

fn distribution_points(uris: &[&str]) -> Vec<u8> {
    let points: Vec<_> = uris.iter().map(|at| encode::sequence(&[&encode::explicit(0, &full_name(&[at]))])).collect();
    encode::sequence_of(&points)
}

/// The element under another identifier octet.
fn retag(tag: Tag, mut element: Vec<u8>) -> Vec<u8> {
    if let Some(first) = element.first_mut() {
        *first = tag.0;
    }
    element
}
