//! The index of one list: a file that is mapped and searched as it lies on disk.
//!
//! ```text
//! prologue  magic(8) version(4) prologue length(4) body length(8) SHA-256 of the body(32)
//!           source digest(32) source length(8) signer key digest(32)
//!           frame: length(4) octets                   the list with its entries taken out
//!           groups: count(4) { issuer: length(4) name; numbers(8) digested(8) }
//!           dated(8)
//!           SHA-256 of everything before(32)
//! body      records  group after group, each sorted   25 octets each
//!           dated    position(4) invalidityDate(4)     8 octets for each entry that has one
//! ```
//! Integers are big-endian. When a file is opened, eight octets of every 16th key are copied out of it as *fences* (half
//! an octet an entry: for a million entries they stay in the cache), after the octets that all keys share. A search
//! halves its way through the fences and then looks at one run of 16 records, which lies in 400 consecutive octets. It
//! takes the same steps whatever the numbers look like: random, consecutive, or chosen.
//!
//! Both digests are verified when the file is opened, all of it, and what answers has been checked. The entries are not
//! parsed.
//!
//! *Invariant:* [`Index`] is only ever made from a file whose digests hold; a file that lies about itself is an error.

use super::map::Map;
use super::record::{Group, KEY, Key, Kind, LAST_WINDOW, RECORD, Run, entry, key, key_of, time, window};
use crate::crypto::{Digest, DigestAlgorithm};
use crate::pki::Name;
use crate::pki::crl::RevokedEntry;
use crate::report::Time;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;

const MAGIC: &[u8; 8] = b"tamgacrl";
/// Raised with every change of the layout; an index of another version is built again from its source.
const VERSION: u32 = 2;
/// Records to a fence.
const RUN: usize = 16;
/// Octets of a row that says when an entry's certificate became invalid.
const DATED: usize = 8;
/// Octets of the prologue before its variable part.
const FIXED: usize = 8 + 4 + 4 + 8 + 32;
/// Octets of a SHA-256 digest.
const DIGEST: usize = 32;
/// Longest prologue: the frame's fields are bounded by the walk, its issuers by their number.
const MAX_PROLOGUE: usize = 64 << 20;
/// Octets digested at a time.
const CHUNK: usize = 1 << 16;

/// Why a file is not an index that can be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// Not an index, or one of another version.
    #[error("not an index of this version")]
    Version,
    /// Octets are missing, too many, or not those that were written.
    #[error("damaged index")]
    Damaged,
    /// The file cannot be read or mapped.
    #[error("index cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// What an index says about its list.
pub(super) struct Contents<'a> {
    /// SHA-256 of the source.
    pub(super) source: Digest,
    /// Octets of the source.
    pub(super) source_octets: u64,
    /// SHA-256 of the SubjectPublicKeyInfo under which the list's signature was verified.
    pub(super) signer: &'a Digest,
    /// The list with its entries taken out.
    pub(super) frame: &'a [u8],
    /// The entries.
    pub(super) groups: &'a [Group],
}

/// Writes an index.
pub(super) fn write(contents: &Contents<'_>, to: &mut impl Write) -> io::Result<()> {
    let runs = || contents.groups.iter().flat_map(|group| [&group.numbers, &group.digested]);
    let dated = dated_rows(runs())?;
    let mut hasher = DigestAlgorithm::Sha256.hasher();
    runs().for_each(|run| hasher.update(run.records.as_flattened()));
    hasher.update(dated.as_flattened());
    let body = runs().map(|run| run.records.len() * RECORD).sum::<usize>() + dated.len() * DATED;

    let mut prologue = Vec::new();
    prologue.extend_from_slice(contents.source.as_bytes());
    prologue.extend(contents.source_octets.to_be_bytes());
    prologue.extend_from_slice(contents.signer.as_bytes());
    push_octets(&mut prologue, contents.frame)?;
    prologue.extend(u32::try_from(contents.groups.len()).map_err(io::Error::other)?.to_be_bytes());
    for group in contents.groups {
        push_octets(&mut prologue, group.issuer.as_deref().unwrap_or_default())?;
        prologue.extend((group.numbers.records.len() as u64).to_be_bytes());
        prologue.extend((group.digested.records.len() as u64).to_be_bytes());
    }
    prologue.extend((dated.len() as u64).to_be_bytes());
    let length = u32::try_from(FIXED + prologue.len() + DIGEST).map_err(io::Error::other)?;

    let mut head = Vec::with_capacity(FIXED + prologue.len() + DIGEST);
    head.extend(MAGIC);
    head.extend(VERSION.to_be_bytes());
    head.extend(length.to_be_bytes());
    head.extend((body as u64).to_be_bytes());
    head.extend(hasher.finish().as_bytes());
    head.extend(prologue);
    let seal = Digest::sha256(&head);
    head.extend(seal.as_bytes());

    to.write_all(&head)?;
    runs().try_for_each(|run| to.write_all(run.records.as_flattened()))?;
    to.write_all(dated.as_flattened())
}

/// The invalidity dates of all runs, by the position of their records.
fn dated_rows<'a>(runs: impl Iterator<Item = &'a Run>) -> io::Result<Vec<[u8; DATED]>> {
    let (mut rows, mut before) = (Vec::new(), 0);
    for run in runs {
        for (position, [a, b, c, d]) in run.invalidity() {
            let [w, x, y, z] = u32::try_from(before + position).map_err(io::Error::other)?.to_be_bytes();
            rows.push([w, x, y, z, a, b, c, d]);
        }
        before += run.records.len();
    }
    Ok(rows)
}

fn push_octets(to: &mut Vec<u8>, octets: &[u8]) -> io::Result<()> {
    to.extend(u32::try_from(octets.len()).map_err(io::Error::other)?.to_be_bytes());
    to.extend_from_slice(octets);
    Ok(())
}

/// Sorted records of one kind, and where in them to begin to look.
#[derive(Debug)]
struct Fenced {
    /// Positions of the records.
    range: Range<usize>,
    /// The octets that all keys begin with, and how many they are.
    shared: (Key, usize),
    /// What follows the shared octets in every [`RUN`]th record.
    fences: Vec<u64>,
}

/// The records of one certificate issuer.
#[derive(Debug)]
struct Listed {
    numbers: Fenced,
    digested: Fenced,
}

/// A mapped index.
#[derive(Debug)]
pub(super) struct Index {
    map: Map,
    records: usize,
    entries: usize,
    dated: usize,
    source: [u8; DIGEST],
    source_octets: u64,
    signer: [u8; DIGEST],
    frame: Vec<u8>,
    /// The entries of the list's own issuer.
    own: Listed,
    /// Those of the issuers that entries name, by canonical name (indirect lists).
    named: HashMap<Vec<u8>, Listed>,
}

impl Index {
    /// Maps an index and verifies its digests.
    pub(super) fn open(file: File) -> Result<Index, IndexError> {
        if file.metadata()?.len() < (FIXED + DIGEST) as u64 {
            return Err(IndexError::Version);
        }
        Index::from_map(Map::open(file)?)
    }

    fn from_map(map: Map) -> Result<Index, IndexError> {
        let fixed: [u8; FIXED] = map.array(0).ok_or(IndexError::Damaged)?;
        let mut fields = Fields(&fixed);
        if fields.take(8) != Some(MAGIC) || fields.u32() != Some(VERSION) {
            return Err(IndexError::Version);
        }
        Index::read(map, fields).ok_or(IndexError::Damaged)
    }

    /// `None` for whatever does not hold together.
    fn read(map: Map, mut fields: Fields<'_>) -> Option<Index> {
        let prologue_length = usize::try_from(fields.u32()?).ok().filter(|&length| length <= MAX_PROLOGUE)?;
        let body_length = usize::try_from(fields.u64()?).ok()?;
        let body_digest = fields.digest()?;
        if prologue_length.checked_add(body_length)? != map.len() {
            return None;
        }
        let mut prologue = vec![0; prologue_length];
        map.read(0, &mut prologue)?;
        let (signed, seal) = prologue.split_at_checked(prologue_length.checked_sub(DIGEST)?)?;
        if Digest::sha256(signed).as_bytes() != seal || digest_of(&map, prologue_length)? != body_digest {
            return None;
        }

        let mut fields = Fields(signed.get(FIXED..)?);
        let source = fields.digest()?;
        let source_octets = fields.u64()?;
        let signer = fields.digest()?;
        let frame = fields.octets()?.to_vec();
        let mut position = 0usize;
        let mut range = |count: u64| {
            let start = position;
            position = start.checked_add(usize::try_from(count).ok()?)?;
            Some(start..position)
        };
        let mut groups = Vec::new();
        for _ in 0..fields.u32()? {
            let name = fields.octets()?;
            groups.push((name, range(fields.u64()?)?, range(fields.u64()?)?));
        }
        let entries = position;
        let dated = usize::try_from(fields.u64()?).ok()?;
        let expected = entries.checked_mul(RECORD)?.checked_add(dated.checked_mul(DATED)?)?;
        if !fields.0.is_empty() || expected != body_length {
            return None;
        }
        let listed = |numbers, digested| {
            let fenced = |range| Fenced::new(&map, prologue_length, range);
            Some(Listed { numbers: fenced(numbers)?, digested: fenced(digested)? })
        };
        let mut groups = groups.into_iter();
        let (_, numbers, digested) = groups.next()?;
        let own = listed(numbers, digested)?;
        let canonical =
            |(name, numbers, digested)| Some((Name::parse(name).ok()?.canonical(), listed(numbers, digested)?));
        let named = groups.map(canonical).collect::<Option<_>>()?;
        Some(Index { map, records: prologue_length, entries, dated, source, source_octets, signer, frame, own, named })
    }

    /// How many records there are.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Octets of the file.
    pub(super) fn octets(&self) -> usize {
        self.map.len()
    }

    /// SHA-256 of the source.
    pub(super) fn source(&self) -> &[u8; DIGEST] {
        &self.source
    }

    /// Octets of the source.
    pub(super) fn source_octets(&self) -> u64 {
        self.source_octets
    }

    /// SHA-256 of the key under which the list's signature was verified.
    pub(super) fn signer(&self) -> &[u8; DIGEST] {
        &self.signer
    }

    /// The list with its entries taken out.
    pub(super) fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// The entry of a certificate of the list's own issuer, by the contents of its serial number.
    pub(super) fn find_own(&self, serial: &[u8]) -> Option<RevokedEntry> {
        self.find_among(&self.own, serial)
    }

    /// The entry of a certificate of an issuer that entries of the list name.
    pub(super) fn find_named(&self, issuer: &Name<'_>, serial: &[u8]) -> Option<RevokedEntry> {
        match self.named.is_empty() {
            true => None,
            false => self.find_among(self.named.get(&issuer.canonical())?, serial),
        }
    }

    fn find_among(&self, listed: &Listed, serial: &[u8]) -> Option<RevokedEntry> {
        let (kind, key) = key(serial);
        let fenced = match kind {
            Kind::Number => &listed.numbers,
            Kind::Digested => &listed.digested,
        };
        // The ranges were measured against the file when it was opened. Should it fail all the same, nothing is good.
        self.search(fenced, &key).unwrap_or(Some(RevokedEntry {
            revocation_date: Time::from_unix(0),
            reason: None,
            invalidity_date: None,
        }))
    }

    /// `Some(None)`: not listed; `None`: the file does not hold what its prologue says.
    fn search(&self, fenced: &Fenced, key: &Key) -> Option<Option<RevokedEntry>> {
        let Some((mut first, mut last)) = fenced.around(key) else { return Some(None) };
        // Longer than a run only where many keys have the same fence.
        while last - first > RUN {
            let middle = first + (last - first) / 2;
            let found: Key = self.map.array(self.records + middle * RECORD)?;
            if found <= *key { first = middle } else { last = middle }
        }
        let mut run = [0; RUN * RECORD];
        let run = run.get_mut(..last.checked_sub(first)?.checked_mul(RECORD)?)?;
        self.map.read(self.records + first * RECORD, run)?;
        let (run, _) = run.as_chunks::<RECORD>();
        let after = window(key, LAST_WINDOW);
        let found = run.iter().position(|record| window(record, LAST_WINDOW) == after && key_of(record) == *key);
        let Some((position, record)) = found.and_then(|position| Some((position, run.get(position)?))) else {
            return Some(None);
        };
        Some(Some(RevokedEntry { invalidity_date: self.invalidity_date(first + position)?, ..entry(record) }))
    }

    /// The invalidityDate of the record at a position.
    fn invalidity_date(&self, position: usize) -> Option<Option<Time>> {
        let rows = self.records + self.entries * RECORD;
        let (mut first, mut last) = (0, self.dated);
        while first < last {
            let middle = first + (last - first) / 2;
            let [w, x, y, z, seconds @ ..]: [u8; DATED] = self.map.array(rows + middle * DATED)?;
            match usize::try_from(u32::from_be_bytes([w, x, y, z])).ok()?.cmp(&position) {
                Ordering::Less => first = middle + 1,
                Ordering::Greater => last = middle,
                Ordering::Equal => return Some(Some(time(seconds))),
            }
        }
        Some(None)
    }
}

impl Fenced {
    fn new(map: &Map, records: usize, range: Range<usize>) -> Option<Fenced> {
        let key = |position: usize| map.array::<KEY>(records.checked_add(position.checked_mul(RECORD)?)?);
        let Some(last) = range.end.checked_sub(1).filter(|last| range.contains(last)) else {
            return Some(Fenced { range, shared: ([0; KEY], 0), fences: Vec::new() });
        };
        // Sorted: what the first and the last have in common, all have.
        let (first, last) = (key(range.start)?, key(last)?);
        let shared = first.iter().zip(&last).take_while(|(a, b)| a == b).count().min(LAST_WINDOW);
        let fences = range.clone().step_by(RUN).map(|position| Some(window(&key(position)?, shared)));
        Some(Fenced { fences: fences.collect::<Option<_>>()?, range, shared: (first, shared) })
    }

    /// The records among which a key is, if it is any of them: a run, or all those that have its fence.
    fn around(&self, key: &Key) -> Option<(usize, usize)> {
        let (shared, octets) = &self.shared;
        if key.get(..*octets) != shared.get(..*octets) {
            return None;
        }
        let wanted = window(key, *octets);
        let below = self.fences.partition_point(|fence| *fence < wanted);
        let same = self.fences.get(below..)?.iter().take_while(|fence| **fence == wanted);
        let not_above = match same.clone().next() {
            None => below,
            Some(_) => below + same.count(),
        };
        let first = self.range.start + below.saturating_sub(1) * RUN;
        let last = (self.range.start + not_above * RUN).min(self.range.end);
        (first < last).then_some((first, last))
    }
}

/// SHA-256 of the file from an offset to its end.
fn digest_of(map: &Map, from: usize) -> Option<[u8; DIGEST]> {
    let mut hasher = DigestAlgorithm::Sha256.hasher();
    let mut chunk = vec![0; CHUNK];
    let mut offset = from;
    while offset < map.len() {
        let part = chunk.get_mut(..CHUNK.min(map.len() - offset))?;
        map.read(offset, part)?;
        hasher.update(part);
        offset += part.len();
    }
    hasher.finish().as_bytes().try_into().ok()
}

/// What is left of the prologue.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn digest(&mut self) -> Option<[u8; DIGEST]> {
        self.take(DIGEST)?.try_into().ok()
    }

    fn octets(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Records;
    use super::*;
    use crate::pki::CrlReason;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::io::{Seek as _, SeekFrom};

    fn revoked(seconds: u32) -> RevokedEntry {
        let revocation_date = Time::from_unix(i64::from(seconds));
        RevokedEntry { revocation_date, reason: Some(CrlReason::KeyCompromise), invalidity_date: None }
    }

    fn octets(records: Records) -> Vec<u8> {
        let groups = records.into_sorted();
        let mut octets = Vec::new();
        let source = Digest::sha256(b"source");
        let contents =
            Contents { source, source_octets: 7, signer: &Digest::sha256(b"key"), frame: b"frame", groups: &groups };
        write(&contents, &mut octets).unwrap();
        octets
    }

    fn open(octets: &[u8]) -> Result<Index, IndexError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(octets).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        Index::open(file)
    }

    fn name(cn: &str) -> Vec<u8> {
        let text = cn.as_bytes();
        let n = u8::try_from(text.len()).unwrap();
        let mut name = vec![0x30, n + 11, 0x31, n + 9, 0x30, n + 7, 6, 3, 0x55, 4, 3, 0x0c, n];
        name.extend_from_slice(text);
        name
    }

    #[test]
    fn says_what_was_written() {
        let mut records = Records::new();
        records.push(&[1, 2, 3], &revoked(5));
        let index = open(&octets(records)).unwrap();
        assert_eq!((index.entries(), index.source_octets(), index.frame()), (1, 7, &b"frame"[..]));
        assert_eq!(
            (index.source(), index.signer()),
            (
                Digest::sha256(b"source").as_bytes().try_into().unwrap(),
                Digest::sha256(b"key").as_bytes().try_into().unwrap()
            )
        );
        assert_eq!(index.find_own(&[1, 2, 3]), Some(revoked(5)));
        assert_eq!(index.find_own(&[1, 2]), None);
    }

    #[test]
    fn an_empty_list_lists_nothing() {
        let index = open(&octets(Records::new())).unwrap();
        assert_eq!(index.find_own(&[1]), None);
    }

    #[test]
    fn one_number_of_two_issuers_is_two_entries() {
        let (a, b) = (name("A"), name("B"));
        let mut records = Records::new();
        records.push(&[1], &revoked(1));
        records.set_issuers(vec![a.clone()]).unwrap();
        records.push(&[1], &revoked(2));
        records.push(&[2], &revoked(3));
        records.set_issuers(vec![b.clone()]).unwrap();
        records.push(&[1; 30], &revoked(4));
        let index = open(&octets(records)).unwrap();
        let of = |name: &[u8], serial: &[u8]| index.find_named(&Name::parse(name).unwrap(), serial);
        assert_eq!(index.find_own(&[1]), Some(revoked(1)));
        assert_eq!(index.find_own(&[2]), None);
        assert_eq!((of(&a, &[1]), of(&a, &[2])), (Some(revoked(2)), Some(revoked(3))));
        assert_eq!((of(&b, &[1]), of(&b, &[1; 30])), (None, Some(revoked(4))));
        assert_eq!(of(&name("a"), &[1]), Some(revoked(2)), "names compare by RFC 5280 §7.1");
    }

    #[test]
    fn any_changed_octet_is_noticed_and_any_cut_too() {
        let mut records = Records::new();
        (0..100u8).for_each(|n| records.push(&[n], &revoked(5)));
        let octets = octets(records);
        for position in 0..octets.len() {
            let mut changed = octets.clone();
            changed[position] ^= 0x20;
            assert!(open(&changed).is_err(), "octet {position}");
            assert!(open(&octets[..position]).is_err(), "cut at {position}");
        }
    }

    /// Seals a changed prologue again, as no accident does.
    fn sealed(mut octets: Vec<u8>) -> Vec<u8> {
        let length = usize::try_from(u32::from_be_bytes(octets[12..16].try_into().unwrap())).unwrap();
        let seal = Digest::sha256(&octets[..length - DIGEST]);
        octets[length - DIGEST..length].copy_from_slice(seal.as_bytes());
        octets
    }

    proptest! {
        #[test]
        fn finds_what_a_map_finds(
            listed in proptest::collection::btree_map(proptest::collection::vec(any::<u8>(), 1..23), any::<u32>(), 0..300),
            asked in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..3), 0..50),
        ) {
            let mut records = Records::new();
            let mut expected: BTreeMap<(bool, Key), u32> = BTreeMap::new();
            for (serial, &seconds) in &listed {
                records.push(serial, &revoked(seconds));
                let (kind, key) = key(serial);
                expected.entry((kind == Kind::Number, key)).and_modify(|s| *s = seconds.min(*s)).or_insert(seconds);
            }
            let index = open(&octets(records)).unwrap();
            for serial in listed.keys().chain(&asked) {
                let (kind, key) = key(serial);
                let expected = expected.get(&(kind == Kind::Number, key)).map(|&seconds| revoked(seconds));
                prop_assert_eq!(index.find_own(serial), expected);
            }
        }

        #[test]
        fn a_file_that_lies_is_refused_or_answers(position in 16usize..200, value: u8) {
            let mut records = Records::new();
            (0..100u8).for_each(|n| records.push(&[n], &revoked(5)));
            let mut octets = octets(records);
            octets[position] = value;
            if let Ok(index) = open(&sealed(octets)) {
                let _ = index.find_own(&[5]);
            }
        }
    }
}
