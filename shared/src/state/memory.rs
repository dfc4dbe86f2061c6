//! The [`State`] → memory, for tests: failures can be planned and calls are counted.
//!
//! Conditions are exact, and the clock alone ends an item.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::Value;

use super::{Expected, Item, Result, State, StateError, Version};
use crate::{
    clock::Clock,
    faults::{Faults, Unavailable},
};

/// What is asked of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// [`State::get`]
    Get,
    /// [`State::put_if`]
    PutIf,
    /// [`State::delete_if`]
    DeleteIf,
}

impl Unavailable for StateError {
    fn unavailable(key: &str) -> Self {
        Self::Unavailable { key: key.to_owned(), reason: "no answer (planned failure)".to_owned() }
    }
}

/// A [`State`] in memory. Clones are the same state.
#[derive(Debug, Clone)]
pub struct MemoryState {
    clock: Arc<dyn Clock>,
    items: Arc<Mutex<BTreeMap<String, Item>>>,
    faults: Faults<Verb, StateError>,
}

impl MemoryState {
    /// Nothing is known yet; items end by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, items: Arc::default(), faults: Faults::default() }
    }

    /// The handle by which failures are planned and calls counted.
    #[must_use]
    pub fn faults(&self) -> Faults<Verb, StateError> {
        self.faults.clone()
    }

    /// The items, also those whose time is over.
    fn items(&self) -> MutexGuard<'_, BTreeMap<String, Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item, if its time is not over.
    fn living<'a>(&self, items: &'a BTreeMap<String, Item>, key: &str) -> Option<&'a Item> {
        let now = self.clock.now();
        items.get(key).filter(|item| item.lives(now))
    }

    fn change(&self, key: &str, expected: &Expected, item: Option<Item>) -> Result<()> {
        let mut items = self.items();
        if !expected.holds(self.living(&items, key)) {
            return Err(StateError::Changed { key: key.to_owned() });
        }
        match item {
            Some(item) => items.insert(key.to_owned(), item),
            None => items.remove(key),
        };
        Ok(())
    }
}

#[async_trait]
impl State for MemoryState {
    async fn get(&self, key: &str) -> Result<Option<Item>> {
        self.faults.around(Verb::Get, key, || Ok(self.living(&self.items(), key).cloned()))
    }

    async fn put_if(&self, key: &str, value: Value, expected: Expected, ttl: Option<Duration>) -> Result<Version> {
        self.faults.around(Verb::PutIf, key, || {
            let item = Item::new(value, self.clock.now(), ttl);
            let version = item.version.clone();
            self.change(key, &expected, Some(item)).map(|()| version)
        })
    }

    async fn delete_if(&self, key: &str, expected: Expected) -> Result<()> {
        self.faults.around(Verb::DeleteIf, key, || self.change(key, &expected, None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        clock::{ManualClock, SystemClock, Timestamp},
        state::conformance,
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn it_keeps_the_promises_of_a_state() {
        conformance::check(Arc::new(MemoryState::new(Arc::new(SystemClock)))).await;
    }

    #[tokio::test]
    async fn an_item_ends_with_its_time() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let state = MemoryState::new(Arc::clone(&clock) as Arc<dyn Clock>);
        conformance::check_expiry(&state, &|time| clock.advance(time)).await;
    }

    #[tokio::test]
    async fn an_answer_can_be_lost() {
        let state = MemoryState::new(Arc::new(SystemClock));
        state.faults().fail_after(1);
        state.faults().fail_before(2, StateError::unavailable("a"));
        for _ in 0..2 {
            let put = state.put_if("a", json!(1), Expected::Absent, None).await;
            assert_eq!(put, Err(StateError::unavailable("a")));
        }
        assert_eq!(state.get("a").await.unwrap().map(|item| item.value), Some(json!(1)));
        assert_eq!(state.faults().calls(), BTreeMap::from([(Verb::Get, 1), (Verb::PutIf, 2)]));
    }
}
