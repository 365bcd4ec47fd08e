//! The national authority's own lists (corpus `kz/crl`).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tamga::adapter::revocation_store::{Limits, ListKind, ListSigner, RevocationStore, Staleness};
use tamga::pki::{Certificate, Crl, RevocationList as _};
use tamga::report::Time;

/// The corpus: `TAMGA_CORPUS`, else beside the package. None where there is none, said aloud.
fn corpus() -> Option<PathBuf> {
    let named = std::env::var_os("TAMGA_CORPUS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus at {}", folder.display());
    None
}

fn certificates(folder: &Path) -> Vec<Certificate> {
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    files.map(|octets| Certificate::parse(&tamga::format::armour::dearmour(&octets).unwrap()).unwrap()).collect()
}

#[test]
fn national_lists_import_and_answer_as_their_own_bytes_do() {
    let Some(corpus) = corpus() else { return };
    let signers: Vec<ListSigner> = certificates(&corpus.join("kz/ca/test")).iter().map(ListSigner::from).collect();
    let folder = tempfile::tempdir().unwrap();
    let mut imported = 0;
    let mut lists: Vec<PathBuf> =
        fs::read_dir(corpus.join("kz/crl")).unwrap().map(|file| file.unwrap().path()).collect();
    lists.sort();
    for path in lists {
        let store = RevocationStore::open(&folder.path().join(imported.to_string()), Limits::default()).unwrap();
        let staged = store.stage(&mut File::open(&path).unwrap()).unwrap();
        let at: Time = "2026-11-22T00:00:00Z".parse().unwrap();
        let list = match store.import(staged, &signers, at, Staleness::Accept) {
            Ok(list) => list,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let list = list.list();
        let whole = Crl::parse(&fs::read(&path).unwrap()).unwrap();
        assert_eq!((list.entries(), list.scope().digest), (whole.len(), whole.scope().digest), "{}", path.display());
        assert_eq!(list.kind() == ListKind::Delta, path.to_string_lossy().contains("delta"), "{}", path.display());
        let octets = fs::read(&path).unwrap();
        let parts = tamga::pki::crl::CrlParts::parse(&octets).unwrap();
        for entry in parts.entries() {
            let serial = entry.unwrap().serial_number;
            let issuer = whole.scope().issuer();
            let (ours, theirs) = (list.find(&issuer, serial).unwrap(), whole.find(&issuer, serial).unwrap());
            assert_eq!((ours.revocation_date, ours.reason), (theirs.revocation_date, theirs.reason));
        }
        imported += 1;
    }
    assert_eq!(imported, 6);
}
