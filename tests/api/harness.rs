//! A service on a port of its own, and a caller.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};
use tamga::{
    config,
    http::{Parts, Server, router, start},
    port::{
        Clock,
        token::{TokenRecord, TokenStore, TokenStoreError},
    },
    report::Time,
    service::readiness::{Part, Readiness},
    telemetry,
};

/// A clock that stands still until it is moved.
pub(crate) struct FixedClock(pub(crate) Mutex<Time>);

impl Clock for FixedClock {
    fn now(&self) -> Time {
        *self.0.lock().unwrap()
    }
}

/// Tokens in memory.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<Vec<TokenRecord>>);

impl TokenStore for Tokens {
    fn insert(&self, record: &TokenRecord) -> Result<(), TokenStoreError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
    fn find(&self, id: &str) -> Result<Option<TokenRecord>, TokenStoreError> {
        Ok(self.0.lock().unwrap().iter().find(|record| record.id == id).cloned())
    }
    fn list(&self) -> Result<Vec<TokenRecord>, TokenStoreError> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn revoke(&self, id: &str, at: Time) -> Result<bool, TokenStoreError> {
        let mut records = self.0.lock().unwrap();
        Ok(records.iter_mut().find(|record| record.id == id).map(|record| record.revoked = Some(at)).is_some())
    }
}

/// Readiness as the test sets it.
pub(crate) struct Switch(pub(crate) Mutex<Vec<Part>>);

impl Readiness for Switch {
    fn parts(&self) -> Vec<Part> {
        self.0.lock().unwrap().clone()
    }
}

/// Noon in Astana, once.
pub(crate) const NOW: Time = Time::from_unix(1_795_330_800);

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
        let mut http = config::Http { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..config::Http::default() };
        adjust(&mut http);
        let clock = Arc::new(FixedClock(Mutex::new(NOW)));
        let ready = ["signer", "store", "trust", "revocation"].map(|name| Part { name, state: Ok("fine".into()) });
        let readiness = Arc::new(Switch(Mutex::new(ready.into())));
        let parts = Parts {
            clock: Arc::clone(&clock) as _,
            tokens: Arc::new(Tokens::default()),
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
