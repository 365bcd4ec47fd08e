//! XML: parsing, canonicalization and whole verifications, per core, with the size and the memory it took.
//!
//! `cargo bench --bench xml [-- FOLDER]`: with a folder it also writes the signed documents there, for the peers
//! (`benches/peers/xml.sh`). Numbers are medians of rounds of half a second.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tamga::crypto::{DigestAlgorithm, PublicKey};
use tamga::demonstration::{Credential, Holder, KeyKind, World, pem};
use tamga::format::SignerIdentifier;
use tamga::format::xml::Document;
use tamga::format::xml::canonical::{Canonicalization, Sink, Subtree, canonicalize};
use tamga::format::xmldsig::{self, enveloped};
use tamga::pki::Certificate;
use tamga::report::Time;

/// A form of about this many bytes, as portals send them: nested elements, attributes, Cyrillic text.
fn form(bytes: usize) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<f:form xmlns:f=\"urn:kz:form\" xmlns=\"urn:kz:data\">\n",
    );
    let mut row = 0;
    while text.len() < bytes {
        row += 1;
        text.push_str(&format!(
            "  <f:object number=\"{row}\" kind=\"storage\">\n    <name>Қойма № {row}</name>\n    <address kato=\"750000000\">Алматы қ., Абай д-лы, {row}</address>\n    <area unit=\"m2\">{}</area>\n    <note>5 &lt; 6 &amp; тексерілді</note>\n  </f:object>\n",
            row * 17 % 4096
        ));
    }
    text + "</f:form>\n"
}

/// Nothing but short elements: the densest text that still says something.
fn dense(bytes: usize) -> String {
    let row = "<r><c>1</c><c>2</c><c a=\"b\">3</c></r>\n";
    format!("<t>{}</t>", row.repeat(bytes / row.len()))
}

struct Hashing(tamga::crypto::Hasher);

impl Sink for Hashing {
    fn write(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }
}

/// Counts what a canonicalization writes, and costs nothing else.
struct Counting(usize);

impl Sink for Counting {
    fn write(&mut self, octets: &[u8]) {
        self.0 += octets.len();
    }
}

/// Median seconds of one call.
fn median(mut work: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..7)
        .map(|_| {
            let (start, mut calls) = (Instant::now(), 0u32);
            while start.elapsed() < Duration::from_millis(500) {
                work();
                calls += 1;
            }
            start.elapsed().as_secs_f64() / f64::from(calls)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn sign(document: &str, credential: &Credential, at: Time) -> Vec<u8> {
    let certificate = Certificate::parse(&credential.certificate).unwrap();
    let prepared = enveloped::PreparedXml::new(&enveloped::Order {
        document: document.as_bytes(),
        certificate: &certificate,
        chain: &[],
        algorithm: credential.algorithm,
        signing_time: at,
        profile: enveloped::Profile::Plain,
    })
    .unwrap();
    let value = credential.key.private().sign(&credential.algorithm, prepared.to_be_signed()).unwrap();
    prepared.assemble(&value).unwrap()
}

/// Everything that a peer's "verify" does: parse, references, signature under the embedded certificate's key.
fn verify(bytes: &[u8]) {
    let document = Document::parse(bytes).unwrap();
    let parsed = xmldsig::parse(&document, None).unwrap();
    let signature = &parsed.signatures[0];
    let SignerIdentifier::Certificate(der) = &signature.signer else { unreachable!("a certificate") };
    let key = PublicKey::from_spki(Certificate::parse(der).unwrap().spki()).unwrap();
    key.verify(signature.algorithm.as_ref().unwrap(), &signature.message, &signature.signature).unwrap();
    assert_eq!(signature.covered.len(), 1);
}

/// Peak resident memory of the process since it was last reset, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or("VmHWM: 0 kB");
    line.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// Forgets the peak so far, and gives what is resident now (`proc(5)`, clear_refs).
fn reset_peak() -> usize {
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    peak()
}

fn main() {
    let folder = std::env::args().skip(1).find(|a| !a.starts_with("--")).map(PathBuf::from);
    let algorithm = Canonicalization::from_uri("http://www.w3.org/TR/2001/REC-xml-c14n-20010315").unwrap();
    let megabytes = |bytes: usize, seconds: f64| bytes as f64 / seconds / 1e6;

    let at = Time::from_civil(2026, 11, 22, 2, 0, 0).unwrap();
    let world = World::new(at, KeyKind::P256).unwrap();
    let rsa = world.holder(&Holder::person(), KeyKind::Rsa2048).unwrap();

    // Memory first: the peak is of the whole process, so the sizes grow.
    for (name, document) in [("form", form as fn(usize) -> String), ("dense", dense)] {
        for size in [4 << 20, 16 << 20, (64 << 20) - (8 << 10)] {
            let signed = sign(&document(size), &rsa, at);
            let (before, start) = (reset_peak(), Instant::now());
            verify(&signed);
            let seconds = start.elapsed().as_secs_f64();
            let extra = peak().saturating_sub(before) as f64 / signed.len() as f64;
            println!(
                "{name} {:>8} bytes: whole verification {:.0} MB/s; memory beside the document {extra:.2} times its size, with it {:.2}",
                signed.len(),
                megabytes(signed.len(), seconds),
                1.0 + extra
            );
        }
    }
    for size in [4 << 10, 64 << 10, 1 << 20, 16 << 20, 64 << 20] {
        let text = form(size - (400 + size / 8192));
        let parse = median(|| {
            black_box(Document::parse(text.as_bytes()).unwrap());
        });
        let document = Document::parse(text.as_bytes()).unwrap();
        let c14n = median(|| {
            let mut sink = Counting(0);
            canonicalize(&document, &Subtree::whole(&document), &algorithm, &mut sink).unwrap();
            black_box(sink.0);
        });
        let digest = median(|| {
            let mut sink = Hashing(DigestAlgorithm::Sha256.hasher());
            canonicalize(&document, &Subtree::whole(&document), &algorithm, &mut sink).unwrap();
            black_box(sink.0.finish());
        });
        println!(
            "form {:>8} bytes: parse {:.0} MB/s, c14n {:.0} MB/s, together {:.0} MB/s, c14n into SHA-256 {:.0} MB/s",
            text.len(),
            megabytes(text.len(), parse),
            megabytes(text.len(), c14n),
            megabytes(text.len(), parse + c14n),
            megabytes(text.len(), digest)
        );
    }
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("root.pem"), pem("CERTIFICATE", &world.root.certificate)).unwrap();
        std::fs::write(folder.join("authority.pem"), pem("CERTIFICATE", &world.authority.certificate)).unwrap();
    }
    for (name, kind) in [("rsa", KeyKind::Rsa2048), ("ec", KeyKind::P256)] {
        let credential = world.holder(&Holder::person(), kind).unwrap();
        for (label, size) in [("4k", 4 << 10), ("1m", 1 << 20)] {
            let signed = sign(&form(size - 3000), &credential, at);
            let seconds = median(|| verify(black_box(&signed)));
            println!("verify {name} {label} ({} bytes): {:.1} us, {:.0}/s", signed.len(), seconds * 1e6, 1.0 / seconds);
            if let Some(folder) = &folder {
                std::fs::write(folder.join(format!("{name}-{label}.xml")), &signed).unwrap();
                std::fs::write(folder.join(format!("{name}.pem")), pem("CERTIFICATE", &credential.certificate))
                    .unwrap();
            }
        }
    }
}
