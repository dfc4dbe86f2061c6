//! Every way in which a call of lake or state goes wrong → the plan for it.

use headgate::{faults::Unavailable, state::memory::MemoryState, store::memory::MemoryStore};

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It has no effect.
    Unanswered,
    /// It has its effect, and nobody hears of it.
    Unheard,
    /// From here on there is nobody who calls.
    Crash,
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Store,
    State,
}

/// A call that goes wrong.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    port: Port,
    /// Of the calls of its port from now on, the first being 1.
    number: u64,
    fault: Fault,
}

/// All plans for the first calls of each port.
pub fn plans(calls: u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    for port in [Port::Store, Port::State] {
        for fault in [Fault::Unanswered, Fault::Unheard, Fault::Crash] {
            plans.extend((1..=calls).map(|number| Plan { port, number, fault }));
        }
    }
    plans
}

impl Plan {
    pub fn set(self, store: &MemoryStore, state: &MemoryState) {
        let (store, state) = (store.faults(), state.faults());
        match (self.port, self.fault) {
            (Port::Store, Fault::Unanswered) => {
                store.fail_before(store.total() + self.number, Unavailable::unavailable("the call"));
            }
            (Port::State, Fault::Unanswered) => {
                state.fail_before(state.total() + self.number, Unavailable::unavailable("the call"));
            }
            (Port::Store, Fault::Unheard) => store.fail_after(store.total() + self.number),
            (Port::State, Fault::Unheard) => state.fail_after(state.total() + self.number),
            (Port::Store, Fault::Crash) => store.crash_from(store.total() + self.number),
            (Port::State, Fault::Crash) => state.crash_from(state.total() + self.number),
        }
    }
}

/// From now on all is well.
pub fn revive(store: &MemoryStore, state: &MemoryState) {
    store.faults().revive();
    state.faults().revive();
}
