//! One entry of a list in 25 octets, and the groups that entries are sorted in.
//!
//! ```text
//! record ::= key(20) ‖ revocation date(4, seconds since 1970) ‖ reason(1)
//! dated  ::= key(20) ‖ invalidity date(4, seconds since 1970)    for the entries that have one
//! ```
//! A serial number of at most 20 octets (all that RFC 5280 §4.1.2.2 allows) is its own key, zero-padded on the left. Any
//! other serial number (longer, or negative) is keyed by SHA-256 of its contents, cut to 20 octets, in a group of its
//! own: no entry is ever left out of a list because its number is not a good one.
//!
//! *Invariant:* within a group, keys are sorted and distinct.

use crate::crypto::Digest;
use crate::pki::crl::{CrlReason, RevokedEntry};
use crate::report::Time;
use std::collections::HashMap;

/// Octets of a key.
pub(super) const KEY: usize = 20;
/// Octets of a record.
pub(super) const RECORD: usize = KEY + 5;

/// The key of a serial number within its group.
pub(super) type Key = [u8; KEY];
/// An entry as it is stored.
pub(super) type Record = [u8; RECORD];
/// Octets of a dated row.
const DATED: usize = KEY + 4;
/// An entry's invalidityDate before it is stored beside the record.
pub(super) type Dated = [u8; DATED];

/// The most certificate issuers that one indirect list may name.
const MAX_ISSUERS: usize = 4096;

/// Which of an issuer's two groups a serial number belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The key is the number.
    Number,
    /// The key is a digest of the number.
    Digested,
}

/// The group and the key of a serial number, given as the contents of its INTEGER.
pub(super) fn key(serial: &[u8]) -> (Kind, Key) {
    let magnitude = match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        other => other,
    };
    let negative = serial.first().is_some_and(|&octet| octet & 0x80 != 0);
    let mut key = [0; KEY];
    let padding = KEY.checked_sub(magnitude.len()).filter(|_| !negative && !serial.is_empty());
    match padding.and_then(|padding| key.get_mut(padding..)) {
        Some(place) => {
            place.copy_from_slice(magnitude);
            (Kind::Number, key)
        }
        None => {
            let digest = Digest::sha256(serial);
            key.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
            (Kind::Digested, key)
        }
    }
}

/// How the absence of a reasonCode is stored.
const NO_REASON: u8 = 0xff;

/// Seconds since 1970 as they are stored. A date outside 1970 to 2106 becomes the nearest one inside: no signature that
/// is judged is from before, and a date after is taken earlier than it says.
fn seconds(date: Time) -> [u8; 4] {
    u32::try_from(date.unix().max(0)).unwrap_or(u32::MAX).to_be_bytes()
}

/// The record of an entry.
fn record(key: Key, entry: &RevokedEntry) -> Record {
    let ([a, b, c, d], code) = (seconds(entry.revocation_date), entry.reason.map_or(NO_REASON, CrlReason::code));
    let mut record = [0; RECORD];
    if let Some((place, rest)) = record.split_first_chunk_mut() {
        *place = key;
        rest.copy_from_slice(&[a, b, c, d, code]);
    }
    record
}

/// The entry of a record. A code that is no reason reads as none: the certificate stays revoked. Its invalidityDate
/// stands elsewhere.
pub(super) fn entry(record: &Record) -> RevokedEntry {
    let [.., a, b, c, d, code] = *record;
    RevokedEntry {
        revocation_date: time([a, b, c, d]),
        reason: CrlReason::from_code(u32::from(code)),
        invalidity_date: None,
    }
}

/// A stored date.
pub(super) fn time(seconds: [u8; 4]) -> Time {
    Time::from_unix(i64::from(u32::from_be_bytes(seconds)))
}

/// The key that a record or a dated row begins with.
pub(super) fn key_of<const N: usize>(row: &[u8; N]) -> Key {
    row.first_chunk().copied().unwrap_or([0; KEY])
}

/// Entries under keys of one kind.
#[derive(Default)]
pub(super) struct Run {
    /// The entries.
    pub(super) records: Vec<Record>,
    /// invalidityDate, of those that have one.
    pub(super) dated: Vec<Dated>,
}

impl Run {
    fn sort(&mut self) {
        sort_rows(&mut self.records);
        self.records.dedup_by(keep_the_worse);
        sort_rows(&mut self.dated);
        // Of several dates for one number the earliest.
        self.dated.dedup_by(|later, kept| key_of(later) == key_of(kept));
    }

    /// The positions of the records that have an invalidityDate, with it.
    pub(super) fn invalidity(&self) -> impl Iterator<Item = (usize, [u8; 4])> {
        let mut records = self.records.iter().enumerate().peekable();
        self.dated.iter().filter_map(move |dated| {
            let key = key_of(dated);
            while records.peek().is_some_and(|(_, record)| key_of(record) < key) {
                records.next();
            }
            let (position, _) = records.peek().filter(|(_, record)| key_of(record) == key)?;
            let [.., a, b, c, d] = *dated;
            Some((*position, [a, b, c, d]))
        })
    }
}

/// The entries of one certificate issuer.
#[derive(Default)]
pub(super) struct Group {
    /// The issuer's name as it was received; `None` for the issuer of the list.
    pub(super) issuer: Option<Vec<u8>>,
    /// Entries under [`Kind::Number`].
    pub(super) numbers: Run,
    /// Entries under [`Kind::Digested`].
    pub(super) digested: Run,
}

/// The entries of a list, by certificate issuer.
pub(super) struct Records {
    groups: Vec<Group>,
    by_name: HashMap<Vec<u8>, usize>,
    /// The groups that the entry to come belongs to.
    current: Vec<usize>,
    entries: u64,
}

impl Records {
    pub(super) fn new() -> Records {
        Records { groups: vec![Group::default()], by_name: HashMap::new(), current: vec![0], entries: 0 }
    }

    /// Whether exactly one entry was pushed.
    pub(super) fn is_first(&self) -> bool {
        self.entries == 1
    }

    /// Makes room for so many entries more.
    pub(super) fn reserve(&mut self, entries: u64) {
        if let (Some(group), Ok(entries)) = (self.groups.first_mut(), usize::try_from(entries)) {
            group.numbers.records.reserve_exact(entries);
        }
    }

    /// Says whose certificates the entries to come are; `None` when too many issuers were named.
    pub(super) fn set_issuers(&mut self, names: Vec<Vec<u8>>) -> Option<()> {
        self.current.clear();
        for name in names {
            let next = self.groups.len();
            let group = *self.by_name.entry(name.clone()).or_insert(next);
            if group == next {
                if next > MAX_ISSUERS {
                    return None;
                }
                self.groups.push(Group { issuer: Some(name), ..Group::default() });
            }
            self.current.push(group);
        }
        Some(())
    }

    /// Takes an entry.
    pub(super) fn push(&mut self, serial: &[u8], entry: &RevokedEntry) {
        let (kind, key) = key(serial);
        let record = record(key, entry);
        self.entries += 1;
        for &group in &self.current {
            let Some(group) = self.groups.get_mut(group) else { continue };
            let run = match kind {
                Kind::Number => &mut group.numbers,
                Kind::Digested => &mut group.digested,
            };
            run.records.push(record);
            if let Some(date) = entry.invalidity_date {
                let mut dated = [0; DATED];
                dated.iter_mut().zip(key.iter().chain(&seconds(date))).for_each(|(to, from)| *to = *from);
                run.dated.push(dated);
            }
        }
    }

    /// The groups, each sorted and its keys distinct.
    pub(super) fn into_sorted(mut self) -> Vec<Group> {
        for group in &mut self.groups {
            group.numbers.sort();
            group.digested.sort();
        }
        self.groups
    }
}

/// Of several entries with one number the one that refuses most is kept: a revocation rather than a removal (of delta
/// lists), the earliest first.
fn keep_the_worse(later: &mut Record, kept: &mut Record) -> bool {
    let same = key_of(later) == key_of(kept);
    let removes = |record: &Record| record.last() == Some(&CrlReason::RemoveFromCrl.code());
    if same && removes(kept) && !removes(later) {
        *kept = *later;
    }
    same
}

/// Rows to a bucket, about, when serial numbers are spread evenly.
const BUCKET: usize = 8;
/// Most buckets, as a power of two: their counts stay in the cache.
const MAX_BUCKET_BITS: u32 = 20;

/// Sorts rows by all their octets.
///
/// Issuers draw serial numbers at random, so the bits after those that all keys share say nearly where a row belongs:
/// one pass puts it among some eight others. Numbers that are not random end up in few buckets, each sorted as any slice
/// is; that is slower and just as right.
fn sort_rows<const N: usize>(rows: &mut Vec<[u8; N]>) {
    if rows.is_sorted() {
        return;
    }
    let Some(shared) = Shared::among(rows) else { return rows.sort_unstable() };
    let bits = (rows.len() / BUCKET).max(2).ilog2().min(MAX_BUCKET_BITS);
    let bucket = |row: &[u8; N]| {
        let spread = window(row, shared.octets) << shared.bits;
        usize::try_from(spread >> (u64::BITS - bits)).unwrap_or_default()
    };
    // Where each bucket begins: one place further, so that the counts become the beginnings in one pass.
    let mut starts = vec![0usize; (1 << bits) + 1];
    for row in rows.iter() {
        if let Some(count) = starts.get_mut(bucket(row) + 1) {
            *count += 1;
        }
    }
    let mut before = 0;
    for start in &mut starts {
        before += *start;
        *start = before;
    }
    let mut sorted = vec![[0; N]; rows.len()];
    for row in rows.iter() {
        if let Some(next) = starts.get_mut(bucket(row)) {
            if let Some(place) = sorted.get_mut(*next) {
                *place = *row;
            }
            *next += 1;
        }
    }
    // Each beginning has moved to its bucket's end.
    let mut rest = &mut sorted[..];
    let mut from = 0;
    for &end in &starts {
        let Some((bucket, after)) = std::mem::take(&mut rest).split_at_mut_checked(end.saturating_sub(from)) else {
            break;
        };
        bucket.sort_unstable_by(|a, b| window(a, shared.octets).cmp(&window(b, shared.octets)).then_with(|| a.cmp(b)));
        (rest, from) = (after, end.max(from));
    }
    *rows = sorted;
}

/// What all keys have in common at their beginning.
struct Shared {
    /// Whole octets, at most so many that a window follows.
    octets: usize,
    /// Bits of the octet after them.
    bits: u32,
}

impl Shared {
    /// `None` where the keys are all the same, or differ only after the last window.
    fn among<const N: usize>(rows: &[[u8; N]]) -> Option<Shared> {
        let first = key_of(rows.first()?);
        let mut differing = [0; KEY];
        for row in rows {
            differing.iter_mut().zip(row).zip(&first).for_each(|((seen, octet), first)| *seen |= octet ^ first);
        }
        let octets = differing.iter().position(|&seen| seen != 0)?.min(LAST_WINDOW);
        let bits = window(&differing, octets).leading_zeros();
        Some(Shared { octets, bits })
    }
}

/// Where the last window of a key begins.
pub(super) const LAST_WINDOW: usize = KEY - 8;

/// Eight octets of a row from a position, as a number that orders as they do; 0 past the end.
#[inline]
pub(super) fn window<const N: usize>(row: &[u8; N], at: usize) -> u64 {
    row.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |octets| u64::from_be_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AT: Time = Time::from_unix(1_700_000_000);

    fn revoked(revocation_date: Time, reason: Option<CrlReason>) -> RevokedEntry {
        RevokedEntry { revocation_date, reason, invalidity_date: None }
    }

    #[test]
    fn numbers_of_twenty_octets_are_their_own_key() {
        let mut longest = vec![0, 0xff];
        longest.extend([7; 19]);
        assert_eq!(key(&longest).0, Kind::Number);
        assert_eq!(key(&longest).1[0], 0xff);
        assert_eq!(key(&[1]).1[KEY - 1], 1);
        assert_eq!(key(&[0]), (Kind::Number, [0; KEY]));
    }

    #[test]
    fn negative_and_overlong_numbers_are_keyed_by_digest_and_meet_no_other() {
        assert_eq!(key(&[0xff]).0, Kind::Digested);
        assert_eq!(key(&[1; 21]).0, Kind::Digested);
        assert_ne!(key(&[1; 21]).1, key(&[1; 22]).1);
        assert_ne!(key(&[0x80]), key(&[0x00, 0x80]));
    }

    #[test]
    fn of_two_entries_with_one_number_the_worse_is_kept() {
        let mut records = Records::new();
        let removal = revoked(AT, Some(CrlReason::RemoveFromCrl));
        let earliest = revoked(AT.plus_seconds(30), None);
        records.push(&[5], &removal);
        records.push(&[5], &revoked(AT.plus_seconds(60), Some(CrlReason::KeyCompromise)));
        records.push(&[5], &earliest);
        records.push(&[4], &removal);
        let group = records.into_sorted().remove(0).numbers.records;
        assert_eq!(group.iter().map(entry).collect::<Vec<_>>(), [removal, earliest]);
    }

    #[test]
    fn an_invalidity_date_stands_beside_its_record() {
        let mut records = Records::new();
        let dated = |n: i64| RevokedEntry { invalidity_date: Some(AT.plus_seconds(n)), ..revoked(AT, None) };
        records.push(&[9], &dated(9));
        records.push(&[5], &revoked(AT, None));
        records.push(&[7], &dated(7));
        records.push(&[7], &dated(3));
        let run = records.into_sorted().remove(0).numbers;
        let found: Vec<_> = run.invalidity().map(|(position, seconds)| (position, time(seconds))).collect();
        assert_eq!(found, [(1, AT.plus_seconds(3)), (2, AT.plus_seconds(9))]);
    }

    proptest! {
        #[test]
        fn rows_sort_as_slices_do(
            prefix in proptest::collection::vec(any::<u8>(), 0..20),
            rows in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 25), 0..300),
            narrow in any::<bool>(),
        ) {
            let row = |octets: &Vec<u8>| -> Record {
                let mut row = [0; RECORD];
                let octets = prefix.iter().chain(octets).map(|octet| if narrow { octet & 3 } else { *octet });
                row.iter_mut().zip(octets).for_each(|(to, from)| *to = from);
                row
            };
            let mut rows: Vec<Record> = rows.iter().map(row).collect();
            let mut expected = rows.clone();
            expected.sort();
            sort_rows(&mut rows);
            prop_assert_eq!(rows, expected);
        }

        #[test]
        fn a_record_gives_its_entry_back(
            serial in proptest::collection::vec(any::<u8>(), 1..24), seconds: u32, code in 0u32..11,
        ) {
            let revoked = revoked(Time::from_unix(i64::from(seconds)), CrlReason::from_code(code));
            let (_, key) = key(&serial);
            let record = record(key, &revoked);
            prop_assert_eq!(entry(&record), revoked);
            prop_assert_eq!(key_of(&record), key);
        }
    }
}
