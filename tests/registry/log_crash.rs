//! `kill -9` at every step between a row and the checkpoint that covers it, and at any moment under load: no fork, no
//! lost leaf.

use crate::crash::{child, child_world};
use crate::log::grow;
use crate::world::*;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;
use tamga::port::{Journal as _, TransparencyLog as _};
use tamga::transparency::Checkpoint;

/// Rows read, hashes in the tiles and note signed, checkpoint in the registry and not yet in the folder.
const POINTS: [&str; 4] = ["before-reading-rows", "after-reading-rows", "before-recording", "after-recording"];

const SEEN: &str = "seen-checkpoints";

/// Tells the world about a checkpoint: what a client that asked would have seen.
fn tell(folder: &Path, note: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(folder.join(SEEN)).unwrap();
    file.write_all(format!("{}\0", note).as_bytes()).unwrap();
}

/// Every checkpoint that was ever seen is the beginning of the log as it is now, and every row is under it.
fn assert_no_fork_and_no_lost_leaf(world: &World, folder: &Path) -> usize {
    world.log.recover().unwrap();
    let rows = world.registry.head().unwrap().unwrap().position;
    let now = Checkpoint::open(&world.log.publish(NOW).unwrap().note, world.log.verifier_key()).unwrap();
    assert_eq!(now.size, rows);
    let seen = std::fs::read_to_string(folder.join(SEEN)).unwrap_or_default();
    let mut published: Vec<String> = seen.split_terminator('\0').map(str::to_owned).collect();
    published.extend(std::fs::read_to_string(folder.join("log/checkpoint")));
    for note in &published {
        let old = Checkpoint::open(note, world.log.verifier_key()).unwrap();
        let proof = world.log.consistency_proof(old.size, now.size).unwrap();
        let proof = proof.into_iter().map(tlog_tiles::Hash).collect();
        let (old_root, root) = (tlog_tiles::Hash(old.root), tlog_tiles::Hash(now.root));
        if old.size < now.size {
            tlog_tiles::check_tree(&proof, now.size, root, old.size, old_root).unwrap();
        } else {
            assert_eq!((old.size, old.root), (now.size, now.root));
        }
    }
    let audit = world.service.audit_log(&auditor(), &published, &mut |_| ()).unwrap();
    assert_eq!((audit.rows, audit.findings), (rows, Vec::new()));
    published.len()
}

#[test]
#[ignore = "started by killed_at_every_step_of_a_checkpoint"]
fn child_that_publishes_and_dies() {
    let Some(world) = child_world() else { return };
    grow(&world, 300);
    let _ = world.log.publish(NOW);
}

#[test]
fn killed_at_every_step_of_a_checkpoint() {
    for first in [0, 250] {
        for point in POINTS {
            let folder = tempfile::tempdir().unwrap();
            {
                let world = World::open(folder.path(), Fault::default());
                if first > 0 {
                    grow(&world, first);
                    tell(folder.path(), &world.log.publish(NOW).unwrap().note);
                }
            }
            let mut child = child("log_crash::child_that_publishes_and_dies", folder.path(), point, "");
            assert_eq!(child.status().unwrap().signal(), Some(9), "passed {point} alive");
            // A torn write beyond the last checkpoint: what a power cut may leave.
            let torn = folder.path().join("log/tile/0/001");
            if point == "before-recording" && torn.exists() {
                std::fs::OpenOptions::new().append(true).open(&torn).unwrap().write_all(&[0; 45]).unwrap();
            }
            let world = World::open(folder.path(), Fault::default());
            assert_eq!(world.registry.head().unwrap().unwrap().position, u64::from(first) + 300, "{point}");
            assert_no_fork_and_no_lost_leaf(&world, folder.path());
        }
    }
}

#[test]
#[ignore = "started by killed_at_any_moment_while_publishing"]
fn child_that_publishes_until_it_is_killed() {
    let Some(world) = child_world() else { return };
    let folder = std::env::var_os("TAMGA_TEST_CRASH_FOLDER").unwrap();
    world.log.recover().unwrap();
    std::thread::scope(|scope| {
        let world = &world;
        scope.spawn(move || {
            loop {
                grow(world, 64);
            }
        });
        loop {
            tell(Path::new(&folder), &world.log.publish(NOW).unwrap().note);
        }
    });
}

#[test]
fn killed_at_any_moment_while_publishing() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5_u64 {
        let test = "log_crash::child_that_publishes_until_it_is_killed";
        let mut running = child(test, folder.path(), "", "").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400 + 61 * round));
        running.kill().unwrap();
        assert_eq!(running.wait().unwrap().signal(), Some(9), "the child died by itself");
    }
    let world = World::open(folder.path(), Fault::default());
    let seen = assert_no_fork_and_no_lost_leaf(&world, folder.path());
    assert!(seen > 10, "only {seen} checkpoints: the child hardly ran");
}
