//! One revocation list, read by this software, by x509-parser, rustls-webpki and openssl, in one run.
//!
//! `cargo bench --bench crl -- 1000000` (the number of entries; default one million).
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs
)]

use std::hint::black_box;
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

/// The mean over lookups of serial numbers that are listed.
fn lookups(count: u32, entries: u64, mut find: impl FnMut(&[u8]) -> bool) -> Duration {
    let (all, elapsed) =
        timed(|| (0..u64::from(count)).all(|n| find(&sample_serial(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % entries))));
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

fn openssl(files: &SampleFiles) {
    let certificate = files.certificate.with_extension("pem");
    let convert = ["x509", "-inform", "DER", "-in", files.certificate.to_str().unwrap(), "-out"];
    let converted = Command::new("openssl").args(convert).arg(&certificate).status();
    if !converted.is_ok_and(|status| status.success()) {
        println!("openssl          not at hand");
        return;
    }
    let read = ["crl", "-inform", "DER", "-noout", "-in", files.list.to_str().unwrap()];
    let (status, load) =
        timed(|| Command::new("openssl").args(read).arg("-CAfile").arg(&certificate).output().unwrap());
    assert!(String::from_utf8_lossy(&status.stderr).contains("verify OK"));
    row("openssl crl", load, None);
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
    openssl(&files);
}
