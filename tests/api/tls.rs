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
