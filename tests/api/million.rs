//! A registry of a million stamped licences, audited by a process that is killed on the way.
//!
//! The licences are really sealed, each with a signature of its own by the authority's key; their rows are written past the
//! service, because registering and stamping a million would measure something else.

use crate::evidence::Office;
use assert_cmd::cargo::cargo_bin;
use rayon::prelude::*;
use rusqlite::{Connection, params};
use std::{
    collections::HashSet,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tamga::{
    crypto::{Digest, PublicKey},
    licensing::{Container, Licence, LicenceNumber, NumberFormat, RequestNumber},
    pki::Certificate,
    port::{DocumentRecord, Journal as _, JournalEntry, JournalEvent, chain},
    report::Time,
    stamp::Encapsulation,
};
use uuid::Uuid;

/// Licences sealed between two transactions.
const BATCH: u64 = 2_000;

struct Template {
    licence: Licence,
    document: DocumentRecord,
    at: Time,
}

struct Sealed {
    licence: Licence,
    request: Vec<u8>,
    octets: Vec<u8>,
    content: Digest,
}

/// The first licence, made by the service; the others are of its kind.
fn template(office: &Office) -> Template {
    office.whole_job(Encapsulation::Attached);
    let service = &office.app.service;
    let number = service.registry.licences_after(None, 1).unwrap().remove(0);
    let record = service.registry.licence(&number).unwrap().unwrap();
    let document = record.documents[0].clone();
    let sealed = service.registry.document(&document.digest).unwrap().unwrap();
    Template { licence: service.stamping.content(&sealed).unwrap().licence, at: document.stamped_at, document }
}

fn seal(office: &Office, template: &Template, serial: u64) -> Sealed {
    let format = NumberFormat::parse(NumberFormat::DEFAULT_LICENCE).unwrap();
    let permit_type = tamga::licensing::PermitType::new("LPE").unwrap();
    let mut licence = template.licence.clone();
    licence.number = LicenceNumber(format.number(permit_type, 2026, serial).unwrap());
    let request = format!("request {serial}").into_bytes();
    licence.request.number = RequestNumber(format!("2026-{serial:08}"));
    licence.request.document = Digest::sha256(&request);
    licence.request.report = Digest::sha256(b"{}");
    let signer = office.app.service.signer.as_deref().unwrap();
    let prepared = office.app.service.stamping.prepare(Container::Cms, &licence, signer, template.at).unwrap();
    let signature = signer.sign(&prepared.to_be_signed).unwrap();
    let content = prepared.content;
    Sealed { licence, request, octets: (prepared.seal)(&signature).unwrap(), content }
}

/// Fills the registry up to `count` licences.
fn fill(office: &Office, count: u64) {
    let template = template(office);
    let raw = Connection::open(office.app.tokens.path()).unwrap();
    raw.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA foreign_keys = OFF").unwrap();
    let head = office.app.tokens.head().unwrap().unwrap();
    let (mut position, mut hash) = (head.position, head.hash);
    let last = |table: &str| -> i64 {
        raw.query_row(&format!("SELECT coalesce(max(rowid), 0) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let (mut body, mut seq) =
        (last("body"), ["report", "request", "licence", "stamping", "document"].map(last).into_iter().max().unwrap());
    let mut serial = 2;
    while serial <= count {
        let end = (serial + BATCH).min(count + 1);
        let sealed: Vec<Sealed> = (serial..end).into_par_iter().map(|serial| seal(office, &template, serial)).collect();
        raw.execute_batch("BEGIN").unwrap();
        for Sealed { licence, request, octets, content } in sealed {
            seq += 1;
            let (number, request_number) = (&licence.number.0, &licence.request.number.0);
            let document = Digest::sha256(&octets);
            let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
                raw.prepare_cached(sql).unwrap().execute(values).unwrap();
            };
            let (request_digest, at) = (licence.request.document, template.at.unix());
            body += 2;
            run("INSERT INTO body VALUES (?1, ?2, ?3)", params![body - 1, request_digest.as_bytes(), request]);
            run("INSERT INTO body VALUES (?1, ?2, ?3)", params![body, document.as_bytes(), octets]);
            let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
            run(
                "INSERT INTO report (seq, id, at, actor, decision, document, digest, json)
                 VALUES (?1, ?2, ?3, 'a', 'accepted', ?4, ?5, x'7b7d')",
                params![seq, id.as_bytes(), at, request_digest.as_bytes(), licence.request.report.as_bytes()],
            );
            run(
                "INSERT INTO request (seq, number, registered_at, actor, service, edition, state, iin, document, parameters, report)
                 VALUES (?1, ?2, ?3, 'a', ?4, '1', 'issued', ?5, ?6, x'7b7d', ?1)",
                params![seq, request_number, at, licence.service, licence.holder.iin, body - 1],
            );
            run(
                "INSERT INTO licence (seq, number, kind, state, service, iin, bin, issued_to, request, issue_date, valid_until)
                 VALUES (?1, ?2, ?3, 'issued', ?4, ?5, ?6, ?7, ?1, ?8, ?9)",
                params![
                    seq, number, licence.kind.as_str(), licence.service, licence.holder.iin, licence.holder.bin,
                    licence.holder.issued_to, licence.issue_date.to_string(),
                    licence.valid_until.map(|date| date.to_string())
                ],
            );
            run(
                "INSERT INTO stamping (seq, id, number, kind, request, state, actor, reserved_at)
                 VALUES (?1, ?2, ?3, ?4, ?1, 'completed', 'a', ?5)",
                params![seq, other.as_bytes(), number, licence.kind.as_str(), at],
            );
            run(
                "INSERT INTO document (seq, licence, kind, body, content, stamped_at, stamping, facts)
                 VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?1, ?6)",
                params![
                    seq,
                    licence.kind.as_str(),
                    body,
                    content.as_bytes(),
                    at,
                    template.document.facts.as_ref().map(Digest::as_bytes)
                ],
            );
            for event in events(&licence, document) {
                let entry = JournalEntry { at: template.at, actor: "a".into(), event };
                let leaf = entry.leaf().unwrap();
                hash = chain(&hash, leaf.as_bytes());
                position += 1;
                run(
                    "INSERT INTO journal (position, subject, leaf, hash) VALUES (?1, ?2, ?3, ?4)",
                    params![i64::try_from(position).unwrap(), entry.event.subject(), leaf, hash],
                );
            }
        }
        raw.execute_batch("COMMIT").unwrap();
        serial = end;
    }
    raw.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// Registration and stamping, as the service writes them; written as JSON so that new fields stay out of the way.
fn events(licence: &Licence, document: Digest) -> Vec<JournalEvent> {
    let digest = licence.request.document;
    [
        serde_json::json!({"event": "request-registered", "number": licence.request.number, "service": licence.service,
            "document": digest, "report": licence.request.report}),
        serde_json::json!({"event": "stamping", "number": licence.number, "kind": licence.kind,
            "request": licence.request.number, "content": digest, "certificate": digest}),
        serde_json::json!({"event": "stamped", "number": licence.number, "kind": licence.kind,
            "request": licence.request.number, "document": document}),
    ]
    .into_iter()
    .map(|event| serde_json::from_value(event).unwrap())
    .collect()
}

fn audit(data: &Path, report: &Path) -> Child {
    Command::new(cargo_bin("tamga"))
        .args(["audit", "--registry", "--data"])
        .arg(data)
        .arg("--report")
        .arg(report)
        .env_remove("TAMGA_CONFIG")
        // A setting to the command, and an unknown one.
        .env_remove("TAMGA_LICENCES")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The most memory of its own that a process ever had, in MiB: file pages that it mapped are not counted.
fn peak_memory(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? / 1024)
}

/// Waits for an audit; how long it took, its most memory, and its words.
fn wait(mut child: Child) -> (Duration, u64, String) {
    let start = Instant::now();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_memory(&child).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = start.elapsed();
    let output = child.wait_with_output().unwrap();
    (took, peak, String::from_utf8(output.stdout).unwrap())
}

/// Signatures of the authority that all cores verify in a second, one key parsed once: the limit.
fn bare_verifications(office: &Office) -> f64 {
    let signer = office.app.service.signer.as_deref().unwrap();
    let certificate = Certificate::parse(signer.certificate()).unwrap();
    let key = PublicKey::from_spki(certificate.spki()).unwrap();
    let message = vec![7; 200];
    let signature = signer.sign(&message).unwrap();
    const TURNS: u64 = 60_000;
    let start = Instant::now();
    (0..TURNS).into_par_iter().for_each(|_| key.verify(&signer.algorithm(), &message, &signature).unwrap());
    TURNS as f64 / start.elapsed().as_secs_f64()
}

#[test]
#[ignore = "long: TAMGA_LICENCES=1000000 cargo test --release --test api -- --ignored a_million_stamped --nocapture"]
fn a_million_stamped_licences_are_audited_through_kills() {
    let count: u64 = std::env::var("TAMGA_LICENCES").ok().map_or(1_000_000, |text| text.parse().unwrap());
    let office = Office::open();
    let start = Instant::now();
    fill(&office, count);
    println!("{count} licences sealed in {:.1?}", start.elapsed());
    office.app.service.publish().unwrap();

    let limit = bare_verifications(&office);
    let whole = office.folder.path().join("whole.jsonl");
    let (took, peak, words) = wait(audit(office.folder.path(), &whole));
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "{words}audited in {took:.1?}: {rate:.0} licences a second; bare signatures {limit:.0} a second: {:.2}",
        rate / limit
    );
    println!("{:.1} us of one core a licence; {peak} MiB of memory", 2e6 / rate);
    assert!(words.contains(&format!("{count} licences, {count} documents")), "{words}");
    assert!(words.contains("the journal is whole"), "{words}");

    // Killed again and again, then taken up: every licence once.
    let cut = office.folder.path().join("cut.jsonl");
    let state = office.folder.path().join("cut.jsonl.state");
    let mut kills = 0;
    for turn in 1..=6_u32 {
        let mut child = audit(office.folder.path(), &cut);
        std::thread::sleep(took.mul_f64(0.12 + 0.05 * f64::from(turn)));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += u32::from(state.exists());
    }
    let (_, _, words) = wait(audit(office.folder.path(), &cut));
    println!("killed {kills} times on the way; {words}");
    let lines = |path: &Path| BufReader::new(std::fs::File::open(path).unwrap()).lines().map(Result::unwrap);
    assert!(lines(&whole).eq(lines(&cut)), "an audit cut short tells the same");
    let numbers: HashSet<String> = lines(&cut)
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap()["number"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(numbers.len() as u64, count);
    let finished = lines(&cut).filter(|line| line.contains("\"findings\":[]")).count() as u64;
    assert_eq!(finished, count);
}
