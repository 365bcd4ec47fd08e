//! The listener behind TLS, with certificates made by openssl.

use crate::harness::Service;
use std::{path::Path, process::Command};

fn openssl(folder: &Path, arguments: &str) {
    let output =
        Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl is installed");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

fn certificates(folder: &Path) {
    std::fs::write(folder.join("server.cnf"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
    openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=Test-CA",
    );
    for name in ["server", "client"] {
        openssl(
            folder,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
            ),
        );
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.cnf -out {name}.pem"
            ),
        );
    }
}

#[tokio::test]
async fn the_service_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let service = Service::with(|http| {
        http.tls_certificate = Some(folder.path().join("server.pem"));
        http.tls_key = Some(folder.path().join("server.key"));
    })
    .await;
    let root = reqwest::Certificate::from_pem(&std::fs::read(folder.path().join("ca.pem")).unwrap()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    let url = service.url("/healthz").replace("http:", "https:");
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    assert!(reqwest::get(service.url("/healthz")).await.is_err(), "plain HTTP on the TLS port");
    let stranger = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    assert!(stranger.get(&url).send().await.is_err(), "without the authority's certificate");
}

/// A client certificate stands for a role; one that no operator named stands for none.
#[tokio::test]
async fn a_client_certificate_stands_for_a_role() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    openssl(folder.path(), "x509 -in client.pem -outform DER -out client.der");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &read("client.der"));
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let service = Service::with(|http| {
        http.tls_certificate = Some(folder.path().join("server.pem"));
        http.tls_key = Some(folder.path().join("server.key"));
        http.tls_client_ca = Some(folder.path().join("ca.pem"));
        http.clients = vec![tamga::config::Client {
            name: "audit-office".into(),
            certificate_sha256: digest,
            role: "auditor".into(),
        }];
    })
    .await;
    let client = |identity: Option<&str>| {
        let root = reqwest::Certificate::from_pem(&read("ca.pem")).unwrap();
        let mut builder = reqwest::Client::builder().tls_certs_only([root]);
        if let Some(name) = identity {
            let pem = [read(&format!("{name}.key")), read(&format!("{name}.pem"))].concat();
            builder = builder.identity(reqwest::Identity::from_pem(&pem).unwrap());
        }
        builder.build().unwrap()
    };
    let url = service.url("/v1/licences/KZ00NONE").replace("http:", "https:");
    let status = async |identity| client(identity).get(&url).send().await.unwrap().status().as_u16();
    assert_eq!(status(Some("client")).await, 404, "an auditor looks for a licence that is not there");
    assert_eq!(status(Some("server")).await, 401, "a certificate of the same authority that stands for nobody");
    assert_eq!(status(None).await, 401);
    let order = client(Some("client")).post(url.replace("/KZ00NONE", "")).send().await.unwrap();
    assert_eq!(order.status().as_u16(), 403, "an auditor does not stamp");
}
