//! A failure at every call, then the same records again, with other bounds.

use super::{
    gate::Answer,
    scene::{Kind, Record, Scene},
};
use crate::error::Class;

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Answered(Answer),
    CrashBefore,
    CrashAfter,
}

const FAULTS: [Fault; 5] = [
    Fault::Answered(Answer::Unheard),
    Fault::Answered(Answer::Lost),
    Fault::Answered(Answer::Late),
    Fault::CrashBefore,
    Fault::CrashAfter,
];

/// A shard with an attempt that wrote its objects and crashed, and whether the contract changed after it.
fn scene(changes: bool) -> Scene {
    let record = |place| {
        let kind = if place == 3 { Kind::Bad } else { Kind::Good };
        Record { kind, moves: place % 2 == 0, ..Record::good(place, u8::from(place > 4)) }
    };
    let mut scene = Scene::new((1..=6).map(record).collect(), !changes);
    let who = scene.deliver(0, 4);
    scene.until(who, "change");
    scene.go(who, 0, Answer::Given);
    scene.until(who, "change");
    scene.crash(who);
    scene.contract = u8::from(changes);
    scene
}

/// Call number `number` of the next attempt goes wrong; false where it makes fewer.
fn check(changes: bool, number: usize, fault: Fault, at_once: usize) -> bool {
    let mut scene = scene(changes);
    let who = scene.deliver(0, 5);
    for _ in 1..number {
        if !scene.go(who, 0, Answer::Given) {
            return false;
        }
    }
    match fault {
        Fault::Answered(answer) => {
            scene.go(who, 0, answer);
            let end = scene.finish(who);
            assert!(end.as_ref().err().is_none_or(|error| error.class == Class::Retry), "{end:?}");
        }
        Fault::CrashBefore => {}
        Fault::CrashAfter => {
            scene.go(who, 0, Answer::Given);
        }
    }
    scene.crash(who);
    scene.complete(at_once);
    while scene.arrive(0) {}
    scene.check_all();
    true
}

#[test]
fn an_attempt_fails_anywhere() {
    for (changes, fault) in [false, true].into_iter().flat_map(|changes| FAULTS.map(|fault| (changes, fault))) {
        for at_once in [1, 2, 6] {
            let calls = (1..100).take_while(|number| check(changes, *number, fault, at_once)).count();
            assert!(calls > 10, "only {calls} calls");
        }
    }
}
