//! Certificate and CRL extensions of RFC 5280 §4.2 and §5, as types.
//!
//! *Invariant:* a value of a type here was read to its last byte; its iterators cannot fail.

mod distribution_point;

pub use distribution_point::{
    DistributionPoint, DistributionPointName, IssuingDistributionPoint, OnlyContains, ReasonFlags,
};

use super::Name;
use crate::asn1::{BitString, Element, Error, Oid, Reader, Tag, oid};
use std::marker::PhantomData;

/// Extension identifiers.
pub mod id {
    use super::{Oid, oid};

    /// subjectKeyIdentifier.
    pub const SUBJECT_KEY_IDENTIFIER: Oid<'static> = oid!(2, 5, 29, 14);
    /// keyUsage.
    pub const KEY_USAGE: Oid<'static> = oid!(2, 5, 29, 15);
    /// subjectAltName.
    pub const SUBJECT_ALT_NAME: Oid<'static> = oid!(2, 5, 29, 17);
    /// issuerAltName.
    pub const ISSUER_ALT_NAME: Oid<'static> = oid!(2, 5, 29, 18);
    /// basicConstraints.
    pub const BASIC_CONSTRAINTS: Oid<'static> = oid!(2, 5, 29, 19);
    /// cRLNumber.
    pub const CRL_NUMBER: Oid<'static> = oid!(2, 5, 29, 20);
    /// reasonCode.
    pub const CRL_REASON: Oid<'static> = oid!(2, 5, 29, 21);
    /// invalidityDate.
    pub const INVALIDITY_DATE: Oid<'static> = oid!(2, 5, 29, 24);
    /// deltaCRLIndicator.
    pub const DELTA_CRL_INDICATOR: Oid<'static> = oid!(2, 5, 29, 27);
    /// issuingDistributionPoint.
    pub const ISSUING_DISTRIBUTION_POINT: Oid<'static> = oid!(2, 5, 29, 28);
    /// certificateIssuer.
    pub const CERTIFICATE_ISSUER: Oid<'static> = oid!(2, 5, 29, 29);
    /// nameConstraints.
    pub const NAME_CONSTRAINTS: Oid<'static> = oid!(2, 5, 29, 30);
    /// cRLDistributionPoints.
    pub const CRL_DISTRIBUTION_POINTS: Oid<'static> = oid!(2, 5, 29, 31);
    /// certificatePolicies.
    pub const CERTIFICATE_POLICIES: Oid<'static> = oid!(2, 5, 29, 32);
    /// anyPolicy.
    pub const ANY_POLICY: Oid<'static> = oid!(2, 5, 29, 32, 0);
    /// policyMappings.
    pub const POLICY_MAPPINGS: Oid<'static> = oid!(2, 5, 29, 33);
    /// authorityKeyIdentifier.
    pub const AUTHORITY_KEY_IDENTIFIER: Oid<'static> = oid!(2, 5, 29, 35);
    /// policyConstraints.
    pub const POLICY_CONSTRAINTS: Oid<'static> = oid!(2, 5, 29, 36);
    /// extKeyUsage.
    pub const EXTENDED_KEY_USAGE: Oid<'static> = oid!(2, 5, 29, 37);
    /// freshestCRL.
    pub const FRESHEST_CRL: Oid<'static> = oid!(2, 5, 29, 46);
    /// inhibitAnyPolicy.
    pub const INHIBIT_ANY_POLICY: Oid<'static> = oid!(2, 5, 29, 54);
    /// expiredCertsOnCRL (X.509 §9.5.2.8).
    pub const EXPIRED_CERTS_ON_CRL: Oid<'static> = oid!(2, 5, 29, 60);
    /// authorityInfoAccess.
    pub const AUTHORITY_INFORMATION_ACCESS: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 1, 1);
    /// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
    pub const OCSP_NOCHECK: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 5);
    /// id-ad-ocsp, an access method.
    pub const ACCESS_OCSP: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 1);
    /// id-ad-caIssuers, an access method.
    pub const ACCESS_CA_ISSUERS: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 48, 2);
    /// id-qt-cps, a policy qualifier.
    pub const QUALIFIER_CPS: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 2, 1);
    /// id-qt-unotice, a policy qualifier.
    pub const QUALIFIER_USER_NOTICE: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 2, 2);
}

/// Extended key purposes.
pub mod purpose {
    use super::{Oid, oid};

    /// anyExtendedKeyUsage.
    pub const ANY: Oid<'static> = oid!(2, 5, 29, 37, 0);
    /// id-kp-clientAuth.
    pub const CLIENT_AUTH: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 3, 2);
    /// id-kp-emailProtection.
    pub const EMAIL_PROTECTION: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 3, 4);
    /// id-kp-timeStamping.
    pub const TIME_STAMPING: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 3, 8);
    /// id-kp-OCSPSigning.
    pub const OCSP_SIGNING: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 3, 9);
    /// id-kp-documentSigning (RFC 9336).
    pub const DOCUMENT_SIGNING: Oid<'static> = oid!(1, 3, 6, 1, 5, 5, 7, 3, 36);
}

/// One Extension of RFC 5280 §4.1.
#[derive(Clone, Copy, Debug)]
pub struct Extension<'a> {
    /// extnID.
    pub id: Oid<'a>,
    /// critical.
    pub critical: bool,
    /// Contents of extnValue.
    pub value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// The extension that comes next.
    ///
    /// DEVIATION: an encoded FALSE is taken, which X.690 §11.5 leaves out: issuers write it, the example of RFC 8410 §10.2
    /// among them. It says the same as its absence, so nothing is risked.
    ///
    /// # Errors
    /// Anything else but DER of an `Extension`.
    pub fn read(reader: &mut Reader<'a>) -> Result<Extension<'a>, Error> {
        let mut extension = reader.sequence()?;
        let id = extension.oid()?;
        let critical = match extension.optional(Tag::BOOLEAN)? {
            Some(element) => element.boolean()?,
            None => false,
        };
        let value = extension.octet_string()?;
        extension.finish()?;
        Ok(Extension { id, critical, value })
    }

    /// Reads the value to its end with a parser of its contents.
    ///
    /// # Errors
    /// Those of the parser, and trailing bytes.
    pub fn parse<T>(&self, parser: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>) -> Result<T, Error> {
        let mut reader = Reader::der(self.value);
        let value = parser(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// What a [`List`] is made of.
pub trait Item<'a>: Sized {
    /// Reads one item.
    ///
    /// # Errors
    /// Anything that is not DER of the item.
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error>;
}

/// A `SEQUENCE SIZE (1..MAX) OF` that has been read once in full and is read again as it is iterated.
pub struct List<'a, T> {
    contents: &'a [u8],
    item: PhantomData<fn() -> T>,
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<'a, T: Item<'a> + std::fmt::Debug> std::fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Item<'a>> List<'a, T> {
    /// The list that comes next.
    ///
    /// # Errors
    /// Another tag, an empty list, an item that does not parse.
    pub fn read(reader: &mut Reader<'a>) -> Result<List<'a, T>, Error> {
        List::of(&reader.expect(Tag::SEQUENCE)?)
    }

    /// The list whose contents an element holds, whatever its tag (IMPLICIT tagging).
    ///
    /// # Errors
    /// An empty list, an item that does not parse.
    pub fn of(element: &Element<'a>) -> Result<List<'a, T>, Error> {
        let mut items = element.reader()?;
        T::read(&mut items)?;
        while !items.is_empty() {
            T::read(&mut items)?;
        }
        Ok(List { contents: element.contents, item: PhantomData })
    }

    /// The items.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let mut reader = Reader::der(self.contents);
        std::iter::from_fn(move || if reader.is_empty() { None } else { T::read(&mut reader).ok() })
    }

    /// The contents octets of the list.
    pub fn contents(&self) -> &'a [u8] {
        self.contents
    }
}

impl<'a> Item<'a> for Oid<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        reader.oid()
    }
}

/// keyUsage (RFC 5280 §4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// digitalSignature.
    pub const DIGITAL_SIGNATURE: KeyUsage = KeyUsage(1 << 0);
    /// nonRepudiation, called contentCommitment since X.509 (2001).
    pub const NON_REPUDIATION: KeyUsage = KeyUsage(1 << 1);
    /// keyEncipherment.
    pub const KEY_ENCIPHERMENT: KeyUsage = KeyUsage(1 << 2);
    /// dataEncipherment.
    pub const DATA_ENCIPHERMENT: KeyUsage = KeyUsage(1 << 3);
    /// keyAgreement.
    pub const KEY_AGREEMENT: KeyUsage = KeyUsage(1 << 4);
    /// keyCertSign.
    pub const KEY_CERT_SIGN: KeyUsage = KeyUsage(1 << 5);
    /// cRLSign.
    pub const CRL_SIGN: KeyUsage = KeyUsage(1 << 6);
    /// encipherOnly.
    pub const ENCIPHER_ONLY: KeyUsage = KeyUsage(1 << 7);
    /// decipherOnly.
    pub const DECIPHER_ONLY: KeyUsage = KeyUsage(1 << 8);

    /// Reads the extension's value. "At least one of the bits MUST be set to 1".
    ///
    /// # Errors
    /// Anything else.
    pub fn read(reader: &mut Reader<'_>) -> Result<KeyUsage, Error> {
        let element = reader.expect(Tag::BIT_STRING)?;
        let bits = element.bit_string()?;
        match named_bits(&bits, 9) {
            0 => Err(element.invalid()),
            value => Ok(KeyUsage(value)),
        }
    }

    /// The named bits, bit `n` where `1 << n` is.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether every usage of `other` is allowed.
    pub const fn contains(self, other: KeyUsage) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some usage of `other` is allowed.
    pub const fn intersects(self, other: KeyUsage) -> bool {
        self.0 & other.0 != 0
    }
}

impl std::ops::BitOr for KeyUsage {
    type Output = KeyUsage;

    fn bitor(self, other: KeyUsage) -> KeyUsage {
        KeyUsage(self.0 | other.0)
    }
}

/// A named bit list, bit 0 in the least significant place. Bits past `count` have no name and are ignored, as an
/// extensible reader should.
///
/// DEVIATION: trailing zero bits are taken, which X.690 §11.2.2 leaves out: issuers write keyUsage in whole octets, and
/// every path validator takes it. They are the bits that are not set, with or without them.
fn named_bits(bits: &BitString<'_>, count: usize) -> u16 {
    (0..count).filter(|&n| bits.bit(n)).fold(0, |value, n| value | 1 << n)
}

/// basicConstraints (RFC 5280 §4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// cA.
    pub ca: bool,
    /// pathLenConstraint.
    pub path_len: Option<u32>,
}

impl BasicConstraints {
    /// Reads the extension's value.
    ///
    /// DEVIATION: X.690 §11.5 forbids to encode the default FALSE, but issuers do, and every path validator takes it. It
    /// says the same as its absence, so nothing is risked.
    ///
    /// # Errors
    /// Anything else but DER.
    pub fn read(reader: &mut Reader<'_>) -> Result<BasicConstraints, Error> {
        let mut fields = reader.sequence()?;
        let ca = match fields.optional(Tag::BOOLEAN)? {
            Some(element) => element.boolean()?,
            None => false,
        };
        let path_len = match fields.optional(Tag::INTEGER)? {
            Some(element) => Some(element.small_unsigned()?),
            None => None,
        };
        fields.finish()?;
        Ok(BasicConstraints { ca, path_len })
    }
}

/// authorityKeyIdentifier (RFC 5280 §4.2.1.1).
#[derive(Clone, Copy, Debug)]
pub struct AuthorityKeyIdentifier<'a> {
    /// keyIdentifier.
    pub key_identifier: Option<&'a [u8]>,
    /// authorityCertIssuer.
    pub authority_cert_issuer: Option<List<'a, GeneralName<'a>>>,
    /// authorityCertSerialNumber, contents of the INTEGER.
    pub authority_cert_serial_number: Option<&'a [u8]>,
}

impl<'a> AuthorityKeyIdentifier<'a> {
    /// Reads the extension's value.
    ///
    /// # Errors
    /// Anything but DER; issuer without serial number or the reverse ("MUST both be present or both be absent").
    pub fn read(reader: &mut Reader<'a>) -> Result<AuthorityKeyIdentifier<'a>, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut fields = element.reader()?;
        let key_identifier = fields.optional(Tag::context(0))?.map(|element| element.contents);
        let authority_cert_issuer = match fields.optional(Tag::context_constructed(1))? {
            Some(names) => Some(List::of(&names)?),
            None => None,
        };
        let authority_cert_serial_number = match fields.optional(Tag::context(2))? {
            Some(serial) if crate::asn1::integer_is_minimal(serial.contents) => Some(serial.contents),
            Some(serial) => return Err(serial.invalid()),
            None => None,
        };
        fields.finish()?;
        if authority_cert_issuer.is_some() != authority_cert_serial_number.is_some() {
            return Err(element.invalid());
        }
        Ok(AuthorityKeyIdentifier { key_identifier, authority_cert_issuer, authority_cert_serial_number })
    }
}

/// GeneralName (RFC 5280 §4.2.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneralName<'a> {
    /// otherName, contents.
    Other(&'a [u8]),
    /// rfc822Name.
    Rfc822(&'a str),
    /// dNSName.
    Dns(&'a str),
    /// x400Address, contents.
    X400(&'a [u8]),
    /// directoryName.
    Directory(Name<'a>),
    /// ediPartyName, contents.
    EdiParty(&'a [u8]),
    /// uniformResourceIdentifier.
    Uri(&'a str),
    /// iPAddress: 4 or 16 octets in a name, twice that in a constraint.
    Ip(&'a [u8]),
    /// registeredID.
    RegisteredId(Oid<'a>),
}

impl<'a> Item<'a> for GeneralName<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let element = reader.element()?;
        Ok(match element.tag.0 {
            0xa0 => {
                let mut other = element.reader()?;
                other.oid()?;
                other.expect(Tag::context_constructed(0))?;
                other.finish()?;
                GeneralName::Other(element.contents)
            }
            0x81 => GeneralName::Rfc822(ia5(&element)?),
            0x82 => GeneralName::Dns(ia5(&element)?),
            0xa3 => GeneralName::X400(element.contents),
            // A CHOICE is tagged explicitly (X.680 §31.2.7).
            0xa4 => {
                let mut inner = element.reader()?;
                let name = Name::read(&mut inner)?;
                inner.finish()?;
                GeneralName::Directory(name)
            }
            0xa5 => GeneralName::EdiParty(element.contents),
            0x86 => GeneralName::Uri(ia5(&element)?),
            0x87 => GeneralName::Ip(element.contents),
            0x88 => GeneralName::RegisteredId(Oid::from_contents(element.contents).ok_or(element.invalid())?),
            _ => return Err(element.invalid()),
        })
    }
}

fn ia5<'a>(element: &Element<'a>) -> Result<&'a str, Error> {
    match std::str::from_utf8(element.contents) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(element.invalid()),
    }
}

/// PolicyInformation (RFC 5280 §4.2.1.4).
#[derive(Clone, Copy, Debug)]
pub struct PolicyInformation<'a> {
    /// policyIdentifier.
    pub policy: Oid<'a>,
    /// policyQualifiers.
    pub qualifiers: Option<List<'a, PolicyQualifier<'a>>>,
}

impl<'a> Item<'a> for PolicyInformation<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut fields = reader.sequence()?;
        let policy = fields.oid()?;
        let qualifiers = if fields.is_empty() { None } else { Some(List::read(&mut fields)?) };
        fields.finish()?;
        Ok(PolicyInformation { policy, qualifiers })
    }
}

/// PolicyQualifierInfo.
#[derive(Clone, Copy, Debug)]
pub struct PolicyQualifier<'a> {
    /// policyQualifierId.
    pub id: Oid<'a>,
    /// qualifier, as received.
    pub qualifier: &'a [u8],
}

impl<'a> Item<'a> for PolicyQualifier<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut fields = reader.sequence()?;
        let qualifier = PolicyQualifier { id: fields.oid()?, qualifier: fields.element()?.raw };
        fields.finish()?;
        Ok(qualifier)
    }
}

/// certificatePolicies; "a certificate policy OID MUST NOT appear more than once".
///
/// # Errors
/// Anything but DER, and a policy that appears twice.
pub fn read_certificate_policies<'a>(reader: &mut Reader<'a>) -> Result<List<'a, PolicyInformation<'a>>, Error> {
    let element = reader.expect(Tag::SEQUENCE)?;
    let policies: List<'a, PolicyInformation<'a>> = List::of(&element)?;
    if all_distinct(policies.iter().map(|information| information.policy)) {
        Ok(policies)
    } else {
        Err(element.invalid())
    }
}

/// Whether no item occurs twice; quadratic only where that is faster than sorting.
pub(super) fn all_distinct<T: Ord + Copy>(items: impl Iterator<Item = T>) -> bool {
    const FEW: usize = 8;
    let mut seen: [Option<T>; FEW] = [None; FEW];
    let mut items = items.enumerate();
    for (i, item) in items.by_ref() {
        if seen.iter().take(i).any(|other| *other == Some(item)) {
            return false;
        }
        match seen.get_mut(i) {
            Some(slot) => *slot = Some(item),
            None => {
                let mut all: Vec<T> = seen.iter().copied().flatten().chain([item]).collect();
                all.extend(items.map(|(_, item)| item));
                all.sort_unstable();
                return all.windows(2).all(|pair| !matches!(pair, [a, b] if a == b));
            }
        }
    }
    true
}

/// One pair of policyMappings (RFC 5280 §4.2.1.5).
#[derive(Clone, Copy, Debug)]
pub struct PolicyMapping<'a> {
    /// issuerDomainPolicy.
    pub issuer_domain_policy: Oid<'a>,
    /// subjectDomainPolicy.
    pub subject_domain_policy: Oid<'a>,
}

impl<'a> Item<'a> for PolicyMapping<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut pair = reader.sequence()?;
        let mapping = PolicyMapping { issuer_domain_policy: pair.oid()?, subject_domain_policy: pair.oid()? };
        pair.finish()?;
        Ok(mapping)
    }
}

/// policyConstraints (RFC 5280 §4.2.1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyConstraints {
    /// requireExplicitPolicy.
    pub require_explicit_policy: Option<u32>,
    /// inhibitPolicyMapping.
    pub inhibit_policy_mapping: Option<u32>,
}

impl PolicyConstraints {
    /// Reads the extension's value; "MUST NOT issue certificates where policy constraints is an empty sequence".
    ///
    /// # Errors
    /// Anything but DER, and an empty sequence.
    pub fn read(reader: &mut Reader<'_>) -> Result<PolicyConstraints, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut fields = element.reader()?;
        let require_explicit_policy = skip_certs(&mut fields, 0)?;
        let inhibit_policy_mapping = skip_certs(&mut fields, 1)?;
        fields.finish()?;
        if element.contents.is_empty() {
            return Err(element.invalid());
        }
        Ok(PolicyConstraints { require_explicit_policy, inhibit_policy_mapping })
    }
}

fn skip_certs(fields: &mut Reader<'_>, n: u8) -> Result<Option<u32>, Error> {
    match fields.optional(Tag::context(n))? {
        Some(element) => element.retagged(Tag::INTEGER).small_unsigned().map(Some),
        None => Ok(None),
    }
}

/// nameConstraints (RFC 5280 §4.2.1.10).
#[derive(Clone, Copy, Debug)]
pub struct NameConstraints<'a> {
    /// permittedSubtrees.
    pub permitted: Option<List<'a, GeneralSubtree<'a>>>,
    /// excludedSubtrees.
    pub excluded: Option<List<'a, GeneralSubtree<'a>>>,
}

/// GeneralSubtree: minimum must be zero and maximum absent.
///
/// DEVIATION: an encoded minimum of zero is taken, which X.690 §11.5 leaves out. It says the same as its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneralSubtree<'a> {
    /// base.
    pub base: GeneralName<'a>,
}

impl<'a> Item<'a> for GeneralSubtree<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut fields = reader.sequence()?;
        let base = GeneralName::read(&mut fields)?;
        if let Some(minimum) = fields.optional(Tag::context(0))?
            && minimum.retagged(Tag::INTEGER).small_unsigned()? != 0
        {
            return Err(minimum.invalid());
        }
        fields.finish()?;
        Ok(GeneralSubtree { base })
    }
}

impl<'a> NameConstraints<'a> {
    /// Reads the extension's value; "MUST NOT issue certificates where name constraints is an empty sequence".
    ///
    /// # Errors
    /// Anything but DER, an empty sequence, a subtree with minimum or maximum.
    pub fn read(reader: &mut Reader<'a>) -> Result<NameConstraints<'a>, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut fields = element.reader()?;
        let mut subtrees = |n| match fields.optional(Tag::context_constructed(n))? {
            Some(list) => List::of(&list).map(Some),
            None => Ok(None),
        };
        let (permitted, excluded) = (subtrees(0)?, subtrees(1)?);
        fields.finish()?;
        if permitted.is_none() && excluded.is_none() {
            return Err(element.invalid());
        }
        Ok(NameConstraints { permitted, excluded })
    }
}

/// AccessDescription of authorityInfoAccess (RFC 5280 §4.2.2.1).
#[derive(Clone, Copy, Debug)]
pub struct AccessDescription<'a> {
    /// accessMethod.
    pub method: Oid<'a>,
    /// accessLocation.
    pub location: GeneralName<'a>,
}

impl<'a> Item<'a> for AccessDescription<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut fields = reader.sequence()?;
        let description = AccessDescription { method: fields.oid()?, location: GeneralName::read(&mut fields)? };
        fields.finish()?;
        Ok(description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'a, T>(der: &'a [u8], parser: impl FnOnce(&mut Reader<'a>) -> Result<T, Error>) -> Option<T> {
        Extension { id: id::KEY_USAGE, critical: false, value: der }.parse(parser).ok()
    }

    #[test]
    fn key_usage_is_a_named_bit_list() {
        let usage = value(&[3, 2, 6, 0xc0], KeyUsage::read).unwrap();
        assert!(usage.contains(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION));
        assert!(!usage.intersects(KeyUsage::KEY_CERT_SIGN));
        assert!(value(&[3, 3, 7, 0, 0x80], KeyUsage::read).unwrap().contains(KeyUsage::DECIPHER_ONLY));
        for der in [&[3, 1, 0][..], &[3, 2, 7, 0], &[3, 2, 0, 0], &[3, 2, 5, 0xf0], &[3, 2, 6, 0xc0, 0]] {
            assert!(value(der, KeyUsage::read).is_none(), "{der:02x?}");
        }
    }

    #[test]
    fn key_usage_in_whole_octets_says_the_same() {
        let usage = value(&[3, 2, 6, 0xc0], KeyUsage::read);
        for der in [&[3, 2, 0, 0xc0][..], &[3, 2, 5, 0xc0], &[3, 3, 0, 0xc0, 0], &[3, 3, 7, 0xc0, 0]] {
            assert_eq!(value(der, KeyUsage::read), usage, "{der:02x?}");
        }
    }

    #[test]
    fn an_encoded_false_says_the_same() {
        let critical = |der| Extension::read(&mut Reader::der(der)).ok().map(|extension| extension.critical);
        assert_eq!(critical(&[0x30, 7, 6, 3, 0x55, 0x1d, 15, 4, 0]), Some(false));
        assert_eq!(critical(&[0x30, 10, 6, 3, 0x55, 0x1d, 15, 1, 1, 0, 4, 0]), Some(false));
        assert_eq!(critical(&[0x30, 10, 6, 3, 0x55, 0x1d, 15, 1, 1, 0xff, 4, 0]), Some(true));
        assert_eq!(critical(&[0x30, 10, 6, 3, 0x55, 0x1d, 15, 1, 1, 1, 4, 0]), None, "TRUE is ff");
    }

    #[test]
    fn a_subtree_begins_at_its_base() {
        let subtree = |rest: &[u8]| {
            let mut der = vec![0x30, 0, 0x82, 1, b'd'];
            der.extend_from_slice(rest);
            der[1] = u8::try_from(der.len() - 2).unwrap();
            value(&der, GeneralSubtree::read).is_some()
        };
        assert!(subtree(&[]) && subtree(&[0x80, 1, 0]));
        assert!(!subtree(&[0x80, 1, 1]), "a minimum");
        assert!(!subtree(&[0x81, 1, 5]), "a maximum");
        assert!(!subtree(&[0x80, 1, 0, 0x81, 1, 5]), "a maximum after a minimum of zero");
    }

    #[test]
    fn basic_constraints() {
        let read = |der| value(der, BasicConstraints::read).map(|b| (b.ca, b.path_len));
        assert_eq!(read(&[0x30, 0]), Some((false, None)));
        assert_eq!(read(&[0x30, 3, 1, 1, 0]), Some((false, None)));
        assert_eq!(read(&[0x30, 6, 1, 1, 0xff, 2, 1, 3]), Some((true, Some(3))));
        assert_eq!(read(&[0x30, 6, 1, 1, 0xff, 2, 1, 0xff]), None, "negative");
        assert_eq!(read(&[0x30, 3, 1, 1, 1]), None, "TRUE is ff");
        assert_eq!(read(&[0x30, 6, 2, 1, 3, 1, 1, 0xff]), None, "order");
    }

    #[test]
    fn empty_sequences_are_refused() {
        let empty = [0x30, 0];
        assert!(value(&empty, PolicyConstraints::read).is_none());
        assert!(value(&empty, NameConstraints::read).is_none());
        assert!(value(&empty, IssuingDistributionPoint::read).is_none());
        assert!(value(&empty, read_certificate_policies).is_none());
        assert!(value(&empty, List::<GeneralName<'_>>::read).is_none());
        assert!(value(&empty, AuthorityKeyIdentifier::read).is_some(), "every field is optional");
    }

    #[test]
    fn distribution_point_needs_a_name_or_an_issuer() {
        assert!(value(&[0x30, 6, 0x30, 4, 0x81, 2, 1, 2], List::<DistributionPoint<'_>>::read).is_none());
        let uri = [0x30, 9, 0x30, 7, 0xa0, 5, 0xa0, 3, 0x86, 1, b'u'];
        let points = value(&uri, List::<DistributionPoint<'_>>::read).unwrap();
        let Some(DistributionPointName::Full(names)) = points.iter().next().unwrap().name else { panic!() };
        assert_eq!(names.iter().collect::<Vec<_>>(), [GeneralName::Uri("u")]);
    }

    #[test]
    fn one_restriction_by_kind_only() {
        let only = |der| value(der, IssuingDistributionPoint::read).map(|p| p.only_contains);
        assert_eq!(only(&[0x30, 3, 0x81, 1, 0xff]), Some(OnlyContains::UserCertificates));
        assert_eq!(only(&[0x30, 6, 0x81, 1, 0xff, 0x82, 1, 0xff]), None);
        assert_eq!(only(&[0x30, 3, 0x81, 1, 0]), None, "an encoded default");
    }

    #[test]
    fn a_policy_appears_once() {
        let policies = |oids: &[u8]| {
            let mut der = vec![0x30, 0];
            for &arc in oids {
                der.extend([0x30, 4, 6, 2, 0x2a, arc]);
            }
            der[1] = u8::try_from(der.len() - 2).unwrap();
            value(&der, read_certificate_policies).is_some()
        };
        assert!(policies(&[1, 2, 3]));
        assert!(!policies(&[1, 2, 1]));
        assert!(policies(&(1..=20).collect::<Vec<_>>()));
        assert!(!policies(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9]));
        assert!(!policies(&[1, 2, 3, 4, 5, 6, 7, 8, 8]));
    }

    #[test]
    fn general_names_are_typed() {
        let first = |der| value(der, List::<GeneralName<'_>>::read).and_then(|l| l.iter().next());
        assert_eq!(first(&[0x30, 3, 0x82, 1, b'd']), Some(GeneralName::Dns("d")));
        assert_eq!(first(&[0x30, 4, 0xa4, 2, 0x30, 0]), Some(GeneralName::Directory(Name::EMPTY)));
        assert_eq!(first(&[0x30, 3, 0x82, 1, 0xff]), None, "IA5String is ASCII");
        assert_eq!(first(&[0x30, 3, 0x89, 1, 0]), None, "no such choice");
        assert_eq!(first(&[0x30, 2, 0x84, 0]), None, "a directoryName is constructed");
    }
}
