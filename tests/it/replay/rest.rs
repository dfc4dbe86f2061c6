//! Records with more bad documents than have lines of their own: what is in the rest lands as well, once.

use std::collections::BTreeMap;

use serde_json::json;

use super::scene::{Lake, Rules, adds_up, apply, batch, clickstream, lenient, record};

/// A lake that took one record under a contract that refuses words.
async fn lake(body: Vec<u8>) -> Lake {
    let lake = Lake::new(&clickstream(|_| {}));
    lake.land(&batch(0, &[body])).await;
    lake
}

fn word(number: usize) -> Vec<u8> {
    record(number, 0, &json!("word"))
}

fn good(number: usize) -> Vec<u8> {
    record(number, 0, &json!(number))
}

fn array(elements: &[Vec<u8>]) -> Vec<u8> {
    [b"[".to_vec(), elements.join(&b','), b"]".to_vec()].concat()
}

/// Replays while words are still refused, then where they are not. The lines replayed and the rows of each.
async fn replays(lake: &Lake) -> [(u64, u64); 2] {
    let mut done = [(0, 0); 2];
    for (rules, done) in [Rules::new(&clickstream(|_| {})), lenient("hour")].iter().zip(&mut done) {
        let report = rules.replay(lake, &apply()).await;
        adds_up(&report);
        *done = (report.replayed, report.rows.values().sum());
    }
    let again = lenient("hour").replay(lake, &apply()).await;
    adds_up(&again);
    assert_eq!((again.repeated, again.written), (again.lines, 0), "nothing is left");
    done
}

/// Documents with the same text are documents of their own.
async fn check_equal(body: Vec<u8>, lines: usize, done: [(u64, u64); 2], words: u64) {
    let lake = lake(body).await;
    assert_eq!(lake.refused().await.len(), lines);
    assert_eq!(replays(&lake).await, done);
    let values = lake.values("event_id").await;
    assert_eq!((values["e0"], values.values().sum::<u64>()), (words, done[0].1 + done[1].1));
}

#[tokio::test]
async fn what_is_set_aside_of_a_rest_is_not_taken_for_what_was_before_it() {
    let bodies: Vec<_> = (0..2_000).map(|number| if number < 1_500 { word(0) } else { good(number) }).collect();
    for body in [bodies.join(&b'\n'), array(&bodies)] {
        check_equal(body, 1_001, [(1, 500), (1_500, 1_500)], 1_500).await;
    }
    let small = [array(&[word(0)]), word(0), good(1)].concat();
    check_equal(small, 2, [(1, 1), (2, 2)], 2).await;
}

#[tokio::test]
async fn a_rest_of_a_rest_has_lines_of_its_own_too() {
    let bodies: Vec<_> = (0..3_500).map(|number| if number % 1_200 < 1_150 { word(0) } else { good(1) }).collect();
    let lake = lake(array(&bodies)).await;
    for _ in 0..3 {
        let report = Rules::new(&clickstream(|_| {})).replay(&lake, &apply()).await;
        adds_up(&report);
    }
    let report = lenient("hour").replay(&lake, &apply()).await;
    adds_up(&report);
    assert_eq!(lake.values("event_id").await, BTreeMap::from([("e0".to_owned(), 3_400), ("e1".to_owned(), 100)]));
}

#[tokio::test]
async fn the_rest_of_an_array_can_be_read() {
    let lake = lake(array(&(0..5_000).map(word).collect::<Vec<_>>())).await;
    assert_eq!(replays(&lake).await, [(0, 0), (1_001, 5_000)]);
    let each: BTreeMap<_, _> = (0..5_000).map(|number| (format!("e{number}"), 1)).collect();
    assert_eq!(lake.values("event_id").await, each);
}
