//! Who a certificate of the national profile names: IIN, BIN, roles.
//!
//! The identifiers are taken by attribute type and form alone: exactly one `serialNumber` of the form `IIN` and twelve
//! digits, exactly one `organizationalUnitName` of the form `BIN` and twelve digits; never by position, never out of a
//! common name, never through case folding or another alphabet.
//!
//! *Invariant:* an [`Iin`] or [`Bin`] is twelve ASCII digits; neither prints itself in full unless asked by name.

use super::certificate::Certificate;
use super::name::{Name, attribute};
use crate::asn1::{Oid, Tag, oid};
use std::fmt;

/// Twelve digits, as both numbers are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct TwelveDigits([u8; 12]);

impl TwelveDigits {
    fn parse(text: &[u8]) -> Option<TwelveDigits> {
        let digits: [u8; 12] = text.try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(TwelveDigits(digits))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The control digit of Government Decree № 565 of 11.06.2003: weights 1 to 11, then 3 to 11, 1, 2; a number for
    /// which both give 10 is not used.
    fn check_digit_holds(&self) -> bool {
        let digits = self.0.map(|d| u32::from(d - b'0'));
        let [first @ .., last] = digits;
        let sum = |start: u32| (0u32..).zip(first).map(|(i, d)| d * ((start + i) % 11 + 1)).sum::<u32>() % 11;
        match sum(0) {
            10 => sum(2) == last,
            s => s == last,
        }
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(TwelveDigits);

        impl $name {
            /// A number from its twelve ASCII digits; `None` for anything else.
            pub fn parse(text: &str) -> Option<$name> {
                TwelveDigits::parse(text.as_bytes()).map($name)
            }

            /// The twelve digits. They are personal data: never into a log.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Whether the last digit is the control digit of the others.
            pub fn check_digit_holds(&self) -> bool {
                self.0.check_digit_holds()
            }
        }

        /// Masked: the first two digits, then asterisks.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}**********", self.as_str().get(..2).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

number! {
    /// Individual identification number (ИИН) of a natural person.
    Iin
}

number! {
    /// Business identification number (БИН) of a legal entity.
    Bin
}

/// An identifier as found in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// No attribute has the form.
    Absent,
    /// Exactly one.
    One(T),
    /// More than one candidate: which one is meant cannot be told.
    Ambiguous,
}

impl<T: Copy> Found<T> {
    /// The identifier if there is exactly one.
    pub fn one(&self) -> Option<T> {
        match self {
            Found::One(value) => Some(*value),
            Found::Absent | Found::Ambiguous => None,
        }
    }

    fn and(self, other: Found<T>) -> Found<T> {
        match (self, other) {
            (found, Found::Absent) | (Found::Absent, found) => found,
            _ => Found::Ambiguous,
        }
    }
}

/// In what capacity the holder acts: extended key purposes of the national profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Natural person.
    NaturalPerson,
    /// Digital system of a natural person.
    NaturalPersonSystem,
    /// Legal entity; always together with one of its roles.
    LegalEntity,
    /// First head of a legal entity.
    FirstHead,
    /// Has the right to sign.
    RightToSign,
    /// Has the right to sign financial documents.
    RightToSignFinancial,
    /// Employee of the personnel department.
    PersonnelOfficer,
    /// Employee.
    Employee,
    /// Digital system of a legal entity.
    LegalEntitySystem,
    /// Treasury-Client: not valid outside that system.
    TreasuryClient,
    /// Notary, of the old profile.
    Notary,
    /// Administrator of the national authority.
    AuthorityAdministrator,
    /// Manager of the national authority.
    AuthorityManager,
    /// Operator of the national authority.
    AuthorityOperator,
}

const ROLES: [(Oid<'static>, Role, &str); 14] = [
    (oid!(1, 2, 398, 3, 3, 4, 1, 1), Role::NaturalPerson, "natural-person"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 1, 1), Role::NaturalPersonSystem, "natural-person-system"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2), Role::LegalEntity, "legal-entity"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2, 1), Role::FirstHead, "first-head"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2, 2), Role::RightToSign, "right-to-sign"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2, 3), Role::RightToSignFinancial, "right-to-sign-financial"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2, 4), Role::PersonnelOfficer, "personnel-officer"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2, 5), Role::Employee, "employee"),
    (oid!(1, 2, 398, 3, 3, 4, 1, 2, 6), Role::LegalEntitySystem, "legal-entity-system"),
    (oid!(1, 2, 398, 5, 19, 1, 2, 2, 1), Role::TreasuryClient, "treasury-client"),
    (oid!(1, 2, 398, 6, 1, 1, 1, 1), Role::Notary, "notary"),
    (oid!(1, 2, 398, 3, 3, 4, 2, 1), Role::AuthorityAdministrator, "authority-administrator"),
    (oid!(1, 2, 398, 3, 3, 4, 2, 2), Role::AuthorityManager, "authority-manager"),
    (oid!(1, 2, 398, 3, 3, 4, 2, 3), Role::AuthorityOperator, "authority-operator"),
];

impl Role {
    /// The role that an extended key purpose stands for.
    pub fn from_oid(purpose: Oid<'_>) -> Option<Role> {
        ROLES.iter().find(|(oid, ..)| *oid == purpose).map(|(_, role, _)| *role)
    }

    /// The extended key purpose that stands for the role.
    pub fn oid(self) -> Oid<'static> {
        ROLES.iter().find(|(_, role, _)| *role == self).map_or(oid!(2, 5, 29, 37, 0), |(oid, ..)| *oid)
    }

    /// The stable name of reports and policies.
    pub fn as_str(self) -> &'static str {
        ROLES.iter().find(|(_, role, _)| *role == self).map_or("", |(.., text)| *text)
    }

    /// The role that a stable name stands for.
    pub fn from_name(text: &str) -> Option<Role> {
        ROLES.iter().find(|(.., name)| *name == text).map(|(_, role, _)| *role)
    }
}

/// What a certificate says about its holder.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// commonName, the first one.
    pub common_name: Option<String>,
    /// organizationName, the first one.
    pub organisation: Option<String>,
    /// `IIN…` of the serialNumber.
    pub iin: Found<Iin>,
    /// `BIN…` of the organizationalUnitName, or of the serialNumber of some digital systems.
    pub bin: Found<Bin>,
    /// userId: the identifier of a digital system.
    pub system_identifier: Option<String>,
    /// Roles, in the order of extKeyUsage.
    pub roles: Vec<Role>,
}

impl Identity {
    /// Reads the subject and the extended key purposes of a certificate.
    pub fn of(certificate: &Certificate) -> Identity {
        let subject = certificate.subject();
        let roles = certificate.extended_key_usage();
        let (iin, bin) = identifiers(&subject);
        let first = |kind| subject.values(kind).next().and_then(|value| value.text()).map(|text| text.into_owned());
        Identity {
            common_name: first(attribute::COMMON_NAME),
            organisation: first(attribute::ORGANIZATION),
            iin,
            bin,
            system_identifier: first(attribute::USER_ID),
            roles: roles.map(|list| list.iter().filter_map(Role::from_oid).collect()).unwrap_or_default(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("iin", &self.iin)
            .field("bin", &self.bin)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

fn identifiers(subject: &Name<'_>) -> (Found<Iin>, Found<Bin>) {
    let number = |value: &super::name::Attribute<'_>, prefix: &[u8]| {
        // The two types that the profile uses; a BMPString or T61String of the same letters is not the form.
        let plain = matches!(value.value.tag, Tag::PRINTABLE_STRING | Tag::UTF8_STRING);
        value.value.contents.strip_prefix(prefix).filter(|_| plain).and_then(TwelveDigits::parse)
    };
    let found = |kind: Oid<'static>, prefix: &[u8]| {
        let mut all = subject.values(kind).filter_map(|value| number(&value, prefix));
        match (all.next(), all.next()) {
            (None, _) => Found::Absent,
            (Some(one), None) => Found::One(one),
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    };
    // A second serialNumber, whatever it says, makes it uncertain whom the certificate names.
    if subject.values(attribute::SERIAL_NUMBER).nth(1).is_some() {
        return (Found::Ambiguous, found(attribute::ORGANIZATIONAL_UNIT, b"BIN").map(Bin));
    }
    let bin = found(attribute::ORGANIZATIONAL_UNIT, b"BIN").and(found(attribute::SERIAL_NUMBER, b"BIN"));
    (found(attribute::SERIAL_NUMBER, b"IIN").map(Iin), bin.map(Bin))
}

impl<T> Found<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Found<U> {
        match self {
            Found::Absent => Found::Absent,
            Found::One(value) => Found::One(f(value)),
            Found::Ambiguous => Found::Ambiguous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(attributes: &[(Oid<'_>, Tag, &[u8])]) -> Vec<u8> {
        let element = |tag: Tag, contents: &[u8]| {
            let mut out = vec![tag.0, u8::try_from(contents.len()).unwrap()];
            out.extend_from_slice(contents);
            out
        };
        let rdns: Vec<u8> = attributes
            .iter()
            .flat_map(|(kind, tag, value)| {
                let pair = [element(Tag::OID, kind.as_bytes()), element(*tag, value)].concat();
                element(Tag::SET, &element(Tag::SEQUENCE, &pair))
            })
            .collect();
        element(Tag::SEQUENCE, &rdns)
    }

    fn read(attributes: &[(Oid<'_>, Tag, &[u8])]) -> (Found<Iin>, Found<Bin>) {
        identifiers(&Name::parse(&name(attributes)).unwrap())
    }

    const SN: Oid<'static> = attribute::SERIAL_NUMBER;
    const OU: Oid<'static> = attribute::ORGANIZATIONAL_UNIT;

    #[test]
    fn a_person_and_a_legal_entity() {
        let (iin, bin) = read(&[
            (OU, Tag::UTF8_STRING, b"BIN123456789021"),
            (SN, Tag::PRINTABLE_STRING, b"IIN850412300123"),
            (OU, Tag::UTF8_STRING, b"Department"),
        ]);
        assert_eq!(iin.one().unwrap().as_str(), "850412300123");
        assert_eq!(bin.one().unwrap().as_str(), "123456789021");
    }

    #[test]
    fn forms_that_only_look_like_an_iin_are_none() {
        let bmp: Vec<u8> = "IIN850412300123".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (kind, tag, value) in [
            (SN, Tag::PRINTABLE_STRING, &b"iin850412300123"[..]),
            (SN, Tag::PRINTABLE_STRING, b"IIN85041230012"),
            (SN, Tag::PRINTABLE_STRING, b"IIN8504123001234"),
            (SN, Tag::PRINTABLE_STRING, b" IIN850412300123"),
            (SN, Tag::PRINTABLE_STRING, b"IIN850412300123 "),
            (SN, Tag::PRINTABLE_STRING, b"IIN850412300123\0"),
            (SN, Tag::UTF8_STRING, "ІIN850412300123".as_bytes()),
            (SN, Tag::UTF8_STRING, "IIN٨50412300123".as_bytes()),
            (SN, Tag::BMP_STRING, &bmp),
            (SN, Tag::TELETEX_STRING, b"IIN850412300123"),
            (attribute::COMMON_NAME, Tag::UTF8_STRING, b"IIN850412300123"),
            (OU, Tag::UTF8_STRING, b"IIN850412300123"),
            (oid!(2, 5, 4, 97), Tag::UTF8_STRING, b"BIN123456789021"),
        ] {
            assert_eq!(read(&[(kind, tag, value)]), (Found::Absent, Found::Absent), "{value:02x?}");
        }
    }

    #[test]
    fn two_candidates_are_ambiguous() {
        let (one, two) = ((SN, Tag::PRINTABLE_STRING, &b"IIN850412300123"[..]), (SN, Tag::PRINTABLE_STRING, &b"X"[..]));
        assert_eq!(read(&[one, two]).0, Found::Ambiguous);
        assert_eq!(read(&[one, one]).0, Found::Ambiguous);
        let (a, b) = ((OU, Tag::UTF8_STRING, &b"BIN123456789021"[..]), (OU, Tag::UTF8_STRING, &b"BIN123456789020"[..]));
        assert_eq!(read(&[a, b]).1, Found::Ambiguous);
        assert_eq!(read(&[a, (SN, Tag::PRINTABLE_STRING, b"BIN123456789020")]).1, Found::Ambiguous);
        assert_eq!(
            read(&[(SN, Tag::PRINTABLE_STRING, b"BIN123456789021")]).1,
            Found::One(Bin::parse("123456789021").unwrap())
        );
    }

    #[test]
    fn check_digits() {
        // Registered banks; the test numbers of the national authority fail on purpose.
        for (number, holds) in [
            ("971240001315", true),
            ("940140000385", true),
            ("940140000386", false),
            ("123456789011", false),
            ("123456789012", false),
            ("123456789021", false),
            ("000000000101", true),
            ("000000000100", false),
        ] {
            assert_eq!(Bin::parse(number).unwrap().check_digit_holds(), holds, "{number}");
        }
    }

    #[test]
    fn printing_does_not_leak() {
        let iin = Iin::parse("850412300123").unwrap();
        assert_eq!(format!("{iin} {iin:?}"), "85********** Iin(85**********)");
        assert!(Iin::parse("85041230012").is_none() && Iin::parse("85041230012٣").is_none());
    }

    #[test]
    fn roles_have_one_name_each() {
        for (oid, role, text) in ROLES {
            assert_eq!((Role::from_oid(oid), Role::from_name(text)), (Some(role), Some(role)));
            assert_eq!((role.oid(), role.as_str()), (oid, text));
        }
        assert_eq!(Role::from_oid(oid!(1, 2, 398, 3, 3, 4)), None);
    }
}
