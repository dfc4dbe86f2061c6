//! One test for each hole that the protocol closes, call by call.

use super::{
    gate::Answer,
    scene::{Record, Scene},
};
use crate::{
    error::{Class, Code, Error},
    landing::Landed,
};

const FIRST: &str = "raw/p=0/orders--7--00000000000000000001.txt";

/// Records 1 to 5, of which 3 and 4 go to the second partition.
fn scene(steady: bool) -> Scene {
    let record = |place| Record::good(place, u8::from(matches!(place, 3 | 4)));
    Scene::new((1..=5).map(record).collect(), steady)
}

/// An attempt that wrote its objects and nothing more.
fn crashes_after_writing(scene: &mut Scene, from: usize, to: usize) {
    let who = stands_before_its_end(scene, from, to);
    scene.crash(who);
}

fn stands_before_its_end(scene: &mut Scene, from: usize, to: usize) -> usize {
    let who = scene.deliver(from, to);
    scene.until(who, "change");
    scene.go(who, 0, Answer::Given);
    scene.until(who, "change");
    who
}

fn contended(end: &Result<Landed, Error>) {
    let told = end.as_ref().map_err(|error| (error.class, error.code));
    assert_eq!(told, Err((Class::Retry, Code::Contended)));
}

fn objects(scene: &Scene) -> Vec<(String, Vec<u64>)> {
    let short = |key: String| key.replace("orders--7--0000000000000000000", "").replace(".txt", "");
    scene.objects().into_iter().map(|(key, places)| (short(key), places)).collect()
}

fn check(scene: &Scene, expected: &[(&str, &[u64])], checkpoint: u64) {
    let expected: Vec<_> = expected.iter().map(|(key, places)| ((*key).to_owned(), places.to_vec())).collect();
    assert_eq!((objects(scene), scene.checkpoint()), (expected, checkpoint));
}

#[test]
fn a_slow_attempt_does_not_move_the_checkpoint() {
    let mut scene = scene(true);
    let slow = stands_before_its_end(&mut scene, 0, 5);
    let done = scene.land(0, 2).unwrap();
    assert_eq!((done.placed, done.replaced, done.removed), (0, 1, 0));
    contended(&scene.finish(slow));
    // What it wrote of the later records stays, until the next batch takes its place.
    check(&scene, &[("raw/p=0/1", &[1, 2]), ("raw/p=1/3", &[3, 4])], 2);
    scene.complete(1);
    check(&scene, &[("raw/p=0/1", &[1, 2]), ("raw/p=0/5", &[5]), ("raw/p=1/3", &[3]), ("raw/p=1/4", &[4])], 5);
}

/// A slow attempt at the records 1 to 5 stands at `call` when another lands 1 and 2.
fn overtaken_at(call: &str) {
    let mut scene = scene(true);
    crashes_after_writing(&mut scene, 0, 1);
    let slow = scene.deliver(0, 5);
    scene.until(slow, call);
    scene.land(0, 2).unwrap();
    contended(&scene.finish(slow));
    assert_eq!(objects(&scene)[0], ("raw/p=0/1".to_owned(), vec![1, 2]), "{call}");
    scene.complete(5);
}

#[test]
fn a_slow_attempt_does_not_replace_its_successors_object() {
    overtaken_at("change");
    overtaken_at(&format!("create {FIRST}"));
    overtaken_at(&format!("head {FIRST}"));
    overtaken_at(&format!("replace {FIRST}"));
}

#[test]
fn the_same_rows_of_another_attempt_are_another_object() {
    let mut scene = scene(true);
    crashes_after_writing(&mut scene, 0, 2);
    let slow = scene.deliver(0, 5);
    // It has seen the object of the attempt before, and that nobody has taken over.
    scene.until(slow, &format!("replace {FIRST}"));
    // The same rows as the attempt before.
    scene.land(0, 2).unwrap();
    contended(&scene.finish(slow));
    assert_eq!(objects(&scene)[0], ("raw/p=0/1".to_owned(), vec![1, 2]));
    scene.complete(5);
}

#[test]
fn two_attempts_cannot_both_claim() {
    let mut scene = scene(true);
    let [left, right] = [scene.deliver(0, 5), scene.deliver(0, 2)];
    scene.until(left, "change");
    scene.until(right, "change");
    scene.finish(right).unwrap();
    contended(&scene.finish(left));
    check(&scene, &[("raw/p=0/1", &[1, 2])], 2);
}

/// A put that is answered so, and what is reported of it in the end.
fn unknown(answer: Answer, expected: (u64, u64)) {
    let mut scene = scene(true);
    let who = scene.deliver(0, 2);
    scene.until(who, &format!("create {FIRST}"));
    scene.go(who, 0, answer);
    let landed = scene.finish(who).unwrap();
    assert_eq!((landed.placed, landed.replaced), expected, "{answer:?}");
    scene.arrive(0);
    check(&scene, &[("raw/p=0/1", &[1, 2])], 2);
}

#[test]
fn a_put_of_unknown_outcome_is_made_again() {
    unknown(Answer::Unheard, (1, 0));
    unknown(Answer::Lost, (0, 1));
    unknown(Answer::Late, (1, 0));
}

#[test]
fn a_port_that_stays_silent_ends_the_attempt() {
    let mut scene = scene(true);
    let who = scene.deliver(0, 2);
    scene.until(who, &format!("create {FIRST}"));
    while scene.go(who, 0, Answer::Unheard) {}
    let error = scene.running[who].end.clone().unwrap().unwrap_err();
    assert_eq!((error.class, error.code), (Class::Retry, Code::Unavailable));
    check(&scene, &[], 0);
    scene.complete(5);
}

#[test]
fn leftovers_go_once_their_records_are_done() {
    let mut scene = scene(false);
    crashes_after_writing(&mut scene, 0, 5);
    check(&scene, &[("raw/p=0/1", &[1, 2, 5]), ("raw/p=1/3", &[3, 4])], 0);
    scene.contract = 2;
    let done = scene.land(0, 2).unwrap();
    assert_eq!((done.placed, done.replaced, done.removed), (1, 0, 1));
    check(&scene, &[("quarantine/1", &[1, 2]), ("raw/p=1/3", &[3, 4])], 2);
    assert_eq!(scene.outstanding().len(), 1, "the other begins later");
    let done = scene.land(2, 3).unwrap();
    assert_eq!((done.placed, done.replaced, done.removed), (1, 0, 1));
    check(&scene, &[("quarantine/1", &[1, 2]), ("quarantine/3", &[3])], 3);
    scene.complete(5);
}

#[test]
fn leftovers_that_were_not_removed_go_with_the_next_delivery() {
    let mut scene = scene(false);
    crashes_after_writing(&mut scene, 0, 2);
    scene.contract = 2;
    let who = scene.deliver(0, 2);
    scene.until(who, &format!("delete {FIRST}"));
    scene.crash(who);
    check(&scene, &[("quarantine/1", &[1, 2]), ("raw/p=0/1", &[1, 2])], 2);
    assert_eq!(scene.land(0, 2).unwrap(), Landed { removed: 1, ..Landed::default() });
    check(&scene, &[("quarantine/1", &[1, 2])], 2);
    assert_eq!(scene.land(0, 2).unwrap(), Landed::default());
    scene.complete(5);
}

#[test]
fn what_is_left_of_skipped_records_goes() {
    let mut scene = scene(true);
    crashes_after_writing(&mut scene, 0, 2);
    // Delivered too often: the stream goes on, and the batch is where failed ones go.
    scene.records.drain(..2);
    let done = scene.land(0, 3).unwrap();
    assert_eq!((done.placed, done.removed), (2, 1));
    check(&scene, &[("raw/p=0/5", &[5]), ("raw/p=1/3", &[3, 4])], 5);
    scene.check_all();
}
