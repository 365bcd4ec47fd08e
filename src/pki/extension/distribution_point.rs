//! Distribution points: where a certificate's status is published, and what a list is about.
//!
//! *Invariant:* a distribution point has a name or an issuer; a list is restricted to one kind of certificates at most.

use super::{GeneralName, Item, List, named_bits};
use crate::asn1::{Element, Error, Reader, Tag};

/// ReasonFlags (RFC 5280 §4.2.1.13): a set of revocation reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasonFlags(u16);

impl ReasonFlags {
    /// No reason at all.
    pub const NONE: ReasonFlags = ReasonFlags(0);
    /// Every reason there is a bit for: keyCompromise (1) to aACompromise (8).
    pub const ALL: ReasonFlags = ReasonFlags(0x1fe);

    fn of(element: &Element<'_>) -> Result<ReasonFlags, Error> {
        let bits = element.retagged(Tag::BIT_STRING).bit_string()?;
        Ok(ReasonFlags(named_bits(&bits, 9) & ReasonFlags::ALL.0))
    }

    /// The reasons in both sets.
    pub const fn intersection(self, other: ReasonFlags) -> ReasonFlags {
        ReasonFlags(self.0 & other.0)
    }

    /// The reasons in either set.
    pub const fn union(self, other: ReasonFlags) -> ReasonFlags {
        ReasonFlags(self.0 | other.0)
    }

    /// Whether every reason of `other` is in the set.
    pub const fn contains(self, other: ReasonFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// DistributionPointName (RFC 5280 §4.2.1.13).
#[derive(Clone, Copy, Debug)]
pub enum DistributionPointName<'a> {
    /// fullName: the same point under several names.
    Full(List<'a, GeneralName<'a>>),
    /// nameRelativeToCRLIssuer: the contents of one RDN.
    RelativeToIssuer(&'a [u8]),
}

impl<'a> DistributionPointName<'a> {
    /// The CHOICE inside its `[0] EXPLICIT` wrapper.
    fn of(wrapper: &Element<'a>) -> Result<DistributionPointName<'a>, Error> {
        let mut reader = wrapper.reader()?;
        let element = reader.element()?;
        reader.finish()?;
        match element.tag.0 {
            0xa0 => List::of(&element).map(DistributionPointName::Full),
            0xa1 => {
                let mut rdn = element.reader()?;
                loop {
                    let mut pair = rdn.sequence()?;
                    pair.oid()?;
                    pair.element()?;
                    pair.finish()?;
                    if rdn.is_empty() {
                        return Ok(DistributionPointName::RelativeToIssuer(element.contents));
                    }
                }
            }
            _ => Err(element.invalid()),
        }
    }
}

/// DistributionPoint (RFC 5280 §4.2.1.13), of cRLDistributionPoints and of freshestCRL.
#[derive(Clone, Copy, Debug)]
pub struct DistributionPoint<'a> {
    /// distributionPoint.
    pub name: Option<DistributionPointName<'a>>,
    /// reasons.
    pub reasons: Option<ReasonFlags>,
    /// cRLIssuer.
    pub crl_issuer: Option<List<'a, GeneralName<'a>>>,
}

impl<'a> Item<'a> for DistributionPoint<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut fields = element.reader()?;
        let name = match fields.optional(Tag::context_constructed(0))? {
            Some(wrapper) => Some(DistributionPointName::of(&wrapper)?),
            None => None,
        };
        let reasons = match fields.optional(Tag::context(1))? {
            Some(flags) => Some(ReasonFlags::of(&flags)?),
            None => None,
        };
        let crl_issuer = match fields.optional(Tag::context_constructed(2))? {
            Some(names) => Some(List::of(&names)?),
            None => None,
        };
        fields.finish()?;
        // "a DistributionPoint MUST NOT consist of only the reasons field".
        if name.is_none() && crl_issuer.is_none() {
            return Err(element.invalid());
        }
        Ok(DistributionPoint { name, reasons, crl_issuer })
    }
}

/// Which certificates a list is about (RFC 5280 §5.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyContains {
    /// No restriction by kind.
    All,
    /// onlyContainsUserCerts.
    UserCertificates,
    /// onlyContainsCACerts.
    CaCertificates,
    /// onlyContainsAttributeCerts.
    AttributeCertificates,
}

/// issuingDistributionPoint (RFC 5280 §5.2.5).
#[derive(Clone, Copy, Debug)]
pub struct IssuingDistributionPoint<'a> {
    /// distributionPoint.
    pub name: Option<DistributionPointName<'a>>,
    /// onlyContainsUserCerts, onlyContainsCACerts, onlyContainsAttributeCerts: at most one is set.
    pub only_contains: OnlyContains,
    /// onlySomeReasons.
    pub only_some_reasons: Option<ReasonFlags>,
    /// indirectCRL.
    pub indirect_crl: bool,
}

impl<'a> IssuingDistributionPoint<'a> {
    /// Reads the extension's value.
    ///
    /// # Errors
    /// Anything but DER; more than one restriction by kind; "an empty sequence".
    pub fn read(reader: &mut Reader<'a>) -> Result<IssuingDistributionPoint<'a>, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut fields = element.reader()?;
        let name = match fields.optional(Tag::context_constructed(0))? {
            Some(wrapper) => Some(DistributionPointName::of(&wrapper)?),
            None => None,
        };
        let user = flag(&mut fields, 1)?;
        let ca = flag(&mut fields, 2)?;
        let only_some_reasons = match fields.optional(Tag::context(3))? {
            Some(flags) => Some(ReasonFlags::of(&flags)?),
            None => None,
        };
        let indirect_crl = flag(&mut fields, 4)?;
        let attribute = flag(&mut fields, 5)?;
        fields.finish()?;
        let only_contains = match (user, ca, attribute) {
            (false, false, false) => OnlyContains::All,
            (true, false, false) => OnlyContains::UserCertificates,
            (false, true, false) => OnlyContains::CaCertificates,
            (false, false, true) => OnlyContains::AttributeCertificates,
            _ => return Err(element.invalid()),
        };
        if element.contents.is_empty() {
            return Err(element.invalid());
        }
        Ok(IssuingDistributionPoint { name, only_contains, only_some_reasons, indirect_crl })
    }
}

/// `[n] IMPLICIT BOOLEAN DEFAULT FALSE`.
fn flag(fields: &mut Reader<'_>, n: u8) -> Result<bool, Error> {
    match fields.optional(Tag::context(n))? {
        None => Ok(false),
        Some(element) => match element.retagged(Tag::BOOLEAN).boolean()? {
            true => Ok(true),
            false => Err(element.invalid()),
        },
    }
}
