//! One pass over a certificate revocation list of any size, in a window of bounded size.
//!
//! ```text
//! CertificateList ::= SEQUENCE {                       -- RFC 5280 §5.1
//!     tbsCertList SEQUENCE {
//!         version, signature, issuer, thisUpdate, nextUpdate OPTIONAL,
//!         revokedCertificates SEQUENCE OF SEQUENCE {   -- walked, entry by entry
//!             userCertificate, revocationDate, crlEntryExtensions OPTIONAL } OPTIONAL,
//!         crlExtensions [0] OPTIONAL },
//!     signatureAlgorithm, signatureValue }
//! ```
//! What is not an entry is kept as it was received and put together again as a list without entries (the *frame*),
//! which the parser of `pki` reads: there is one parser of a list's fields.
//!
//! *Invariant:* every octet of the source is part of the digests; memory is the window, whatever lengths the source
//! claims.

use super::record::Records;
use super::sample::header;
use crate::asn1::{
    Element, Error as Asn1Error, Reader, Tag, UTC_TIME_OCTETS, generalized_time, integer_is_minimal, utc_time_octets,
    x509_time,
};
use crate::crypto::{AlgorithmIdentifier, Digest, DigestAlgorithm, Hasher, SignatureAlgorithm};
use crate::pki::crl::{CrlReason, RevokedEntry};
use crate::pki::extension::{Extension, GeneralName, List, id};
use crate::report::Time;
use std::io::{self, Read};

/// Octets read at once; also the most that one field or entry may take. An entry of the national list takes 36 to 50
/// octets, its head under 1,000, an RSA-8192 signature 1,024.
const WINDOW: usize = 1 << 20;

/// Why the bytes are not a list that can be used.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// Nothing at all: a mirror that answers 200 and no body.
    #[error("empty")]
    Empty,
    /// Text where DER should be: HTML of an error page or of a captive portal.
    #[error("not a revocation list but {0}")]
    NotAList(&'static str),
    /// Fewer octets than the list says it has.
    #[error("truncated: {expected} octets announced, {found} at hand")]
    Truncated {
        /// Octets that the outer length promises.
        expected: u64,
        /// Octets there are.
        found: u64,
    },
    /// More octets than are taken.
    #[error("larger than {limit} octets")]
    TooLarge {
        /// The most that is taken.
        limit: u64,
    },
    /// Not DER of a CertificateList.
    #[error("malformed list at octet {offset}")]
    Malformed {
        /// Where.
        offset: u64,
    },
    /// A critical entry extension that is not known: the list must not be used (RFC 5280 §5.3).
    #[error("unknown critical entry extension {0}")]
    UnknownCriticalExtension(String),
    /// A signature algorithm that is refused, or inner and outer algorithm differ.
    #[error("signature algorithm: {0}")]
    Algorithm(String),
    /// The source cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// A list taken apart.
pub(super) struct Walked {
    /// The list with its entries taken out; its signature belongs to the whole.
    pub(super) frame: Vec<u8>,
    /// The entries.
    pub(super) records: Records,
    /// SHA-256 of the source.
    pub(super) digest: Digest,
    /// Octets of the source.
    pub(super) octets: u64,
    /// What the signature signs.
    pub(super) algorithm: SignatureAlgorithm,
    /// Digest of the tbsCertList under the signature's algorithm; none where the algorithm has no such digest.
    pub(super) tbs_digest: Option<Digest>,
    /// Where the tbsCertList lies in the source.
    pub(super) tbs: std::ops::Range<u64>,
    /// Octets of the signature.
    pub(super) signature: Vec<u8>,
}

/// A sliding window over the source; what leaves it has been digested.
struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    /// Position in `buffer` of the next octet to walk.
    at: usize,
    /// Position in `buffer` of the next octet to digest.
    digested: usize,
    /// Position in the source of the start of `buffer`.
    origin: u64,
    whole: Hasher,
    tbs: Option<(Hasher, std::ops::Range<u64>)>,
}

impl<R: Read> Window<R> {
    fn new(source: R) -> Window<R> {
        Window {
            source,
            buffer: Vec::with_capacity(WINDOW * 2),
            at: 0,
            digested: 0,
            origin: 0,
            whole: DigestAlgorithm::Sha256.hasher(),
            tbs: None,
        }
    }

    fn offset(&self) -> u64 {
        self.origin + self.at as u64
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    fn malformed(&self) -> WalkError {
        WalkError::Malformed { offset: self.offset() }
    }

    /// Digests what has been walked.
    fn digest(&mut self) {
        let part = self.buffer.get(self.digested..self.at).unwrap_or_default();
        self.whole.update(part);
        if let Some((hasher, range)) = &mut self.tbs {
            let start = self.origin + self.digested as u64;
            let clip = |position: u64| usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
            let (from, to) = (clip(range.start).min(part.len()), clip(range.end).min(part.len()));
            hasher.update(part.get(from..to).unwrap_or_default());
        }
        self.digested = self.at;
    }

    /// Reads more, dropping what has been walked. The number of octets added.
    fn fill(&mut self) -> Result<usize, WalkError> {
        self.digest();
        self.buffer.drain(..self.at);
        self.origin += self.at as u64;
        (self.at, self.digested) = (0, 0);
        let before = self.buffer.len();
        (&mut self.source).take(WINDOW as u64).read_to_end(&mut self.buffer)?;
        Ok(self.buffer.len() - before)
    }

    /// The element that comes next, whole in the window; an element above [`WINDOW`] octets is refused.
    fn element(&mut self) -> Result<(Element<'_>, usize), WalkError> {
        // Two borrows of the window: first make sure that the element is whole, then read it.
        loop {
            let rest = self.rest();
            match Reader::der(rest).element() {
                Ok(_) => break,
                Err(error) if error.kind == crate::asn1::ErrorKind::Truncated && rest.len() < WINDOW => {
                    if self.fill()? == 0 {
                        return Err(self.malformed());
                    }
                }
                Err(_) => return Err(self.malformed()),
            }
        }
        let offset = self.offset();
        let element = Reader::der(self.rest()).element().map_err(|_| WalkError::Malformed { offset })?;
        let length = element.raw.len();
        Ok((element, length))
    }

    /// The next element if it has the tag: a copy of its encoding, walked.
    fn take(&mut self, allowed: impl Fn(Tag) -> bool) -> Result<Option<Vec<u8>>, WalkError> {
        if self.rest().is_empty() && self.fill()? == 0 {
            return Ok(None);
        }
        if !self.rest().first().is_some_and(|&octet| allowed(Tag(octet))) {
            return Ok(None);
        }
        let (element, length) = self.element()?;
        let raw = element.raw.to_vec();
        self.at += length;
        Ok(Some(raw))
    }

    fn expect(&mut self, tag: Tag) -> Result<Vec<u8>, WalkError> {
        self.take(|found| found == tag)?.ok_or_else(|| self.malformed())
    }

    /// The header of a SEQUENCE whose contents are not read: its contents' length in octets.
    fn enter(&mut self) -> Result<u64, WalkError> {
        // The longest header the reader takes: tag, count, four octets of length.
        const HEADER: usize = 6;
        while self.rest().len() < HEADER {
            if self.fill()? == 0 {
                break;
            }
        }
        let (header, length) = sequence_header(self.rest()).ok_or_else(|| self.malformed())?;
        self.at += header;
        Ok(length)
    }
}

/// Header length and contents length of the SEQUENCE at the start of `octets` (X.690 §8.1.3, §10.1).
fn sequence_header(octets: &[u8]) -> Option<(usize, u64)> {
    let (&tag, rest) = octets.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if Tag(tag) != Tag::SEQUENCE {
        return None;
    }
    if first < 0x80 {
        return Some((2, u64::from(first)));
    }
    let count = usize::from(first & 0x7f);
    let length = rest.get(..count).filter(|length| (1..=4).contains(&length.len()))?;
    let value = length.iter().fold(0, |value, &octet| (value << 8) | u64::from(octet));
    let minimal = value >= 0x80 && length.first() != Some(&0);
    minimal.then_some((2 + count, value))
}

/// Walks the source to its end. `available` is how many octets there are.
pub(super) fn walk(source: impl Read, available: u64, limit: u64) -> Result<Walked, WalkError> {
    if available > limit {
        return Err(WalkError::TooLarge { limit });
    }
    let mut window = Window::new(source);
    if window.fill()? == 0 {
        return Err(WalkError::Empty);
    }
    name_what_is_no_list(window.rest())?;

    let contents = window.enter()?;
    let expected = window.offset() + contents;
    if expected > available {
        return Err(WalkError::Truncated { expected, found: available });
    }
    if expected != available {
        return Err(WalkError::Malformed { offset: expected });
    }
    let tbs_start = window.offset();
    let tbs_length = window.enter()?;
    let tbs_end = window.offset() + tbs_length;

    let version = window.take(|tag| tag == Tag::INTEGER)?.unwrap_or_default();
    let inner_algorithm = window.expect(Tag::SEQUENCE)?;
    let algorithm = signature_algorithm(&inner_algorithm)?;
    window.tbs = algorithm.digest().map(|digest| (digest.hasher(), tbs_start..tbs_end));
    let issuer = window.expect(Tag::SEQUENCE)?;
    let is_time = |tag| matches!(tag, Tag::UTC_TIME | Tag::GENERALIZED_TIME);
    let this_update = window.take(is_time)?.ok_or_else(|| window.malformed())?;
    let next_update = window.take(is_time)?.unwrap_or_default();

    let mut records = Records::new();
    if window.offset() < tbs_end && window.peek()? == Some(Tag::SEQUENCE) {
        let length = window.enter()?;
        let end = window.offset() + length;
        // RFC 5280 §5.1.2.6: a list without entries has no list of entries.
        if end > tbs_end || length == 0 {
            return Err(window.malformed());
        }
        // RFC 5280 §5.1.2.1: entry extensions only in version 2.
        let extensions = if version.is_empty() { EntryExtensions::NotAllowed } else { EntryExtensions::Allowed };
        walk_entries(&mut window, end, extensions, &mut records)?;
    }
    let extensions = if window.offset() < tbs_end { window.expect(Tag::context_constructed(0))? } else { Vec::new() };
    if window.offset() != tbs_end {
        return Err(window.malformed());
    }
    let outer_algorithm = window.expect(Tag::SEQUENCE)?;
    let signature = window.expect(Tag::BIT_STRING)?;
    if window.offset() != expected || window.fill()? != 0 {
        return Err(window.malformed());
    }
    // RFC 5280 §5.1.1.2. The identifiers alone are compared: the national authority writes NULL in one and not in the
    // other.
    if signature_algorithm(&outer_algorithm)? != algorithm {
        return Err(WalkError::Algorithm("inner and outer differ".into()));
    }
    let bits = Reader::der(&signature).element().and_then(|element| element.bit_string_octets());
    let signature_octets = bits.map_err(|_| WalkError::Malformed { offset: expected })?.to_vec();

    let tbs = sequence(&[&version, &inner_algorithm, &issuer, &this_update, &next_update, &extensions]);
    Ok(Walked {
        frame: sequence(&[&tbs, &outer_algorithm, &signature]),
        records,
        digest: window.whole.finish(),
        octets: available,
        algorithm,
        tbs_digest: window.tbs.map(|(hasher, _)| hasher.finish()),
        tbs: tbs_start..tbs_end,
        signature: signature_octets,
    })
}

impl<R: Read> Window<R> {
    fn peek(&mut self) -> Result<Option<Tag>, WalkError> {
        if self.rest().is_empty() {
            self.fill()?;
        }
        Ok(self.rest().first().map(|&octet| Tag(octet)))
    }
}

/// Says by name what mirrors and portals send in place of a list.
fn name_what_is_no_list(octets: &[u8]) -> Result<(), WalkError> {
    let text = octets.trim_ascii_start();
    if octets.first() == Some(&Tag::SEQUENCE.0) {
        Ok(())
    } else if text.starts_with(b"-----BEGIN") {
        Err(WalkError::NotAList("PEM"))
    } else if text.first() == Some(&b'<') {
        Err(WalkError::NotAList("HTML or XML"))
    } else if octets.iter().take(64).all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace()) {
        Err(WalkError::NotAList("text"))
    } else {
        Err(WalkError::Malformed { offset: 0 })
    }
}

fn signature_algorithm(identifier: &[u8]) -> Result<SignatureAlgorithm, WalkError> {
    let parsed = AlgorithmIdentifier::parse(&mut Reader::der(identifier));
    let parsed = parsed.map_err(|error| WalkError::Algorithm(error.to_string()))?;
    SignatureAlgorithm::from_identifier(&parsed).map_err(|error| WalkError::Algorithm(error.to_string()))
}

/// A SEQUENCE of what has been encoded already.
fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let mut octets = header(Tag::SEQUENCE, parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| octets.extend_from_slice(part));
    octets
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EntryExtensions {
    Allowed,
    NotAllowed,
}

fn walk_entries<R: Read>(
    window: &mut Window<R>,
    end: u64,
    allowed: EntryExtensions,
    records: &mut Records,
) -> Result<(), WalkError> {
    // The last extensions read and what they say: entries of one list say few different things.
    let mut memo: (Vec<u8>, Said) = (Vec::new(), Said::default());
    while window.offset() < end {
        if window.rest().len() < WINDOW / 2 && window.offset() + (window.rest().len() as u64) < end {
            window.fill()?;
        }
        // As many entries as are whole in the window.
        let base = window.offset();
        let mut reader = Reader::der(window.rest());
        let mut walked = 0;
        loop {
            let position = base + walked as u64;
            if position >= end {
                break;
            }
            if let Some(plain) = PlainEntry::at(reader.rest())
                && (plain.extensions.is_empty() || plain.extensions == memo.0)
            {
                let Said { reason, invalidity_date } =
                    if plain.extensions.is_empty() { Said::default() } else { memo.1 };
                let revocation_date = plain.revocation_date;
                records.push(plain.serial, &RevokedEntry { revocation_date, reason, invalidity_date });
                if records.is_first() {
                    records.reserve((end - position) / plain.octets.max(1) as u64);
                }
                walked += plain.octets;
                reader = Reader::der(reader.rest().get(plain.octets..).unwrap_or_default());
                continue;
            }
            let entry = match reader.element() {
                Ok(entry) => entry,
                Err(_) if walked > 0 => break,
                Err(_) => {
                    window.element()?;
                    break;
                }
            };
            let malformed = |_: Asn1Error| WalkError::Malformed { offset: position };
            let mut fields = entry.expect(Tag::SEQUENCE).and_then(|entry| entry.reader()).map_err(malformed)?;
            let serial = fields.integer().map_err(malformed)?;
            let revocation_date = x509_time(&mut fields).map_err(malformed)?;
            let extensions = fields.rest();
            let said = if extensions.is_empty() {
                Said::default()
            } else if extensions == memo.0 {
                memo.1
            } else if allowed == EntryExtensions::NotAllowed {
                return Err(WalkError::Malformed { offset: position });
            } else {
                let (said, issuers) = entry_extensions(&mut fields, position)?;
                // certificateIssuer is sticky: it holds until the next one (RFC 5280 §5.3.3).
                match issuers.is_empty() {
                    true => memo = (extensions.to_vec(), said),
                    false => records.set_issuers(issuers).ok_or(WalkError::Malformed { offset: position })?,
                }
                said
            };
            let Said { reason, invalidity_date } = said;
            records.push(serial, &RevokedEntry { revocation_date, reason, invalidity_date });
            if records.is_first() {
                records.reserve((end - position) / entry.raw.len().max(1) as u64);
            }
            walked += entry.raw.len();
        }
        window.at += walked;
    }
    if window.offset() == end { Ok(()) } else { Err(window.malformed()) }
}

/// An entry as nearly all are: short, with a UTCTime. Whatever is not quite so is read by the reader of `asn1`, which
/// also says what is wrong with it.
struct PlainEntry<'a> {
    octets: usize,
    serial: &'a [u8],
    revocation_date: Time,
    extensions: &'a [u8],
}

impl<'a> PlainEntry<'a> {
    #[inline]
    fn at(octets: &'a [u8]) -> Option<PlainEntry<'a>> {
        let [tag, length, integer, serial_length, rest @ ..] = octets else { return None };
        if [*tag, *integer] != [Tag::SEQUENCE.0, Tag::INTEGER.0] || *length >= 0x80 || *serial_length >= 0x80 {
            return None;
        }
        // Two of the entry's octets have been read.
        let fields = rest.get(..usize::from(*length).checked_sub(2)?)?;
        let (serial, fields) = fields.split_at_checked(usize::from(*serial_length))?;
        if serial.is_empty() || !integer_is_minimal(serial) {
            return None;
        }
        let [utc_time, time_length, fields @ ..] = fields else { return None };
        if *utc_time != Tag::UTC_TIME.0 || usize::from(*time_length) != UTC_TIME_OCTETS {
            return None;
        }
        let (time, extensions) = fields.split_first_chunk()?;
        Some(PlainEntry {
            octets: 2 + usize::from(*length),
            serial,
            revocation_date: utc_time_octets(time)?,
            extensions,
        })
    }
}

/// What an entry's extensions say of its certificate.
#[derive(Clone, Copy, Default)]
struct Said {
    reason: Option<CrlReason>,
    invalidity_date: Option<Time>,
}

/// crlEntryExtensions (RFC 5280 §5.3): what they say, and the names of a certificateIssuer.
fn entry_extensions(fields: &mut Reader<'_>, position: u64) -> Result<(Said, Vec<Vec<u8>>), WalkError> {
    let malformed = |_: Asn1Error| WalkError::Malformed { offset: position };
    let duplicate = || WalkError::Malformed { offset: position };
    let mut list = fields.sequence().map_err(malformed)?;
    fields.finish().map_err(malformed)?;
    let (mut said, mut issuers) = (Said::default(), Vec::new());
    while !list.is_empty() {
        let extension = Extension::read(&mut list).map_err(malformed)?;
        if extension.id == id::CRL_REASON {
            let code = extension.parse(|reader| {
                let element = reader.expect(Tag::ENUMERATED)?;
                CrlReason::from_code(element.small_unsigned()?).ok_or(element.invalid())
            });
            if said.reason.replace(code.map_err(malformed)?).is_some() {
                return Err(duplicate());
            }
        } else if extension.id == id::INVALIDITY_DATE {
            let date = extension.parse(|reader| generalized_time(&reader.expect(Tag::GENERALIZED_TIME)?));
            if said.invalidity_date.replace(date.map_err(malformed)?).is_some() {
                return Err(duplicate());
            }
        } else if extension.id == id::CERTIFICATE_ISSUER {
            let names = extension.parse(List::<GeneralName<'_>>::read).map_err(malformed)?;
            issuers.extend(names.iter().filter_map(|name| match name {
                GeneralName::Directory(name) => Some(name.raw().to_vec()),
                _ => None,
            }));
            if issuers.is_empty() {
                return Err(WalkError::Malformed { offset: position });
            }
        } else if extension.critical {
            return Err(WalkError::UnknownCriticalExtension(extension.id.to_string()));
        }
    }
    Ok((said, issuers))
}
