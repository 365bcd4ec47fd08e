//! pyHanko judges what we make: the same verdict, good and bad.
//!
//! It needs a Python with pyHanko, which `TAMGA_PYHANKO` names, else `target/pyhanko/bin/python` as `.ci/run` makes it.

use crate::scene::signature_value;
use crate::walk::{Fixed, NOW, Pki, SIGNED, time};
use std::path::{Path, PathBuf};
use std::process::Command;
use tamga::crypto::Digest;
use tamga::demonstration::{KeyKind, pem};
use tamga::port::TimestampAuthority as _;
use tamga::report::Indication;
use tamga::service::extension::Level;
use tamga::stamp::Encapsulation;
use tamga::stamp::extension::add_signature_timestamp;

fn python() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pyhanko/bin/python");
    let python = std::env::var_os("TAMGA_PYHANKO").map_or(beside, PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    // `.ci/run` makes one, and asks for this test.
    assert!(std::env::var_os("TAMGA_PYHANKO_REQUIRED").is_none(), "no pyHanko at {}", python.display());
    println!("skipped: no pyHanko; set TAMGA_PYHANKO to a Python that has it");
    None
}

struct Case {
    name: String,
    document: Vec<u8>,
    day: &'static str,
    lists: Vec<Vec<u8>>,
    root: Vec<u8>,
    /// Our verdict.
    passed: bool,
    /// How many archive time-stamps there are.
    archives: usize,
}

fn cases(kind: KeyKind) -> Vec<Case> {
    let pki = Pki::of(kind);
    let mut cases = Vec::new();
    let mut add = |name: &str, document: &[u8], day: &'static str, lists: Vec<Vec<u8>>| {
        let report = pki.judge(document, day, &lists, NOW);
        let archives =
            tamga::format::cms::parse(document, None).map_or(0, |d| d.signatures[0].archive_timestamps.len());
        cases.push(Case {
            name: format!("{name} {kind:?}"),
            document: document.to_vec(),
            day,
            lists,
            root: pki.root.certificate.clone(),
            passed: report.indication == Indication::TotalPassed,
            archives,
        });
    };
    let lists = pki.lists(SIGNED, &[]);
    let extended = |document: &[u8], level| pki.extended(document, SIGNED, level, &pki.first, &lists).unwrap();
    let b = pki.signed(b"a licence", Encapsulation::Attached);
    let t = extended(&b, Level::T);
    let lt = extended(&t, Level::Lt);
    let lta = extended(&lt, Level::Lta);
    let levels = [("b", &b), ("t", &t), ("lt", &lt), ("lta", &lta)];
    for (name, document) in levels {
        add(&format!("good {name}"), document, SIGNED, lists.clone());
        let mut altered = document.clone();
        let at = altered.windows(9).position(|window| window == b"a licence").unwrap();
        altered[at] ^= 1;
        add(&format!("altered content {name}"), &altered, SIGNED, lists.clone());
    }
    for (name, document) in [("lt", &lt), ("lta", &lta)] {
        add(&format!("by its own evidence {name}"), document, SIGNED, Vec::new());
    }
    for (name, document) in [("b", &b), ("t", &t)] {
        add(&format!("no evidence {name}"), document, SIGNED, Vec::new());
        add(&format!("stale lists {name}"), document, "2026-06-01", lists.clone());
        add(&format!("expired {name}"), document, "2029-06-01", Vec::new());
    }
    let renewed = pki.extended(&lta, "2027-03-01", Level::Lta, &pki.first, &pki.lists("2027-03-01", &[])).unwrap();
    add("renewed lta", &renewed, "2027-03-02", pki.lists("2027-03-02", &[]));

    // Revoked later, for a reason that does not look backward; and before.
    let row = [pki.revoked(&pki.issuer, &pki.signer, "2026-04-01", Some(4))];
    let later = pki.lists("2026-05-01", &row);
    add("revoked b", &b, "2026-05-01", later.clone());
    add("revoked later t", &t, "2026-05-01", later.clone());
    let after = pki.extended(&b, "2026-04-02", Level::T, &pki.first, &pki.lists("2026-04-02", &[])).unwrap();
    add("revoked before t", &after, "2026-05-01", later);

    // Broken signatures and tokens.
    let value = signature_value(&t);
    let at = t.windows(value.len()).position(|window| window == value).unwrap();
    let mut broken = t.clone();
    broken[at + value.len() - 1] ^= 1;
    add("broken signature t", &broken, SIGNED, lists.clone());
    let other = Fixed { tsa: &pki.first, at: time(SIGNED) }.token(&Digest::sha256(b"other octets")).unwrap();
    add("token of another signature", &add_signature_timestamp(&b, 0, &other).unwrap(), SIGNED, lists.clone());
    let mut token = Fixed { tsa: &pki.first, at: time(SIGNED) }.token(&Digest::sha256(&value)).unwrap();
    *token.last_mut().unwrap() ^= 1;
    add("token with a broken signature", &add_signature_timestamp(&b, 0, &token).unwrap(), SIGNED, lists.clone());
    // A token by the signer himself, whose certificate is for something else.
    let own = crate::walk::Tsa { above: pki.issuer.clone(), own: pki.signer.clone(), digest: pki.first.digest };
    let token = Fixed { tsa: &own, at: time(SIGNED) }.token(&Digest::sha256(&value)).unwrap();
    add("token by the signer", &add_signature_timestamp(&b, 0, &token).unwrap(), SIGNED, lists);
    cases
}

#[test]
fn pyhanko_gives_the_same_verdict() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: String, octets: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let cases: Vec<Case> = [KeyKind::P256, KeyKind::Rsa2048].into_iter().flat_map(cases).collect();
    let manifest: Vec<serde_json::Value> = cases
        .iter()
        .enumerate()
        .map(|(n, case)| {
            let lists: Vec<String> =
                case.lists.iter().enumerate().map(|(m, list)| write(format!("{n}-{m}.crl"), list)).collect();
            serde_json::json!({
                "name": case.name,
                "document": write(format!("{n}.p7s"), &case.document),
                "trust": [write(format!("{n}.pem"), pem("CERTIFICATE", &case.root).as_bytes())],
                "lists": lists,
                "at": time(case.day).plus_seconds(7200).to_string(),
            })
        })
        .collect();
    let manifest = write("manifest.json".to_owned(), &serde_json::to_vec(&manifest).unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/time/pyhanko_judge.py");
    let output = Command::new(python).arg(script).arg(manifest).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let verdicts: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), cases.len());
    let mut wrong = Vec::new();
    for (case, verdict) in cases.iter().zip(&verdicts) {
        let passed = verdict["indication"] == "PASSED";
        if passed != case.passed {
            wrong.push(format!("{}: ours passed {}, pyHanko's {verdict}", case.name, case.passed));
        }
        let archives = verdict["archive"].as_array().map_or(0, Vec::len);
        let hold = verdict["archive"].as_array().is_none_or(|all| all.iter().all(|one| one == true));
        if case.passed && (archives != case.archives || !hold) {
            wrong.push(format!("{}: archive time-stamps {verdict}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let good = cases.iter().filter(|case| case.passed).count();
    assert!(cases.len() >= 30 && good >= 10 && cases.len() - good >= 10, "{} documents, {good} good", cases.len());
}
