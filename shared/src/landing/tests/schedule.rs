//! Random shards, random schedules: whatever crashes, is delivered again, or goes on too late.

use proptest::{collection::vec, prelude::*};

use super::{
    gate::Answer,
    scene::{Kind, Record, Scene},
};

/// How many invocations of a shard there are at once.
const MOST: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// A batch that begins `back` records before the one after the checkpoint, and the first calls for it.
    Deliver {
        back: usize,
        records: usize,
        calls: usize,
    },
    /// An invocation makes calls, of which the last one is answered so.
    Go {
        who: usize,
        call: usize,
        calls: usize,
        answer: Answer,
    },
    Crash {
        who: usize,
    },
    /// A request arrives whose caller has given up.
    Arrive {
        which: usize,
    },
    Contract {
        contract: u8,
    },
}

fn record(partitions: u8) -> impl Strategy<Value = (u64, u8, Kind, bool)> {
    let kind = prop_oneof![6 => Just(Kind::Good), 2 => Just(Kind::Bad), 1 => Just(Kind::Dropped)];
    (1..3_u64, 0..partitions, kind, any::<bool>())
}

/// Places around 100, where the digits become more.
fn records() -> impl Strategy<Value = Vec<Record>> {
    (1..3_u8).prop_flat_map(|partitions| vec(record(partitions), 1..10)).prop_map(|records| {
        let mut place = 92;
        let next = |(gap, partition, kind, moves)| {
            place += gap;
            Record { place, partition, kind, moves }
        };
        records.into_iter().map(next).collect()
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => Just(Answer::Given),
        1 => Just(Answer::Unheard),
        1 => Just(Answer::Lost),
        1 => Just(Answer::Late),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let back = prop_oneof![4 => Just(0_usize), 1 => 0..4_usize];
    let calls = prop_oneof![2 => Just(1_usize), 1 => 1..4_usize, 1 => 4..12_usize];
    prop_oneof![
        8 => (back, 1..6_usize, 0..9_usize).prop_map(|(back, records, calls)| Step::Deliver { back, records, calls }),
        8 => (0..MOST, 0..16_usize, calls, answer())
            .prop_map(|(who, call, calls, answer)| Step::Go { who, call, calls, answer }),
        1 => (0..MOST).prop_map(|who| Step::Crash { who }),
        1 => (0..8_usize).prop_map(|which| Step::Arrive { which }),
        1 => (0..3_u8).prop_map(|contract| Step::Contract { contract }),
    ]
}

/// What happens at once: invocations that overlap, or contracts that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    Overlapping,
    Changing,
}

fn take(scene: &mut Scene, world: World, step: &Step) {
    let running = scene.running.len();
    match *step {
        Step::Deliver { back, records, calls } => {
            if world == World::Changing {
                scene.running.clear();
            } else if running == MOST {
                scene.crash(0);
            }
            let from = scene.done().saturating_sub(back).min(scene.len() - 1);
            let who = scene.deliver(from, (from + records).min(scene.len()));
            for _ in 0..calls {
                scene.go(who, 0, Answer::Given);
            }
        }
        Step::Go { who, call, calls, answer } if running > 0 => {
            // A late request is as bad as a slow invocation.
            let answer = if world == World::Changing && answer == Answer::Late { Answer::Lost } else { answer };
            for at in 1..=calls {
                scene.go(who % running, call, if at == calls { answer } else { Answer::Given });
            }
        }
        Step::Crash { who } if running > 0 => scene.crash(who % running),
        Step::Arrive { which } => {
            scene.arrive(which);
        }
        Step::Contract { contract } if world == World::Changing => scene.contract = contract,
        _ => {}
    }
}

fn check(world: World, records: Vec<Record>, steps: &[Step], at_once: usize) {
    let mut scene = Scene::new(records, world == World::Overlapping);
    for step in steps {
        take(&mut scene, world, step);
    }
    if world == World::Changing {
        scene.running.clear();
    }
    let slow = scene.running.len();
    scene.complete(at_once);
    for who in 0..slow {
        while scene.go(who, 0, Answer::Given) {}
    }
    while scene.arrive(0) {}
    scene.check_all();
}

fn run(world: World) {
    let asked = ProptestConfig::default();
    let config = ProptestConfig { cases: asked.cases * 4, failure_persistence: None, ..asked };
    let steps = vec(step(), 0..40);
    proptest!(config, |(records in records(), steps in steps, at_once in 1..5_usize)| {
        check(world, records, &steps, at_once);
    });
}

#[test]
fn invocations_that_overlap_lose_and_double_nothing() {
    run(World::Overlapping);
}

#[test]
fn contracts_that_change_lose_and_double_nothing() {
    run(World::Changing);
}
