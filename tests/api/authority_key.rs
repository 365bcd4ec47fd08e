//! The authority's key out of PKCS #12: from openssl for RSA, written here for GOST, which openssl does not know.

use crate::harness::{Answer, Service};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::{path::Path, process::Command};
use tamga::{
    adapter::clock::SystemClock,
    app::{App, new_token},
    asn1::{Oid, encode, oid},
    config::{Authority, Config, DataFolder, Trust},
    crypto::DigestAlgorithm,
    demonstration::{Credential, Holder, KeyKind, World, pem},
    pki::Certificate,
    port::{Clock as _, token::Role},
    service::signing::{SigningOrder, sign_cms},
    stamp::Encapsulation,
};

const PASSWORD: &str = "Qwerty12";

/// `PFX` (RFC 7292 §4) of one key and one certificate, not encrypted, under an HMAC with SHA-1.
fn pkcs12(credential: &Credential) -> Vec<u8> {
    const DATA: Oid<'static> = oid!(1, 2, 840, 113549, 1, 7, 1);
    const KEY_BAG: Oid<'static> = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 1);
    const CERTIFICATE_BAG: Oid<'static> = oid!(1, 2, 840, 113549, 1, 12, 10, 1, 3);
    const X509: Oid<'static> = oid!(1, 2, 840, 113549, 1, 9, 22, 1);
    let data =
        |octets: &[u8]| encode::sequence(&[&encode::oid(DATA), &encode::explicit(0, &encode::octet_string(octets))]);
    let bag = |kind: Oid<'_>, value: &[u8]| encode::sequence(&[&encode::oid(kind), &encode::explicit(0, value)]);
    let certificate =
        encode::sequence(&[&encode::oid(X509), &encode::explicit(0, &encode::octet_string(&credential.certificate))]);
    let contents = encode::sequence_of(&[bag(KEY_BAG, credential.key.pkcs8()), bag(CERTIFICATE_BAG, &certificate)]);
    let safe = encode::sequence_of(&[data(&contents)]);
    let (salt, iterations) = ([0x5a; 8], 2048u16);
    let mac = hmac(&mac_key(&salt, iterations), &safe);
    let digest_info = encode::sequence(&[&DigestAlgorithm::Sha1.to_identifier(), &encode::octet_string(&mac)]);
    let mac_data =
        encode::sequence(&[&digest_info, &encode::octet_string(&salt), &encode::small_unsigned(iterations.into())]);
    encode::sequence(&[&encode::small_unsigned(3), &data(&safe), &mac_data])
}

fn sha1(octets: &[u8]) -> Vec<u8> {
    DigestAlgorithm::Sha1.digest(octets).as_bytes().to_vec()
}

/// RFC 7292 §B.2 with the purpose MAC; one block of output is enough.
fn mac_key(salt: &[u8], iterations: u16) -> Vec<u8> {
    let password: Vec<u8> = PASSWORD.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let filled =
        |octets: &[u8]| octets.iter().copied().cycle().take(octets.len().next_multiple_of(64)).collect::<Vec<u8>>();
    let mut block = [vec![3; 64], filled(salt), filled(&password)].concat();
    for _ in 0..iterations {
        block = sha1(&block);
    }
    block
}

/// RFC 2104.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |with: u8| -> Vec<u8> { (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect() };
    sha1(&[padded(0x5c), sha1(&[padded(0x36), message.to_vec()].concat())].concat())
}

fn pkcs12_of_openssl(folder: &Path, credential: &Credential) -> Vec<u8> {
    std::fs::write(folder.join("key.pem"), pem("PRIVATE KEY", credential.key.pkcs8())).unwrap();
    std::fs::write(folder.join("cert.pem"), pem("CERTIFICATE", &credential.certificate)).unwrap();
    let arguments = "pkcs12 -export -legacy -inkey key.pem -in cert.pem -out store.p12 -passout pass:Qwerty12";
    assert!(Command::new("openssl").args(arguments.split(' ')).current_dir(folder).status().unwrap().success());
    std::fs::read(folder.join("store.p12")).unwrap()
}

/// A service whose authority has this kind of key seals a licence that a request led to, and finds it good.
#[tokio::test]
async fn a_key_store_seals_licences() {
    for (kind, name) in [
        (KeyKind::Gost2015With512, "GOST 34.10-2015-512 with GOST 34.11-2015-512"),
        (KeyKind::Gost2015With256, "GOST 34.10-2015-256 with GOST 34.11-2015-256"),
        (KeyKind::Rsa2048, "RSA-2048 with SHA-256"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, octets: &[u8]| {
            std::fs::write(folder.path().join(name), octets).unwrap();
            folder.path().join(name)
        };
        let now = SystemClock.now();
        let world = World::new(now, kind).unwrap();
        let seal = world.holder(&Holder::issuing_body(), kind).unwrap();
        let store = if kind == KeyKind::Rsa2048 { pkcs12_of_openssl(folder.path(), &seal) } else { pkcs12(&seal) };
        let lists = world.crls().unwrap();
        let config = Config {
            data: DataFolder(folder.path().join("data")),
            authority: Authority {
                key: Some(write("seal.p12", &store)),
                password_file: Some(write("password", PASSWORD.as_bytes())),
                ..Authority::default()
            },
            trust: Trust {
                anchors: vec![write("root.cer", &world.root.certificate)],
                intermediates: vec![write("authority.cer", &world.authority.certificate)],
                crls: vec![write("root.crl", &lists[0]), write("authority.crl", &lists[1])],
            },
            ..Config::default()
        };
        let app = App::build(&config).unwrap();
        let service = Service::of(&app, |_| ()).await;
        let client = reqwest::Client::new();
        let post = async |role: Role, path: &str, body: serde_json::Value| {
            let token: SecretString = new_token(app.tokens.as_ref(), "test", role, now, now.plus_seconds(600)).unwrap();
            let request = client.post(service.url(path)).bearer_auth(token.expose_secret()).json(&body);
            Answer::of(request.header("idempotency-key", uuid::Uuid::now_v7().to_string())).await
        };

        let applicant = world.holder(&Holder::person(), kind).unwrap();
        let content = json!({"service": "agency-pipelines", "applicant": {"iin": Holder::IIN}}).to_string();
        let order = SigningOrder {
            content: content.as_bytes(),
            encapsulation: Encapsulation::Attached,
            certificate: &Certificate::parse(&applicant.certificate).unwrap(),
            chain: &[],
            at: now,
        };
        let request = sign_cms(&order, applicant.key.private()).unwrap().document;
        let body = json!({
            "document": STANDARD.encode(request), "applicant": {"iin": Holder::IIN}, "service": "agency-pipelines",
        });
        let answer = post(Role::Portal, "/v1/requests", body).await;
        assert_eq!(answer.status, 201, "{kind:?}: {}", answer.body);
        let order = json!({"request": answer.body["number"], "issued_to": "ТОО «Үлгі»"});
        let answer = post(Role::Officer, "/v1/licences", order).await;
        assert_eq!(answer.status, 201, "{kind:?}: {}", answer.body);

        let path = format!("/v1/licences/{}/document", answer.body["number"].as_str().unwrap());
        let token = new_token(app.tokens.as_ref(), "test", Role::Officer, now, now.plus_seconds(600)).unwrap();
        let response = client.get(service.url(&path)).bearer_auth(token.expose_secret()).send().await.unwrap();
        let document = response.bytes().await.unwrap();
        let body = json!({"document": STANDARD.encode(&document), "policy": "licence"});
        let answer = post(Role::Auditor, "/v1/verifications", body).await;
        assert_eq!(answer.body["decision"], "accepted", "{kind:?}: {}", answer.body);
        assert_eq!(answer.body["signatures"][0]["algorithm"], name);
        let body = json!({"document": STANDARD.encode(&document), "policy": "kz-500"});
        let answer = post(Role::Auditor, "/v1/verifications", body).await;
        assert_eq!((&answer.body["decision"], &answer.body["policy"]["id"]), (&json!("accepted"), &json!("kz-500")));
    }
}

#[test]
fn a_wrong_password_and_a_foreign_certificate_stop_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(SystemClock.now(), KeyKind::P256).unwrap();
    let seal = world.holder(&Holder::issuing_body(), KeyKind::Gost2015With512).unwrap();
    let other = world.holder(&Holder::person(), KeyKind::Gost2015With512).unwrap();
    let build = |store: &[u8], password: &str| {
        let key = folder.path().join("seal.p12");
        std::fs::write(&key, store).unwrap();
        let password = Some(SecretString::from(password.to_owned()));
        let authority = Authority { key: Some(key), password, ..Authority::default() };
        let data = DataFolder(folder.path().join("data"));
        App::build(&Config { data, authority, ..Config::default() }).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(build(&pkcs12(&seal), PASSWORD), Ok(()));
    assert!(build(&pkcs12(&seal), "qwerty12").is_err());
    let mixed = Credential { certificate: other.certificate, ..seal };
    assert!(build(&pkcs12(&mixed), PASSWORD).is_err());
}
