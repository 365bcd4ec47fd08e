//! Lists over HTTP: mirrors that serve, lag, break, lie and stay silent.

use super::server::{Behaviour, Server};
use super::store::{AT, times};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tamga::adapter::fetch::{
    FetchRules, Fetcher, ListSource, PrivateAddresses, RefreshError, Refreshed, Refresher, SourceState,
};
use tamga::adapter::revocation_store::{Limits, ListSigner, RevocationStore, SampleAuthority, sample_serial};
use tamga::pki::{Certificate, RevocationList as _};
use tamga::port::Clock;
use tamga::report::Time;
use tempfile::TempDir;

struct Fixed(Time);

impl Clock for Fixed {
    fn now(&self) -> Time {
        self.0
    }
}

fn rules(private_addresses: PrivateAddresses) -> FetchRules {
    FetchRules {
        allowed_hosts: vec!["127.0.0.1".into(), "localhost".into()],
        private_addresses,
        list_timeout: Duration::from_millis(800),
        response_timeout: Duration::from_millis(800),
    }
}

struct World {
    folder: TempDir,
    server: Server,
    authority: SampleAuthority,
    certificate: Certificate,
    store: Arc<RevocationStore>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let authority = SampleAuthority::generate(times(0)).unwrap();
        World {
            certificate: Certificate::parse(authority.certificate()).unwrap(),
            store: Arc::new(RevocationStore::open(&folder.path().join("store"), Limits::default()).unwrap()),
            server: Server::start(),
            runtime: tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap(),
            folder,
            authority,
        }
    }

    fn list(&self, number: u32) -> Vec<u8> {
        let mut list = Vec::new();
        self.authority.write_list(100 * u64::from(number), number, times(0), &mut list).unwrap();
        list
    }

    fn refresh_with(&self, rules: FetchRules, urls: &[String]) -> (Result<Refreshed, RefreshError>, SourceState) {
        let source = ListSource { name: "test".into(), urls: urls.to_vec(), interval_seconds: 3600 };
        let refresher = Refresher::new(
            Arc::clone(&self.store),
            Fetcher::new(rules).unwrap(),
            vec![source.clone()],
            vec![ListSigner::from(&self.certificate)],
            Arc::new(Fixed(AT)),
            &self.folder.path().join("sources"),
        )
        .unwrap();
        let refreshed = self.runtime.block_on(refresher.refresh(&source));
        (refreshed, refresher.state("test"))
    }

    fn refresh(&self, paths: &[&str]) -> Result<Refreshed, String> {
        let urls: Vec<String> = paths.iter().map(|path| self.server.url(path)).collect();
        let (refreshed, state) = self.refresh_with(rules(PrivateAddresses::Allow), &urls);
        assert_eq!(refreshed.is_err(), state.last_error.is_some());
        assert!(state.next_refresh.unwrap() > AT);
        refreshed.map_err(|error| error.code().to_owned())
    }

    fn held(&self) -> String {
        self.store.lists()[0].scope().crl_number.unwrap().to_string()
    }

    fn serve(&self, path: &str, etag: &'static str, number: u32) {
        self.server.set(path, Behaviour::Serve { etag, body: Arc::new(self.list(number)) });
    }
}

#[test]
fn a_list_is_fetched_once_and_asked_for_by_its_tag_afterwards() {
    let world = World::new();
    world.serve("/a.crl", "\"one\"", 1);
    assert!(matches!(world.refresh(&["/a.crl"]), Ok(Refreshed::Replaced(_))));
    assert!(matches!(world.refresh(&["/a.crl"]), Ok(Refreshed::Unchanged)));
    let requests = world.server.requests();
    let header = |request: &[String], name: &str| {
        request.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(str::to_owned))
    };
    assert_eq!(header(&requests[0], "if-none-match: "), None);
    assert_eq!(header(&requests[1], "if-none-match: ").unwrap(), "\"one\"");
    assert!(header(&requests[0], "user-agent: tamga/").is_some());
    assert!(requests[0][0].ends_with("HTTP/1.1"));
    world.serve("/a.crl", "\"two\"", 2);
    assert!(matches!(world.refresh(&["/a.crl"]), Ok(Refreshed::Replaced(_))));
    assert_eq!(world.held(), "2");
}

#[test]
fn whatever_mirrors_send_the_last_good_list_stays_and_the_reason_has_a_name() {
    let world = World::new();
    world.serve("/good.crl", "\"five\"", 5);
    world.refresh(&["/good.crl"]).unwrap();
    let newer = world.list(6);
    let answer = |status, headers: &str, body: &[u8]| Behaviour::Answer {
        status,
        headers: headers.to_owned(),
        body: body.to_vec(),
    };
    let portal = b"<html><title>Welcome to the guest network</title></html>";
    let to = |place: &str| format!("Location: {place}\r\n");
    let elsewhere = World::new();
    let cases = [
        ("empty", answer("200 OK", "", b"")),
        ("not-a-list", answer("200 OK", "Content-Type: text/html\r\n", portal)),
        ("not-a-list", answer("302 Found", &to("/portal"), b"")),
        ("status", answer("503 Service Unavailable", "Retry-After: 60\r\n", b"")),
        ("status", answer("404 Not Found", "", b"")),
        ("connection", Behaviour::CutShort { body: newer.clone(), sent: 500 }),
        ("truncated", answer("200 OK", "", &newer[..newer.len() - 10])),
        ("timed-out", Behaviour::Silent),
        ("timed-out", Behaviour::Drip { body: newer.clone() }),
        ("host-not-allowed", answer("302 Found", &to("http://10.0.0.1/a.crl"), b"")),
        ("host-not-allowed", answer("302 Found", &to("http://169.254.169.254/latest"), b"")),
        ("redirect", answer("302 Found", &to("file:///etc/passwd"), b"")),
        ("redirect", answer("302 Found", "", b"")),
        ("redirect", answer("302 Found", &to("/case"), b"")),
        ("rolled-back", answer("200 OK", "", &world.list(4))),
        ("signature-invalid", answer("200 OK", "", &elsewhere.list(6))),
    ];
    world.server.set("/portal", answer("200 OK", "Content-Type: text/html\r\n", portal));
    for (number, (code, behaviour)) in cases.into_iter().enumerate() {
        world.server.set("/case", behaviour);
        let refused = world.refresh(&["/case"]).unwrap_err();
        assert_eq!(refused, code, "case {number}");
        assert_eq!(world.held(), "5", "case {number}");
    }
}

#[test]
fn the_next_mirror_helps_where_the_first_does_not() {
    let world = World::new();
    world.serve("/old.crl", "\"old\"", 3);
    world.refresh(&["/old.crl"]).unwrap();
    world.serve("/new.crl", "\"new\"", 4);
    world.serve("/lagging.crl", "\"lagging\"", 2);
    assert!(matches!(world.refresh(&["/nothing", "/lagging.crl", "/new.crl"]), Ok(Refreshed::Replaced(_))));
    assert_eq!(world.held(), "4");
}

#[test]
fn a_private_address_is_refused_by_name_and_by_number_unless_allowed() {
    let world = World::new();
    world.serve("/a.crl", "\"one\"", 1);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/a.crl", world.server.address.port());
        let (refused, _) = world.refresh_with(rules(PrivateAddresses::Refuse), &[url]);
        assert_eq!(refused.unwrap_err().code(), "private-address", "{host}");
    }
    assert!(world.server.requests().is_empty(), "not one octet was sent");
    world.refresh(&["/a.crl"]).unwrap();
}

#[test]
fn verifications_go_on_while_a_mirror_drips() {
    let world = World::new();
    world.serve("/good.crl", "\"one\"", 1);
    world.refresh(&["/good.crl"]).unwrap();
    world.server.set("/drip", Behaviour::Drip { body: world.list(2) });
    thread::scope(|scope| {
        let refreshing = scope.spawn(|| world.refresh(&["/drip"]).unwrap_err());
        let (start, mut answered, mut slowest) = (Instant::now(), 0u32, Duration::ZERO);
        while start.elapsed() < Duration::from_millis(500) {
            let asked = Instant::now();
            let lists = world.store.lists();
            assert!(lists[0].find(&world.certificate.subject(), &sample_serial(7)).is_some());
            slowest = slowest.max(asked.elapsed());
            answered += 1;
        }
        assert!(answered > 100, "{answered}");
        assert!(slowest < Duration::from_millis(300), "{slowest:?}");
        assert_eq!(refreshing.join().unwrap(), "timed-out");
    });
}
