//! `kill -9` at every point between reserving a number and completing a licence, and at any moment under load.

use crate::world::*;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tamga::licensing::{LicenceNumber, LicenceState, RequestNumber};
use tamga::port::{LicenceRecord, Registry};
use tamga::service::ServiceError;

const FOLDER: &str = "TAMGA_TEST_CRASH_FOLDER";
const POINT: &str = "TAMGA_TEST_CRASH_POINT";
const ACT: &str = "TAMGA_TEST_CRASH_ACT";

const POINTS: [&str; 18] = [
    "before-reserving",
    "after-reserving",
    "before-preparing-cms",
    "before-preparing-xml",
    "before-intent",
    "after-intent",
    "before-signing-cms",
    "after-signing-cms",
    "after-sealing-cms",
    "before-own-verification-cms",
    "after-own-verification-cms",
    "before-signing-xml",
    "after-signing-xml",
    "after-sealing-xml",
    "before-own-verification-xml",
    "after-own-verification-xml",
    "before-completing",
    "after-completing",
];

const ACTS: [&str; 3] = ["stamp", "reissue", "duplicate"];

/// The licence that is reissued or duplicated; its request is `first`, registered and stamped before the crash.
fn act(
    world: &World,
    name: &str,
    request: &RequestNumber,
    first: &LicenceNumber,
) -> Result<LicenceRecord, ServiceError> {
    let key = idempotency("the key");
    match name {
        "stamp" => world.stamp(request, Some("the key")),
        "reissue" => world.service.reissue(&officer(), first, &order(request), Some(&key)),
        "duplicate" => world.service.duplicate(&officer(), first, Some(&key)),
        other => panic!("no act {other}"),
    }
}

pub(crate) fn child(test: &str, folder: &Path, point: &str, act: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(POINT, point)
        .env(ACT, act)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

pub(crate) fn child_world() -> Option<World> {
    let folder = std::env::var_os(FOLDER)?;
    Some(World::open(Path::new(&folder), Fault(std::env::var(POINT).ok())))
}

#[test]
#[ignore = "started by the tests below"]
fn child_that_dies_at_a_point() {
    let Some(world) = child_world() else { return };
    let request = world.register("request");
    let first = world.registry.licences_after(None, 1).unwrap().remove(0);
    let _ = act(&world, &std::env::var(ACT).unwrap(), &request, &first);
}

#[test]
fn killed_at_every_point_of_every_act() {
    for act_name in ACTS {
        for point in POINTS {
            let folder = tempfile::tempdir().unwrap();
            let first = {
                let world = World::open(folder.path(), Fault::default());
                let request = world.register("first");
                world.stamp(&request, None).unwrap().number
            };
            let status = child("crash::child_that_dies_at_a_point", folder.path(), point, act_name).status().unwrap();
            assert_eq!(status.signal(), Some(9), "{act_name} passed {point} alive");

            let world = World::open(folder.path(), Fault::default());
            let request = world.register("request");
            let recovery = world.service.recover().unwrap();
            let open = !matches!(point, "before-reserving" | "after-completing");
            assert_eq!(recovery.voided.len(), usize::from(open), "{act_name} {point}");
            world.assert_accounted_for();

            // The key still answers: with what was issued before the crash, or by stamping now.
            let answer = act(&world, act_name, &request, &first).unwrap();
            let again = act(&world, act_name, &request, &first).unwrap();
            assert_eq!(answer, again, "{act_name} {point}");
            assert_eq!(
                world.signer.signed.load(std::sync::atomic::Ordering::SeqCst),
                2 * i64::from(point != "after-completing")
            );
            world.assert_accounted_for();
            let licences = world.registry.licences_after(None, 10).unwrap();
            let old = world.registry.licence(&first).unwrap().unwrap();
            let (count, state, documents) = match act_name {
                "stamp" => (2, LicenceState::Issued, 1),
                "reissue" => (2, LicenceState::Reissued, 1),
                _ => (1, LicenceState::Issued, 2),
            };
            assert_eq!(
                (licences.len(), old.state, old.documents.len()),
                (count, state, documents),
                "{act_name} {point}"
            );
            for voided in recovery.voided.iter().filter(|number| **number != first) {
                assert!(!licences.contains(voided), "{voided} was handed out again");
            }
        }
    }
}

#[test]
fn killed_while_start_up_voids() {
    for point in ["before-voiding", "after-voiding"] {
        let folder = tempfile::tempdir().unwrap();
        let world = World::open(folder.path(), Fault::default());
        world.stamp(&world.register("first"), None).unwrap();
        drop(world);
        let status =
            child("crash::child_that_dies_at_a_point", folder.path(), "after-intent", "stamp").status().unwrap();
        assert_eq!(status.signal(), Some(9));
        let status = child("crash::child_that_recovers", folder.path(), point, "").status().unwrap();
        assert_eq!(status.signal(), Some(9));
        let world = World::open(folder.path(), Fault::default());
        assert_eq!(world.service.recover().unwrap().voided.len(), usize::from(point == "before-voiding"));
        world.assert_accounted_for();
    }
}

#[test]
#[ignore = "started by killed_while_start_up_voids"]
fn child_that_recovers() {
    let Some(world) = child_world() else { return };
    let _ = world.service.recover();
}

#[test]
#[ignore = "started by killed_at_any_moment_under_load"]
fn child_that_stamps_until_it_is_killed() {
    let Some(world) = child_world() else { return };
    world.service.recover().unwrap();
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let world = &world;
            scope.spawn(move || {
                for turn in 0_u64.. {
                    let request = world.register(&format!("{} {caller} {turn}", std::process::id()));
                    world.stamp(&request, Some(&request.0)).unwrap();
                }
            });
        }
    });
}

#[test]
fn killed_at_any_moment_under_load() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5_u64 {
        let mut running = child("crash::child_that_stamps_until_it_is_killed", folder.path(), "", "").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400 + 61 * round));
        running.kill().unwrap();
        assert_eq!(running.wait().unwrap().signal(), Some(9), "the child died by itself");
    }
    let world = World::open(folder.path(), Fault::default());
    world.service.recover().unwrap();
    world.assert_accounted_for();
    let licences = world.registry.licences_after(None, usize::MAX).unwrap();
    assert!(licences.len() > 10, "only {} licences: the child hardly ran", licences.len());
}
