//! A shard of records, and invocations that stand until the test lets them make their next call.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures::FutureExt;

use super::gate::{Answer, Gate, Gated, Requests, lock};
use crate::{
    clock::{ManualClock, Timestamp},
    error::Error,
    landing::{Landed, Mark, Object, object_name, open},
    state::{State, memory::MemoryState},
    store::{Store, memory::MemoryStore},
};

const ITEM: &str = "shard/orders/orders/7";

/// What a contract says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    Bad,
    Dropped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) place: u64,
    pub(super) partition: u8,
    pub(super) kind: Kind,
    /// Whether a change of the contract moves it.
    pub(super) moves: bool,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, partition, kind, moves } = self;
        write!(f, "{place}: {kind:?} in {partition}{}", if *moves { ", moves" } else { "" })
    }
}

impl Record {
    pub(super) fn good(place: u64, partition: u8) -> Self {
        Self { place, partition, kind: Kind::Good, moves: true }
    }

    /// Where it goes by this contract, of which there are three.
    fn folder(self, contract: u8) -> Option<String> {
        let contract = if self.moves { contract % 3 } else { 0 };
        match (self.kind, contract) {
            (Kind::Dropped, _) => None,
            (Kind::Good, 2) | (Kind::Bad, 0) => Some("quarantine".to_owned()),
            (Kind::Good | Kind::Bad, contract) => Some(format!("raw/p={}", self.partition + contract)),
        }
    }
}

type Running = Pin<Box<dyn Future<Output = Result<Landed, Error>>>>;

pub(super) struct Invocation {
    gate: Gate,
    future: Running,
    pub(super) end: Option<Result<Landed, Error>>,
}

impl Invocation {
    fn poll(&mut self) {
        if self.end.is_none()
            && let Poll::Ready(end) = self.future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            self.end = Some(end);
        }
    }
}

pub(super) struct Scene {
    pub(super) store: MemoryStore,
    pub(super) state: MemoryState,
    pub(super) records: Vec<Record>,
    pub(super) contract: u8,
    /// Whether the contract stays what it is, so that every record has one place.
    pub(super) steady: bool,
    pub(super) running: Vec<Invocation>,
    late: Requests,
    reached: u64,
}

impl Scene {
    pub(super) fn new(records: Vec<Record>, steady: bool) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        Self {
            store: MemoryStore::new(clock.clone()),
            state: MemoryState::new(clock),
            records,
            contract: 0,
            steady,
            running: Vec::new(),
            late: Requests::default(),
            reached: 0,
        }
    }

    /// An invocation with the records `from..to`, which stands at its first call. Gives its number.
    pub(super) fn deliver(&mut self, from: usize, to: usize) -> usize {
        let gate = Gate::new(&self.late);
        let store = Gated { port: self.store.clone(), gate: gate.clone() };
        let state = Gated { port: self.state.clone(), gate: gate.clone() };
        let future = Box::pin(invoke(store, state, self.records[from..to].to_vec(), self.contract));
        let mut invocation = Invocation { gate, future, end: None };
        invocation.poll();
        self.running.push(invocation);
        self.running.len() - 1
    }

    /// How many records the stream takes for done: it never begins a batch after them.
    pub(super) fn done(&self) -> usize {
        let checkpoint = self.checkpoint();
        self.records.iter().filter(|record| record.place <= checkpoint).count()
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn calls(&self, who: usize) -> Vec<String> {
        self.running[who].gate.calls()
    }

    /// Lets one call of an invocation happen; false where it makes none any more.
    pub(super) fn go(&mut self, who: usize, call: usize, answer: Answer) -> bool {
        let calls = self.calls(who).len();
        if calls == 0 {
            assert!(self.running[who].end.is_some(), "it waits for nothing");
            return false;
        }
        let invocation = &mut self.running[who];
        invocation.gate.open(call % calls, answer);
        invocation.poll();
        self.check();
        true
    }

    /// Lets an invocation go on until it is about to make this call.
    pub(super) fn until(&mut self, who: usize, call: &str) {
        while self.calls(who).first().is_none_or(|next| next != call) {
            assert!(self.go(who, 0, Answer::Given), "{:?} before `{call}`", self.running[who].end);
        }
    }

    pub(super) fn finish(&mut self, who: usize) -> Result<Landed, Error> {
        while self.go(who, 0, Answer::Given) {}
        self.running[who].end.clone().expect("an end")
    }

    pub(super) fn land(&mut self, from: usize, to: usize) -> Result<Landed, Error> {
        let who = self.deliver(from, to);
        self.finish(who)
    }

    /// Lets a request arrive whose caller has given up.
    pub(super) fn arrive(&mut self, which: usize) -> bool {
        let request = {
            let mut late = lock(&self.late);
            let count = late.len();
            (count > 0).then(|| late.remove(which % count))
        };
        let Some(request) = request else { return false };
        request.now_or_never().expect("a memory port answers at once");
        self.check();
        true
    }

    pub(super) fn crash(&mut self, who: usize) {
        self.running.remove(who);
    }

    fn item(&self) -> serde_json::Value {
        let item = self.state.get(ITEM).now_or_never().expect("an answer at once").expect("an answer");
        item.map(|item| item.value).unwrap_or_default()
    }

    pub(super) fn checkpoint(&self) -> u64 {
        self.item()["checkpoint"].as_str().map(|digits| digits.parse().expect("an offset")).unwrap_or_default()
    }

    /// The keys that the item names, each with its first place.
    pub(super) fn outstanding(&self) -> BTreeMap<String, u64> {
        let item = self.item();
        let keys = item["intent"]["keys"].as_object().into_iter().flatten();
        keys.map(|(key, first)| (key.clone(), first.as_str().and_then(|digits| digits.parse().ok()).unwrap())).collect()
    }

    /// The places of the records in each object.
    pub(super) fn objects(&self) -> BTreeMap<String, Vec<u64>> {
        let page = self.store.list("", None).now_or_never().expect("an answer at once").expect("an answer");
        let read = |key: String| {
            let (_, body) = self.store.get(&key).now_or_never().expect("an answer at once").unwrap().unwrap();
            let lines = std::str::from_utf8(&body).unwrap().lines().skip(1);
            let places = lines.map(|line| line.parse().unwrap()).collect();
            (key, places)
        };
        page.objects.into_iter().map(|object| read(object.key)).collect()
    }

    /// At every moment: the checkpoint never goes back, and the records up to it are in the lake exactly once, apart
    /// from what the item names as still to be removed.
    fn check(&mut self) {
        let (checkpoint, outstanding, objects) = (self.checkpoint(), self.outstanding(), self.objects());
        assert!(checkpoint >= self.reached, "the checkpoint went from {} back to {checkpoint}", self.reached);
        self.reached = checkpoint;
        let lives = |key: &String| outstanding.get(key).is_none_or(|first| *first > checkpoint);
        let mut found: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (key, places) in objects.iter().filter(|(key, _)| lives(key)) {
            for place in places {
                found.entry(*place).or_default().extend(key.rsplit_once('/').map(|(folder, _)| folder));
            }
        }
        for record in self.records.iter().filter(|record| record.place <= checkpoint) {
            let found = found.remove(&record.place).unwrap_or_default();
            let expected = record.folder(self.contract);
            let right = match (&expected, self.steady) {
                (Some(_), false) => found.len() == 1,
                (expected, _) => found == expected.as_deref().into_iter().collect::<Vec<_>>(),
            };
            let what = format!("{record:?} is in {found:?}, not in {expected:?}");
            assert!(right, "{what}; up to {checkpoint}: {objects:#?}, {outstanding:#?}");
        }
    }

    /// Delivers the rest with nothing in its way, and looks at the whole lake.
    pub(super) fn complete(&mut self, at_once: usize) {
        while self.done() < self.len() {
            let from = self.done();
            let landed = self.land(from, (from + at_once).min(self.len()));
            assert!(landed.is_ok(), "{landed:?}");
        }
        // A batch whose invocation was not heard of comes again.
        let landed = self.land(0, self.len());
        assert!(landed.is_ok(), "{landed:?}");
        self.check_all();
    }

    /// Nothing is left over, and every record is there.
    pub(super) fn check_all(&mut self) {
        self.check();
        assert_eq!(self.checkpoint(), self.records.last().expect("records").place);
        assert_eq!(self.outstanding(), BTreeMap::new());
        let stored = self.records.iter().filter(|record| record.folder(self.contract).is_some()).count();
        let objects = self.objects();
        assert_eq!(objects.values().map(Vec::len).sum::<usize>(), stored, "{objects:#?}");
    }
}

/// What a function does with a batch.
async fn invoke(
    store: Gated<MemoryStore>,
    state: Gated<MemoryState>,
    batch: Vec<Record>,
    contract: u8,
) -> Result<Landed, Error> {
    let shard = open(&state, ITEM).await?;
    let mut folders: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in batch.iter().filter(|record| !shard.is_done(&Mark::from(record.place))) {
        if let Some(folder) = record.folder(contract) {
            folders.entry(folder).or_default().push(record.place);
        }
    }
    let object = |(folder, places): (String, Vec<u64>)| {
        let first = Mark::from(places[0]);
        let key = format!("{folder}/{}", object_name("orders", "7", &first, "txt"));
        let lines: Vec<_> =
            std::iter::once(shard.attempt().to_string()).chain(places.iter().map(ToString::to_string)).collect();
        Object { key, first, body: Bytes::from(lines.join("\n")) }
    };
    let objects = folders.into_iter().map(object).collect();
    let last = Mark::from(batch.last().expect("a batch has records").place);
    shard.land(&store, &state, objects, last).await
}
