//! Invocations at once, each stopped at every call, and what must hold of what was told in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use futures::FutureExt;
use tokio::{task::yield_now, time::advance};

use super::{
    gate::{Answer, Gate, Gated, Requests, lock},
    *,
};

type Running = Pin<Box<dyn Future<Output = Result<Report, Error>>>>;

pub(super) struct Invocation {
    pub(super) event: usize,
    gate: Gate,
    future: Running,
    pub(super) end: Option<Result<Report, Error>>,
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

/// A device's value at each second.
pub(super) type Values = BTreeMap<&'static str, Vec<f64>>;

pub(super) struct Scene {
    pub(super) world: World,
    values: Values,
    events: Vec<Value>,
    pub(super) running: Vec<Invocation>,
    late: Requests,
}

impl Scene {
    /// The readings of these values, of which each event takes some.
    pub(super) fn new(values: Values, events: &[Vec<(&'static str, usize)>]) -> Self {
        let one = |(device, second): &(&'static str, usize)| {
            reading(device, i64::try_from(*second).unwrap(), values[device][*second])
        };
        let events = events.iter().map(|readings| json!(readings.iter().map(one).collect::<Vec<_>>())).collect();
        Self { world: World::new(&dataset()), values, events, running: Vec::new(), late: Requests::default() }
    }

    pub(super) fn deliver(&mut self, event: usize) -> usize {
        let (world, gate) = (&self.world, Gate::new(&self.late));
        let ports = Ports {
            state: Arc::new(Gated { port: world.state.clone(), gate: gate.clone() }),
            notify: Arc::new(Gated { port: world.notify.clone(), gate: gate.clone() }),
            onward: Some(Arc::new(Gated { port: world.stream.clone(), gate: gate.clone() })),
            ..world.ports()
        };
        let body = world.event(&self.events[event]);
        let future = Box::pin(async move { handle(&body, &ports).await });
        let mut invocation = Invocation { event, gate, future, end: None };
        invocation.poll();
        self.running.push(invocation);
        self.running.len() - 1
    }

    pub(super) fn calls(&self, who: usize) -> Vec<String> {
        self.running[who].gate.calls()
    }

    /// Lets one call of an invocation happen; false where it makes none, because it has ended or waits for its time.
    pub(super) async fn go(&mut self, who: usize, call: usize, answer: Answer) -> bool {
        yield_now().await;
        let calls = self.calls(who).len();
        if calls == 0 {
            self.running[who].poll();
            return false;
        }
        let invocation = &mut self.running[who];
        invocation.gate.open(call % calls, answer);
        invocation.poll();
        true
    }

    /// Lets time pass.
    pub(super) async fn tick(&mut self) {
        advance(Duration::from_secs(1)).await;
        for invocation in &mut self.running {
            yield_now().await;
            invocation.poll();
        }
    }

    /// Whether time must pass before anything happens.
    pub(super) fn sleeps(&self) -> bool {
        let wait = |who: usize| self.running[who].end.is_some() || self.calls(who).is_empty();
        (0..self.running.len()).all(wait) && self.running.iter().any(|invocation| invocation.end.is_none())
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
        true
    }

    /// Lets every invocation that runs come to its end.
    pub(super) async fn finish_all(&mut self) {
        while self.running.iter().any(|invocation| invocation.end.is_none()) {
            for who in 0..self.running.len() {
                while self.go(who, 0, Answer::Given).await {}
            }
            if self.sleeps() {
                self.tick().await;
            }
        }
    }

    /// Delivers every event as Lambda does: until it ends well.
    pub(super) async fn complete(&mut self) {
        let done: BTreeSet<_> = self.ended_well().collect();
        for event in (0..self.events.len()).filter(|event| !done.contains(event)) {
            self.running.clear();
            self.deliver(event);
            self.finish_all().await;
            assert!(self.running[0].end.as_ref().unwrap().is_ok(), "{:?}", self.running[0].end);
        }
        while self.arrive(0) {}
        self.running.clear();
    }

    pub(super) fn ended_well(&self) -> impl Iterator<Item = usize> {
        self.running.iter().filter(|it| matches!(it.end, Some(Ok(_)))).map(|it| it.event)
    }

    /// Whether some notice was published twice.
    pub(super) fn repeats(&self) -> bool {
        let published = self.world.notify.published();
        let distinct: BTreeSet<_> = published.iter().map(|notice| &notice.deduplication).collect();
        distinct.len() < published.len()
    }

    /// Each incident is told as begun once and as ended once, there are as many as there are in truth, and all readings
    /// went on.
    pub(super) fn check(&self) {
        let published = self.world.notify.published();
        let mut steps: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for notice in &published {
            let body: Value = serde_json::from_str(&notice.body).unwrap();
            let text = |name: &str| body[name].as_str().unwrap().to_owned();
            if known.insert(notice.deduplication.clone()) {
                let incident = steps.entry(text("incident")).or_default();
                assert_eq!(body["step"], json!(incident.len()), "{published:#?}");
                incident.push((text("device"), text("event")));
            }
        }
        let told = |event: &str, device: &str| {
            let is = |(of, what): &&(String, String)| of == device && what == event;
            let counts = steps.values().map(|steps| steps.iter().filter(is).count());
            let counts: Vec<_> = counts.collect();
            assert!(counts.iter().all(|count| *count <= 1), "{published:#?}");
            counts.iter().sum::<usize>()
        };
        for (device, values) in &self.values {
            let (spans, open) = spans(values);
            assert_eq!(
                (told("opened", device), told("resolved", device)),
                (spans, spans - open),
                "{device} {published:#?}"
            );
        }
        assert!(steps.values().all(|steps| steps[0].1 == "opened"), "{published:#?}");
        let sent: BTreeSet<_> = self.world.stream.records().into_iter().map(|record| record.data).collect();
        let all: usize = self.events.iter().map(|event| event.as_array().unwrap().len()).sum();
        assert_eq!(sent.len(), all);
    }
}

/// How often the values are hot, and whether they are in the end.
fn spans(values: &[f64]) -> (usize, usize) {
    let (mut spans, mut hot) = (0, false);
    for value in values {
        spans += usize::from(!hot && *value > 80.0);
        hot = *value > if hot { 75.0 } else { 80.0 };
    }
    (spans, usize::from(hot))
}
