//! The play, step by step.

use super::{Failure, applicant};
use crate::{
    adapter::demonstration_folder::Demonstration,
    demonstration::{Credential, Holder},
    port::token::Role,
    report::Time,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr};

/// The service that is asked for.
const SERVICE: &str = "agency-pipelines";
/// Another person's number.
const OTHER_IIN: &str = "900101300017";
/// Another legal entity's number.
const OTHER_BIN: &str = "990140000017";

/// One step, and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Step {
    pub(super) fn good(&self) -> bool {
        self.expected == self.found
    }
}

/// Documents to be kept, by name.
type Papers = BTreeMap<&'static str, Vec<u8>>;

/// The players and what they have in hand.
pub(super) struct Play<'a> {
    base: String,
    client: Client,
    demonstration: &'a Demonstration,
    tokens: &'a [(Role, SecretString)],
    now: Time,
    steps: Vec<Step>,
    papers: Papers,
}

struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn text(&self, pointer: &str) -> String {
        self.json().pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned()
    }

    /// The verdict of a report: `200 refused xcv-expired`.
    fn verdict(&self, report: &str) -> String {
        let (decision, code) = (self.text(&format!("{report}/decision")), self.text(&format!("{report}/refusal/code")));
        if code == "-" { format!("{} {decision}", self.status) } else { format!("{} {decision} {code}", self.status) }
    }

    fn problem(&self) -> String {
        format!("{} {}", self.status, self.text("/code"))
    }
}

impl<'a> Play<'a> {
    pub(super) fn new(
        address: SocketAddr,
        demonstration: &'a Demonstration,
        tokens: &'a [(Role, SecretString)],
    ) -> Result<Play<'a>, Failure> {
        use crate::port::Clock as _;
        // The way to our own port leads through no proxy.
        let client = Client::builder().no_proxy().build().map_err(Failure::fault)?;
        Ok(Play {
            base: format!("http://{address}"),
            client,
            demonstration,
            tokens,
            now: crate::adapter::clock::SystemClock.now(),
            steps: Vec::new(),
            papers: Papers::new(),
        })
    }

    pub(super) fn finish(self) -> (Vec<Step>, Papers) {
        (self.steps, self.papers)
    }

    pub(super) async fn whole_job(&mut self) -> Result<(), Failure> {
        let ready = self.get(None, "/readyz").await?;
        self.step(
            "the service is ready: key, store, trust, revocation data",
            "200 ready",
            format!("{} {}", ready.status, ready.text("/status")),
        );
        self.before_signing().await?;
        let request = self.a_request_and_every_refusal().await?;
        let number = self.register(&request).await?;
        let licence = self.stamp(&number).await?;
        self.look_again(&licence).await
    }

    /// Condition 3 before anything is signed: the certificate alone.
    async fn before_signing(&mut self) -> Result<(), Failure> {
        for (what, credential, expected) in [
            ("condition 3 before signing: the applicant's certificate", &self.demonstration.applicant, "200 accepted"),
            (
                "condition 3 before signing: a revoked certificate",
                &self.demonstration.revoked,
                "200 refused rev-revoked",
            ),
        ] {
            let certificate = STANDARD.encode(&credential.certificate);
            let body = json!({"document": certificate, "format": "certificate", "applicant": {"iin": Holder::IIN}});
            let answer = self.post(Role::Portal, "/v1/verifications", &body).await?;
            self.step(what, expected, answer.verdict(""));
        }
        Ok(())
    }

    async fn a_request_and_every_refusal(&mut self) -> Result<Vec<u8>, Failure> {
        let this = self.demonstration;
        let content = applicant::request(SERVICE, Some(Holder::IIN), None);
        let request = self.sign(&this.applicant, &content)?;
        let of_another = self.sign(&this.applicant, &applicant::request(SERVICE, Some(OTHER_IIN), None))?;
        let of_entity =
            self.sign(&this.first_head, &applicant::request(SERVICE, Some(Holder::IIN), Some(Holder::BIN)))?;
        let (iin, bin) = (Some(Holder::IIN), Some(Holder::BIN));
        let chain = [this.world.authority.certificate.clone()];
        let xml = applicant::sign_xml(&this.applicant, &chain, &applicant::xml_request(SERVICE, Holder::IIN), self.now)
            .map_err(Failure::fault)?;
        let cases = [
            ("a signed XML request", xml.clone(), iin, None, "200 accepted"),
            (
                "refused: one character of the XML was altered",
                applicant::alter_xml(&xml),
                iin,
                None,
                "200 refused cv-digest-mismatch",
            ),
            ("a signed request", request.clone(), iin, None, "200 accepted"),
            ("a legal entity's request, signed by its first head", of_entity.clone(), iin, bin, "200 accepted"),
            (
                "refused: the certificate has expired",
                self.sign(&this.expired, &content)?,
                iin,
                None,
                "200 refused xcv-expired",
            ),
            (
                "refused: the certificate is revoked",
                self.sign(&this.revoked, &content)?,
                iin,
                None,
                "200 refused rev-revoked",
            ),
            (
                "refused: the request declares another IIN",
                request.clone(),
                Some(OTHER_IIN),
                None,
                "200 refused id-applicant-mismatch",
            ),
            (
                "refused: the request declares another BIN",
                of_entity,
                iin,
                Some(OTHER_BIN),
                "200 refused id-applicant-mismatch",
            ),
            ("refused: the signed content says another IIN", of_another, iin, None, "200 refused id-content-mismatch"),
            (
                "refused: one character of the content was altered",
                applicant::alter_content(&request),
                iin,
                None,
                "200 refused cv-digest-mismatch",
            ),
            (
                "refused: one octet of the signature was altered",
                applicant::alter_signature(&request),
                iin,
                None,
                "200 refused cv-signature-invalid",
            ),
            (
                "refused: an authority that borrows the trusted one's name",
                self.sign(&this.stranger, &content)?,
                iin,
                None,
                "200 refused xcv-issuer-signature-invalid",
            ),
            ("refused: not a signed document at all", b"no signature".to_vec(), iin, None, "200 refused fc-malformed"),
            ("refused: nobody is declared", request.clone(), None, None, "200 refused id-not-declared"),
        ];
        for (what, document, iin, bin, expected) in cases {
            let body = self.submission(&document, iin, bin);
            let answer = self.post(Role::Portal, "/v1/verifications", &body).await?;
            self.step(what, expected, answer.verdict(""));
            if what == "a signed request" {
                self.papers.insert("request-report.json", answer.body);
            }
        }
        self.papers.insert("request.p7m", request.clone());
        self.papers.insert("request.xml", xml);
        Ok(request)
    }

    async fn register(&mut self, request: &[u8]) -> Result<String, Failure> {
        let body = self.submission(request, Some(Holder::IIN), None);
        let nobody = self.send(Method::POST, None, "/v1/requests", Some(&body), &[]).await?;
        self.step("without a token nothing is registered", "401 unauthenticated", nobody.problem());
        let altered = self.submission(&applicant::alter_content(request), Some(Holder::IIN), None);
        let refused = self.post(Role::Portal, "/v1/requests", &altered).await?;
        self.step("an altered request is not registered", "422 request-not-acceptable", refused.problem());
        let registered = self.post(Role::Portal, "/v1/requests", &body).await?;
        let number = registered.text("/number");
        self.step("the request is registered under a number", "201", registered.status.to_string());
        let again = self.post(Role::Portal, "/v1/requests", &body).await?;
        self.step(
            "the same request again keeps its number",
            format!("200 {number}"),
            format!("{} {}", again.status, again.text("/number")),
        );
        Ok(number)
    }

    async fn stamp(&mut self, request: &str) -> Result<String, Failure> {
        let order = json!({
            "request": request,
            "issued_to": format!("{} ҮЛГІЛІ ӘСЕМ, Астана", crate::demonstration::MARK),
        });
        let key = uuid::Uuid::now_v7().to_string();
        let key = [("idempotency-key", key.as_str())];
        let portal = self.send(Method::POST, Some(Role::Portal), "/v1/licences", Some(&order), &key).await?;
        self.step("a portal may not stamp", "403 forbidden", portal.problem());
        let stamped = self.send(Method::POST, Some(Role::Officer), "/v1/licences", Some(&order), &key).await?;
        let number = stamped.text("/number");
        self.step(
            "an officer stamps the licence",
            "201 issued",
            format!("{} {}", stamped.status, stamped.text("/state")),
        );
        let again = self.send(Method::POST, Some(Role::Officer), "/v1/licences", Some(&order), &key).await?;
        self.step("the same Idempotency-Key gives the same licence", number.clone(), again.text("/number"));
        let decided = [("idempotency-key", "another")];
        let twice = self.send(Method::POST, Some(Role::Officer), "/v1/licences", Some(&order), &decided).await?;
        self.step("a request is decided once", "409 request-decided", twice.problem());
        Ok(number)
    }

    async fn look_again(&mut self, number: &str) -> Result<(), Failure> {
        let path = format!("/v1/licences/{number}");
        let document = self.get(Some(Role::Auditor), &format!("{path}/document")).await?;
        self.step("the auditor takes the sealed document", "200", document.status.to_string());
        let document = document.body;
        let body = json!({"document": STANDARD.encode(&document), "policy": "licence"});
        let audited = self.post(Role::Auditor, "/v1/verifications", &body).await?;
        self.step("the auditor verifies its seal anew", "200 accepted", audited.verdict(""));
        self.present(&document, "anyone presents the licence", "200 accepted", "issued true").await?;
        self.present(
            &applicant::alter_signature(&document),
            "anyone presents an altered licence",
            "200 refused cv-signature-invalid",
            "rewrapped true",
        )
        .await?;
        let accept = [("accept", "application/xml")];
        let as_xml =
            self.send(Method::GET, Some(Role::Auditor), &format!("{path}/document"), None, &accept).await?.body;
        self.present(&as_xml, "the same licence sealed as XML", "200 accepted", "issued true").await?;
        self.papers.insert("licence.xml", as_xml);
        let suspend = json!({"reason": "DEMONSTRATION"});
        let suspended = self.post(Role::Officer, &format!("{path}/suspend"), &suspend).await?;
        self.step(
            "an officer suspends the licence",
            "200 suspended",
            format!("{} {}", suspended.status, suspended.text("/state")),
        );
        self.present(&document, "the suspended licence: sealed, and not in force", "200 accepted", "issued false")
            .await?;
        let resumed = self.post(Role::Officer, &format!("{path}/resume"), &suspend).await?;
        self.step(
            "an officer puts it in force again",
            "200 resumed",
            format!("{} {}", resumed.status, resumed.text("/state")),
        );
        self.papers.insert("licence.p7m", document);
        self.papers.insert("licence-report.json", audited.body);
        Ok(())
    }

    /// A licence in anyone's hands: the verdict on the seal, then what the registry says.
    async fn present(&mut self, document: &[u8], what: &str, verdict: &str, registry: &str) -> Result<(), Failure> {
        let body = json!({"document": STANDARD.encode(document)});
        let answer = self.send(Method::POST, None, "/v1/licence-verifications", Some(&body), &[]).await?;
        let in_force = answer.json().pointer("/registry/in_force").and_then(Value::as_bool);
        let in_force = in_force.map_or("-".to_owned(), |in_force| in_force.to_string());
        let found = format!("{} {} {in_force}", answer.verdict("/verification"), answer.text("/registry/finding"));
        self.step(what, format!("{verdict} {registry}"), found);
        Ok(())
    }

    fn submission(&self, document: &[u8], iin: Option<&str>, bin: Option<&str>) -> Value {
        json!({
            "document": STANDARD.encode(document),
            "applicant": {"iin": iin, "bin": bin},
            "service": SERVICE,
        })
    }

    fn sign(&self, credential: &Credential, content: &[u8]) -> Result<Vec<u8>, Failure> {
        let chain = [self.demonstration.world.authority.certificate.clone()];
        applicant::sign(credential, &chain, content, self.now).map_err(Failure::fault)
    }

    fn step(&mut self, what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) {
        self.steps.push(Step { what: what.into(), expected: expected.into(), found: found.into() });
    }

    async fn get(&self, role: Option<Role>, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, role, path, None, &[]).await
    }

    async fn post(&self, role: Role, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::POST, Some(role), path, Some(body), &[]).await
    }

    async fn send(
        &self,
        method: Method,
        role: Option<Role>,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some((_, token)) = role.and_then(|role| self.tokens.iter().find(|(held, _)| *held == role)) {
            request = request.bearer_auth(token.expose_secret());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.map_err(|error| Failure::fault(format!("{path}: {error}")))?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(Failure::fault)?.to_vec();
        Ok(Answer { status, body })
    }
}
