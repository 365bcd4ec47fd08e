//! `tamga crl` as an operator runs it.

use super::responder::openssl;
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use tamga::adapter::revocation_store::{SampleAuthority, SampleTimes};
use tamga::report::Time;

fn tamga(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tamga"));
    let output = command.current_dir(folder).env_remove("TAMGA_CONFIG").args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_list_in_pem_is_imported_and_the_status_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let times = SampleTimes { this_update: Time::from_unix(now - 60), next_update: Time::from_unix(now + 3600) };
    let authority = SampleAuthority::generate(times).unwrap();
    fs::write(folder.join("authority.cer"), authority.certificate()).unwrap();
    authority.write_list(100, 7, times, &mut File::create(folder.join("list.crl")).unwrap()).unwrap();
    openssl(folder, &["crl", "-inform", "DER", "-in", "list.crl", "-out", "list.pem"]);
    openssl(folder, &["x509", "-inform", "DER", "-in", "authority.cer", "-out", "authority.pem"]);

    let import = |file| tamga(folder, &["crl", "import", "--data", "data", "--issuer", "authority.cer", file]);
    let (code, text) = import("list.pem");
    assert!(code == 0 && text.contains("in force, complete list") && text.contains("100 entries"), "{code} {text}");
    let (code, text) = import("list.crl");
    assert!(code == 0 && text.contains("in force already"), "{code} {text}");
    assert_eq!(import("authority.pem").0, 65, "no list in it");

    let table = "[[revocation.lists]]\nname = 'nca'\nurls = ['http://127.0.0.1:1/a.crl']\n\
        [revocation]\nallowed_hosts = ['127.0.0.1']\nprivate_addresses = 'allow'\n";
    fs::write(folder.join("tamga.toml"), table).unwrap();
    let (code, _) = tamga(folder, &["crl", "refresh", "--config", "tamga.toml", "--data", "data"]);
    assert_eq!(code, 2, "nobody answers there");
    let (code, text) = tamga(folder, &["crl", "status", "--json", "--config", "tamga.toml", "--data", "data"]);
    assert_eq!(code, 0, "the last good list is current");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["entries"], &lines[0]["current"]), (&100.into(), &true.into()));
    assert_eq!((&lines[1]["source"], &lines[1]["failures"]), (&"nca".into(), &1.into()));
    assert_eq!(lines[1]["last_error"]["code"], "connection");
    let (code, _) = tamga(folder, &["crl", "status", "--config", "tamga.toml", "--data", "empty"]);
    assert_eq!(code, 2, "a configured list that is not there");
}
