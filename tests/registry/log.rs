//! The journal as a transparency log: what is published, what an outside client makes of it, and what betrays a change.

use crate::world::*;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tamga::adapter::log::FileLog;
use tamga::port::token::{Role, TokenRecord, TokenStore as _};
use tamga::port::{Journal as _, LogError, Registry as _, TransparencyLog as _};
use tamga::service::LogFinding;
use tamga::transparency::tile::{Content, WIDTH};
use tamga::transparency::{Checkpoint, Tile};
use tlog_tiles::{Hash, TileHashReader, TileReader};

/// Adds rows that are about nothing but themselves.
pub fn grow(world: &World, rows: u32) {
    let token = |n: u32| TokenRecord {
        id: format!("{}", uuid::Uuid::now_v7()),
        holder: n.to_string(),
        role: Role::Portal,
        digest: [0; 32],
        created: NOW,
        expires: NOW,
        revoked: None,
    };
    // Several writers, so that the store can gather them.
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let registry = &world.registry.inner;
            scope.spawn(move || {
                (0..rows).filter(|n| n % 8 == writer).for_each(|n| registry.insert(&token(n)).unwrap());
            });
        }
    });
}

/// The outside client's way to our tiles: their names as text, as over HTTP.
struct Outside<'a>(&'a FileLog);

impl TileReader for Outside<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| {
            // Their height stands in front: `tile/8/0/000`.
            let path = tile.path();
            let path = path.strip_prefix("tile/8/").or(path.strip_prefix("tile/")).unwrap();
            self.0.tile(&Tile::from_path(path).unwrap()).unwrap().unwrap()
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn an_outside_client_proves_every_row_and_every_growth() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path(), Fault::default());
    let mut earlier: Vec<Checkpoint> = Vec::new();
    for rows in [1, 2, 253, 1, 300, 44] {
        grow(&world, rows);
        let published = world.log.publish(NOW).unwrap();
        let now = Checkpoint::open(&published.note, world.log.verifier_key()).unwrap();
        assert_eq!(now.size, world.registry.head().unwrap().unwrap().position);
        let outside = Outside(&world.log);
        let reader = TileHashReader::new(now.size, Hash(now.root), &outside);
        for old in &earlier {
            let proof = tlog_tiles::prove_tree(now.size, old.size, &reader).unwrap();
            tlog_tiles::check_tree(&proof, now.size, Hash(now.root), old.size, Hash(old.root)).unwrap();
            let ours = world.log.consistency_proof(old.size, now.size).unwrap();
            assert_eq!(proof.iter().map(|hash| hash.0).collect::<Vec<_>>(), ours, "{} in {}", old.size, now.size);
        }
        for row in world.registry.rows_after(0, 10_000).unwrap().iter().step_by(7) {
            let index = row.position - 1;
            let proof = tlog_tiles::prove_record(now.size, index, &reader).unwrap();
            let leaf = tlog_tiles::record_hash(row.leaf.as_bytes());
            tlog_tiles::check_record(&proof, now.size, Hash(now.root), index, leaf).unwrap();
            let ours = world.log.inclusion_proof(index, now.size).unwrap();
            assert_eq!(proof.iter().map(|hash| hash.0).collect::<Vec<_>>(), ours, "{index} in {}", now.size);
        }
        earlier.push(now);
    }
}

#[test]
fn a_licence_carries_the_proof_of_everything_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path(), Fault::default());
    grow(&world, 300);
    let licence = world.stamp(&world.register("request"), None).unwrap();
    let proof = world.service.licence_proof(&auditor(), &licence.number).unwrap();
    assert_eq!(proof.entries.len(), 2, "stamping and stamped");
    let checkpoint = Checkpoint::open(&proof.checkpoint, &proof.verifier_key.parse().unwrap()).unwrap();
    assert_eq!(checkpoint.size, proof.size);
    use base64::Engine as _;
    for entry in &proof.entries {
        let hash =
            |text: &String| Hash(base64::engine::general_purpose::STANDARD.decode(text).unwrap().try_into().unwrap());
        let path = entry.proof.iter().map(hash).collect();
        let leaf = tlog_tiles::record_hash(entry.leaf.as_bytes());
        tlog_tiles::check_record(&path, proof.size, Hash(checkpoint.root), entry.index, leaf).unwrap();
        assert_eq!(serde_json::to_string(&entry.entry).unwrap(), entry.leaf);
    }
    assert!(world.service.licence_proof(&portal(), &licence.number).is_err());
}

#[test]
fn only_what_is_published_can_be_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path(), Fault::default());
    let tile = |path: &str| world.service.log_tile(&Tile::from_path(path).unwrap()).unwrap();
    assert_eq!((world.service.log_checkpoint().unwrap(), tile("0/000.p/1")), (None, None));
    grow(&world, 300);
    world.log.publish(NOW).unwrap();
    grow(&world, 10);
    assert_eq!(tile("0/001.p/44").unwrap().len(), 44 * 32);
    assert_eq!(tile("0/001.p/7").unwrap(), tile("0/001.p/44").unwrap()[..7 * 32]);
    assert_eq!(tile("1/000.p/1").unwrap().len(), 32);
    for path in ["0/001.p/45", "0/001", "0/002.p/1", "1/000.p/2", "7/000.p/1", "entries/001.p/45", "entries/001"] {
        assert_eq!(tile(path), None, "{path}");
    }
    let bundle = tile("entries/001.p/44").unwrap();
    let entries = tamga::transparency::tile::entries(&bundle).unwrap();
    let rows = world.registry.rows_after(WIDTH, 44).unwrap();
    assert!(entries.iter().zip(&rows).all(|(entry, row)| *entry == row.leaf.as_bytes()));
}

fn raw(world: &World) -> Connection {
    Connection::open(world.registry.inner.path()).unwrap()
}

fn findings(world: &World) -> Vec<LogFinding> {
    world.service.audit_log(&auditor(), &[], &mut |_| ()).unwrap().findings
}

/// Row `position` with another content, and every chain hash from there on computed anew: what an insider would do.
fn rewrite(world: &World, position: u64, from: &str, to: &str) {
    let rows = world.registry.rows_after(position - 1, 100_000).unwrap();
    let mut previous = match world.registry.rows_after(position - 2, 1).unwrap().pop() {
        Some(row) => row.hash,
        None => [0; 32],
    };
    let raw = raw(world);
    for row in rows {
        let leaf = if row.position == position { row.leaf.replace(from, to) } else { row.leaf.clone() };
        assert!(row.position != position || leaf != row.leaf);
        previous = tamga::port::chain(&previous, leaf.as_bytes());
        raw.execute(
            "UPDATE journal SET leaf = ?1, hash = ?2 WHERE position = ?3",
            rusqlite::params![leaf, previous, i64::try_from(row.position).unwrap()],
        )
        .unwrap();
    }
}

fn published_world(folder: &Path) -> World {
    let world = World::open(folder, Fault::default());
    grow(&world, 290);
    world.stamp(&world.register("request"), None).unwrap();
    grow(&world, 20);
    world.log.publish(NOW).unwrap();
    assert_eq!(findings(&world), []);
    world
}

#[test]
fn an_altered_row_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let world = published_world(folder.path());
    // 290 tokens, the request, the intent: the stamping is row 293.
    rewrite(&world, 293, "stamped", "voided-");
    world.registry.verify_chain().unwrap().unwrap();
    let found = findings(&world);
    assert!(
        matches!(found.as_slice(), [LogFinding::Row { position: 293, subject, .. }, ..] if subject.starts_with("KZ")),
        "{found:?}"
    );
    // Nothing more is published over it, and a new start refuses.
    let number = world.registry.licences_after(None, 1).unwrap().remove(0);
    assert!(world.service.licence_proof(&auditor(), &number).is_err());
    fs::remove_dir_all(folder.path().join("log/tile")).unwrap();
    assert!(matches!(world.log.recover(), Err(LogError::Altered { .. })), "{:?}", world.log.recover());
}

#[test]
fn rows_that_are_gone_or_misfiled_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let world = published_world(folder.path());
    raw(&world).execute("UPDATE journal SET subject = 'x' WHERE position = 293", []).unwrap();
    assert!(matches!(findings(&world)[..], [LogFinding::Row { position: 293, .. }]));
    raw(&world).execute("DELETE FROM journal WHERE position = 100", []).unwrap();
    let found = findings(&world);
    assert!(found.iter().any(|found| matches!(found, LogFinding::Row { position: 100, .. })), "{found:?}");
    raw(&world).execute("DELETE FROM journal WHERE position > 300", []).unwrap();
    let found = findings(&world);
    assert!(found.iter().any(|found| matches!(found, LogFinding::Row { position: 301, .. })), "{found:?}");
    assert!(matches!(world.log.publish(NOW), Err(LogError::RolledBack { journal: 300, published: 313 })));
    assert!(matches!(world.log.recover(), Err(LogError::RolledBack { .. })));
}

#[test]
fn an_older_copy_of_the_registry_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let world = published_world(folder.path());
    raw(&world).execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    grow(&world, 5);
    world.log.publish(NOW).unwrap();
    drop(world);
    for file in ["registry.db", "registry.db-wal", "registry.db-shm"] {
        let _ = fs::remove_file(folder.path().join(file));
    }
    fs::copy(&copy, file(folder.path())).unwrap();
    let world = World::open(folder.path(), Fault::default());
    let refused = world.log.recover();
    assert!(matches!(refused, Err(LogError::RolledBack { journal: 313, published: 318 })), "{refused:?}");
}

#[test]
fn tiles_that_are_lost_or_changed_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let world = published_world(folder.path());
    let last = folder.path().join("log/tile/0/001");
    let whole = fs::read(&last).unwrap();
    let mut changed = whole.clone();
    changed[40] ^= 1;
    fs::write(&last, &changed).unwrap();
    assert!(!findings(&world).is_empty());
    assert!(matches!(
        {
            grow(&world, 1);
            world.log.publish(NOW)
        },
        Err(LogError::Altered { .. })
    ));
    world.log.recover().unwrap();
    assert_eq!(fs::read(&last).unwrap(), whole);
    fs::remove_dir_all(folder.path().join("log/tile")).unwrap();
    world.log.recover().unwrap();
    world.log.publish(NOW).unwrap();
    assert_eq!(findings(&world), []);
}

#[test]
fn a_checkpoint_that_somebody_kept_must_be_of_this_log() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let world = published_world(folder.path());
    let kept = world.log.published().unwrap().unwrap().note;
    grow(&world, 300);
    world.log.publish(NOW).unwrap();
    let audit = world.service.audit_log(&auditor(), std::slice::from_ref(&kept), &mut |_| ()).unwrap();
    assert_eq!((audit.findings.len(), audit.checkpoints, audit.rows), (0, 2, 613));
    // The same key over another history: a fork.
    fs::create_dir_all(other.path().join("log")).unwrap();
    fs::copy(folder.path().join("log/key.pem"), other.path().join("log/key.pem")).unwrap();
    let fork = published_world(other.path());
    let foreign = fork.log.published().unwrap().unwrap().note;
    assert_ne!(foreign, kept);
    let audit = world.service.audit_log(&auditor(), &[foreign, "no note".into()], &mut |_| ()).unwrap();
    let sizes: Vec<u64> = audit
        .findings
        .iter()
        .map(|found| match found {
            LogFinding::Checkpoint { size, .. } => *size,
            LogFinding::Row { .. } => panic!("{found:?}"),
        })
        .collect();
    assert_eq!(sizes, [0, 313, 613], "not a note; another root; not consistent");
}

#[test]
fn checkpoints_without_a_token_give_way_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path(), Fault::default());
    grow(&world, 3);
    let first = world.log.publish(NOW).unwrap();
    assert_eq!(world.log.publish(NOW.plus_seconds(9)).unwrap(), first, "nothing was added");
    let stamped = tamga::port::StoredCheckpoint { token: Some(b"token".to_vec()), ..first };
    world.registry.inner.record_checkpoint(stamped.clone()).unwrap();
    grow(&world, 2);
    world.log.publish(NOW).unwrap();
    grow(&world, 2);
    world.log.publish(NOW).unwrap();
    let kept = world.registry.checkpoints("test.example/log").unwrap();
    assert_eq!(kept.iter().map(|kept| kept.size).collect::<Vec<_>>(), [3, 7]);
    assert_eq!(kept[0], stamped);
    let smaller = tamga::port::StoredCheckpoint { size: 2, ..stamped };
    assert!(world.registry.inner.record_checkpoint(smaller).is_err());
}

#[test]
#[ignore = "measures: cargo test --release --test registry -- --ignored the_speed_of_the_log --nocapture"]
fn the_speed_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::open(folder.path(), Fault::default());
    const ROWS: u32 = 40_000;
    let start = Instant::now();
    let done = std::sync::atomic::AtomicBool::new(false);
    let checkpoints = std::thread::scope(|scope| {
        let publishing = scope.spawn(|| {
            let mut made = 0;
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(100));
                world.log.publish(NOW).unwrap();
                made += 1;
            }
            made
        });
        grow(&world, ROWS);
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        publishing.join().unwrap()
    });
    let size = world.log.publish(NOW).unwrap().size;
    let rate = f64::from(ROWS) / start.elapsed().as_secs_f64();
    println!("{size} leaves, {checkpoints} durable checkpoints, {rate:.0} leaves a second");
    let mut slowest = Duration::ZERO;
    for at in (0..size).step_by(997) {
        let start = Instant::now();
        world.log.inclusion_proof(at, size).unwrap();
        world.log.consistency_proof(at + 1, size).unwrap();
        slowest = slowest.max(start.elapsed());
    }
    println!("the slowest inclusion and consistency proof together: {slowest:?}");
    let hashes = Tile { content: Content::Hashes { level: 0 }, index: 0, width: WIDTH };
    assert_eq!(world.log.tile(&hashes).unwrap().unwrap().len(), 256 * 32);
    assert!(rate >= 2000.0 && slowest < Duration::from_millis(5));
}
