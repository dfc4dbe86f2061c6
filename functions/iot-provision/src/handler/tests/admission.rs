//! Hooks: who may come in, and who may not, and why.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use headgate::state::{self, Item, Version};
use proptest::{collection::vec, prelude::*};
use tokio::task::yield_now;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_listed_device_comes_in_once_and_again_with_the_same_certificate() {
    let world = World::new();
    world.list("A-1", json!({"overrides": {"Location": "Seoul"}})).await;
    for _ in 0..2 {
        let answer = world.deliver(&hook("A-1", 'a')).await.unwrap();
        let overrides = json!({"Location": "Seoul", "ThingName": "oven-A-1"});
        assert_eq!(answer, json!({"allowProvisioning": true, "parameterOverrides": overrides}));
    }
    let denied = json!({"allowProvisioning": false, "parameterOverrides": {}});
    assert_eq!(world.deliver(&hook("A-1", 'b')).await.unwrap(), denied);
    assert_eq!(world.denial(&hook("A-1", 'b')).await, Some(Denial::UsedUp));
    assert_eq!(world.denial(&hook("A-1", 'a')).await, None);
}

#[tokio::test(start_paused = true)]
async fn every_denial_has_its_reason() {
    let mut world = World::new();
    world.list("blocked", json!({"blocked": true})).await;
    world.list("bad", json!({"uses": "many"})).await;
    world.list("typo", json!({"use": 2})).await;
    let with = |name: &str, value: Value| {
        let mut event = hook("A-1", 'a');
        event[name] = value;
        event
    };
    for (event, want) in [
        (json!({}), Denial::Unreadable),
        (json!("x"), Denial::Unreadable),
        (with("templateArn", json!("arn:aws:iot:eu-west-1:1:provisioningtemplate/other")), Denial::UnknownTemplate),
        (with("templateArn", json!("fleet")), Denial::UnknownTemplate),
        (with("parameters", json!({})), Denial::MissingSerial),
        (with("parameters", json!({"SerialNumber": 1})), Denial::MissingSerial),
        (hook("a/../b", 'a'), Denial::InvalidSerial),
        (hook("A-1", 'a'), Denial::NotListed),
        (hook("blocked", 'a'), Denial::Blocked),
        (hook("bad", 'a'), Denial::BadItem),
        (hook("typo", 'a'), Denial::BadItem),
    ] {
        assert_eq!(world.denial(&event).await, Some(want), "{event}");
    }
    world.terms.claims = BTreeSet::from([id('d')]);
    assert_eq!(world.denial(&hook("A-1", 'a')).await, Some(Denial::UnknownClaim));
    world.terms.claims = BTreeSet::from([id('c')]);
    assert_eq!(world.denial(&hook("A-1", 'a')).await, Some(Denial::NotListed));
}

#[tokio::test(start_paused = true)]
async fn a_signed_token_lets_a_device_in_as_often_as_its_item_says() {
    let mut world = World::new();
    let keys: crate::token::Keys = "a key of sixteen bytes".parse().unwrap();
    let signed = |serial: &str, certificate: char, token: &str| {
        let mut event = hook(serial, certificate);
        event["parameters"]["Token"] = json!(token);
        event
    };
    world.terms.allow = Allow::Signed(keys.clone());
    let soon = u64::try_from(NOW / 1000 + 60).unwrap();
    let good = keys.sign("A-1", soon);
    assert_eq!(world.denial(&hook("A-1", 'a')).await, Some(Denial::MissingToken));
    assert_eq!(world.denial(&signed("A-2", 'a', &good)).await, Some(Denial::InvalidToken));
    assert_eq!(world.denial(&signed("A-1", 'a', &keys.sign("A-1", soon - 60))).await, Some(Denial::ExpiredToken));
    assert_eq!(world.denial(&signed("A-1", 'a', &good)).await, None);
    assert_eq!(world.denial(&signed("A-1", 'b', &good)).await, Some(Denial::UsedUp), "a token is for one device");
    world.list("A-3", json!({"uses": 2})).await;
    for (certificate, want) in [('a', None), ('b', None), ('c', Some(Denial::UsedUp))] {
        assert_eq!(world.denial(&signed("A-3", certificate, &keys.sign("A-3", soon))).await, want);
    }
}

/// A state that never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl State for Silent {
    async fn get(&self, _: &str) -> state::Result<Option<Item>> {
        std::future::pending().await
    }

    async fn put_if(&self, _: &str, _: Value, _: Expected, _: Option<Duration>) -> state::Result<Version> {
        std::future::pending().await
    }

    async fn delete_if(&self, _: &str, _: Expected) -> state::Result<()> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_is_answered_in_time_whatever_fails() {
    let world = World::new();
    world.list("A-1", json!({})).await;
    let denied = json!({"allowProvisioning": false, "parameterOverrides": {}});
    let refused = || StateError::Refused { key: "k".to_owned(), reason: "no table".to_owned() };
    for (call, error, want) in [
        (2, StateError::unavailable("k"), Denial::Unavailable),
        (4, StateError::unavailable("k"), Denial::Unavailable),
        (5, refused(), Denial::Misconfigured),
    ] {
        world.state.faults().fail_before(call, error);
        assert_eq!(world.denial(&hook("A-1", 'a')).await, Some(want), "call {call}");
    }
    let begun = tokio::time::Instant::now();
    let ports = Ports { state: Arc::new(Silent), ..world.ports() };
    let body = hook("A-1", 'a').to_string();
    let late = handle(body.as_bytes(), world.clock.now().plus(Duration::from_secs(30)), &ports).await;
    assert_eq!((late, begun.elapsed()), (Ok(denied.clone()), HOOK));
    let begun = tokio::time::Instant::now();
    let soon = handle(body.as_bytes(), world.clock.now().plus(Duration::from_secs(2)), &ports).await;
    assert_eq!((soon, begun.elapsed()), (Ok(denied), Duration::from_millis(1600)));
}

/// A state whose every call waits once.
#[derive(Debug, Clone)]
struct Stepped(MemoryState);

async fn step() {
    let mut waited = false;
    poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

#[async_trait]
impl State for Stepped {
    async fn get(&self, key: &str) -> state::Result<Option<Item>> {
        step().await;
        self.0.get(key).await
    }

    async fn put_if(
        &self,
        key: &str,
        value: Value,
        expected: Expected,
        ttl: Option<Duration>,
    ) -> state::Result<Version> {
        step().await;
        self.0.put_if(key, value, expected, ttl).await
    }

    async fn delete_if(&self, key: &str, expected: Expected) -> state::Result<()> {
        self.0.delete_if(key, expected).await
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<Value, Error>>>>;

/// Asks for these certificates at once; each number of `order` lets one of them go on. Gives those that were allowed.
async fn ask(world: &World, certificates: &[char], order: &[usize]) -> BTreeSet<char> {
    let ask = |certificate: &char| {
        let ports = Ports { state: Arc::new(Stepped(world.state.clone())), ..world.ports() };
        let (event, deadline) =
            (hook("A-1", *certificate).to_string(), world.clock.now().plus(Duration::from_secs(30)));
        let asking: Asking = Box::pin(async move { handle(event.as_bytes(), deadline, &ports).await });
        (*certificate, asking)
    };
    let (mut asking, mut allowed) = (certificates.iter().map(ask).collect::<Vec<_>>(), BTreeSet::new());
    let mut order = order.iter().copied().chain(std::iter::repeat(0));
    while !asking.is_empty() {
        yield_now().await;
        let who = order.next().unwrap_or(0) % asking.len();
        if let Poll::Ready(answer) = asking[who].1.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            let (certificate, _) = asking.remove(who);
            if answer.unwrap()["allowProvisioning"] == json!(true) {
                allowed.insert(certificate);
            }
        }
    }
    allowed
}

proptest! {
    #[test]
    fn no_more_certificates_are_allowed_than_may_be_whoever_asks_at_once(
        uses in 0..3_usize, certificates in vec(prop::sample::select(vec!['a', 'b', 'd', 'e']), 1..7),
        order in vec(0..8_usize, 0..40), lost in prop::collection::btree_set(2..20_u64, 0..4), broken in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            world.list("A-1", json!({"uses": uses})).await;
            for call in &lost {
                if broken {
                    world.state.faults().fail_before(*call, StateError::unavailable("k"));
                } else {
                    world.state.faults().fail_after(*call);
                }
            }
            let first = ask(&world, &certificates, &order).await;
            world.state.faults().revive();
            // Whoever was allowed may come again, and nobody takes the place of one who was.
            let second = ask(&world, &certificates, &order).await;
            let distinct: BTreeSet<_> = certificates.iter().copied().collect();
            assert!(first.is_subset(&second), "{first:?} {second:?}");
            assert_eq!(second.len(), uses.min(distinct.len()), "{first:?} {second:?}");
        });
    }
}
