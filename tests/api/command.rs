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
    // The check says beforehand what the start says.
    for arguments in [
        &["serve", "--config", "production.toml", "--listen", "127.0.0.1:0"][..],
        &["config", "check", "--config", "production.toml"],
    ] {
        let (code, _, err) = tamga(folder.path(), arguments);
        assert_eq!(code, 64, "{arguments:?}: {err}");
        assert!(err.contains("demonstration"), "{err}");
    }
}

/// A key and a certificate of an authority that is no demonstration's.
fn authority(folder: &Path) {
    let arguments = "req -x509 -newkey rsa:2048 -nodes -keyout seal.key -out seal.pem -days 30 -subj /CN=Agency \
        -addext keyUsage=critical,digitalSignature,nonRepudiation,keyCertSign";
    let output = std::process::Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output();
    assert!(output.unwrap().status.success());
    let configuration = "environment = \"production\"\n[authority]\nkey = \"seal.key\"\ncertificate = \"seal.pem\"\n\
        [trust]\nanchors = [\"seal.pem\"]\n[issuer]\nhead = \"А. Б.\"\nbody = { kk = \"а\", ru = \"б\" }\n\
        city = { kk = \"а\", ru = \"б\" }\n";
    std::fs::write(folder.join("production.toml"), configuration).unwrap();
}

#[test]
fn production_refuses_data_that_a_demonstrations_tokens_open() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let serve = ["serve", "--config", "production.toml", "--listen", "127.0.0.1:0"];
    let (code, _, err) = tamga(folder.path(), &serve);
    assert_eq!(code, 64, "{err}");
    assert!(err.contains("a token of the registry is demonstration material"), "{err}");
}

#[test]
fn the_check_of_a_configuration_reads_what_the_start_would_read() {
    let folder = tempfile::tempdir().unwrap();
    authority(folder.path());
    let check = |change: &dyn Fn(String) -> String| {
        let text = std::fs::read_to_string(folder.path().join("production.toml")).unwrap();
        std::fs::write(folder.path().join("changed.toml"), change(text)).unwrap();
        tamga(folder.path(), &["config", "check", "--config", "changed.toml"])
    };
    let (code, out, err) = check(&|text| text);
    assert_eq!((code, out.as_str()), (0, "configuration is valid\n"), "{err}");
    assert_eq!(check(&|text| text.replace("anchors = [\"seal.pem\"]", "anchors = [\"missing.pem\"]")).0, 65);
    assert_ne!(check(&|text| text.replace("key = \"seal.key\"", "key = \"seal.pem\"")).0, 0, "no key in it");
    let tls = "[http]\ntls_certificate = \"missing.pem\"\ntls_key = \"seal.key\"\n";
    assert_ne!(check(&|text| format!("{text}{tls}")).0, 0, "no certificate for TLS");
    assert!(!folder.path().join("tamga-data").exists(), "a check writes nothing");
}

#[test]
fn the_anchor_of_a_demonstration_is_listed_as_trusted() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tamga(folder.path(), &["trust", "list"]).1, "");
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let (code, out, _) = tamga(folder.path(), &["trust", "list"]);
    assert_eq!((code, out.lines().count()), (0, 1));
    assert!(out.contains("DEMONSTRATION"), "{out}");
}

#[test]
fn material_comes_in_sets_in_base64_and_after_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    let openssl = |arguments: &str| {
        let output =
            std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(folder.path()).output();
        assert!(output.unwrap().status.success(), "{arguments}");
    };
    let demonstration = "tamga-data/demonstration";
    let file = |name: &str| std::fs::read_to_string(path(&format!("{demonstration}/{name}"))).unwrap();
    std::fs::write(path("both.pem"), file("root.pem") + &file("authority.pem")).unwrap();
    openssl("crl2pkcs7 -nocrl -certfile both.pem -outform DER -out set.p7b");
    openssl(&format!("crl2pkcs7 -in {demonstration}/authority.crl -certfile both.pem -out set.pem"));
    openssl("crl2pkcs7 -nocrl -certfile both.pem -out bare.pem");
    openssl(&format!("x509 -in {demonstration}/applicant.pem -text -out text.pem"));
    std::fs::write(path("root.b64"), file("root.pem").lines().filter(|l| !l.starts_with("---")).collect::<String>())
        .unwrap();
    let request = format!("{demonstration}/last-run/request.p7m");
    let root_list = format!("{demonstration}/root.crl");
    for (trust, intermediates, list, document) in [
        ("set.p7b", "set.p7b", "set.pem", request.as_str()),
        ("root.b64", "bare.pem", "set.pem", &request),
        ("both.pem", "both.pem", "set.pem", "text.pem"),
    ] {
        #[rustfmt::skip]
        let arguments = ["verify", "--trust", trust, "--intermediates", intermediates, "--crl", list, "--crl", &root_list,
            document];
        let (code, out, err) = tamga(folder.path(), &arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    }
    // A signed document is no set: the certificates in it are its signer's choice.
    let (code, _, err) = tamga(folder.path(), &["verify", "--trust", &request, &request]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("skipped"), "{err}");
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
    // Beside the anchor of the demonstration itself.
    let trusted = || {
        let list = tamga(folder.path(), &["trust", "list"]).1;
        list.lines().filter(|line| !line.contains("DEMONSTRATION")).count()
    };
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

const CATALOGUE: &str = "[[services]]\nid = \"boats\"\nedition = \"2026\"\nname = { kk = \"а\", ru = \"б\" }\n\
    activity = { kk = \"а\", ru = \"б\" }\nresult = \"permit\"\npermit_type = \"BTS\"\n\
    identity = { json_iin = \"/applicant/iin\" }\n";

#[test]
fn services_and_numbers_are_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("services.toml"), CATALOGUE).unwrap();
    let config = |text: &str, command: &str| {
        std::fs::write(folder.path().join("tamga.toml"), text).unwrap();
        tamga(folder.path(), &["config", command, "--config", "tamga.toml"])
    };
    let text = "catalogue = \"services.toml\"\n[numbers]\nrequest = \"R{year}{serial:6}\"\n";
    let (code, out, err) = config(text, "print");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("R{year}{serial:6}") && out.contains("KZ{check}{type}{serial:8}"), "{out}");
    assert_eq!(config(text, "check").0, 0);
    for (wrong, code) in [("[numbers]\nlicence = \"KZ{type}\"\n", 64), ("catalogue = \"missing.toml\"\n", 65)] {
        assert_eq!(config(wrong, "check").0, code, "{wrong}");
    }
    for wrong in [
        CATALOGUE.replace("permit_type", "letters"),
        CATALOGUE.replace("\"/applicant/iin\"", "\"applicant/iin\""),
        CATALOGUE.replace("json_iin", "xml_iin").replace("/applicant/iin", "/a/[b"),
        CATALOGUE.replace("BTS", "boats"),
        CATALOGUE.repeat(2),
    ] {
        std::fs::write(folder.path().join("services.toml"), &wrong).unwrap();
        let (code, _, err) = config(text, "check");
        assert_eq!(code, 64, "{wrong}: {err}");
    }
}

#[test]
fn the_command_compares_what_the_signed_content_says() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tamga(folder.path(), &["demo"]).0, 0);
    std::fs::write(folder.path().join("services.toml"), CATALOGUE).unwrap();
    let demonstration = "tamga-data/demonstration";
    let file = |name: &str| format!("{demonstration}/{name}");
    let sign = |content: &str| {
        std::fs::write(folder.path().join("content.json"), content).unwrap();
        let (key, certificate) = (file("applicant.key"), file("applicant.pem"));
        let arguments = ["sign", "content.json", "--key", &key, "--certificate", &certificate, "-o", "content.p7m"];
        assert_eq!(tamga(folder.path(), &arguments).0, 0);
    };
    let verify = |more: &[&str]| {
        let material = [file("root.pem"), file("authority.pem"), file("root.crl"), file("authority.crl")];
        #[rustfmt::skip]
        let common = ["verify", "content.p7m", "--trust", &material[0], "--intermediates", &material[1],
            "--crl", &material[2], "--crl", &material[3], "--iin", Holder::IIN, "--json"];
        let (code, out, err) = tamga(folder.path(), &[&common[..], more].concat());
        let report: serde_json::Value = serde_json::from_str(&out).unwrap_or_default();
        (code, report["refusal"]["code"].as_str().unwrap_or_default().to_owned(), err)
    };
    std::fs::write(folder.path().join("tamga.toml"), "catalogue = \"services.toml\"\n").unwrap();
    let boats: &[&str] = &["--service", "boats", "--config", "tamga.toml"];
    sign(&format!("{{\"applicant\":{{\"iin\":\"{}\"}}}}", Holder::IIN));
    for service in [&[][..], boats, &["--service", "agency-pipelines"]] {
        assert_eq!(verify(service).0, 0, "{service:?}");
    }
    sign("{\"applicant\":{\"iin\":\"900101300017\"}}");
    assert_eq!(verify(&[]).0, 0, "no rule, nothing to compare");
    assert_eq!(verify(boats).1, "id-content-mismatch");
    let (code, _, err) = verify(&["--service", "boats"]);
    assert!(code == 64 && err.contains("agency-pipelines"), "{code} {err}");
}
