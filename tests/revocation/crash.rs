//! A process that is killed while it imports leaves the last good list, or the new one.

use super::store::{AT, times};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use tamga::adapter::revocation_store::{
    Limits, ListSigner, RevocationStore, SampleAuthority, Staleness, sample_serial,
};
use tamga::pki::{Certificate, RevocationList as _};

const ENTRIES: u64 = 20_000;

fn import(store: &RevocationStore, signers: &[ListSigner], list: &Path) {
    let staged = store.stage(&mut File::open(list).unwrap()).unwrap();
    store.import(staged, signers, AT, Staleness::Refuse).unwrap();
}

/// Not a test: what the next one runs as another process, and kills.
#[test]
#[ignore = "started by a_killed_import_leaves_the_old_list_or_the_new_one"]
fn import_without_end() {
    let Some(folder) = std::env::var_os("TAMGA_CRASH_FOLDER") else { return };
    let folder = Path::new(&folder);
    let authority = Certificate::parse(&fs::read(folder.join("authority.cer")).unwrap()).unwrap();
    let signers = [ListSigner::from(&authority)];
    for number in 2.. {
        // A new store each time, as the lists of a series only ever go forward.
        let place = folder.join("store");
        let store = RevocationStore::open(&place, Limits::default()).unwrap();
        import(&store, &signers, &folder.join(format!("{}.crl", 2.min(number))));
        fs::write(folder.join("imported"), number.to_string()).unwrap();
        let index = fs::read_dir(place.join("index")).unwrap().next().unwrap().unwrap().path();
        fs::remove_file(&index).unwrap();
        fs::copy(folder.join("first.idx"), index).unwrap();
    }
}

#[test]
fn a_killed_import_leaves_the_old_list_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let authority = SampleAuthority::generate(times(0)).unwrap();
    fs::write(folder.join("authority.cer"), authority.certificate()).unwrap();
    for number in [1, 2] {
        let mut list = File::create(folder.join(format!("{number}.crl"))).unwrap();
        authority.write_list(ENTRIES * u64::from(number), number, times(0), &mut list).unwrap();
    }
    let certificate = Certificate::parse(authority.certificate()).unwrap();
    let place = folder.join("store");
    let store = RevocationStore::open(&place, Limits::default()).unwrap();
    import(&store, &[ListSigner::from(&certificate)], &folder.join("1.crl"));
    drop(store);
    let index = fs::read_dir(place.join("index")).unwrap().next().unwrap().unwrap().path();
    fs::copy(&index, folder.join("first.idx")).unwrap();

    let (mut old, mut new) = (0, 0);
    for round in 0..12u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "crash::import_without_end"])
            .env("TAMGA_CRASH_FOLDER", folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(20 + round * 13));
        child.kill().unwrap();
        child.wait().unwrap();
        // The child puts the old index back by itself between imports, without care; a copy cut short there is not ours.
        if fs::metadata(&index).map_or(0, |file| file.len()) < fs::metadata(folder.join("first.idx")).unwrap().len() {
            fs::copy(folder.join("first.idx"), &index).unwrap();
            continue;
        }
        let store = RevocationStore::open(&place, Limits::default()).unwrap();
        assert!(store.damaged().is_empty(), "round {round}");
        let lists = store.lists();
        let entries = lists[0].entries() as u64;
        assert!((0..entries).all(|n| lists[0].find(&certificate.subject(), &sample_serial(n)).is_some()));
        match entries {
            ENTRIES => old += 1,
            _ => {
                assert_eq!(entries, ENTRIES * 2);
                new += 1;
            }
        }
        assert_eq!(fs::read_dir(place.join("staging")).unwrap().count(), 0, "the dead process's files are gone");
    }
    assert!(old + new > 0);
}
