//! The truth table of validation with time (EN 319 102-1 §5.5.4; `validation.md` §6.5), through the whole verification:
//! real certificates, lists and tokens at every place of the time line.

use crate::scene::{Scene, certificate, failure, first_token, moment, signature_value, stamped};
use std::sync::Arc;
use tamga::demonstration::{Credential, CrlTemplate, Holder, Key, KeyKind, RevokedEntry, Validity};
use tamga::report::{Decision, Indication, SubIndication, Time, TimestampOutcome, ValidationReport};
use tamga::verify::policy::Severity;

/// A day of the time line: notBefore is day 100, notAfter day 200, everything else is valid throughout.
fn day(number: i64) -> Time {
    moment().plus_seconds((number - 150) * Validity::DAY)
}

/// Rows: what is known about the signer's certificate (or its authority's), and on which day. Columns: the day of the
/// token; `none` is no token, and so no proof.
///
/// Revoked since day 140 (early) or 240 (late). Lists are of the day before, except: `not-fresh` has one of day 149 that
/// ends on day 160; `expired-known-good` has one of day 199, which speaks of the certificate, `expired` one of day 249,
/// which does not (attack 26); `unavailable` has none.
///
/// ok TOTAL_PASSED · NYV TOTAL_FAILED/NOT_YET_VALID · rev REVOKED_NO_POE · rca REVOKED_CA_NO_POE · onr
/// OUT_OF_BOUNDS_NOT_REVOKED · oob OUT_OF_BOUNDS_NO_POE · try TRY_LATER
const TABLE: &str = "
    status              reason               now  none   99  100  139  140  141  160  161  199  200  201
    passed              -                    150  ok    NYV   ok   ok   ok   ok    -    -    -    -    -
    revoked-early       absent               150  rev   rev  rev  rev  rev  rev    -    -    -    -    -
    revoked-early       keyCompromise        150  rev   rev  rev  rev  rev  rev    -    -    -    -    -
    revoked-early       cACompromise         150  rev   rev  rev  rev  rev  rev    -    -    -    -    -
    revoked-early       aACompromise         150  rev   rev  rev  rev  rev  rev    -    -    -    -    -
    revoked-early       affiliationChanged   150  rev   NYV   ok   ok  rev  rev    -    -    -    -    -
    revoked-early       superseded           150  rev   NYV   ok   ok  rev  rev    -    -    -    -    -
    revoked-early       cessationOfOperation 150  rev   NYV   ok   ok  rev  rev    -    -    -    -    -
    revoked-early       privilegeWithdrawn   150  rev   NYV   ok   ok  rev  rev    -    -    -    -    -
    revoked-early       superseded           250  rev   NYV   ok   ok  rev  rev  rev  rev  rev  rev  rev
    revoked-early       keyCompromise        250  rev   rev  rev  rev  rev  rev  rev  rev  rev  rev  rev
    revoked-late        superseded           250  rev   NYV   ok   ok   ok   ok   ok   ok   ok   ok  onr
    revoked-late        absent               250  rev   rev  rev  rev  rev  rev  rev  rev  rev  rev  rev
    authority-early     superseded           150  rca   NYV   ok   ok  rca  rca    -    -    -    -    -
    authority-early     cACompromise         150  rca   rca  rca  rca  rca  rca    -    -    -    -    -
    authority-late      superseded           250  rca   NYV   ok   ok   ok   ok   ok   ok   ok   ok  onr
    authority-late      cACompromise         250  rca   rca  rca  rca  rca  rca  rca  rca  rca  rca  rca
    revoked-early       certificateHold      150  try   NYV   ok   ok  try  try    -    -    -    -    -
    revoked-early       certificateHold      250  oob   NYV   ok   ok  oob  oob  oob  oob  oob  oob  oob
    expired-known-good  -                    250  onr   NYV   ok   ok   ok   ok   ok   ok   ok   ok  onr
    expired             -                    250  oob   NYV  oob  oob  oob  oob  oob  oob  oob  oob  oob
    not-fresh           -                    170  try   NYV   ok   ok   ok   ok   ok  try    -    -    -
    not-fresh           -                    250  oob   NYV   ok   ok   ok   ok   ok  oob  oob  oob  oob
    unavailable         -                    150  try   NYV  try  try  try  try    -    -    -    -    -
    unavailable         -                    250  oob   NYV  oob  oob  oob  oob  oob  oob  oob  oob  oob
";

fn reason_code(name: &str) -> Option<u8> {
    match name {
        "absent" | "-" => None,
        "keyCompromise" => Some(1),
        "cACompromise" => Some(2),
        "affiliationChanged" => Some(3),
        "superseded" => Some(4),
        "cessationOfOperation" => Some(5),
        "certificateHold" => Some(6),
        "privilegeWithdrawn" => Some(9),
        "aACompromise" => Some(10),
        other => panic!("{other}"),
    }
}

fn entry(of: &Credential, at: Time, reason: &str) -> RevokedEntry {
    let entry = RevokedEntry::new(&of.serial_number, at);
    match reason_code(reason) {
        Some(code) => entry.reason(code),
        None => entry,
    }
}

/// A list of one day that ends on another.
fn list(this_update: i64, next_update: i64) -> CrlTemplate {
    CrlTemplate::new(day(this_update), 1).next_update(Some(day(next_update)))
}

/// The scene of the table: the authority of the tokens stands under the root, so that the signer's side can be revoked
/// without it.
fn scene() -> Scene {
    let mut scene = Scene::new(moment(), KeyKind::P256);
    let key = Arc::clone(&scene.signer.key);
    let validity = Validity { not_before: day(100), not_after: day(200) };
    let template = scene.world.template(&Holder::person(), key.spki()).validity(validity);
    scene.signer = scene.world.authority.issue(&template, key).unwrap();
    let key = Arc::clone(&scene.authority.key);
    scene.authority = scene.world.root.issue(&scene.world.timestamp_template(key.spki()), key).unwrap();
    scene
}

/// The lists of the root and of the authority, as a row says.
fn lists(scene: &Scene, status: &str, reason: &str, now: i64) -> Vec<Vec<u8>> {
    let root = list(149, 400);
    let recent = || list(now - 1, now + 10);
    let (root, authority) = match status {
        "passed" | "expired" => (root, Some(recent())),
        "revoked-early" => (root, Some(recent().revoke(entry(&scene.signer, day(140), reason)))),
        "revoked-late" => (root, Some(recent().revoke(entry(&scene.signer, day(240), reason)))),
        "authority-early" => (root.revoke(entry(&scene.world.authority, day(140), reason)), Some(recent())),
        "authority-late" => {
            let root = list(249, 400).revoke(entry(&scene.world.authority, day(240), reason));
            (root, Some(list(199, 260)))
        }
        "expired-known-good" => (root, Some(list(199, 260))),
        "not-fresh" => (root, Some(list(149, 160))),
        "unavailable" => (root, None),
        other => panic!("{other}"),
    };
    let authority = authority.map(|template| template.issue(&scene.world.authority).unwrap());
    std::iter::once(root.issue(&scene.world.root).unwrap()).chain(authority).collect()
}

fn expected(cell: &str) -> (Indication, Option<SubIndication>) {
    use SubIndication as S;
    match cell {
        "ok" => (Indication::TotalPassed, None),
        "NYV" => (Indication::TotalFailed, Some(S::NotYetValid)),
        "rev" => (Indication::Indeterminate, Some(S::RevokedNoPoe)),
        "rca" => (Indication::Indeterminate, Some(S::RevokedCaNoPoe)),
        "onr" => (Indication::Indeterminate, Some(S::OutOfBoundsNotRevoked)),
        "oob" => (Indication::Indeterminate, Some(S::OutOfBoundsNoPoe)),
        "try" => (Indication::Indeterminate, Some(S::TryLater)),
        other => panic!("{other}"),
    }
}

#[test]
fn every_row_is_right() {
    let scene = scene();
    let document = scene.signed(b"a request");
    let value = signature_value(&document);
    let mut lines = TABLE.lines().map(str::trim).filter(|line| !line.is_empty());
    let columns: Vec<&str> = lines.next().unwrap().split_whitespace().skip(3).collect();
    let (mut judged, mut wrong) = (0, Vec::new());
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (status, reason, now): (_, _, i64) = (words[0], words[1], words[2].parse().unwrap());
        let lists = lists(&scene, status, reason, now);
        for (column, cell) in columns.iter().zip(&words[3..]).filter(|(_, cell)| **cell != "-") {
            let (document, time) = match *column {
                "none" => (document.clone(), day(now)),
                number => {
                    let time = day(number.parse().unwrap());
                    assert!(time <= day(now), "a token is never of the future");
                    (stamped(&document, &scene.token(&value, time)), time)
                }
            };
            let report = scene.verify_with(&document, day(now), Severity::Refuse, &lists);
            judged += 1;
            let found = (report.indication, report.sub_indication);
            if found != expected(cell) || report.best_signature_time != time {
                let code = report.refusal.map(|refusal| refusal.code);
                wrong.push(format!("{status} {reason} now {now}, token {column}: {cell}, found {found:?} {code:?}"));
            }
            let accepted = report.decision == Decision::Accepted;
            assert_eq!(accepted, *cell == "ok", "{line}: {column}");
        }
    }
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged >= 60, "{judged}");
}

/// The signer's certificate ended on day 200; a token of day 150 judged on day 250, with what is known of the authority.
fn late(scene: &Scene, lists: &[Vec<u8>], token_day: i64, now: i64) -> ValidationReport {
    let document = scene.signed(b"a request");
    let token = scene.token(&signature_value(&document), day(token_day));
    scene.verify_with(&stamped(&document, &token), day(now), Severity::Warn, lists)
}

/// RFC 3161 §4, item 1 and 2: what a revocation of the authority leaves of its tokens.
#[test]
fn a_revoked_authority_proves_only_what_came_before_for_a_reason_that_does_not_look_backward() {
    let scene = scene();
    let rows = [
        ("superseded", 160, None),
        ("cessationOfOperation", 160, None),
        ("superseded", 150, Some("tsp-revoked")),
        ("superseded", 140, Some("tsp-revoked")),
        ("keyCompromise", 160, Some("tsp-revoked")),
        ("absent", 160, Some("tsp-revoked")),
    ];
    for (reason, since, code) in rows {
        let root = list(249, 400).revoke(entry(&scene.authority, day(since), reason)).issue(&scene.world.root).unwrap();
        let authority = list(199, 260).issue(&scene.world.authority).unwrap();
        let report = late(&scene, &[root, authority], 150, 250);
        assert_eq!(first_token(&report).code.as_deref(), code, "{reason} since {since}");
        assert_eq!(report.decision == Decision::Accepted, code.is_none());
        let proven = if code.is_none() { day(150) } else { day(250) };
        assert_eq!(report.best_signature_time, proven);
        assert_eq!(report.signatures[0].level, if code.is_none() { "T" } else { "B" });
    }
}

#[test]
fn an_authority_that_nothing_is_known_about_proves_nothing() {
    let scene = scene();
    let authority = list(199, 260).issue(&scene.world.authority).unwrap();
    let stale = list(149, 160).issue(&scene.world.root).unwrap();
    for lists in [vec![authority.clone()], vec![authority, stale]] {
        let report = late(&scene, &lists, 150, 250);
        assert_eq!(first_token(&report).code.as_deref(), Some("tsp-revocation-unavailable"));
        assert_eq!(first_token(&report).outcome, TimestampOutcome::Unconfirmed);
        assert_eq!((failure(&report), report.best_signature_time), (None, day(250)));
        assert_eq!(report.decision, Decision::Refused);
    }
}

/// A token cannot prove that it is older than the end of its own certificate: that takes an archive time-stamp.
#[test]
fn an_expired_authority_proves_nothing_by_itself() {
    let mut scene = scene();
    let validity = Validity { not_before: day(100), not_after: day(220) };
    let key = Key::cached(KeyKind::P256, "time-stamping authority").unwrap();
    let template = scene.world.timestamp_template(key.spki()).validity(validity);
    scene.authority = scene.world.root.issue(&template, key).unwrap();
    let lists =
        [list(149, 400).issue(&scene.world.root).unwrap(), list(199, 260).issue(&scene.world.authority).unwrap()];
    let before = late(&scene, &lists, 150, 210);
    assert_eq!((before.decision, before.best_signature_time), (Decision::Accepted, day(150)));
    let after = late(&scene, &lists, 150, 250);
    assert_eq!(first_token(&after).code.as_deref(), Some("tsp-expired"));
    assert_eq!(after.sub_indication, Some(SubIndication::OutOfBoundsNotRevoked));
    assert_eq!(certificate(&scene.authority).not_after(), day(220));
}

/// The earliest of several valid tokens counts.
#[test]
fn the_earliest_token_counts() {
    let scene = scene();
    let document = scene.signed(b"a request");
    let value = signature_value(&document);
    let lists = lists(&scene, "passed", "-", 150);
    let two = stamped(&stamped(&document, &scene.token(&value, day(140))), &scene.token(&value, day(120)));
    let report = scene.verify_with(&two, day(150), Severity::Refuse, &lists);
    assert_eq!((report.decision, report.best_signature_time), (Decision::Accepted, day(120)));
    assert_eq!(report.signatures[0].timestamps.len(), 2);
}
