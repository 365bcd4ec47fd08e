//! Lists made up for measurements and trials, of any size, written as they are made.
//!
//! *Invariant:* the same number of entries and the same times give the same entries; only the key and the signature
//! differ.

use crate::asn1::{Tag, oid};
use crate::crypto::{DigestAlgorithm, Hasher};
use crate::report::Time;
use aws_lc_rs::digest::{Digest as AwsDigest, SHA256};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::io::{self, Write};

/// Octets of a serial number: what RFC 5280 §4.1.2.2 allows at most, and what the national authority uses.
const SERIAL: usize = 20;

/// An authority made up for lists made up: a key and a certificate that signs itself.
pub struct SampleAuthority {
    key: EcdsaKeyPair,
    name: Vec<u8>,
    certificate: Vec<u8>,
}

/// When a list is from and when the next one is due.
#[derive(Clone, Copy, Debug)]
pub struct SampleTimes {
    /// thisUpdate.
    pub this_update: Time,
    /// nextUpdate.
    pub next_update: Time,
}

impl SampleAuthority {
    /// An authority with a new key, valid around the times given.
    ///
    /// # Errors
    /// The cryptographic module fails.
    pub fn generate(times: SampleTimes) -> io::Result<SampleAuthority> {
        let failed = |_| io::Error::other("the cryptographic module failed");
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
        let spki: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(failed)?;
        let common_name = [oid_element(&[0x55, 4, 3]), element(Tag::UTF8_STRING, &[b"DEMONSTRATION lists"])];
        let name = sequence(&[&element(Tag::SET, &[&sequence(&[&common_name.concat()])])]);
        let validity = sequence(&[&time(times.this_update), &time(times.next_update)]);
        let extension = |id: &[u8], value: &[u8]| {
            sequence(&[&oid_element(id), &[1, 1, 0xff], &element(Tag::OCTET_STRING, &[value])])
        };
        // basicConstraints cA, keyUsage keyCertSign and cRLSign.
        let extensions = sequence(&[
            &extension(&[0x55, 0x1d, 19], &[0x30, 3, 1, 1, 0xff]),
            &extension(&[0x55, 0x1d, 15], &[3, 2, 1, 6]),
        ]);
        let tbs = sequence(&[
            &[0xa0, 3, 2, 1, 2, 2, 1, 1],
            &algorithm(),
            &name,
            &validity,
            &name,
            spki.as_ref(),
            &element(Tag::context_constructed(3), &[&extensions]),
        ]);
        let signature = key.sign(&SystemRandom::new(), &tbs).map_err(failed)?;
        let certificate = sequence(&[&tbs, &algorithm(), &bits(signature.as_ref())]);
        Ok(SampleAuthority { key, name, certificate })
    }

    /// The authority's certificate, in DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Writes a list of so many entries: twenty-octet serial numbers in no order, dates over a year, no reasons.
    ///
    /// # Errors
    /// The writer's, and [`io::ErrorKind::InvalidInput`] above four gigabytes.
    pub fn write_list(&self, entries: u64, number: u32, times: SampleTimes, to: &mut impl Write) -> io::Result<()> {
        let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
        let head =
            [&[2, 1, 1], &algorithm()[..], &self.name, &time(times.this_update), &time(times.next_update)].concat();
        // The shortest form: no zero octet before one whose top bit is clear (X.690 §8.3.2).
        let number = [&[0][..], &number.to_be_bytes()].concat();
        let superfluous = number.windows(2).take_while(|pair| matches!(pair, [0, 0..0x80])).count();
        let crl_number = element(Tag::INTEGER, &[number.get(superfluous..).unwrap_or_default()]);
        let extension = sequence(&[&oid_element(&[0x55, 0x1d, 20]), &element(Tag::OCTET_STRING, &[&crl_number])]);
        let tail = element(Tag::context_constructed(0), &[&sequence(&[&extension])]);
        let entry = entry(0, times.this_update);
        let list_length = usize::try_from(entries * entry.len() as u64).map_err(too_large)?;
        let list_header = if entries == 0 { Vec::new() } else { header(Tag::SEQUENCE, list_length) };
        let tbs_header = header(Tag::SEQUENCE, head.len() + list_header.len() + list_length + tail.len());
        let tbs_length = tbs_header.len() + head.len() + list_header.len() + list_length + tail.len();

        // The signature's length is not known before it is made, and it stands after what it signs: the outer length
        // needs it first. Entries cost little, so they are made twice.
        let mut hasher = DigestAlgorithm::Sha256.hasher();
        self.write_tbs(&mut Digesting(&mut hasher), &[&tbs_header, &head, &list_header], entries, times, &tail)?;
        let failed = |_| io::Error::other("the cryptographic module failed");
        let digest = AwsDigest::import_less_safe(hasher.finish().as_bytes(), &SHA256).map_err(failed)?;
        let signature = self.key.sign_digest(&digest).map_err(failed)?;
        let after = [algorithm(), bits(signature.as_ref())].concat();
        to.write_all(&header(Tag::SEQUENCE, tbs_length + after.len()))?;
        self.write_tbs(to, &[&tbs_header, &head, &list_header], entries, times, &tail)?;
        to.write_all(&after)
    }

    fn write_tbs(
        &self,
        to: &mut impl Write,
        before: &[&[u8]],
        entries: u64,
        times: SampleTimes,
        after: &[u8],
    ) -> io::Result<()> {
        let mut to = io::BufWriter::with_capacity(1 << 16, to);
        before.iter().try_for_each(|part| to.write_all(part))?;
        (0..entries).try_for_each(|n| to.write_all(&entry(n, times.this_update)))?;
        to.write_all(after)?;
        to.flush()
    }
}

/// The serial number of the n-th entry: the contents of its INTEGER.
pub fn sample_serial(n: u64) -> [u8; SERIAL] {
    let mut serial = [0; SERIAL];
    let parts = (0..3u64).flat_map(|part| mixed(n.wrapping_mul(3).wrapping_add(part)).to_be_bytes());
    serial.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    // Positive and minimal, as the national authority has it: the top bit cleared, the first octet not zero.
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    serial
}

/// SplitMix64 (Steele, Lea, Flood 2014): numbers that look random and are always the same.
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

fn entry(n: u64, this_update: Time) -> Vec<u8> {
    const YEAR: i64 = 365 * 86_400;
    let before = i64::try_from(mixed(n) % 31_536_000).unwrap_or(YEAR);
    sequence(&[&element(Tag::INTEGER, &[&sample_serial(n)]), &time(this_update.plus_seconds(-before))])
}

/// UTCTime, for times before 2050.
fn time(at: Time) -> Vec<u8> {
    let text: String = at.to_string().chars().skip(2).filter(char::is_ascii_digit).chain(['Z']).collect();
    element(Tag::UTC_TIME, &[text.as_bytes()])
}

/// ecdsa-with-SHA256 (RFC 5758 §3.2).
fn algorithm() -> Vec<u8> {
    sequence(&[&oid_element(oid!(1, 2, 840, 10045, 4, 3, 2).as_bytes())])
}

fn oid_element(contents: &[u8]) -> Vec<u8> {
    element(Tag::OID, &[contents])
}

fn bits(octets: &[u8]) -> Vec<u8> {
    element(Tag::BIT_STRING, &[&[0], octets])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(Tag::SEQUENCE, parts)
}

fn element(tag: Tag, parts: &[&[u8]]) -> Vec<u8> {
    let mut octets = header(tag, parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| octets.extend_from_slice(part));
    octets
}

/// Identifier and length octets.
pub(super) fn header(tag: Tag, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => vec![tag.0, short],
        _ => {
            let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|&octet| octet == 0).collect();
            [&[tag.0, 0x80 | u8::try_from(octets.len()).unwrap_or_default()], &octets[..]].concat()
        }
    }
}

struct Digesting<'a>(&'a mut Hasher);

impl Write for Digesting<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.update(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
