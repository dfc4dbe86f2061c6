//! A failure at every call of every port, one after the other: the event comes again, and all is as if nothing had been.

use std::collections::BTreeSet;

use tokio::time::advance;

use super::*;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It has no effect.
    Before,
    /// It has an effect that its caller does not hear of.
    After,
    /// It and all after it have none, until the event comes again.
    Crash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    State,
    Notify,
    Stream,
    Store,
}

impl World {
    fn plan(&self, port: Port, call: u64, fault: Fault) {
        match port {
            Port::State => plan(&self.state.faults(), call, fault),
            Port::Notify => plan(&self.notify.faults(), call, fault),
            Port::Stream => plan(&self.stream.faults(), call, fault),
            Port::Store => plan(&self.store.faults(), call, fault),
        }
    }

    fn calls(&self, port: Port) -> u64 {
        match port {
            Port::State => self.state.faults().total(),
            Port::Notify => self.notify.faults().total(),
            Port::Stream => self.stream.faults().total(),
            Port::Store => self.store.faults().total(),
        }
    }

    fn revive(&self) {
        self.state.faults().revive();
        self.notify.faults().revive();
        self.stream.recover();
        self.store.faults().revive();
    }

    /// Delivers an event as Lambda does, up to three times, a minute apart.
    async fn deliver_again_and_again(&self, body: &Value) {
        for _ in 0..3 {
            if self.deliver(body).await.is_ok() {
                return;
            }
            self.revive();
            advance(Duration::from_mins(1)).await;
        }
        panic!("not even the third time: {body}");
    }
}

fn plan<V: Copy + Ord, E: Unavailable>(faults: &headgate::faults::Faults<V, E>, call: u64, fault: Fault) {
    match fault {
        Fault::Before => faults.fail_before(call, E::unavailable("planned")),
        Fault::After => faults.fail_after(call),
        Fault::Crash => faults.crash_from(call),
    }
}

fn events() -> [Value; 4] {
    [
        json!([reading("a", 1, 70.0), reading("b", 1, 99.0)]),
        json!([reading("a", 2, 81.0), {"device": "bad"}]),
        reading("a", 3, 70.0),
        json!([reading("b", 3, 70.0), reading("b", 2, 81.0), reading("a", 4, 99.0)]),
    ]
}

/// What was told, each once, and all else.
async fn outcome(world: &World) -> (BTreeSet<String>, BTreeSet<Vec<u8>>, usize) {
    let told =
        world.notify.published().into_iter().map(|notice| format!("{} {}", notice.deduplication, notice.subject));
    let sent = world.stream.records().into_iter().map(|record| record.data.to_vec());
    (told.collect(), sent.collect(), world.lines().await.len())
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_any_call_changes_nothing() {
    let quiet = World::new(&dataset());
    for event in events() {
        quiet.deliver(&event).await.unwrap();
    }
    let ports = [Port::State, Port::Notify, Port::Stream, Port::Store].map(|port| (port, quiet.calls(port)));
    let expected = outcome(&quiet).await;
    assert_eq!((expected.0.len(), expected.1.len(), expected.2), (5, 7, 1));
    for (port, calls) in ports {
        assert!(calls > 0, "{port:?}");
        for call in 1..=calls {
            for fault in [Fault::Before, Fault::After, Fault::Crash] {
                let world = World::new(&dataset());
                world.plan(port, call, fault);
                for event in events() {
                    world.deliver_again_and_again(&event).await;
                }
                world.revive();
                assert_eq!(outcome(&world).await, expected, "{fault:?} at {port:?} {call}");
                let published = world.notify.published().len();
                // Only where a publication, or the note that it was made, is not heard of, is it made again.
                let may_repeat = port == Port::State || (port == Port::Notify && fault == Fault::After);
                assert!(published == expected.0.len() || (may_repeat && published == expected.0.len() + 1));
            }
        }
    }
}
