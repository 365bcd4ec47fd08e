//! The command line from outside: exit codes, and the demonstration.

use assert_cmd::Command;
use std::path::Path;
use tamga::demonstration::Holder;

fn tamga(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("tamga").unwrap();
    let output = command.current_dir(folder).args(arguments).env_remove("TAMGA_CONFIG").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn exit_codes_say_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("nothing.bin"), b"no document").unwrap();
    std::fs::write(folder.path().join("bad.toml"), b"enviroment = 1").unwrap();
    for (arguments, code) in [
        (&["--version"][..], 0),
        (&["--help"], 0),
        (&["openapi"], 0),
        (&["config", "check"], 0),
        (&["config", "print"], 0),
        (&[], 64),
        (&["unknown"], 64),
        (&["verify"], 64),
        (&["verify", "--iin", "12", "nothing.bin"], 64),
        (&["verify", "--at", "noon", "nothing.bin"], 64),
        (&["config", "check", "--config", "bad.toml"], 64),
        (&["config", "check", "--config", "missing.toml"], 65),
        (&["verify", "missing.p7m"], 65),
        (&["verify", "--trust", "missing", "nothing.bin"], 65),
        (&["verify", "--policy", "missing.toml", "nothing.bin"], 65),
        (&["verify", "--policy", "bad.toml", "nothing.bin"], 64),
        (&["verify", "nothing.bin"], 1),
        (&["verify", "nothing.bin", "missing.p7m"], 65),
        (&["token", "create", "--role", "king", "--holder", "x"], 64),
        (&["token", "revoke", "none"], 64),
    ] {
        let (found, out, err) = tamga(folder.path(), arguments);
        assert_eq!(found, code, "{arguments:?}\n{out}\n{err}");
    }
}

#[test]
fn production_refuses_to_start_on_demonstration_keys() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let configuration = "environment = \"production\"\n[authority]\nkey = \"tamga-data/demonstration/seal.key\"\n\
        certificate = \"tamga-data/demonstration/seal.pem\"\n[trust]\nanchors = [\"tamga-data/demonstration/root.pem\"]\n\
        [issuer]\nhead = \"А. Б.\"\nbody = { kk = \"а\", ru = \"б\" }\ncity = { kk = \"а\", ru = \"б\" }\n";
    std::fs::write(folder.path().join("production.toml"), configuration).unwrap();
    let (code, _, err) = tamga(folder.path(), &["serve", "--config", "production.toml", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 64, "{err}");
    assert!(err.contains("demonstration"), "{err}");
}

/// The whole job twice over the same data, and a log of it that names nobody.
#[test]
fn the_demonstration_plays_the_whole_job_and_its_log_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (code, out, err) = tamga(folder.path(), &["demo", "--json"]);
        assert_eq!(code, 0, "{out}\n{err}");
        let story: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(story["steps"].as_array().unwrap().len() >= 25);
        assert!(story["seconds"].as_f64().unwrap() < 60.0);
        for name in ["request.p7m", "request-report.json", "licence.p7m", "licence-report.json"] {
            assert!(folder.path().join(story["files"].as_str().unwrap()).join(name).is_file(), "{name}");
        }
        let log = std::fs::read_to_string(folder.path().join(story["log"].as_str().unwrap())).unwrap();
        assert!(log.lines().count() >= 25);
        let tokens = std::fs::read_to_string(folder.path().join("tamga-data/demonstration/tokens.txt")).unwrap();
        let secrets = tokens.lines().filter_map(|line| line.split('_').nth(2)).filter(|secret| secret.len() > 20);
        let names = [Holder::IIN, Holder::BIN, Holder::ISSUING_BODY_BIN, "ҮЛГІЛІ", "ӘСЕМ", "KZ"];
        for forbidden in names.into_iter().chain(secrets) {
            assert!(!log.contains(forbidden), "the log has {forbidden}");
        }
        for line in log.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
        }
    }
    // The documents of the demonstration hold outside it too.
    let demonstration = "tamga-data/demonstration";
    let (root, authority) = (format!("{demonstration}/root.pem"), format!("{demonstration}/authority.pem"));
    let (root_list, list) = (format!("{demonstration}/root.crl"), format!("{demonstration}/authority.crl"));
    let request = format!("{demonstration}/last-run/request.p7m");
    let common =
        ["verify", "--trust", &root, "--intermediates", &authority, "--crl", &root_list, "--crl", &list, "--json"];
    let verify = |more: &[&str]| tamga(folder.path(), &[&common[..], more].concat());
    let (code, out, err) = verify(&["--iin", Holder::IIN, &request]);
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(verify(&["--iin", "900101300017", &request]).0, 1);
    let (code, out, _) = tamga(folder.path(), &["verify", "--trust", &root, "--intermediates", &authority, &request]);
    assert_eq!(code, 2, "no revocation data: {out}");
}

/// Every licence again: as it was issued, altered, and taken to a registry that never issued it.
#[test]
fn an_audit_judges_folders_and_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let (code, out, err) = tamga(folder.path(), &["audit", "--registry", "--report", "audit.jsonl"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("1 licences, 1 documents") && out.contains("the journal is whole"), "{out}");
    let report = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    let finding: serde_json::Value = serde_json::from_str(report.lines().next().unwrap()).unwrap();
    assert_eq!(finding["documents"][0]["decision"], "accepted");
    assert_eq!(finding["findings"], serde_json::json!([]));
    assert!(!report.contains(Holder::IIN));
    let (code, out, err) = tamga(folder.path(), &["audit", "--log"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("the journal is the one that was published"), "{out}");
    let checkpoint = folder.path().join("tamga-data/log/checkpoint");
    let kept = std::fs::read_to_string(&checkpoint).unwrap();
    std::fs::write(folder.path().join("kept"), &kept).unwrap();
    std::fs::write(folder.path().join("forged"), kept.replace("DEMONSTRATION", "another")).unwrap();
    assert_eq!(tamga(folder.path(), &["audit", "--log", "--since", "kept"]).0, 0);
    let (code, out, _) = tamga(folder.path(), &["audit", "--log", "--since", "forged"]);
    assert_eq!(code, 1, "{out}");
    assert_eq!(tamga(folder.path(), &["audit", "--log", "http://127.0.0.1:1/log"]).0, 64, "no key");
    assert_eq!(tamga(folder.path(), &["audit", "--log", "--registry"]).0, 64);

    let licences = folder.path().join("licences");
    std::fs::create_dir(&licences).unwrap();
    let licence = std::fs::read(folder.path().join("tamga-data/demonstration/last-run/licence.p7m")).unwrap();
    std::fs::write(licences.join("good.p7m"), &licence).unwrap();
    assert_eq!(tamga(folder.path(), &["audit", "licences"]).0, 0);
    let mut altered = licence.clone();
    let at = altered.windows(6).position(|window| window == b"LPE000").unwrap();
    altered[at] = b'M';
    std::fs::write(licences.join("altered.p7m"), altered).unwrap();
    let (code, out, _) = tamga(folder.path(), &["audit", "licences"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains(r#""refusal":"cv-digest-mismatch""#), "{out}");
    assert_eq!(tamga(folder.path(), &["audit", "licences/good.p7m", "--data", "elsewhere"]).0, 1, "another registry");
    assert_eq!(tamga(folder.path(), &["audit", "missing"]).0, 65);
    assert_eq!(tamga(folder.path(), &["audit"]).0, 64);
}

#[test]
fn a_token_is_shown_once_and_listed_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (code, token, err) =
        tamga(folder.path(), &["token", "create", "--role", "auditor", "--holder", "audit office"]);
    assert_eq!(code, 0, "{err}");
    let mut parts = token.trim().splitn(3, '_').skip(1);
    let (id, secret) = (parts.next().unwrap(), parts.next().unwrap());
    let (_, list, _) = tamga(folder.path(), &["token", "list"]);
    assert!(list.contains(id) && list.contains("auditor") && !list.contains(secret), "{list}");
    assert_eq!(tamga(folder.path(), &["token", "revoke", id]).0, 0);
    assert!(tamga(folder.path(), &["token", "list", "--json"]).1.contains("\"revoked\":\"20"));
}

/// For function, not for time: every figure is there and is a number.
#[test]
fn a_quick_benchmark_gives_every_figure() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = tamga(folder.path(), &["bench", "--quick", "--json"]);
    assert_eq!(code, 0, "{out}\n{err}");
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    let number = |pointer: &str| figures.pointer(pointer).and_then(serde_json::Value::as_f64);
    for pointer in [
        "/results/0/sign_per_second",
        "/results/0/verify_from_spki_per_second",
        "/results/0/verification/ratio",
        "/results/0/cold_verification/ratio",
        "/results/0/stamping/ratio",
        "/http/least_per_second",
        "/http/service_per_second",
        "/http/ratio",
        "/http/latency/p50_us",
        "/http/latency/p99_us",
        "/http/overload/accepted_per_second",
    ] {
        assert!(number(pointer).is_some_and(|number| number > 0.0), "{pointer}: {out}");
    }
    // Under ten times the callers there are answers and refusals for want of a place, and nothing else.
    let statuses = figures["http"]["overload"]["statuses"].as_object().unwrap();
    assert!(statuses.keys().all(|status| status == "200" || status == "503"), "{out}");
    let (code, out, _) = tamga(folder.path(), &["bench", "--quick", "--no-http"]);
    assert!(code == 0 && out.contains("P-256") && !out.contains("HTTP"), "{out}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it cleans up behind itself");
}

/// The corpus of national certificates; `None`, said aloud, where it is not at hand.
fn national(part: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("TAMGA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), std::path::PathBuf::from);
    let folder = root.join("kz").join(part);
    if folder.is_dir() {
        return folder.canonicalize().ok();
    }
    eprintln!("skipped: no corpus folder kz/{part}");
    None
}

#[test]
fn the_national_profile_trusts_what_it_knows_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let stranger = "tamga-data/demonstration/root.pem";
    let add = |arguments: &[&str]| tamga(folder.path(), &[&["trust", "add"], arguments].concat());
    let (code, out, _) = add(&["--profile", "kz", stranger]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("does not know"), "{out}");
    assert_eq!(add(&["--profile", "kz", "missing.cer"]).0, 65);
    assert_eq!(add(&[stranger]).0, 64, "nothing to check against");
    assert_eq!(add(&["--profile", "kz", "--fingerprint", "00", stranger]).0, 64);
    assert_eq!(add(&["--profile", "elsewhere", stranger]).0, 64);

    let (Some(production), Some(test)) = (national("ca/prod"), national("ca/test")) else { return };
    let files = |folder: &Path| -> Vec<String> {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| path.to_str().unwrap().to_owned()).collect()
    };
    let (production, test) = (files(&production), files(&test));
    let all = |profile: &'static str, files: &[String]| {
        let arguments: Vec<&str> = ["--profile", profile].into_iter().chain(files.iter().map(String::as_str)).collect();
        add(&arguments)
    };
    assert_eq!(all("kz", &test).0, 1, "test authorities are not those of production");
    let trusted = || tamga(folder.path(), &["trust", "list"]).1.lines().count();
    assert_eq!(trusted(), 0);
    let (code, out, err) = all("kz", &production);
    assert_eq!((code, trusted()), (0, 11), "{out}{err}");
    // One octet more, and it is another certificate.
    let mut altered =
        std::fs::read(production.iter().find(|path| path.ends_with("root_rsa_2020.cer")).unwrap()).unwrap();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    std::fs::write(folder.path().join("altered.cer"), altered).unwrap();
    assert_eq!(add(&["--profile", "kz", "altered.cer"]).0, 1);
    assert_eq!(all("kz-test", &test).0, 0);
    assert_eq!(trusted(), 15);
}

#[test]
fn policies_are_taken_by_name() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let file = |name: &str| format!("tamga-data/demonstration/{name}");
    let (root, authority) = (file("root.pem"), file("authority.pem"));
    let (root_list, list) = (file("root.crl"), file("authority.crl"));
    let request = file("last-run/request.p7m");
    let judged = |policy: &str| {
        #[rustfmt::skip]
        let arguments = ["verify", "--trust", &root, "--intermediates", &authority, "--crl", &root_list, "--crl", &list,
            "--json", "--policy", policy, &request];
        let (code, out, _) = tamga(folder.path(), &arguments);
        let report: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
        (
            code,
            report["policy"]["id"].as_str().map(str::to_owned),
            report["refusal"]["code"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(judged("kz-500"), (0, Some("kz-500".into()), None));
    assert_eq!(judged("kz-1187"), (1, Some("kz-1187".into()), Some("sav-policy-not-in-force".into())));
    assert_eq!(judged("request"), (1, Some("request".into()), Some("id-not-declared".into())));
    assert_eq!(judged("kz-501").0, 65, "neither a policy nor a file");
    let text = "id = \"agency\"\nversion = \"1\"\nextends = \"kz-500\"\nroles = [\"first-head\"]";
    std::fs::write(folder.path().join("agency.toml"), text).unwrap();
    assert_eq!(judged("agency.toml"), (1, Some("agency".into()), Some("id-role-not-allowed".into())));
}
