//! Random readings, random schedules: whatever breaks off, is delivered again, or goes on too late.

use proptest::{collection::vec, prelude::*};

use super::{
    gate::Answer,
    scene::{Scene, Values},
};

/// How many invocations there are at once.
const MOST: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// An event comes, and its first calls are answered.
    Deliver {
        event: usize,
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
    Tick {
        seconds: usize,
    },
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![5 => Just(Answer::Given), 1 => Just(Answer::Unheard), 1 => Just(Answer::Lost), 1 => Just(Answer::Late)]
}

fn step() -> impl Strategy<Value = Step> {
    let calls = prop_oneof![3 => Just(1_usize), 2 => 1..4_usize, 1 => 4..12_usize];
    prop_oneof![
        8 => (0..64_usize, 0..8_usize).prop_map(|(event, calls)| Step::Deliver { event, calls }),
        12 => (0..MOST, 0..4_usize, calls, answer())
            .prop_map(|(who, call, calls, answer)| Step::Go { who, call, calls, answer }),
        1 => (0..MOST).prop_map(|who| Step::Crash { who }),
        1 => (0..8_usize).prop_map(|which| Step::Arrive { which }),
        2 => prop_oneof![3 => Just(1_usize), 1 => Just(31_usize)].prop_map(|seconds| Step::Tick { seconds }),
    ]
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![Just(70.0), Just(77.0), Just(81.0), Just(96.0)], 1..6)
}

type Events = Vec<Vec<(&'static str, usize)>>;

/// Two devices, and their readings in any order, some at once.
fn world() -> impl Strategy<Value = (Values, Events)> {
    (values(), values(), vec(1..4_usize, 1..12)).prop_flat_map(|(a, b, sizes)| {
        let all: Vec<_> = (0..a.len()).map(|at| ("a", at)).chain((0..b.len()).map(|at| ("b", at))).collect();
        let values = Values::from([("a", a), ("b", b)]);
        (Just(values), Just(all).prop_shuffle(), Just(sizes)).prop_map(|(values, all, sizes)| {
            let (mut events, mut rest, mut sizes) = (Vec::new(), &all[..], sizes.into_iter().cycle());
            while !rest.is_empty() {
                let (event, after) = rest.split_at(sizes.next().unwrap_or(1).min(rest.len()));
                events.push(event.to_vec());
                rest = after;
            }
            (values, events)
        })
    })
}

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Everything.
    Rough,
    /// Invocations at once, and nothing fails.
    Calm,
}

async fn take(scene: &mut Scene, events: usize, weather: Weather, step: &Step) {
    let (running, calm) = (scene.running.len(), weather == Weather::Calm);
    match *step {
        Step::Deliver { event, calls } => {
            if running == MOST {
                // The oldest ends well, or it is as if it had crashed.
                if calm {
                    scene.finish_all().await;
                }
                scene.running.remove(0);
            }
            let who = scene.deliver(event % events);
            for _ in 0..calls {
                scene.go(who, 0, Answer::Given).await;
            }
        }
        Step::Go { who, call, calls, answer } if running > 0 => {
            for at in 1..=calls {
                let answer = if at == calls && !calm { answer } else { Answer::Given };
                scene.go(who % running, call, answer).await;
            }
        }
        Step::Crash { who } if running > 0 && !calm => drop(scene.running.remove(who % running)),
        Step::Arrive { which } => {
            scene.arrive(which);
        }
        // In calm weather nobody stops for so long that another one takes over.
        Step::Tick { seconds } if !calm || scene.sleeps() => {
            for _ in 0..if calm { 1 } else { seconds } {
                scene.tick().await;
            }
        }
        _ => {}
    }
}

fn check(weather: Weather, (values, events): (Values, Events), steps: &[Step]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut scene = Scene::new(values, &events);
        for step in steps {
            take(&mut scene, events.len(), weather, step).await;
        }
        scene.finish_all().await;
        scene.complete().await;
        scene.check();
        assert!(weather == Weather::Rough || !scene.repeats(), "{:#?}", scene.world.notify.published());
    });
}

proptest! {
    #[test]
    fn each_incident_is_told_once_whatever_breaks_off(world in world(), steps in vec(step(), 0..50)) {
        check(Weather::Rough, world, &steps);
    }

    #[test]
    fn at_once_and_unbroken_nothing_is_published_twice(world in world(), steps in vec(step(), 0..50)) {
        check(Weather::Calm, world, &steps);
    }
}
