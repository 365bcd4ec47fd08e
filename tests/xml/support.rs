//! Signers, verification and `xmlsec1` for the tests of this folder.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tamga::demonstration::{Credential, Holder, KeyKind, World, pem};
use tamga::format::xmldsig::enveloped::{Order, PreparedXml, Profile};
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::report::{CheckId, SignatureReport, Time, ValidationReport};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{ServiceRules, VerificationInputs, verify};

/// The moment of every test.
pub(crate) fn at() -> Time {
    Time::from_civil(2026, 11, 22, 2, 0, 0).unwrap()
}

pub(crate) fn world() -> World {
    World::new(at(), KeyKind::P256).unwrap()
}

pub(crate) fn person(kind: KeyKind) -> Credential {
    world().holder(&Holder::person(), kind).unwrap()
}

/// Signs with the signer of the product.
pub(crate) fn sign(document: &str, profile: Profile, credential: &Credential) -> String {
    let certificate = Certificate::parse(&credential.certificate).unwrap();
    let algorithm = credential.algorithm;
    let order = Order {
        document: document.as_bytes(),
        certificate: &certificate,
        chain: &[],
        algorithm,
        signing_time: at(),
        profile,
    };
    let prepared = PreparedXml::new(&order).unwrap_or_else(|e| panic!("{e}: {document}"));
    let value = credential.key.private().sign(&algorithm, prepared.to_be_signed()).unwrap();
    String::from_utf8(prepared.assemble(&value).unwrap()).unwrap()
}

/// Verifies as the product does, with the authority's lists at hand.
pub(crate) fn report(document: &str, service: Option<&ServiceRules>) -> ValidationReport {
    report_at(document, service, at(), None, None)
}

/// The same at another time, for a document that may have arrived before, with the signer's certificate at hand or not.
pub(crate) fn report_at(
    document: &str,
    service: Option<&ServiceRules>,
    at: Time,
    received_at: Option<Time>,
    signer: Option<&[u8]>,
) -> ValidationReport {
    let world = world();
    let parse = |der: &[u8]| Certificate::parse(der).unwrap();
    let intermediates: Vec<Certificate> =
        std::iter::once(&world.authority.certificate[..]).chain(signer).map(parse).collect();
    let policy = Policy::built_in("signature").unwrap();
    let lists = world.crls().unwrap().map(|der| Arc::new(Crl::parse(&der).unwrap()) as Arc<dyn RevocationList>);
    verify(&VerificationInputs {
        report_id: "report",
        at,
        received_at,
        document: document.as_bytes(),
        format: None,
        content: None,
        declared: Default::default(),
        service,
        policy: &policy,
        context: ValidationContext {
            trust_anchors: &[parse(&world.root.certificate)],
            intermediates: &intermediates,
            lists: &lists,
            responses: &[],
            unavailable: &[],
            now: None,
            cache: None,
            questions: None,
        },
    })
}

/// The checks that are XML's own, not the certificate's.
const OWN: [CheckId; 7] = [
    CheckId::DocumentFormat,
    CheckId::ContentDigest,
    CheckId::SignatureValue,
    CheckId::SignedAttributes,
    CheckId::Algorithms,
    CheckId::SigningCertificate,
    CheckId::IdentityContent,
];

/// `holds`, or the code of the first reason against one signature that is not about its certificate.
pub(crate) fn outcome_of(signature: &SignatureReport) -> String {
    let failure = OWN.iter().find_map(|check| signature.checks.outcome(*check).failure());
    failure.map_or("holds".to_owned(), |reason| reason.code().to_owned())
}

/// The same for a document: every signature must hold.
pub(crate) fn outcome(report: &ValidationReport) -> String {
    if report.signatures.is_empty() {
        return report.refusal.as_ref().unwrap().code.clone();
    }
    let outcomes: Vec<String> = report.signatures.iter().map(outcome_of).collect();
    outcomes.iter().find(|o| *o != "holds").cloned().unwrap_or("holds".into())
}

/// Files that `xmlsec1` needs.
pub(crate) struct Peer {
    folder: tempfile::TempDir,
}

impl Peer {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = world();
        let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("root.pem", pem("CERTIFICATE", &world.root.certificate));
        write("authority.pem", pem("CERTIFICATE", &world.authority.certificate));
        for (name, kind) in [("rsa", KeyKind::Rsa2048), ("ec", KeyKind::P256)] {
            let credential = person(kind);
            write(&format!("{name}.key"), pem("PRIVATE KEY", credential.key.pkcs8()));
            write(&format!("{name}.pem"), pem("CERTIFICATE", &credential.certificate));
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, arguments: &[String]) -> Result<String, String> {
        let output = Command::new("xmlsec1").args(arguments).output().expect("xmlsec1 is installed");
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => {
                Err(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
            }
        }
    }

    /// Signs a template with the key `rsa` or `ec`.
    pub(crate) fn sign(&self, template: &str, key: &str, ids: &[String]) -> Result<String, String> {
        let file = self.path("template.xml");
        std::fs::write(Path::new(&file), template).unwrap();
        let mut arguments = vec![
            "--sign".to_owned(),
            "--privkey-pem".into(),
            format!("{},{}", self.path(&format!("{key}.key")), self.path(&format!("{key}.pem"))),
        ];
        arguments.extend(ids.iter().flat_map(|id| ["--id-attr:Id".to_owned(), id.clone()]));
        arguments.push(file);
        self.run(&arguments)
    }

    pub(crate) fn verify(&self, document: &str, ids: &[String]) -> Result<String, String> {
        let file = self.path("signed.xml");
        std::fs::write(Path::new(&file), document).unwrap();
        let mut arguments: Vec<String> = [
            "--verify",
            "--trusted-pem",
            &self.path("root.pem"),
            "--untrusted-pem",
            &self.path("authority.pem"),
            "--verification-time",
            "2026-11-22 02:00:00",
        ]
        .iter()
        .map(|a| (*a).to_owned())
        .collect();
        arguments.extend(ids.iter().flat_map(|id| ["--id-attr:Id".to_owned(), id.clone()]));
        arguments.push(file);
        self.run(&arguments)
    }
}

/// A signature for `xmlsec1` to fill in.
pub(crate) fn template(signed_info_method: &str, signature_method: &str, references: &str) -> String {
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>{signed_info_method}<ds:SignatureMethod Algorithm=\"{signature_method}\"/>{references}</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )
}

pub(crate) fn reference(uri: &str, transforms: &str, digest: &str) -> String {
    let transforms =
        if transforms.is_empty() { String::new() } else { format!("<ds:Transforms>{transforms}</ds:Transforms>") };
    format!(
        "<ds:Reference URI=\"{uri}\">{transforms}<ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue/></ds:Reference>"
    )
}

pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
pub(crate) const ENVELOPED: &str =
    "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>";
/// What `xmlsec1` must be told to find the signed properties by their Id.
pub(crate) const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties";
