//! A registry of a million licences must answer like one of a thousand.

use crate::world::*;
use rusqlite::Connection;
use std::time::{Duration, Instant};
use tamga::licensing::{LicenceNumber, RequestNumber};
use tamga::port::{Journal, Registry};

/// Rows of a registry as years of work leave it, written past the service: the contents do not matter, the indexes do.
fn fill(file: &std::path::Path, licences: u32) {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF;
             PRAGMA cache_size = -1000000;
             PRAGMA temp_store = MEMORY;
             BEGIN;
             CREATE TEMP TABLE n (n INTEGER PRIMARY KEY);
             INSERT INTO n WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < {licences})
                 SELECT n FROM c;
             INSERT INTO body SELECT n, randomblob(32), randomblob(200) FROM n;
             INSERT INTO report (seq, id, at, actor, decision, document, digest, json)
                 SELECT n, randomblob(16), 0, 'a', 'accepted', randomblob(32), randomblob(32), x'7b7d' FROM n;
             INSERT INTO request SELECT n, printf('1990-%08d', n), 0, 'a', 'agency-pipelines', '2014', 'issued', '1', NULL,
                 n, NULL, x'7b7d', n FROM n;
             INSERT INTO seen SELECT randomblob(32), n FROM n;
             INSERT INTO licence SELECT n, printf('OLD%08d', n), 'licence', 'issued', 'agency-pipelines', '1', NULL, 'x', n,
                 '1990-01-01', NULL, NULL FROM n;
             INSERT INTO stamping SELECT n, randomblob(16), printf('OLD%08d', n), 'licence', n, NULL, 'completed', 'a', 0,
                 NULL, NULL, 0, NULL FROM n;
             INSERT INTO document (seq, licence, kind, body, content, stamped_at, stamping)
                 SELECT n, n, 'licence', n, randomblob(32), 0, n FROM n;
             INSERT INTO idempotency SELECT n, 'a', printf('key %d', n), randomblob(32), n, x'7b7d' FROM n;
             INSERT INTO journal SELECT n, printf('OLD%08d', n),
                 '{{\"at\":\"1990-01-01T00:00:00Z\",\"actor\":\"a\",\"event\":\"token-revoked\",\"token\":\"t\"}}', randomblob(32) FROM n;
             COMMIT;"
        ))
        .unwrap();
}

/// Median time of each operation.
fn medians(rows: u32) -> Vec<(&'static str, Duration)> {
    const TURNS: u32 = 41;
    let folder = tempfile::tempdir().unwrap();
    drop(World::open(folder.path(), Fault::default()));
    fill(&file(folder.path()), rows);
    let opening = Instant::now();
    let world = World::open(folder.path(), Fault::default());
    world.service.recover().unwrap();
    let mut times: Vec<(&'static str, Vec<Duration>)> = vec![("open and recover", vec![opening.elapsed()])];
    let mut time = |name: &'static str, work: &mut dyn FnMut(u32)| {
        let turns = (0..TURNS).map(|turn| {
            let start = Instant::now();
            work(turn);
            start.elapsed()
        });
        times.push((name, turns.collect()));
    };
    let old = |turn: u32| LicenceNumber(format!("OLD{:08}", 1 + turn * (rows / TURNS)));
    time("register", &mut |turn| drop(world.register(&turn.to_string())));
    time("register again", &mut |turn| drop(world.register(&turn.to_string())));
    time("stamp", &mut |turn| {
        let request = RequestNumber(format!("2026-{:08}", turn + 1));
        world.stamp(&request, Some(&format!("key {turn}"))).unwrap();
    });
    time("licence", &mut |turn| assert!(world.registry.licence(&old(turn)).unwrap().is_some()));
    time("history", &mut |turn| assert_eq!(world.registry.history(&old(turn).0).unwrap().len(), 1));
    time("licence of document", &mut |turn| {
        let document = world.registry.licence(&old(turn)).unwrap().unwrap().documents[0].digest;
        assert_eq!(world.registry.licence_of_document(&document).unwrap(), Some(old(turn)));
    });
    time("page of an audit", &mut |turn| {
        assert!(!world.registry.licences_after(Some(&old(turn)), 10).unwrap().is_empty());
    });
    time("unfinished", &mut |_| assert!(world.registry.unfinished().unwrap().is_empty()));
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    times.into_iter().map(|(name, times)| (name, median(times))).collect()
}

fn compare(small: u32, large: u32) {
    let (before, after) = (medians(small), medians(large));
    for ((name, small_time), (_, large_time)) in before.into_iter().zip(after) {
        println!("{name:20} {small:>9} rows: {small_time:>10.1?}   {large:>9} rows: {large_time:>10.1?}");
        // A walk over every row would grow by a factor of hundreds; a deeper tree by less than two.
        assert!(
            large_time < 10 * small_time + Duration::from_millis(5),
            "{name}: {small_time:?} became {large_time:?}"
        );
    }
}

#[test]
fn a_hundred_thousand_licences_answer_like_a_thousand() {
    compare(1_000, 100_000);
}

#[test]
#[ignore = "gigabytes and minutes: cargo test --test registry -- --ignored a_million --nocapture"]
fn a_million_licences_answer_like_a_thousand() {
    compare(1_000, 1_000_000);
}
