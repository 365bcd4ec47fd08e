//! Time-stamp tokens, requests and responses (RFC 3161, updated by RFC 5816).
//!
//! A token is CMS SignedData over a TSTInfo; the signature is read by [`crate::format::cms`] and judged elsewhere.
//! Here are the structures alone, read as strict DER and written as such.
//!
//! *Invariant:* what is parsed borrows from what was received, and nothing follows it; what is written is read back
//! equal.

use super::extension::{Extension, GeneralName, Item};
use crate::asn1::{Element, Error, Oid, Reader, Tag, encode, oid};
use crate::crypto::{AlgorithmIdentifier, Digest, DigestAlgorithm};
use crate::report::Time;
use std::fmt;

/// id-ct-TSTInfo (RFC 3161 §2.4.2).
pub const ID_CT_TST_INFO: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 16, 1, 4);

/// MessageImprint: the digest of what is stamped.
///
/// ```text
/// MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageImprint<'a> {
    /// Identifier of the digest algorithm.
    pub algorithm: Oid<'a>,
    /// The digest.
    pub digest: &'a [u8],
}

impl<'a> MessageImprint<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<MessageImprint<'a>, Error> {
        let element = reader.expect(Tag::SEQUENCE)?;
        let mut inner = element.reader()?;
        let algorithm = AlgorithmIdentifier::parse(&mut inner)?;
        let digest = inner.octet_string()?;
        inner.finish()?;
        // No digest takes parameters; an imprint of another length is no digest of the algorithm.
        let length = DigestAlgorithm::from_oid(algorithm.algorithm).map(DigestAlgorithm::output_len);
        if !algorithm.has_no_parameters() || length.is_some_and(|length| length != digest.len()) {
            return Err(element.invalid());
        }
        Ok(MessageImprint { algorithm: algorithm.algorithm, digest })
    }

    /// The digest with its algorithm; `None` where the algorithm is not known.
    pub fn known(&self) -> Option<Digest> {
        Digest::from_octets(DigestAlgorithm::from_oid(self.algorithm)?, self.digest)
    }
}

/// `MessageImprint` of a digest, in DER; `None` where the digest has no identifier.
fn message_imprint(digest: &Digest) -> Option<Vec<u8>> {
    let algorithm = encode::sequence(&[&encode::oid(digest.algorithm().oid()?), &encode::null()]);
    Some(encode::sequence(&[&algorithm, &encode::octet_string(digest.as_bytes())]))
}

/// genTime: a GeneralizedTime that may carry a fraction of a second (RFC 3161 §2.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GenTime {
    /// The whole second.
    ///
    /// Validity and revocation are told in whole seconds, so "before" and "not before" come out the same with this as
    /// with the exact time.
    pub time: Time,
    /// What is past of the second, in nanoseconds.
    pub nanoseconds: u32,
}

impl GenTime {
    /// A whole second.
    pub const fn from_time(time: Time) -> GenTime {
        GenTime { time, nanoseconds: 0 }
    }

    /// `YYYYMMDDhhmmss[.s...]Z`; no trailing zeros and no point without a fraction.
    fn read(reader: &mut Reader<'_>) -> Result<GenTime, Error> {
        let element = reader.expect(Tag::GENERALIZED_TIME)?;
        let text = element.contents.strip_suffix(b"Z").ok_or(element.invalid())?;
        let (seconds, fraction) = text.split_at_checked(14).ok_or(element.invalid())?;
        let nanoseconds = match fraction {
            [] => 0,
            [b'.', digits @ ..] => {
                let well_formed = digits.iter().all(u8::is_ascii_digit) && digits.last().is_some_and(|d| *d != b'0');
                if !well_formed {
                    return Err(element.invalid());
                }
                // Nine digits; finer ones are dropped.
                digits
                    .iter()
                    .map(|d| u32::from(d - b'0'))
                    .chain(std::iter::repeat(0))
                    .take(9)
                    .fold(0, |n, d| n * 10 + d)
            }
            _ => return Err(element.invalid()),
        };
        let whole = [seconds, b"Z"].concat();
        let whole = encode::element(Tag::GENERALIZED_TIME, &[&whole]);
        let time = Reader::der(&whole).element().and_then(|e| crate::asn1::generalized_time(&e));
        Ok(GenTime { time: time.map_err(|_| element.invalid())?, nanoseconds })
    }
}

impl fmt::Display for GenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.time.fmt(f)
    }
}

/// How far the authority's clock may be off, in microseconds.
///
/// ```text
/// Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL,
///                         micros [1] INTEGER (1..999) OPTIONAL }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accuracy(u64);

impl Accuracy {
    /// An accuracy of whole seconds.
    pub const fn from_seconds(seconds: u32) -> Accuracy {
        Accuracy(seconds as u64 * 1_000_000)
    }

    /// The accuracy in microseconds.
    pub const fn microseconds(self) -> u64 {
        self.0
    }

    fn read(element: &Element<'_>) -> Result<Accuracy, Error> {
        let mut reader = element.reader()?;
        let seconds = match reader.optional(Tag::INTEGER)? {
            Some(seconds) => seconds.small_unsigned()?,
            None => 0,
        };
        let mut thousandth = |n: u8| match reader.optional(Tag::context(n))? {
            None => Ok(0),
            Some(part) => match part.retagged(Tag::INTEGER).small_unsigned()? {
                value @ 1..=999 => Ok(value),
                _ => Err(part.invalid()),
            },
        };
        let (millis, micros) = (thousandth(0)?, thousandth(1)?);
        reader.finish()?;
        Ok(Accuracy(u64::from(seconds) * 1_000_000 + u64::from(millis) * 1000 + u64::from(micros)))
    }
}

/// TSTInfo: what a token says.
///
/// ```text
/// TSTInfo ::= SEQUENCE {
///     version INTEGER { v1(1) }, policy TSAPolicyId, messageImprint MessageImprint, serialNumber INTEGER,
///     genTime GeneralizedTime, accuracy Accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL,
///     tsa [0] GeneralName OPTIONAL, extensions [1] IMPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Debug)]
pub struct TstInfo<'a> {
    /// The policy under which the token was made.
    pub policy: Oid<'a>,
    /// What was stamped.
    pub message_imprint: MessageImprint<'a>,
    /// Number of the token, INTEGER contents.
    pub serial_number: &'a [u8],
    /// When.
    pub gen_time: GenTime,
    /// How exactly; `None` where the policy says it.
    pub accuracy: Option<Accuracy>,
    /// Whether tokens of the authority are ordered by genTime whatever the accuracy.
    pub ordering: bool,
    /// The nonce of the request, INTEGER contents.
    pub nonce: Option<&'a [u8]>,
    /// A name of the authority: a hint that must fit its certificate.
    pub tsa: Option<GeneralName<'a>>,
    /// A critical extension; none is defined that we know.
    pub critical_extension: Option<Oid<'a>>,
}

impl<'a> TstInfo<'a> {
    /// Reads a TSTInfo.
    ///
    /// # Errors
    /// Where the octets are not its DER.
    pub fn parse(der: &'a [u8]) -> Result<TstInfo<'a>, Error> {
        let mut outer = Reader::der(der);
        let mut reader = outer.sequence()?;
        outer.finish()?;
        version_1(&mut reader)?;
        let policy = reader.oid()?;
        let message_imprint = MessageImprint::read(&mut reader)?;
        let serial_number = reader.integer()?;
        let gen_time = GenTime::read(&mut reader)?;
        let accuracy = reader.optional(Tag::SEQUENCE)?.map(|element| Accuracy::read(&element)).transpose()?;
        let ordering = reader.boolean_default_false()?;
        let nonce = reader.optional(Tag::INTEGER)?.map(|element| element.integer()).transpose()?;
        let tsa = match reader.optional(Tag::context_constructed(0))? {
            None => None,
            Some(explicit) => {
                let mut inner = explicit.reader()?;
                let name = GeneralName::read(&mut inner)?;
                inner.finish()?;
                Some(name)
            }
        };
        let critical_extension = critical_extension(reader.optional(Tag::context_constructed(1))?)?;
        reader.finish()?;
        Ok(TstInfo {
            policy,
            message_imprint,
            serial_number,
            gen_time,
            accuracy,
            ordering,
            nonce,
            tsa,
            critical_extension,
        })
    }
}

fn version_1(reader: &mut Reader<'_>) -> Result<(), Error> {
    let version = reader.expect(Tag::INTEGER)?;
    if version.small_unsigned()? == 1 { Ok(()) } else { Err(version.invalid()) }
}

/// The first critical one of `[n] IMPLICIT Extensions`.
fn critical_extension<'a>(extensions: Option<Element<'a>>) -> Result<Option<Oid<'a>>, Error> {
    let Some(element) = extensions else { return Ok(None) };
    let mut reader = element.reader()?;
    let mut critical = None;
    while !reader.is_empty() {
        let extension = Extension::read(&mut reader)?;
        if extension.critical {
            critical = critical.or(Some(extension.id));
        }
    }
    Ok(critical)
}

/// A TSTInfo to be signed.
#[derive(Clone, Debug)]
pub struct NewTstInfo<'a> {
    /// The policy.
    pub policy: Oid<'a>,
    /// What is stamped.
    pub message_imprint: Digest,
    /// Magnitude of the serial number.
    pub serial_number: &'a [u8],
    /// When, to the second.
    pub gen_time: Time,
    /// How exactly.
    pub accuracy: Option<Accuracy>,
    /// The nonce of the request, INTEGER contents.
    pub nonce: Option<&'a [u8]>,
}

impl NewTstInfo<'_> {
    /// `TSTInfo` in DER; `None` for a digest without an identifier.
    pub fn to_der(&self) -> Option<Vec<u8>> {
        let accuracy = self.accuracy.map(|accuracy| {
            let (seconds, rest) = (accuracy.0 / 1_000_000, accuracy.0 % 1_000_000);
            let thousandth = |n: u8, value: u64| {
                // INTEGER contents of the value, under the context tag.
                let integer = encode::small_unsigned(value);
                let contents = integer.get(2..).unwrap_or_default();
                if value == 0 { Vec::new() } else { encode::element(Tag::context(n), &[contents]) }
            };
            let seconds = if seconds == 0 { Vec::new() } else { encode::small_unsigned(seconds) };
            encode::sequence(&[&seconds, &thousandth(0, rest / 1000), &thousandth(1, rest % 1000)])
        });
        Some(encode::sequence(&[
            &encode::small_unsigned(1),
            &encode::oid(self.policy),
            &message_imprint(&self.message_imprint)?,
            &encode::unsigned(self.serial_number),
            &encode::generalized_time(self.gen_time),
            &accuracy.unwrap_or_default(),
            &self.nonce.map(|nonce| encode::element(Tag::INTEGER, &[nonce])).unwrap_or_default(),
        ]))
    }
}

/// TimeStampReq: what an authority is asked.
///
/// ```text
/// TimeStampReq ::= SEQUENCE {
///     version INTEGER { v1(1) }, messageImprint MessageImprint, reqPolicy TSAPolicyId OPTIONAL,
///     nonce INTEGER OPTIONAL, certReq BOOLEAN DEFAULT FALSE, extensions [0] IMPLICIT Extensions OPTIONAL }
/// ```
#[derive(Clone, Debug)]
pub struct TimeStampReq<'a> {
    /// What is to be stamped.
    pub message_imprint: MessageImprint<'a>,
    /// Under which policy; `None` for the authority's own.
    pub policy: Option<Oid<'a>>,
    /// A number that the answer repeats, INTEGER contents.
    pub nonce: Option<&'a [u8]>,
    /// Whether the token is to carry the authority's certificate.
    pub certificate: CertificateRequested,
    /// An extension of the request: none is defined, and an authority must not ignore one (RFC 3161 §2.4.1).
    pub extension: Option<Oid<'a>>,
}

/// certReq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateRequested {
    /// The token carries the authority's certificate.
    Yes,
    /// It carries none.
    No,
}

impl<'a> TimeStampReq<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// Where the octets are not its DER.
    pub fn parse(der: &'a [u8]) -> Result<TimeStampReq<'a>, Error> {
        let mut outer = Reader::der(der);
        let mut reader = outer.sequence()?;
        outer.finish()?;
        version_1(&mut reader)?;
        let message_imprint = MessageImprint::read(&mut reader)?;
        let policy = if reader.peek() == Some(Tag::OID) { Some(reader.oid()?) } else { None };
        let nonce = reader.optional(Tag::INTEGER)?.map(|element| element.integer()).transpose()?;
        let certificate =
            if reader.boolean_default_false()? { CertificateRequested::Yes } else { CertificateRequested::No };
        let extension = match reader.optional(Tag::context_constructed(0))? {
            None => None,
            Some(element) => Some(Extension::read(&mut element.reader()?)?.id),
        };
        reader.finish()?;
        Ok(TimeStampReq { message_imprint, policy, nonce, certificate, extension })
    }

    /// `TimeStampReq` in DER, asking for the certificate; `None` for a digest without an identifier.
    ///
    /// The nonce is the magnitude of a number.
    pub fn build(imprint: &Digest, policy: Option<Oid<'_>>, nonce: Option<&[u8]>) -> Option<Vec<u8>> {
        Some(encode::sequence(&[
            &encode::small_unsigned(1),
            &message_imprint(imprint)?,
            &policy.map(encode::oid).unwrap_or_default(),
            &nonce.map(encode::unsigned).unwrap_or_default(),
            &encode::boolean(true),
        ]))
    }
}

/// PKIFailureInfo of a time-stamp response (RFC 3161 §2.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)] // The names are the standard's own; the number is the bit.
pub enum FailureInfo {
    BadAlg = 0,
    BadRequest = 2,
    BadDataFormat = 5,
    TimeNotAvailable = 14,
    UnacceptedPolicy = 15,
    UnacceptedExtension = 16,
    AddInfoNotAvailable = 17,
    SystemFailure = 25,
}

impl FailureInfo {
    /// Every failure of the standard.
    pub const ALL: [FailureInfo; 8] = [
        FailureInfo::BadAlg,
        FailureInfo::BadRequest,
        FailureInfo::BadDataFormat,
        FailureInfo::TimeNotAvailable,
        FailureInfo::UnacceptedPolicy,
        FailureInfo::UnacceptedExtension,
        FailureInfo::AddInfoNotAvailable,
        FailureInfo::SystemFailure,
    ];
}

/// TimeStampResp: what an authority answers.
///
/// ```text
/// TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }
/// PKIStatusInfo ::= SEQUENCE {
///     status PKIStatus, statusString SEQUENCE OF UTF8String OPTIONAL, failInfo PKIFailureInfo OPTIONAL }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeStampResp<'a> {
    /// granted, or granted with modifications: the token, a whole ContentInfo.
    Granted(&'a [u8]),
    /// Everything else.
    Refused {
        /// PKIStatus: 2 rejection, 3 waiting, 4 and 5 revocation warning and notification.
        status: u32,
        /// Why, where one of the standard's failures is given.
        failure: Option<FailureInfo>,
    },
}

impl<'a> TimeStampResp<'a> {
    /// Reads a response. The token's own encoding is looked at by whoever validates it.
    ///
    /// # Errors
    /// Where the octets are not its DER, or a token comes without being granted, or the other way round.
    pub fn parse(der: &'a [u8]) -> Result<TimeStampResp<'a>, Error> {
        let mut outer = Reader::ber(der);
        let whole = outer.expect(Tag::SEQUENCE)?;
        outer.finish()?;
        let mut reader = whole.reader()?;
        let mut information = reader.sequence()?;
        let status = information.expect(Tag::INTEGER)?.small_unsigned()?;
        information.optional(Tag::SEQUENCE)?;
        let failure = match information.optional(Tag::BIT_STRING)? {
            None => None,
            Some(element) => {
                let bits = element.bit_string()?;
                FailureInfo::ALL.into_iter().find(|failure| bits.bit(usize::from(*failure as u8)))
            }
        };
        information.finish()?;
        let token = reader.optional(Tag::SEQUENCE)?;
        reader.finish()?;
        match (status, token) {
            (0 | 1, Some(token)) => Ok(TimeStampResp::Granted(token.raw)),
            (0 | 1, None) | (_, Some(_)) => Err(whole.invalid()),
            (status, None) => Ok(TimeStampResp::Refused { status, failure }),
        }
    }

    /// The response that grants a token, in DER.
    pub fn granted(token: &[u8]) -> Vec<u8> {
        encode::sequence(&[&encode::sequence(&[&encode::small_unsigned(0)]), token])
    }

    /// The response that refuses, in DER.
    pub fn rejection(failure: FailureInfo) -> Vec<u8> {
        let bit = failure as u8;
        let mut octets = vec![0u8; usize::from(bit / 8) + 1];
        if let Some(last) = octets.last_mut() {
            *last = 0x80 >> (bit % 8);
        }
        let bits = encode::element(Tag::BIT_STRING, &[&[7 - bit % 8], &octets]);
        encode::sequence(&[&encode::sequence(&[&encode::small_unsigned(2), &bits])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn imprint() -> Digest {
        Digest::sha256(b"what is stamped")
    }

    fn at() -> Time {
        "2026-11-23T05:00:00Z".parse().unwrap()
    }

    const POLICY: Oid<'static> = oid!(1, 2, 398, 3, 3, 2, 6, 4);

    fn template() -> NewTstInfo<'static> {
        NewTstInfo {
            policy: POLICY,
            message_imprint: imprint(),
            serial_number: &[0x80, 1],
            gen_time: at(),
            accuracy: None,
            nonce: None,
        }
    }

    /// A TSTInfo with this genTime, and these elements after it.
    fn with(gen_time: &str, after: &[Vec<u8>]) -> Vec<u8> {
        encode::sequence(&[
            &encode::small_unsigned(1),
            &encode::oid(POLICY),
            &message_imprint(&imprint()).unwrap(),
            &encode::small_unsigned(7),
            &encode::string(Tag::GENERALIZED_TIME, gen_time),
            &after.concat(),
        ])
    }

    #[test]
    fn fractions_of_a_second_are_kept_in_their_one_form() {
        let read = |text: &str| TstInfo::parse(&with(text, &[])).ok().map(|info| info.gen_time);
        let whole = |nanoseconds| Some(GenTime { time: at(), nanoseconds });
        assert_eq!(read("20261123050000Z"), whole(0));
        assert_eq!(read("20261123050000.5Z"), whole(500_000_000));
        assert_eq!(read("20261123050000.000000001Z"), whole(1));
        assert_eq!(read("20261123050000.0000000019Z"), whole(1), "finer than a nanosecond");
        for refused in [
            "20261123050000.Z",
            "20261123050000.50Z",
            "20261123050000.0Z",
            "20261123050000,5Z",
            "20261123050000.5",
            "20261123050000+0500",
            "202611230500Z",
            "20261123050000.5xZ",
            "20261123050060Z",
        ] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn accuracy_has_its_ranges() {
        let read = |parts: &[&[u8]]| {
            TstInfo::parse(&with("20261123050000Z", &[encode::sequence(parts)]))
                .ok()
                .and_then(|info| info.accuracy)
                .map(Accuracy::microseconds)
        };
        assert_eq!(read(&[&[2, 1, 1], &[0x80, 2, 1, 0xf4], &[0x81, 1, 100]]), Some(1_500_100));
        assert_eq!(read(&[]), Some(0));
        assert_eq!(read(&[&[0x80, 1, 0]]), None, "millis from 1");
        assert_eq!(read(&[&[0x80, 2, 3, 0xe8]]), None, "millis to 999");
        assert_eq!(read(&[&[0x81, 1, 1], &[0x80, 1, 1]]), None, "order");
    }

    #[test]
    fn what_is_not_a_tst_info_is_refused() {
        let good = with("20261123050000Z", &[]);
        assert!(TstInfo::parse(&good).is_ok());
        assert!(TstInfo::parse(&[good.clone(), vec![0]].concat()).is_err(), "trailing octets");
        assert!(TstInfo::parse(&with("20261123050000Z", &[encode::boolean(false)])).is_err(), "an encoded default");
        assert!(TstInfo::parse(&with("20261123050000Z", &[encode::null()])).is_err(), "an unknown element");
        let version_2 = [&[0x30, 3, 2, 1, 2][..]].concat();
        assert!(TstInfo::parse(&version_2).is_err());
        // Every truncation, and every change of the length of the imprint.
        for end in 0..good.len() {
            assert!(TstInfo::parse(good.get(..end).unwrap()).is_err(), "{end}");
        }
        let short = encode::sequence(&[
            &encode::small_unsigned(1),
            &encode::oid(POLICY),
            &encode::sequence(&[
                &encode::sequence(&[&encode::oid(DigestAlgorithm::Sha256.oid().unwrap())]),
                &encode::octet_string(&[0; 31]),
            ]),
            &encode::small_unsigned(7),
            &encode::generalized_time(at()),
        ]);
        assert!(TstInfo::parse(&short).is_err(), "31 octets of SHA-256");
    }

    #[test]
    fn critical_extensions_are_named() {
        let extension = |critical: bool| {
            let flag = if critical { encode::boolean(true) } else { Vec::new() };
            let one = encode::sequence(&[&encode::oid(oid!(1, 2, 3)), &flag, &encode::octet_string(&[5, 0])]);
            encode::element(Tag::context_constructed(1), &[&one])
        };
        let der = with("20261123050000Z", &[extension(true)]);
        assert_eq!(TstInfo::parse(&der).unwrap().critical_extension, Some(oid!(1, 2, 3)));
        let der = with("20261123050000Z", &[extension(false)]);
        assert_eq!(TstInfo::parse(&der).unwrap().critical_extension, None);
    }

    #[test]
    fn a_response_grants_a_token_or_says_why_not() {
        let token = encode::sequence(&[&encode::oid(oid!(1, 2, 3))]);
        assert_eq!(TimeStampResp::parse(&TimeStampResp::granted(&token)), Ok(TimeStampResp::Granted(&token)));
        for failure in FailureInfo::ALL {
            let der = TimeStampResp::rejection(failure);
            assert_eq!(
                TimeStampResp::parse(&der),
                Ok(TimeStampResp::Refused { status: 2, failure: Some(failure) }),
                "{der:02x?}"
            );
        }
        let status = |n: u64| encode::sequence(&[&encode::small_unsigned(n)]);
        assert!(TimeStampResp::parse(&encode::sequence(&[&status(0)])).is_err(), "granted without a token");
        assert!(TimeStampResp::parse(&encode::sequence(&[&status(2), &token])).is_err(), "refused with a token");
        assert!(TimeStampResp::parse(&[TimeStampResp::granted(&token), vec![0]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            serial_number in proptest::collection::vec(any::<u8>(), 1..20),
            nonce in proptest::option::of(1u64..),
            microseconds in proptest::option::of(0u64..5_000_000_000),
            seconds in 0i64..4_000_000_000,
        ) {
            let nonce = nonce.map(|n| encode::small_unsigned(n).get(2..).unwrap().to_vec());
            let info = NewTstInfo {
                serial_number: &serial_number,
                accuracy: microseconds.map(Accuracy),
                nonce: nonce.as_deref(),
                gen_time: Time::from_unix(seconds),
                ..template()
            };
            let der = info.to_der().unwrap();
            let read = TstInfo::parse(&der).unwrap();
            prop_assert_eq!(read.message_imprint.known(), Some(imprint()));
            prop_assert_eq!(read.gen_time, GenTime::from_time(info.gen_time));
            prop_assert_eq!(read.accuracy, info.accuracy);
            prop_assert_eq!(read.nonce, info.nonce);
            prop_assert_eq!(read.policy, POLICY);
            prop_assert!(!read.ordering && read.tsa.is_none());
            let request = TimeStampReq::build(&imprint(), Some(POLICY), nonce.as_deref()).unwrap();
            let request = TimeStampReq::parse(&request).unwrap();
            prop_assert_eq!(request.nonce, nonce.as_deref());
            prop_assert_eq!((request.policy, request.certificate), (Some(POLICY), CertificateRequested::Yes));
        }

        #[test]
        fn no_input_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = TstInfo::parse(&octets);
            let _ = TimeStampReq::parse(&octets);
            let _ = TimeStampResp::parse(&octets);
        }
    }
}
