//! One revocation list, read by this software, by x509-parser, rustls-webpki and openssl, in one run.
//!
//! `cargo bench --bench crl -- 1000000` (the number of entries; default one million). OpenSSL's part is
//! `peers/crl.c`, which needs a C compiler and libcrypto.so.3.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tamga::adapter::revocation_store::measure::{SampleFiles, measure, write_samples};
use tamga::adapter::revocation_store::sample_serial;

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = work();
    (value, start.elapsed())
}

fn row(who: &str, load: Duration, lookup: Option<Duration>) {
    let lookup = lookup.map_or("-".into(), |each| format!("{:.0} ns", each.as_secs_f64() * 1e9));
    println!("{who:<16} load {:>9.1} ms   lookup {lookup:>12}", load.as_secs_f64() * 1e3);
}

/// The serial numbers that everybody is asked for: listed, in no order.
fn asked(n: u64, entries: u64) -> [u8; 20] {
    sample_serial(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % entries)
}

/// The mean over lookups of serial numbers that are listed.
fn lookups(count: u32, entries: u64, mut find: impl FnMut(&[u8]) -> bool) -> Duration {
    let numbers: Vec<[u8; 20]> = (0..u64::from(count)).map(|n| asked(n, entries)).collect();
    let (all, elapsed) = timed(|| numbers.iter().all(|number| find(number)));
    assert!(all);
    elapsed / count
}

fn x509_parser(der: &[u8], entries: u64) {
    use x509_parser::prelude::{CertificateRevocationList, FromDer as _};
    let ((_, list), load) = timed(|| CertificateRevocationList::from_der(der).unwrap());
    let find = |serial: &[u8]| list.iter_revoked_certificates().any(|revoked| revoked.raw_serial() == serial);
    row("x509-parser", load, Some(lookups(20, entries, find)));
}

fn rustls_webpki(der: &[u8], entries: u64) {
    use webpki::{CertRevocationList, OwnedCertRevocationList};
    let (list, load) = timed(|| CertRevocationList::from(OwnedCertRevocationList::from_der(der).unwrap()));
    row("rustls-webpki", load, Some(lookups(200_000, entries, |serial| list.find_serial(serial).unwrap().is_some())));
}

/// Load with verification, and lookups; the first of them sorts the entries and is counted as load.
fn openssl(files: &SampleFiles, folder: &Path, entries: u64) {
    let (program, serials) = (folder.join("peer"), folder.join("serials"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/crl.c");
    let compiled = Command::new("cc").args(["-O2", "-o"]).arg(&program).args([source, "-ldl"]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("openssl          no C compiler at hand");
        return;
    }
    let numbers: Vec<u8> = (0..200_000u64).flat_map(|n| asked(n, entries)).collect();
    std::fs::write(&serials, numbers).unwrap();
    let output = Command::new(program).args([&files.list, &files.certificate, &serials]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    let load = Duration::from_secs_f64((figures[0] + figures[1]) / 1e3);
    row("openssl", load, Some(Duration::from_secs_f64(figures[2] / 1e9)));
}

fn main() {
    let entries: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir_in(".").unwrap();
    let files = write_samples(folder.path(), entries).unwrap();
    let measured = measure(&folder.path().join("revocation"), &files, entries).unwrap();
    println!("{}", serde_json::to_string_pretty(&measured).unwrap());
    let millis = |ms: f64| Duration::from_secs_f64(ms / 1e3);
    row("tamga, import", millis(measured.import_ms), Some(Duration::from_secs_f64(measured.lookup_listed_ns / 1e9)));
    row("tamga, restart", millis(measured.restart_ms), None);
    let der = std::fs::read(&files.list).unwrap();
    rustls_webpki(black_box(&der), entries);
    x509_parser(black_box(&der), entries);
    openssl(&files, folder.path(), entries);
}
