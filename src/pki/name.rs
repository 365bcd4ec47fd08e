//! Distinguished names: compared as RFC 5280 §7.1 asks, printed as RFC 4514 asks.
//!
//! ```text
//! Name ::= CHOICE { rdnSequence RDNSequence }
//! RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
//! RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
//! AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
//! ```
//!
//! *Invariant:* equality is an equivalence relation on names, and two names are equal exactly when
//! [`Name::canonical`] gives the same bytes for both.

use crate::asn1::{Element, Error, Oid, Reader, Tag, oid};
use crate::crypto::hexadecimal;
use std::{borrow::Cow, fmt};

/// Attribute types that names of the national profile and of RFC 5280 §A.1 carry.
pub mod attribute {
    use super::{Oid, oid};

    /// commonName.
    pub const COMMON_NAME: Oid<'static> = oid!(2, 5, 4, 3);
    /// surname.
    pub const SURNAME: Oid<'static> = oid!(2, 5, 4, 4);
    /// serialNumber: `IIN` and twelve digits in the national profile.
    pub const SERIAL_NUMBER: Oid<'static> = oid!(2, 5, 4, 5);
    /// countryName.
    pub const COUNTRY: Oid<'static> = oid!(2, 5, 4, 6);
    /// localityName.
    pub const LOCALITY: Oid<'static> = oid!(2, 5, 4, 7);
    /// stateOrProvinceName.
    pub const STATE: Oid<'static> = oid!(2, 5, 4, 8);
    /// streetAddress.
    pub const STREET: Oid<'static> = oid!(2, 5, 4, 9);
    /// organizationName.
    pub const ORGANIZATION: Oid<'static> = oid!(2, 5, 4, 10);
    /// organizationalUnitName: `BIN` and twelve digits in the national profile.
    pub const ORGANIZATIONAL_UNIT: Oid<'static> = oid!(2, 5, 4, 11);
    /// title.
    pub const TITLE: Oid<'static> = oid!(2, 5, 4, 12);
    /// givenName: the patronymic in the national profile.
    pub const GIVEN_NAME: Oid<'static> = oid!(2, 5, 4, 42);
    /// domainComponent.
    pub const DOMAIN_COMPONENT: Oid<'static> = oid!(0, 9, 2342, 19200300, 100, 1, 25);
    /// userId: the identifier of a digital system in the national profile.
    pub const USER_ID: Oid<'static> = oid!(0, 9, 2342, 19200300, 100, 1, 1);
    /// emailAddress (PKCS #9).
    pub const EMAIL_ADDRESS: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 1);
}

/// A distinguished name over the bytes it was received in.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    raw: &'a [u8],
    rdns: &'a [u8],
}

/// One AttributeTypeAndValue.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// The attribute type.
    pub kind: Oid<'a>,
    /// The value as received.
    pub value: Element<'a>,
}

impl<'a> Attribute<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Attribute<'a>, Error> {
        let mut pair = reader.sequence()?;
        let kind = pair.oid()?;
        let value = pair.element()?;
        pair.finish()?;
        Ok(Attribute { kind, value })
    }

    /// The value as text, whatever string type it travels in; `None` for other types and for broken encodings.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        text(&self.value)
    }
}

impl<'a> Name<'a> {
    /// The empty name.
    pub const EMPTY: Name<'static> = Name { raw: &[0x30, 0], rdns: &[] };

    /// A name from its whole encoding.
    ///
    /// # Errors
    /// Anything that is not DER of exactly one `Name`.
    pub fn parse(raw: &'a [u8]) -> Result<Name<'a>, Error> {
        let mut reader = Reader::der(raw);
        let name = Name::read(&mut reader)?;
        reader.finish()?;
        Ok(name)
    }

    /// The name that comes next.
    ///
    /// # Errors
    /// Anything that is not DER of a `Name`.
    pub fn read(reader: &mut Reader<'a>) -> Result<Name<'a>, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut rdns = element.reader()?;
        while !rdns.is_empty() {
            let mut rdn = rdns.set()?;
            Attribute::parse(&mut rdn)?;
            while !rdn.is_empty() {
                Attribute::parse(&mut rdn)?;
            }
        }
        Ok(Name { raw: element.raw, rdns: element.contents })
    }

    /// A name that parsed before, from the same bytes; the empty name if they are not.
    pub(crate) fn reread(raw: &'a [u8]) -> Name<'a> {
        match Reader::der(raw).expect(Tag::SEQUENCE) {
            Ok(element) => Name { raw: element.raw, rdns: element.contents },
            Err(_) => Name::EMPTY,
        }
    }

    /// The whole encoding.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether there is no relative distinguished name in it.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The relative distinguished names, most significant first, as their SET elements.
    fn rdns(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let mut reader = Reader::der(self.rdns);
        std::iter::from_fn(move || reader.element().ok())
    }

    /// All attributes in the order of the encoding, multi-valued RDNs flattened.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.rdns().flat_map(|rdn| attributes(&rdn))
    }

    /// The values of one attribute type, in the order of the encoding.
    pub fn values<'k>(&self, kind: Oid<'k>) -> impl Iterator<Item = Attribute<'a>> + use<'a, 'k> {
        self.attributes().filter(move |attribute| attribute.kind == kind)
    }

    /// Whether this name is `base` or lies below it (RFC 5280 §7.1: the subtree's RDNs are a prefix of this name's).
    pub fn is_within(&self, base: &Name<'_>) -> bool {
        let mut own = self.rdns();
        base.rdns().all(|rdn| own.next().is_some_and(|other| rdn_matches(&rdn, &other)))
    }

    /// How many relative distinguished names there are.
    pub fn len(&self) -> usize {
        self.rdns().count()
    }

    /// This name with one more RDN below it, as DER (RFC 5280 §4.2.1.13 nameRelativeToCRLIssuer).
    ///
    /// `rdn` is the contents of the SET.
    pub fn child(&self, rdn: &[u8]) -> Vec<u8> {
        let mut set = Vec::with_capacity(rdn.len() + 4);
        push_element(&mut set, Tag::SET, &[rdn]);
        let mut name = Vec::with_capacity(self.raw.len() + set.len() + 4);
        push_element(&mut name, Tag::SEQUENCE, &[self.rdns, &set]);
        name
    }

    /// Bytes that are the same for equal names and only for them: a key for maps and indexes.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.raw.len() + 16);
        for rdn in self.rdns() {
            let values = canonical_rdn(&rdn);
            push_length(&mut out, values.len());
            for value in values {
                push_length(&mut out, value.len());
                out.extend_from_slice(&value);
            }
        }
        out
    }
}

/// Appends a DER element.
pub(super) fn push_element(out: &mut Vec<u8>, tag: Tag, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(tag.0);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = length.to_be_bytes();
            let significant = octets.iter().skip_while(|&&b| b == 0);
            let count = significant.clone().count();
            out.push(0x80 | u8::try_from(count).unwrap_or(0x7f));
            out.extend(significant);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn push_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

fn attributes<'a>(rdn: &Element<'a>) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
    let mut reader = Reader::der(rdn.contents);
    std::iter::from_fn(move || Attribute::parse(&mut reader).ok())
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Name<'_>) -> bool {
        if self.raw == other.raw {
            return true;
        }
        if self.len() != other.len() {
            return false;
        }
        let (mut ours, mut theirs) = (self.rdns(), other.rdns());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if rdn_matches(&a, &b) => {}
                _ => return false,
            }
        }
    }
}

impl Eq for Name<'_> {}

/// Two RDNs match when they have the same attributes, as sets (X.501 §9.3, RFC 5280 §7.1).
fn rdn_matches(a: &Element<'_>, b: &Element<'_>) -> bool {
    if a.raw == b.raw {
        return true;
    }
    if is_multi_valued(a) || is_multi_valued(b) {
        return canonical_rdn(a) == canonical_rdn(b);
    }
    let (Some(one), Some(other)) = (attributes(a).next(), attributes(b).next()) else { return false };
    if one.kind != other.kind {
        return false;
    }
    let quick = one.text().zip(other.text()).and_then(|(one, other)| same_plain_text(&one, &other));
    quick.unwrap_or_else(|| canonical_rdn(a) == canonical_rdn(b))
}

/// Whether two texts are one for caseIgnoreMatch, told as far as both are [`is_plain`]; `None` where they are not, and
/// preparation has to say.
///
/// What differs in plain characters that plain characters follow differs in any preparation: nothing behind composes
/// with it.
fn same_plain_text(one: &str, other: &str) -> Option<bool> {
    let (mut one, mut other) = (Plain::new(one), Plain::new(other));
    loop {
        match (one.next()?, other.next()?) {
            (None, None) => return Some(true),
            (a, b) if a != b => return Some(false),
            _ => {}
        }
    }
}

/// The letters of a plain text, folded, with insignificant spaces left out (RFC 4518 §2.6.1).
struct Plain<'a> {
    characters: std::iter::Peekable<std::str::Chars<'a>>,
    started: bool,
}

impl<'a> Plain<'a> {
    fn new(text: &'a str) -> Plain<'a> {
        Plain { characters: text.chars().peekable(), started: false }
    }

    /// The next letter, `Some(None)` at the end; `None` at what is not plain, or is followed by what is not.
    fn next(&mut self) -> Option<Option<char>> {
        let mut spaces = false;
        while self.characters.next_if_eq(&' ').is_some() {
            spaces = true;
        }
        if self.characters.peek().is_some_and(|c| !is_plain(*c)) {
            return None;
        }
        if spaces && self.started && self.characters.peek().is_some() {
            return Some(Some(' '));
        }
        let Some(c) = self.characters.next() else { return Some(None) };
        self.started = true;
        if self.characters.peek().is_some_and(|c| !is_plain(*c)) {
            return None;
        }
        Some(c.to_lowercase().next())
    }
}

/// Letters that NFKC leaves alone and that fold one to one: nearly every name of the national profile.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{400}'..='\u{482}' | '\u{48a}'..='\u{4ff}')
}

fn is_multi_valued(rdn: &Element<'_>) -> bool {
    attributes(rdn).nth(1).is_some()
}

fn canonical_rdn(rdn: &Element<'_>) -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = attributes(rdn)
        .map(|attribute| {
            let mut out = Vec::with_capacity(attribute.value.raw.len() + 12);
            push_length(&mut out, attribute.kind.as_bytes().len());
            out.extend_from_slice(attribute.kind.as_bytes());
            match attribute.text().and_then(|text| prepare(&text)) {
                Some(prepared) => {
                    out.push(1);
                    out.extend_from_slice(prepared.as_bytes());
                }
                // RFC 5280 §7.1: what cannot be prepared is compared as it stands.
                None => {
                    out.push(0);
                    out.extend_from_slice(attribute.value.raw);
                }
            }
            out
        })
        .collect();
    values.sort_unstable();
    values
}

/// The characters of a string type (RFC 4518 §2.1, Transcode).
fn text<'a>(value: &Element<'a>) -> Option<Cow<'a, str>> {
    let bytes = value.contents;
    match value.tag {
        Tag::UTF8_STRING => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Tag::PRINTABLE_STRING | Tag::NUMERIC_STRING | Tag::IA5_STRING | Tag::VISIBLE_STRING => {
            bytes.is_ascii().then(|| std::str::from_utf8(bytes).ok().map(Cow::Borrowed))?
        }
        // DEVIATION: T.61 is read as ISO 8859-1, which is what issuers that use the type put in it; RFC 4518 §2.1 leaves
        // the mapping open. A wrong reading can only make two spellings differ, the issuer's signature still decides.
        Tag::TELETEX_STRING => Some(Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect())),
        Tag::BMP_STRING => {
            let units = bytes.chunks_exact(2);
            if !units.remainder().is_empty() {
                return None;
            }
            // UCS-2: a surrogate is not a character.
            let text: Option<String> =
                units.map(|unit| char::from_u32(unit.iter().fold(0, |n, &b| n << 8 | u32::from(b)))).collect();
            text.map(Cow::Owned)
        }
        Tag::UNIVERSAL_STRING => {
            let units = bytes.chunks_exact(4);
            if !units.remainder().is_empty() {
                return None;
            }
            let text: Option<String> =
                units.map(|unit| char::from_u32(unit.iter().fold(0, |n, &b| n << 8 | u32::from(b)))).collect();
            text.map(Cow::Owned)
        }
        _ => None,
    }
}

/// String preparation for caseIgnoreMatch (RFC 4518 §2); `None` where a character is prohibited (§2.4).
fn prepare(text: &str) -> Option<String> {
    if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control()) {
        return Some(fold_spaces(text.chars().map(|c| c.to_ascii_lowercase()), text.len()));
    }
    if text.chars().all(is_plain) {
        return Some(fold_spaces(text.chars().flat_map(char::to_lowercase), text.len()));
    }
    let mapped = text.chars().filter_map(map).flat_map(fold_case);
    let normalized: String = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize_iter(mapped).collect();
    // Folding and composing can feed each other (U+0345, U+1E9E): once more makes the form stable.
    let folded = normalized.chars().filter_map(map).flat_map(fold_case);
    let normalized: String = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize_iter(folded).collect();
    if normalized.chars().any(is_prohibited) {
        return None;
    }
    let length = normalized.len();
    Some(fold_spaces(normalized.chars(), length))
}

/// Insignificant spaces (RFC 4518 §2.6.1): none at the ends, one between words.
fn fold_spaces(characters: impl Iterator<Item = char>, capacity: usize) -> String {
    let mut out = String::with_capacity(capacity);
    let mut pending = false;
    for c in characters {
        if c == ' ' {
            pending = !out.is_empty();
        } else {
            if pending {
                out.push(' ');
                pending = false;
            }
            out.push(c);
        }
    }
    out
}

/// RFC 4518 §2.2: what is mapped to nothing (`None`) and to SPACE.
fn map(c: char) -> Option<char> {
    match c {
        '\t'..='\r' | '\u{85}' => Some(' '),
        '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Some(' '),
        '\0'..='\u{8}'
        | '\u{e}'..='\u{1f}'
        | '\u{7f}'..='\u{84}'
        | '\u{86}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{1806}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2063}'
        | '\u{206a}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}' => None,
        c => Some(c),
    }
}

/// Full case folding (RFC 3454 §B.2) out of the standard library's mappings: lower, upper, lower brings every member
/// of a case class to one form. Dotless ı is a class of its own there, but not here, so it stays.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    let dotless = (c == '\u{131}').then_some(c);
    let cased = dotless.is_none().then_some(c).into_iter();
    dotless
        .into_iter()
        .chain(cased.flat_map(char::to_lowercase).flat_map(char::to_uppercase).flat_map(char::to_lowercase))
}

/// RFC 4518 §2.4: private use, non-characters, the replacement character.
fn is_prohibited(c: char) -> bool {
    let code = u32::from(c);
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffd}' | '\u{f0000}'..)
        || code & 0xfffe == 0xfffe
}

/// Descriptors that print instead of a dotted identifier (RFC 4514 §3 and the LDAP registry).
const DESCRIPTORS: [(Oid<'static>, &str); 15] = [
    (attribute::COMMON_NAME, "CN"),
    (attribute::SURNAME, "SN"),
    (attribute::SERIAL_NUMBER, "serialNumber"),
    (attribute::COUNTRY, "C"),
    (attribute::LOCALITY, "L"),
    (attribute::STATE, "ST"),
    (attribute::STREET, "STREET"),
    (attribute::ORGANIZATION, "O"),
    (attribute::ORGANIZATIONAL_UNIT, "OU"),
    (attribute::TITLE, "title"),
    (attribute::GIVEN_NAME, "givenName"),
    (attribute::DOMAIN_COMPONENT, "DC"),
    (attribute::USER_ID, "UID"),
    (attribute::EMAIL_ADDRESS, "email"),
    (oid!(2, 5, 4, 15), "businessCategory"),
];

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rdns: Vec<Element<'_>> = self.rdns().collect();
        for (i, rdn) in rdns.iter().rev().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            for (j, attribute) in attributes(rdn).enumerate() {
                if j > 0 {
                    f.write_str("+")?;
                }
                print(f, &attribute)?;
            }
        }
        Ok(())
    }
}

fn print(f: &mut fmt::Formatter<'_>, attribute: &Attribute<'_>) -> fmt::Result {
    let descriptor = DESCRIPTORS.iter().find(|(kind, _)| *kind == attribute.kind);
    match (descriptor, attribute.text()) {
        (Some((_, descriptor)), Some(text)) => {
            f.write_str(descriptor)?;
            f.write_str("=")?;
            escape(f, &text)
        }
        (descriptor, _) => {
            match descriptor {
                Some((_, descriptor)) => f.write_str(descriptor)?,
                None => write!(f, "{}", attribute.kind)?,
            }
            f.write_str("=#")?;
            hexadecimal(attribute.value.raw, f)
        }
    }
}

/// RFC 4514 §2.4; control characters too are written as their octets, so that a name is one line.
fn escape(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.char_indices().next_back().map_or(0, |(at, _)| at);
    // What needs no escape is written in runs.
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let edge_space = c == ' ' && (at == 0 || at == last);
        let special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') || (c == '#' && at == 0);
        if !(edge_space || special || c.is_control()) {
            continue;
        }
        f.write_str(text.get(plain..at).unwrap_or_default())?;
        plain = at + c.len_utf8();
        if c.is_control() {
            let mut octets = [0; 4];
            c.encode_utf8(&mut octets).bytes().try_for_each(|b| write!(f, "\\{b:02x}"))?;
        } else {
            write!(f, "\\{c}")?;
        }
    }
    f.write_str(text.get(plain..).unwrap_or_default())
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// DER of a name whose every inner vector is one RDN.
    fn name(rdns: &[&[(Oid<'_>, Tag, &[u8])]]) -> Vec<u8> {
        let mut body = Vec::new();
        for rdn in rdns {
            let mut values: Vec<Vec<u8>> = rdn
                .iter()
                .map(|(kind, tag, value)| {
                    let (mut k, mut v, mut out) = (Vec::new(), Vec::new(), Vec::new());
                    push_element(&mut k, Tag::OID, &[kind.as_bytes()]);
                    push_element(&mut v, *tag, &[value]);
                    push_element(&mut out, Tag::SEQUENCE, &[&k, &v]);
                    out
                })
                .collect();
            values.sort();
            let parts: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            push_element(&mut body, Tag::SET, &parts);
        }
        let mut out = Vec::new();
        push_element(&mut out, Tag::SEQUENCE, &[&body]);
        out
    }

    fn cn(tag: Tag, value: &[u8]) -> Vec<u8> {
        name(&[&[(attribute::COMMON_NAME, tag, value)]])
    }

    fn same(a: &[u8], b: &[u8]) -> bool {
        let (a, b) = (Name::parse(a).unwrap(), Name::parse(b).unwrap());
        assert_eq!(a == b, a.canonical() == b.canonical(), "{a} {b}");
        a == b
    }

    #[test]
    fn case_spaces_and_string_types_do_not_matter() {
        let plain = cn(Tag::PRINTABLE_STRING, b"Test Name");
        assert!(same(&plain, &cn(Tag::UTF8_STRING, b"  tEST   nAME ")));
        assert!(same(&plain, &cn(Tag::TELETEX_STRING, b"TEST NAME")));
        assert!(same(
            &plain,
            &cn(Tag::BMP_STRING, &"test name".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>())
        ));
        assert!(!same(&plain, &cn(Tag::UTF8_STRING, b"TestName")));
        let kazakh = cn(Tag::UTF8_STRING, "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ".as_bytes());
        assert!(same(&kazakh, &cn(Tag::UTF8_STRING, "негізгі\u{a0}куәландырушы орталық".as_bytes())));
        assert!(!same(&kazakh, &cn(Tag::UTF8_STRING, "НЕГIЗГI КУӘЛАНДЫРУШЫ ОРТАЛЫҚ".as_bytes())), "Latin I");
    }

    #[test]
    fn preparation_follows_rfc_4518() {
        let equal = |a: &str, b: &str| same(&cn(Tag::UTF8_STRING, a.as_bytes()), &cn(Tag::UTF8_STRING, b.as_bytes()));
        assert!(equal("Straße", "STRASSE"));
        assert!(equal("\u{212b}", "å"), "compatibility forms");
        assert!(equal("e\u{301}", "é"), "composition");
        assert!(equal("so\u{ad}ft", "soft"), "mapped to nothing");
        assert!(equal("a\tb", "a b"));
        assert!(!equal("ı", "i"), "dotless");
        assert!(!equal("a\u{e000}", "A\u{e000}"), "prohibited: compared as it stands");
        assert!(equal("a\u{e000}", "a\u{e000}"));
    }

    #[test]
    fn rdns_are_ordered_and_their_attributes_are_not() {
        let (c, o) = (
            (attribute::COUNTRY, Tag::PRINTABLE_STRING, &b"KZ"[..]),
            (attribute::ORGANIZATION, Tag::UTF8_STRING, &b"x"[..]),
        );
        let upper = (attribute::ORGANIZATION, Tag::PRINTABLE_STRING, &b"X"[..]);
        assert!(same(&name(&[&[c, o]]), &name(&[&[upper, c]])));
        assert!(!same(&name(&[&[c], &[o]]), &name(&[&[o], &[c]])));
        assert!(!same(&name(&[&[c, o]]), &name(&[&[c], &[o]])));
        assert!(!same(&name(&[&[c]]), &name(&[&[c, o]])));
        let (whole, base) = (name(&[&[c], &[o]]), name(&[&[c]]));
        let (whole, base) = (Name::parse(&whole).unwrap(), Name::parse(&base).unwrap());
        assert!(whole.is_within(&base) && whole.is_within(&Name::EMPTY) && !base.is_within(&whole));
    }

    #[test]
    fn prints_as_rfc_4514() {
        let der = name(&[
            &[(attribute::COUNTRY, Tag::PRINTABLE_STRING, b"KZ")],
            &[(attribute::ORGANIZATION, Tag::UTF8_STRING, b" Sue, Grabbit and \"Runn\" #1 ")],
            &[(oid!(1, 3, 6, 1, 4, 1, 1466, 0), Tag::OCTET_STRING, b"Hi")],
            &[(attribute::COMMON_NAME, Tag::UTF8_STRING, b"#a\0b")],
        ]);
        assert_eq!(
            Name::parse(&der).unwrap().to_string(),
            "CN=\\#a\\00b,1.3.6.1.4.1.1466.0=#04024869,O=\\ Sue\\, Grabbit and \\\"Runn\\\" #1\\ ,C=KZ"
        );
    }

    #[test]
    fn a_child_lies_below_its_parent() {
        let parent = cn(Tag::UTF8_STRING, b"CA");
        let whole = name(&[
            &[(attribute::COMMON_NAME, Tag::UTF8_STRING, b"CA")],
            &[(attribute::ORGANIZATION, Tag::UTF8_STRING, b"list")],
        ]);
        let rdn = Name::parse(&whole).unwrap().rdns().last().unwrap().contents.to_vec();
        assert_eq!(Name::parse(&parent).unwrap().child(&rdn), whole);
    }

    #[test]
    fn malformed_names_are_refused() {
        for der in
            [&b"\x30\x02\x31\x00"[..], b"\x30\x02\x30\x00", b"\x31\x00", b"\x30\x00\x00", b"\x30\x04\x31\x02\x30\x00"]
        {
            assert!(Name::parse(der).is_err(), "{der:02x?}");
        }
        assert!(Name::parse(b"\x30\x00").unwrap().is_empty());
    }

    #[test]
    fn the_short_way_for_cyrillic_is_the_long_way() {
        for c in ('\u{400}'..='\u{482}').chain('\u{48a}'..='\u{4ff}') {
            let long: String =
                icu_normalizer::ComposingNormalizerBorrowed::new_nfkc().normalize_iter(fold_case(c)).collect();
            assert_eq!(prepare(&c.to_string()), Some(long), "{c:?}");
        }
    }

    proptest! {
        /// The short way and the preparation agree, over letters that fold, compose, vanish and turn into spaces.
        #[test]
        fn plain_texts_are_told_apart_as_prepared_ones_are(
            one in "[aAbB  еЕёЁ\u{308}\u{a0}\u{ad}\u{212a}kK]{0,6}", other in "[aAbB  еЕёЁ\u{308}\u{a0}\u{ad}\u{212a}kK]{0,6}"
        ) {
            same(&cn(Tag::UTF8_STRING, one.as_bytes()), &cn(Tag::UTF8_STRING, other.as_bytes()));
            if let Some(short) = same_plain_text(&one, &other) {
                let prepared = |text: &str| prepare(text).unwrap_or_else(|| text.to_owned());
                prop_assert_eq!(short, prepared(&one) == prepared(&other));
            }
        }

        #[test]
        fn case_never_matters(text in "\\PC{0,12}") {
            let (upper, lower) = (text.to_uppercase(), text.to_lowercase());
            prop_assume!(upper.to_lowercase() == lower && !text.contains('ı'));
            prop_assume!(!text.chars().any(is_prohibited));
            prop_assert!(same(&cn(Tag::UTF8_STRING, upper.as_bytes()), &cn(Tag::UTF8_STRING, lower.as_bytes())));
        }
    }
}
