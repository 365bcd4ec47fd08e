//! The transparency log over HTTP, read by clients that are not ours.

use crate::harness::{Answer, Service, app, token};
use signed_note::{Note, StandardVerifier, VerifierList};
use tamga::adapter::log::{RemoteError, RemoteLog};
use tamga::port::{TransparencyLog as _, token::Role};
use tamga::transparency::Checkpoint;
use tlog_tiles::{Hash, TileHashReader, TileReader};

/// Fetches tiles as any client would.
struct Fetcher {
    base: String,
    runtime: tokio::runtime::Handle,
}

impl Fetcher {
    fn fetch(&self, path: &str) -> Vec<u8> {
        let url = format!("{}/{path}", self.base);
        let answer = async {
            let response = reqwest::get(url).await.unwrap().error_for_status().unwrap();
            assert_eq!(response.headers()["content-type"], "application/octet-stream");
            assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
            response.bytes().await.unwrap().to_vec()
        };
        tokio::task::block_in_place(|| self.runtime.block_on(answer))
    }
}

impl TileReader for Fetcher {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        Ok(tiles.iter().map(|tile| self.fetch(&tile.path().replace("tile/8/", "tile/"))).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outside_client_follows_the_log() {
    let service = Service::start().await;
    app().0.log.publish(app().0.service.clock.now()).unwrap();
    let note = reqwest::get(service.url("/log/checkpoint")).await.unwrap().text().await.unwrap();
    let key = app().0.log.verifier_key().to_string();
    let verifier = StandardVerifier::new(&key).unwrap();
    let parsed = Note::from_bytes(note.as_bytes()).unwrap();
    parsed.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(parsed.text()).unwrap();
    assert!(checkpoint.origin().contains("DEMONSTRATION"), "{}", checkpoint.origin());

    let fetcher = Fetcher { base: service.url("/log"), runtime: tokio::runtime::Handle::current() };
    let reader = TileHashReader::new(checkpoint.size(), *checkpoint.hash(), &fetcher);
    let last = checkpoint.size() - 1;
    let width = checkpoint.size() % 256;
    let bundle = match width {
        0 => fetcher.fetch(&format!("tile/entries/{:03}", last / 256)),
        width => fetcher.fetch(&format!("tile/entries/{:03}.p/{width}", last / 256)),
    };
    let entries = tamga::transparency::tile::entries(&bundle).unwrap();
    let leaf = tlog_tiles::record_hash(entries.last().unwrap());
    let proof = tlog_tiles::prove_record(checkpoint.size(), last, &reader).unwrap();
    tlog_tiles::check_record(&proof, checkpoint.size(), *checkpoint.hash(), last, leaf).unwrap();

    // Our own outsider's command does the same.
    let base = service.url("/log");
    let walked = tokio::task::spawn_blocking(move || {
        let log = RemoteLog::new(&base, key.parse().unwrap()).unwrap();
        let (now, _) = log.checkpoint().unwrap();
        log.check_entries(&now, &mut |_| ()).unwrap();
        let old = Checkpoint { size: 1, ..now.clone() };
        let rewritten = log.check_consistency(&old, &now);
        assert!(matches!(rewritten, Err(RemoteError::Inconsistent { old: 1, .. })), "{rewritten:?}");
        let wrong = log.check_entries(&Checkpoint { root: [0; 32], ..now.clone() }, &mut |_| ());
        assert!(matches!(wrong, Err(RemoteError::Root { .. })));
        now.size
    });
    assert!(walked.await.unwrap() >= checkpoint.size());
    let _: Hash = *checkpoint.hash();
}

#[tokio::test]
async fn what_is_not_in_the_log_is_not_found() {
    let service = Service::start().await;
    for path in ["0/999", "0/0", "9/000", "entries/999", "0/../../key.pem", "0/%2e%2e/key.pem", "key.pem"] {
        let answer = Answer::of(reqwest::Client::new().get(service.url(&format!("/log/tile/{path}")))).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{path}");
    }
    let url = service.url("/v1/licences/KZ00NONE/proof");
    let answer = Answer::of(reqwest::Client::new().get(url).bearer_auth(token(Role::Auditor))).await;
    assert_eq!((answer.status, answer.problem()), (404, "licence-unknown"));
}
