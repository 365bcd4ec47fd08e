//! One entry of a list in 25 octets, and the groups that entries are sorted in.
//!
//! ```text
//! record ::= key(20) ‖ revocation date(4, seconds since 1970) ‖ reason(1)
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
    match KEY.checked_sub(magnitude.len()) {
        Some(padding) if !negative && !serial.is_empty() => {
            key.iter_mut().skip(padding).zip(magnitude).for_each(|(to, from)| *to = *from);
            (Kind::Number, key)
        }
        _ => {
            let digest = Digest::sha256(serial);
            key.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
            (Kind::Digested, key)
        }
    }
}

/// How the absence of a reasonCode is stored.
const NO_REASON: u8 = 0xff;

/// The record of an entry. A date outside 1970 to 2106 becomes the nearest one inside: no signature that is judged is
/// from before, and a date after is taken earlier than it says.
fn record(key: Key, entry: &RevokedEntry) -> Record {
    let seconds = u32::try_from(entry.revocation_date.unix().max(0)).unwrap_or(u32::MAX).to_be_bytes();
    let reason = [entry.reason.map_or(NO_REASON, CrlReason::code)];
    let mut record = [0; RECORD];
    record.iter_mut().zip(key.iter().chain(&seconds).chain(&reason)).for_each(|(to, from)| *to = *from);
    record
}

/// The entry of a record. A code that is no reason reads as none: the certificate stays revoked.
///
/// The invalidityDate is not kept: no rule of path validation reads it, and the list itself is in the archive.
pub(super) fn entry(record: &Record) -> RevokedEntry {
    let [.., a, b, c, d, code] = *record;
    RevokedEntry {
        revocation_date: Time::from_unix(i64::from(u32::from_be_bytes([a, b, c, d]))),
        reason: CrlReason::from_code(u32::from(code)),
        invalidity_date: None,
    }
}

/// The key of a record.
pub(super) fn key_of(record: &Record) -> Key {
    let mut key = [0; KEY];
    key.iter_mut().zip(record).for_each(|(to, from)| *to = *from);
    key
}

/// The entries of one certificate issuer.
#[derive(Default)]
pub(super) struct Group {
    /// The issuer's name as it was received; `None` for the issuer of the list.
    pub(super) issuer: Option<Vec<u8>>,
    /// Records under [`Kind::Number`].
    pub(super) numbers: Vec<Record>,
    /// Records under [`Kind::Digested`].
    pub(super) digested: Vec<Record>,
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
            group.numbers.reserve_exact(entries);
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
            if let Some(group) = self.groups.get_mut(group) {
                match kind {
                    Kind::Number => group.numbers.push(record),
                    Kind::Digested => group.digested.push(record),
                }
            }
        }
    }

    /// The groups, each sorted and its keys distinct.
    pub(super) fn into_sorted(mut self) -> Vec<Group> {
        for group in &mut self.groups {
            sort(&mut group.numbers);
            sort(&mut group.digested);
        }
        self.groups
    }
}

/// Sorts, and keeps of several entries with one number the one that refuses most: a revocation rather than a removal
/// (of delta lists), the earliest first.
fn sort(records: &mut Vec<Record>) {
    if !records.is_sorted() {
        records.sort_unstable();
    }
    records.dedup_by(|later, kept| {
        let same = key_of(later) == key_of(kept);
        let removes = |record: &Record| record.last() == Some(&CrlReason::RemoveFromCrl.code());
        if same && removes(kept) && !removes(later) {
            *kept = *later;
        }
        same
    });
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
        let group = records.into_sorted().remove(0).numbers;
        assert_eq!(group.iter().map(entry).collect::<Vec<_>>(), [removal, earliest]);
    }

    proptest! {
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
