//! Certificates that were registered just in time: done once, or left as they are.

use headgate::things::memory::Held;
use tokio::time::advance;

use super::*;

fn held(status: Status) -> World {
    let world = World::new();
    world.things.register(&id('a'), &id('f'), status);
    world
}

fn done() -> Held {
    let things = MemoryThings::default();
    things.register(&id('a'), &id('f'), Status::Active);
    let mut held = things.all();
    let (thing, arn) = (format!("oven-{}", id('a')), held.certificates[&id('a')].arn.clone());
    held.things.insert(thing.clone());
    held.policies.insert(("devices".to_owned(), arn.clone()));
    held.owners.insert((thing, arn));
    held
}

async fn became(world: &World, event: &Value) -> String {
    let answer = world.deliver(event).await.unwrap();
    answer["became"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_our_ca_becomes_a_device() {
    let world = held(Status::Pending);
    assert_eq!(became(&world, &registered('a', 'f')).await, "activated");
    assert_eq!(world.things.all(), done());
    assert_eq!(became(&world, &registered('a', 'f')).await, "active_before");
    assert_eq!((world.things.all(), world.notify.published().len()), (done(), 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_to_change_stays() {
    let world = held(Status::Barred);
    let before = world.things.all();
    assert_eq!(became(&world, &registered('a', 'f')).await, "barred");
    assert_eq!(became(&world, &registered('b', 'f')).await, "gone");
    let mut other = registered('a', 'f');
    other["certificateStatus"] = json!("ACTIVE");
    assert_eq!(became(&world, &other).await, "not_pending");
    assert_eq!((world.things.all(), world.notify.published().len()), (before, 0));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_an_unknown_ca_stays_inactive_and_is_told_once_a_day() {
    let world = held(Status::Pending);
    let before = world.things.all();
    for _ in 0..3 {
        assert_eq!(became(&world, &registered('a', 'e')).await, "unknown_ca");
    }
    let told = world.notify.published();
    assert_eq!(told.len(), 1);
    let body: Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!((&body["certificate"], &body["ca"]), (&json!(id('a')), &json!(id('e'))));
    advance(Duration::from_hours(25)).await;
    assert_eq!(became(&world, &registered('a', 'e')).await, "unknown_ca");
    assert_eq!((world.notify.published().len(), world.things.all()), (2, before));
    assert_ne!(world.notify.published()[0].deduplication, world.notify.published()[1].deduplication);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_names_another_ca_than_the_registry_is_not_believed() {
    let world = World::new();
    world.things.register(&id('a'), &id('e'), Status::Pending);
    assert_eq!(became(&world, &registered('a', 'f')).await, "unknown_ca");
    assert_eq!(world.things.all().certificates[&id('a')].status, Status::Pending);
    assert_eq!(world.notify.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_is_poison() {
    let world = World::new();
    let error = world.deliver(&json!({"caCertificateId": "x"})).await.unwrap_err();
    assert_eq!((error.class, error.code), (Class::Poison, Code::InvalidEvent));
}

/// What is active is whole.
fn check(world: &World) {
    let held = world.things.all();
    if held.certificates[&id('a')].status == Status::Active {
        assert_eq!(held, done());
    }
}

/// Delivers an event as Lambda does, up to three times, a minute apart.
async fn deliver_again_and_again(world: &World, event: &Value) {
    for _ in 0..3 {
        let delivered = world.deliver(event).await;
        check(world);
        if delivered.is_ok() {
            return;
        }
        world.state.faults().revive();
        world.things.faults().revive();
        world.notify.faults().revive();
        advance(Duration::from_mins(1)).await;
    }
    panic!("not even the third time: {event}");
}

#[tokio::test(start_paused = true)]
async fn whatever_breaks_off_the_next_event_goes_on() {
    for call in 1..=5 {
        for fault in 0..3 {
            let world = held(Status::Pending);
            let faults = world.things.faults();
            match fault {
                0 => faults.fail_before(call, Unavailable::unavailable("planned")),
                1 => faults.fail_after(call),
                _ => faults.crash_from(call),
            }
            deliver_again_and_again(&world, &registered('a', 'f')).await;
            deliver_again_and_again(&world, &registered('a', 'f')).await;
            assert_eq!(world.things.all(), done(), "call {call} fault {fault}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_told_whatever_breaks_off() {
    // Of the state: the look, the claim, the note; and the publication itself.
    for (call, on_topic) in [(1, false), (2, false), (3, false), (1, true)] {
        for lost in [false, true] {
            let world = held(Status::Pending);
            match (on_topic, lost) {
                (false, false) => world.state.faults().fail_before(call, Unavailable::unavailable("planned")),
                (false, true) => world.state.faults().fail_after(call),
                (true, false) => world.notify.faults().fail_before(call, Unavailable::unavailable("planned")),
                (true, true) => world.notify.faults().fail_after(call),
            }
            deliver_again_and_again(&world, &registered('a', 'e')).await;
            let told = world.notify.published();
            let distinct: BTreeSet<_> = told.iter().map(|notice| notice.deduplication.as_str()).collect();
            assert_eq!(distinct.len(), 1);
            // Only where the publication, or the note that it was made, is not heard of, is it made again.
            let again = (on_topic && lost) || (!on_topic && call == 3 && !lost);
            assert_eq!(told.len(), 1 + usize::from(again), "call {call} on_topic {on_topic} lost {lost}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_at_once_tell_a_stranger_once() {
    let world = held(Status::Pending);
    let key = format!("provision/ovens/stranger/{}", id('a'));
    let claimed = json!({"told": false, "until": NOW + 30_000});
    world.state.put_if(&key, claimed, Expected::Absent, None).await.unwrap();
    let error = world.deliver(&registered('a', 'e')).await.unwrap_err();
    assert_eq!((error.class, error.code, world.notify.published().len()), (Class::Retry, Code::Contended, 0));
    advance(Duration::from_secs(31)).await;
    assert_eq!(became(&world, &registered('a', 'e')).await, "unknown_ca");
    assert_eq!(world.notify.published().len(), 1);
}
