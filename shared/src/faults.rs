//! A planned failure → a call of a memory port, to try out what callers do when the world fails.
//!
//! Nothing here is random: a test says which call fails and how, so that it can try every one in turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Debug},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// One call of a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<V> {
    /// Its number since the port was made, from 1.
    pub number: u64,
    /// What was asked.
    pub verb: V,
    /// The key or prefix it was asked of.
    pub key: String,
}

/// An error that a port gives when it does not answer.
pub trait Unavailable {
    /// "The service did not answer" for this key.
    fn unavailable(key: &str) -> Self;
}

/// What is called before each call takes effect; it may use the port itself, from another task or thread.
pub type Hook<V> = Box<dyn Fn(&Call<V>) + Send + Sync>;

/// The handle by which a test plans failures and counts calls. Clones are the same handle.
#[derive(Debug)]
pub struct Faults<V, E>(Arc<Mutex<Plan<V, E>>>);

struct Plan<V, E> {
    calls: u64,
    counts: BTreeMap<V, u64>,
    before: BTreeMap<u64, E>,
    after: BTreeSet<u64>,
    crash: Option<u64>,
    hook: Option<Arc<Hook<V>>>,
}

impl<V, E> Clone for Faults<V, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V, E> Default for Faults<V, E> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Plan {
            calls: 0,
            counts: BTreeMap::new(),
            before: BTreeMap::new(),
            after: BTreeSet::new(),
            crash: None,
            hook: None,
        })))
    }
}

impl<V: Debug, E: Debug> Debug for Plan<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, counts, before, after, crash, hook: _ } = self;
        f.debug_struct("Plan")
            .field("calls", calls)
            .field("counts", counts)
            .field("before", before)
            .field("after", after)
            .field("crash", crash)
            .finish_non_exhaustive()
    }
}

impl<V: Copy + Ord, E: Unavailable> Faults<V, E> {
    /// Call number `number` (the first is 1) fails with `error` and has no effect.
    pub fn fail_before(&self, number: u64, error: E) {
        self.plan().before.insert(number, error);
    }

    /// Call number `number` takes effect, but its caller is told that the port did not answer.
    pub fn fail_after(&self, number: u64) {
        self.plan().after.insert(number);
    }

    /// From call number `number` on no call has an effect and none is answered, until [`Faults::revive`]: what a
    /// process that died at this call leaves behind.
    pub fn crash_from(&self, number: u64) {
        self.plan().crash = Some(number);
    }

    /// Ends a crash and forgets all failures still planned. The numbers go on.
    pub fn revive(&self) {
        let mut plan = self.plan();
        plan.crash = None;
        plan.before.clear();
        plan.after.clear();
    }

    /// Calls `hook` before each call takes effect (and before it fails).
    pub fn hook(&self, hook: Hook<V>) {
        self.plan().hook = Some(Arc::new(hook));
    }

    /// Removes the hook.
    pub fn unhook(&self) {
        self.plan().hook = None;
    }

    /// How many calls there were, by verb; failed ones count.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<V, u64> {
        self.plan().counts.clone()
    }

    /// How many calls there were: the number of the last one.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.plan().calls
    }

    /// Counts a call, then lets it happen as planned.
    pub(crate) fn around<T>(&self, verb: V, key: &str, call: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let (call_made, hook) = self.count(verb, key);
        if let Some(hook) = hook {
            hook(&call_made);
        }
        let number = call_made.number;
        let lost = {
            let mut plan = self.plan();
            if plan.crash.is_some_and(|from| from <= number) {
                return Err(E::unavailable(key));
            }
            if let Some(error) = plan.before.remove(&number) {
                return Err(error);
            }
            plan.after.remove(&number)
        };
        let done = call();
        if lost { Err(E::unavailable(key)) } else { done }
    }

    fn count(&self, verb: V, key: &str) -> (Call<V>, Option<Arc<Hook<V>>>) {
        let mut plan = self.plan();
        plan.calls += 1;
        *plan.counts.entry(verb).or_default() += 1;
        (Call { number: plan.calls, verb, key: key.to_owned() }, plan.hook.clone())
    }
}

impl<V, E> Faults<V, E> {
    fn plan(&self) -> MutexGuard<'_, Plan<V, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
