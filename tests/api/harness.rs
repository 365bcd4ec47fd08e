//! A service on a port of its own, and a caller.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;
use std::{
    collections::HashMap,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use tamga::{
    adapter::{
        clock::SystemClock,
        demonstration_folder::{Demonstration, private_key},
    },
    app::App,
    config,
    crypto::{Digest, SignatureAlgorithm, ecdsa_fixed_from_der},
    format::{
        wsse::{SECURITY, UTILITY},
        xml::{
            Document, Element,
            canonical::{Canonicalization, Subtree, canonicalize},
        },
        xmldsig::NAMESPACE,
    },
    http::{Parts, Server, router, start},
    pki::Certificate,
    port::{Clock as _, token::Role},
    service::{
        readiness::{Part, Readiness},
        signing::{SigningOrder, sign_cms, sign_xml},
    },
    stamp::Encapsulation,
    telemetry,
};

/// Readiness as the test sets it.
pub(crate) struct Switch(pub(crate) Mutex<Vec<Part>>);

impl Readiness for Switch {
    fn parts(&self) -> Vec<Part> {
        self.0.lock().unwrap().clone()
    }
}

/// The one application of this process: making keys takes long.
pub(crate) fn app() -> &'static (App, HashMap<Role, String>) {
    static APP: OnceLock<(App, HashMap<Role, String>)> = OnceLock::new();
    APP.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        let tsa = config::Tsa { enabled: true, ..config::Tsa::default() };
        let config = config::Config { data: config::DataFolder(folder), tsa, ..config::Config::default() };
        let app = App::build(&config).unwrap();
        let tokens = app.demonstration_tokens(app.demonstration.as_ref().unwrap()).unwrap();
        let tokens = tokens.into_iter().map(|(role, token)| (role, token.expose_secret().to_owned())).collect();
        (app, tokens)
    })
}

/// The token of a role.
pub(crate) fn token(role: Role) -> &'static str {
    &app().1[&role]
}

/// A request that is accepted for this IIN, and new.
pub(crate) fn signed_request(iin: &str) -> Vec<u8> {
    signed_request_in(app().0.demonstration.as_ref().unwrap(), iin)
}

/// The same in another demonstration.
pub(crate) fn signed_request_in(demonstration: &Demonstration, iin: &str) -> Vec<u8> {
    let credential = &demonstration.applicant;
    let content = format!(
        "{{\"service\":\"agency-pipelines\",\"applicant\":{{\"iin\":\"{iin}\"}},\"nonce\":\"{}\"}}",
        uuid::Uuid::now_v7()
    );
    let order = SigningOrder {
        content: content.as_bytes(),
        encapsulation: Encapsulation::Attached,
        certificate: &Certificate::parse(&credential.certificate).unwrap(),
        chain: std::slice::from_ref(&demonstration.world.authority.certificate),
        at: SystemClock.now(),
    };
    sign_cms(&order, &private_key(credential).unwrap()).unwrap().document
}

/// A portal's form that names this applicant, and is new.
pub(crate) fn new_form(iin: &str) -> String {
    format!(
        "<request><applicant><iin>{iin}</iin></applicant><object>Қоймалар</object><nonce>{}</nonce></request>",
        uuid::Uuid::now_v7()
    )
}

/// The form signed by the applicant of the demonstration, enveloped.
pub(crate) fn sign_form(form: &str) -> Vec<u8> {
    let demonstration = app().0.demonstration.as_ref().unwrap();
    let credential = &demonstration.applicant;
    let order = SigningOrder {
        content: form.as_bytes(),
        encapsulation: Encapsulation::Attached,
        certificate: &Certificate::parse(&credential.certificate).unwrap(),
        chain: std::slice::from_ref(&demonstration.world.authority.certificate),
        at: SystemClock.now(),
    };
    sign_xml(&order, &private_key(credential).unwrap()).unwrap().document
}

/// A new SOAP message with its Body and, where it has one, its Timestamp signed; it ends so many seconds from now.
pub(crate) fn message(ends_in: Option<i64>) -> String {
    const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let demonstration = app().0.demonstration.as_ref().unwrap();
    let credential = &demonstration.applicant;
    let now = SystemClock.now();
    let created = now.plus_seconds(ends_in.map_or(0, |seconds| seconds.min(0) - 10));
    let timestamp = ends_in.map_or_else(String::new, |seconds| {
        let expires = now.plus_seconds(seconds);
        format!("<wsu:Timestamp wsu:Id=\"ts\"><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>")
    });
    let certificate = STANDARD.encode(&credential.certificate);
    let nonce = uuid::Uuid::now_v7();
    let written = |references: &str, value: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:wsu=\"{UTILITY}\"><s:Header>\
             <wsse:Security xmlns:wsse=\"{SECURITY}\" s:mustUnderstand=\"1\">{timestamp}\
             <ds:Signature xmlns:ds=\"{NAMESPACE}\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
             <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#{}\"/>{references}</ds:SignedInfo>\
             <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference>\
             <wsse:KeyIdentifier ValueType=\"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3\">\
             {certificate}</wsse:KeyIdentifier></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature></wsse:Security></s:Header>\
             <s:Body wsu:Id=\"body\"><form><nonce>{nonce}</nonce></form></s:Body></s:Envelope>",
            if matches!(credential.algorithm, SignatureAlgorithm::Ecdsa(_)) { "ecdsa-sha256" } else { "rsa-sha256" },
        )
    };
    let exclusive = Canonicalization::from_uri(EXCLUSIVE).unwrap();
    let octets_of = |text: &str, found: &dyn Fn(&Element<'_>) -> bool| {
        let document = Document::parse(text.as_bytes()).unwrap();
        let part = Subtree::of(document.elements().find(|element| found(element)).unwrap());
        let mut octets = Vec::new();
        canonicalize(&document, &part, &exclusive, &mut octets).unwrap();
        octets
    };
    let draft = written("", "");
    let reference = |id: &str| {
        let octets = octets_of(&draft, &|element| element.attribute(UTILITY, "Id").as_deref() == Some(id));
        let digest = STANDARD.encode(Digest::sha256(&octets).as_bytes());
        format!(
            "<ds:Reference URI=\"#{id}\"><ds:Transforms><ds:Transform Algorithm=\"{EXCLUSIVE}\"/></ds:Transforms>\
                 <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
        )
    };
    let mut references = reference("body");
    if ends_in.is_some() {
        references.push_str(&reference("ts"));
    }
    let signed_info = octets_of(&written(&references, ""), &|element| element.is(NAMESPACE, "SignedInfo"));
    let value = private_key(credential).unwrap().sign(&credential.algorithm, &signed_info).unwrap();
    let value = match credential.algorithm {
        SignatureAlgorithm::Ecdsa(_) => ecdsa_fixed_from_der(&value, 32).unwrap(),
        _ => value,
    };
    written(&references, &STANDARD.encode(value))
}

/// One service under test.
pub(crate) struct Service {
    pub(crate) server: Server,
    pub(crate) readiness: Arc<Switch>,
}

impl Service {
    pub(crate) async fn start() -> Service {
        Service::with(|_| ()).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut config::Http)) -> Service {
        Service::of(&app().0, adjust).await
    }

    pub(crate) async fn of(app: &App, adjust: impl FnOnce(&mut config::Http)) -> Service {
        let mut http = config::Http { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..config::Http::default() };
        adjust(&mut http);
        let ready = ["signer", "store", "trust", "revocation"].map(|name| Part { name, state: Ok("fine".into()) });
        let readiness = Arc::new(Switch(Mutex::new(ready.into())));
        let parts = Parts {
            use_cases: Arc::clone(&app.service),
            tokens: Arc::clone(&app.tokens) as _,
            readiness: Arc::clone(&readiness) as _,
            metrics: telemetry::metrics().unwrap(),
        };
        let server = start(&http, router(parts, &http).unwrap()).await.unwrap();
        Service { server, readiness }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// Sends these bytes and reads until the service closes or falls silent.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// An answer taken apart.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: serde_json::Value,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// Checks that this is a problem as the contract says, and gives its code.
    pub(crate) fn problem(&self) -> &str {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], self.status);
        assert_eq!(self.body["request_id"], self.headers["x-request-id"].to_str().unwrap());
        for member in ["type", "title", "detail"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}");
        }
        self.body["code"].as_str().unwrap()
    }
}
