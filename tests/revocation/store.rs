//! What the store takes into force, and what leaves the last good list where it is.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use tamga::adapter::revocation_store::{
    Imported, Limits, ListSigner, RevocationStore, SampleAuthority, SampleTimes, Staleness, sample_serial,
};
use tamga::pki::{Certificate, RevocationList as _};
use tamga::report::Time;
use tempfile::TempDir;

pub const AT: Time = Time::from_unix(1_795_312_800);
const DAY: i64 = 86_400;

/// A list of a day, so many days after [`AT`].
pub fn times(days: i64) -> SampleTimes {
    SampleTimes { this_update: AT.plus_seconds(days * DAY), next_update: AT.plus_seconds((days + 1) * DAY) }
}

struct Bench {
    folder: TempDir,
    store: RevocationStore,
    authority: SampleAuthority,
    signers: Vec<ListSigner>,
    certificate: Certificate,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = RevocationStore::open(folder.path(), Limits::default()).unwrap();
        let authority = SampleAuthority::generate(times(0)).unwrap();
        let certificate = Certificate::parse(authority.certificate()).unwrap();
        Bench { signers: vec![ListSigner::from(&certificate)], folder, store, authority, certificate }
    }

    fn list(&self, entries: u64, number: u32, days: i64) -> Vec<u8> {
        let mut list = Vec::new();
        self.authority.write_list(entries, number, times(days), &mut list).unwrap();
        list
    }

    fn import(&self, list: &[u8]) -> Result<Imported, String> {
        self.import_at(list, AT.plus_seconds(DAY / 2), Staleness::Refuse)
    }

    fn import_at(&self, mut list: &[u8], at: Time, staleness: Staleness) -> Result<Imported, String> {
        let staged = self.store.stage(&mut list).map_err(|error| error.code().to_owned())?;
        self.store.import(staged, &self.signers, at, staleness).map_err(|error| error.code().to_owned())
    }

    fn lists(&self, store: &RevocationStore, n: u64) -> bool {
        let lists = store.lists();
        lists.iter().any(|list| list.find(&self.certificate.subject(), &sample_serial(n)).is_some())
    }
}

#[test]
fn a_good_list_is_in_force_and_still_is_after_a_restart() {
    let bench = Bench::new();
    let list = bench.import(&bench.list(1000, 1, 0)).unwrap();
    assert_eq!(list.list().entries(), 1000);
    assert_eq!(list.list().scope().crl_number.unwrap().to_string(), "1");
    let again = RevocationStore::open(bench.folder.path(), Limits::default()).unwrap();
    for store in [&bench.store, &again] {
        assert!((0..1000).all(|n| bench.lists(store, n)));
        assert!((1000..2000).all(|n| !bench.lists(store, n)));
    }
}

#[test]
fn a_list_of_another_issuer_says_nothing_about_the_same_number() {
    let bench = Bench::new();
    let list = bench.import(&bench.list(10, 1, 0)).unwrap();
    let other = [0x30, 12, 0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'X'];
    let other = tamga::pki::Name::parse(&other).unwrap();
    assert_eq!(list.list().find(&other, &sample_serial(1)), None);
}

#[test]
fn what_mirrors_and_portals_send_instead_is_refused_by_name_and_the_last_good_list_stays() {
    let bench = Bench::new();
    let good = bench.list(100, 5, 0);
    bench.import(&good).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut longer = good.clone();
    longer.push(0);
    let stranger = Bench::new();
    let cases: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("not-a-list", b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"),
        ("not-a-list", b"\r\n  <html>"),
        ("not-a-list", b"Service temporarily unavailable"),
        ("not-a-list", b"-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n"),
        ("truncated", &good[..good.len() - 1]),
        ("truncated", &good[..1000]),
        ("malformed", &good[..1]),
        ("malformed", &longer),
        ("malformed", &[0x30, 0x80, 0, 0]),
        ("signature-invalid", &flipped),
        ("signature-invalid", &stranger.list(100, 6, 0)),
        ("rolled-back", &bench.list(100, 4, 0)),
        ("rolled-back", &bench.list(100, 6, -1)),
        ("not-yet-valid", &bench.list(100, 6, 3)),
    ];
    for (code, octets) in cases {
        assert_eq!(bench.import(octets).unwrap_err(), *code);
        let lists = bench.store.lists();
        assert_eq!(lists.len(), 1);
        assert_eq!(lists[0].scope().crl_number.unwrap().to_string(), "5");
    }
    assert_eq!(fs::read_dir(bench.folder.path().join("staging")).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_list_of_nobody_who_is_trusted_is_refused() {
    let mut bench = Bench::new();
    bench.signers.clear();
    assert_eq!(bench.import(&bench.list(1, 1, 0)).unwrap_err(), "unknown-issuer");
}

#[test]
fn an_expired_list_is_refused_from_a_mirror_and_taken_from_the_operator() {
    let bench = Bench::new();
    let list = bench.list(10, 1, 0);
    let later = AT.plus_seconds(5 * DAY);
    assert_eq!(bench.import_at(&list, later, Staleness::Refuse).unwrap_err(), "expired");
    bench.import_at(&list, later, Staleness::Accept).unwrap();
    assert!(bench.lists(&bench.store, 3));
}

#[test]
fn the_same_list_again_changes_nothing() {
    let bench = Bench::new();
    let list = bench.list(10, 1, 0);
    assert!(matches!(bench.import(&list).unwrap(), Imported::Replaced(_)));
    assert!(matches!(bench.import(&list).unwrap(), Imported::Unchanged(_)));
}

#[test]
fn a_newer_list_replaces_the_older_one_and_whoever_holds_the_older_one_keeps_it() {
    let bench = Bench::new();
    bench.import(&bench.list(10, 1, 0)).unwrap();
    let old = bench.store.lists();
    bench.import(&bench.list(20, 2, 0)).unwrap();
    assert_eq!((old[0].entries(), bench.store.lists()[0].entries()), (10, 20));
    assert!(old[0].find(&bench.certificate.subject(), &sample_serial(9)).is_some());
    assert_eq!(bench.store.lists().len(), 1);
}

#[test]
fn another_process_is_seen_after_a_look() {
    let bench = Bench::new();
    bench.import(&bench.list(10, 1, 0)).unwrap();
    let service = RevocationStore::open(bench.folder.path(), Limits::default()).unwrap();
    bench.import(&bench.list(20, 2, 0)).unwrap();
    assert_eq!(service.lists()[0].entries(), 10);
    let before = Arc::clone(&service.lists()[0]);
    service.reload().unwrap();
    assert_eq!(service.lists()[0].entries(), 20);
    service.reload().unwrap();
    assert_eq!(before.entries(), 10);
}

#[test]
fn a_list_larger_than_allowed_is_not_even_received() {
    let bench = Bench::new();
    let list = bench.list(1000, 1, 0);
    let limits = Limits { max_list_octets: 10_000, ..Limits::default() };
    let small = RevocationStore::open(&bench.folder.path().join("small"), limits).unwrap();
    assert_eq!(small.stage(&mut &list[..]).unwrap_err().code(), "too-large");
}

/// The only file with an ending in a part of the store.
fn only_file(folder: &Path, part: &str) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder.join(part)).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

#[test]
fn a_damaged_index_is_refused_and_built_again_from_the_archive() {
    let bench = Bench::new();
    bench.import(&bench.list(5000, 1, 0)).unwrap();
    let index = only_file(bench.folder.path(), "index");
    let damaged_copy = fs::read(&index).unwrap();
    fs::remove_file(&index).unwrap();
    fs::write(&index, damaged_copy).unwrap();
    let mut file = OpenOptions::new().read(true).write(true).open(&index).unwrap();
    file.seek(SeekFrom::End(-100)).unwrap();
    let mut octet = [0];
    file.read_exact(&mut octet).unwrap();
    file.seek(SeekFrom::End(-100)).unwrap();
    file.write_all(&[octet[0] ^ 1]).unwrap();

    let store = RevocationStore::open(bench.folder.path(), Limits::default()).unwrap();
    assert_eq!((store.lists().len(), store.damaged().len()), (0, 1));
    store.recover(&bench.signers, AT.plus_seconds(DAY * 30));
    assert_eq!((store.lists().len(), store.damaged().len()), (1, 0));
    assert!((0..5000).all(|n| bench.lists(&store, n)));
}

#[test]
fn the_list_of_the_day_is_found_by_its_digest_until_the_archive_is_full() {
    let bench = Bench::new();
    let first = bench.list(100, 1, 0);
    bench.import(&first).unwrap();
    let digest = bench.store.lists()[0].scope().digest;
    bench.import(&bench.list(100, 2, 0)).unwrap();
    let path = bench.store.archived(&digest).unwrap().unwrap();
    assert_eq!(fs::read(path).unwrap(), first);

    let limits = Limits { max_archive_octets: first.len() as u64 * 3 / 2, ..Limits::default() };
    let frugal = RevocationStore::open(bench.folder.path(), limits).unwrap();
    let third = bench.list(100, 3, 0);
    let staged = frugal.stage(&mut &third[..]).unwrap();
    frugal.import(staged, &bench.signers, AT, Staleness::Refuse).unwrap();
    assert_eq!(frugal.archived(&digest).unwrap(), None);
    let held = frugal.lists()[0].scope().digest;
    assert!(frugal.archived(&held).unwrap().is_some(), "the list in force is kept whatever its size");
}
