//! What a list says about itself.

use super::{CrlError, CrlParts};
use crate::asn1::{Error, ErrorKind, Reader, Tag, generalized_time};
use crate::crypto::Digest;
use crate::pki::Name;
use crate::pki::certificate::algorithms_agree;
use crate::pki::extension::{
    AccessDescription, AuthorityKeyIdentifier, DistributionPoint, Extension, GeneralName, IssuingDistributionPoint,
    List, id,
};
use crate::report::Time;
use std::fmt;

/// A cRLNumber or BaseCRLNumber: "CRL verifiers MUST be able to handle CRLNumber values up to 20 octets"
/// (RFC 5280 §5.2.3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrlNumber([u8; 20]);

impl CrlNumber {
    /// A number from the contents of an INTEGER; `None` when it is negative or longer than 20 octets.
    pub fn from_contents(contents: &[u8]) -> Option<CrlNumber> {
        let unsigned = match contents {
            [0, rest @ ..] => rest,
            [first, ..] if first & 0x80 != 0 => return None,
            rest => rest,
        };
        let mut octets = [0; 20];
        let start = octets.len().checked_sub(unsigned.len())?;
        octets.get_mut(start..)?.copy_from_slice(unsigned);
        Some(CrlNumber(octets))
    }

    /// The number, big-endian.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    fn read(reader: &mut Reader<'_>) -> Result<CrlNumber, Error> {
        let element = reader.expect(Tag::INTEGER)?;
        CrlNumber::from_contents(element.integer()?).ok_or(element.invalid())
    }
}

/// Decimal where it fits 64 bits, as people write it, else hexadecimal.
impl fmt::Display for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (high, low) = self.0.split_at(12);
        if high.iter().all(|&b| b == 0) {
            write!(f, "{}", low.iter().fold(0u64, |n, &b| n << 8 | u64::from(b)))
        } else {
            f.write_str("0x")?;
            self.0.iter().skip_while(|&&b| b == 0).try_for_each(|b| write!(f, "{b:02x}"))
        }
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whom a list is from, when, and which certificates it is about.
#[derive(Clone, Debug)]
pub struct CrlScope {
    /// thisUpdate.
    pub this_update: Time,
    /// nextUpdate.
    pub next_update: Option<Time>,
    /// cRLNumber.
    pub crl_number: Option<CrlNumber>,
    /// BaseCRLNumber of deltaCRLIndicator: the list is a delta (RFC 5280 §5.2.4).
    pub base_crl_number: Option<CrlNumber>,
    /// freshestCRL is critical: the list is a delta by the national profile of 2026, whatever else it says.
    pub freshest_crl_is_critical: bool,
    /// expiredCertsOnCRL (X.509 §9.5.2.8): entries stay at least for certificates that expired at this time or later.
    pub expired_certs_on_crl: Option<Time>,
    /// Critical extensions that are not known here: the list must not be used to tell that a certificate is good.
    pub unknown_critical: Vec<String>,
    /// An entry has a critical extension that is not known: the list must not be used at all (RFC 5280 §5.3).
    /// Set by whoever walks the entries.
    pub has_unknown_critical_entries: bool,
    /// SHA-256 of the whole list.
    pub digest: Digest,
    /// signatureAlgorithm and the signature field say the same.
    pub signature_algorithms_agree: bool,
    issuer: Box<[u8]>,
    signature_algorithm: Box<[u8]>,
    issuing_distribution_point: Option<Box<[u8]>>,
    authority_key_identifier: Option<Box<[u8]>>,
    freshest_crl: Option<Box<[u8]>>,
    extensions: Vec<Box<[u8]>>,
}

impl CrlScope {
    pub(super) fn new(
        der: &[u8],
        issuer: Name<'_>,
        this_update: Time,
        next_update: Option<Time>,
        algorithm: &[u8],
        inner_algorithm: &[u8],
    ) -> CrlScope {
        CrlScope {
            this_update,
            next_update,
            crl_number: None,
            base_crl_number: None,
            freshest_crl_is_critical: false,
            expired_certs_on_crl: None,
            unknown_critical: Vec::new(),
            has_unknown_critical_entries: false,
            digest: Digest::sha256(der),
            signature_algorithms_agree: algorithms_agree(algorithm, inner_algorithm),
            issuer: issuer.raw().into(),
            signature_algorithm: algorithm.into(),
            issuing_distribution_point: None,
            authority_key_identifier: None,
            freshest_crl: None,
            extensions: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, extension: &Extension<'_>) -> Result<(), CrlError> {
        let oid: Box<[u8]> = extension.id.as_bytes().into();
        if self.extensions.contains(&oid) {
            return Err(CrlError::DuplicateExtension);
        }
        // Quadratic, so bounded: a list has eight extensions that are known.
        const MAX_EXTENSIONS: usize = 64;
        if self.extensions.len() >= MAX_EXTENSIONS {
            return Err(CrlError::Encoding(Error { kind: ErrorKind::Value, offset: 0 }));
        }
        self.extensions.push(oid);
        match extension.id {
            o if o == id::CRL_NUMBER => self.crl_number = Some(extension.parse(CrlNumber::read)?),
            o if o == id::DELTA_CRL_INDICATOR => self.base_crl_number = Some(extension.parse(CrlNumber::read)?),
            o if o == id::ISSUING_DISTRIBUTION_POINT => {
                extension.parse(|r| IssuingDistributionPoint::read(r).map(drop))?;
                self.issuing_distribution_point = Some(extension.value.into());
            }
            o if o == id::AUTHORITY_KEY_IDENTIFIER => {
                extension.parse(|r| AuthorityKeyIdentifier::read(r).map(drop))?;
                self.authority_key_identifier = Some(extension.value.into());
            }
            o if o == id::FRESHEST_CRL => {
                extension.parse(|r| List::<DistributionPoint<'_>>::read(r).map(drop))?;
                self.freshest_crl = Some(extension.value.into());
                self.freshest_crl_is_critical = extension.critical;
            }
            o if o == id::EXPIRED_CERTS_ON_CRL => {
                let since = extension.parse(|r| generalized_time(&r.expect(Tag::GENERALIZED_TIME)?))?;
                self.expired_certs_on_crl = Some(since);
            }
            o if o == id::ISSUER_ALT_NAME => extension.parse(|r| List::<GeneralName<'_>>::read(r).map(drop))?,
            o if o == id::AUTHORITY_INFORMATION_ACCESS => {
                extension.parse(|r| List::<AccessDescription<'_>>::read(r).map(drop))?;
            }
            o if extension.critical => self.unknown_critical.push(o.to_string()),
            _ => {}
        }
        Ok(())
    }

    /// The scope of a list whose skeleton was kept by an index; see [`CrlParts::skeleton`].
    ///
    /// # Errors
    /// As [`CrlParts::parse`].
    pub fn from_skeleton(
        skeleton: &[u8],
        digest: Digest,
        has_unknown_critical_entries: bool,
    ) -> Result<CrlScope, CrlError> {
        Ok(CrlScope { digest, has_unknown_critical_entries, ..CrlParts::parse(skeleton)?.scope })
    }

    /// The list's issuer.
    pub fn issuer(&self) -> Name<'_> {
        Name::reread(&self.issuer)
    }

    /// signatureAlgorithm, the whole AlgorithmIdentifier.
    pub fn signature_algorithm(&self) -> &[u8] {
        &self.signature_algorithm
    }

    /// issuingDistributionPoint.
    pub fn issuing_distribution_point(&self) -> Option<IssuingDistributionPoint<'_>> {
        let value = self.issuing_distribution_point.as_deref()?;
        IssuingDistributionPoint::read(&mut Reader::der(value)).ok()
    }

    /// issuingDistributionPoint as received; with the issuer's key it tells one series of lists from another.
    pub fn issuing_distribution_point_raw(&self) -> Option<&[u8]> {
        self.issuing_distribution_point.as_deref()
    }

    /// authorityKeyIdentifier.
    pub fn authority_key_identifier(&self) -> Option<AuthorityKeyIdentifier<'_>> {
        AuthorityKeyIdentifier::read(&mut Reader::der(self.authority_key_identifier.as_deref()?)).ok()
    }

    /// freshestCRL.
    pub fn freshest_crl(&self) -> Option<List<'_, DistributionPoint<'_>>> {
        List::read(&mut Reader::der(self.freshest_crl.as_deref()?)).ok()
    }

    /// Whether the list says which certificates are revoked without help of another list.
    ///
    /// DEVIATION: the national delta profile of 2026 (Order 522/НҚ) marks freshestCRL critical and leaves
    /// deltaCRLIndicator out. RFC 5280 §5.2.6 wants it non-critical; a list that has it critical is taken for a delta
    /// without a base number, that is for nothing.
    pub fn is_complete(&self) -> bool {
        self.base_crl_number.is_none() && !self.freshest_crl_is_critical
    }

    /// Whether the list is current at `at`: not from the future, and not past its nextUpdate.
    pub fn is_current_at(&self, at: Time) -> bool {
        self.this_update <= at && self.next_update.is_some_and(|next| at <= next)
    }
}
