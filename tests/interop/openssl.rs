//! The peer: the openssl of the machine, in a folder of its own.

use crate::fixture::Fixture;
use std::process::{Command, Output};
use tamga::demonstration::{Credential, pem};
use tamga::report::Time;

pub struct OpenSsl {
    folder: tempfile::TempDir,
    at: Time,
}

impl OpenSsl {
    /// A folder with the world's certificates and the signers' keys in it.
    pub fn new(fixture: &Fixture) -> OpenSsl {
        let this = OpenSsl { folder: tempfile::tempdir().unwrap(), at: fixture.world.at };
        let credential = |name: &str, credential: &Credential| {
            this.write(&format!("{name}.pem"), pem("CERTIFICATE", &credential.certificate).as_bytes());
            this.write(&format!("{name}.key"), pem("PRIVATE KEY", credential.key.pkcs8()).as_bytes());
        };
        credential("signer", &fixture.signer);
        credential("other", &fixture.other);
        let certificates = [&fixture.world.authority, &fixture.signer, &fixture.other];
        let bundle: String = certificates.iter().map(|c| pem("CERTIFICATE", &c.certificate)).collect();
        this.write("known.pem", bundle.as_bytes());
        this.write("ca.pem", pem("CERTIFICATE", &fixture.world.authority.certificate).as_bytes());
        this.write("root.pem", pem("CERTIFICATE", &fixture.world.root.certificate).as_bytes());
        this
    }

    pub fn write(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.folder.path().join(name), octets).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("openssl").args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    /// `openssl cms -sign` of a content; the signature in DER unless the arguments say otherwise.
    pub fn sign(&self, content: &[u8], arguments: &[&str]) -> Vec<u8> {
        self.write("content", content);
        let _ = std::fs::remove_file(self.folder.path().join("signed"));
        let mut all = vec!["cms", "-sign", "-in", "content", "-out", "signed", "-certfile", "ca.pem"];
        if !arguments.contains(&"-outform") {
            all.extend(["-outform", "DER"]);
        }
        if !arguments.contains(&"-signer") {
            all.extend(["-signer", "signer.pem", "-inkey", "signer.key"]);
        }
        all.extend(arguments);
        let output = self.run(&all);
        assert!(output.status.success(), "openssl {all:?}: {}", String::from_utf8_lossy(&output.stderr));
        self.read("signed")
    }

    /// `openssl pkeyutl` over a message itself, for keys that openssl 3.0 does not take in CMS: whether it verifies a
    /// signature under the key of `signer.pem`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.run(&["x509", "-in", "signer.pem", "-noout", "-pubkey"]);
        self.write("public.pem", &key.stdout);
        self.write("message", message);
        self.write("signature", signature);
        #[rustfmt::skip]
        let arguments = ["pkeyutl", "-verify", "-rawin", "-in", "message", "-sigfile", "signature", "-pubin",
            "-inkey", "public.pem"];
        self.run(&arguments).status.success()
    }

    /// The same for signing, with `signer.key`.
    pub fn sign_message(&self, message: &[u8]) -> Vec<u8> {
        self.write("message", message);
        let arguments = ["pkeyutl", "-sign", "-rawin", "-in", "message", "-out", "signature", "-inkey", "signer.key"];
        assert!(self.run(&arguments).status.success());
        self.read("signature")
    }

    /// Whether `openssl cms -verify` accepts; its complaint otherwise.
    pub fn verify(&self, document: &[u8], content: Option<&[u8]>, arguments: &[&str]) -> Result<Vec<u8>, String> {
        self.write("document", document);
        let at = self.at.plus_seconds(120).unix().to_string();
        let form = if document.starts_with(b"-----BEGIN") { "PEM" } else { "DER" };
        #[rustfmt::skip]
        let mut all = vec!["cms", "-verify", "-in", "document", "-inform", form, "-binary", "-CAfile", "root.pem",
            "-certfile", "known.pem", "-purpose", "any", "-attime", &at, "-out", "verified"];
        if let Some(content) = content {
            self.write("beside", content);
            all.extend(["-content", "beside"]);
        }
        all.extend(arguments);
        let output = self.run(&all);
        if output.status.success() {
            Ok(self.read("verified"))
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}
