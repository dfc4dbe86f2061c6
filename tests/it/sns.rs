//! The SNS adapter over the wire: what a queue that subscribed has of it.

use headgate::notify::{Notice, Notify, NotifyError};
use headgate_aws::{Aws, Endpoint};
use headgate_sns::SnsNotify;
use headgate_tests::ministack::{Fault, Ministack, Proxy};
use serde_json::{Value, json};

fn notice(number: u32) -> Notice {
    Notice {
        subject: format!("warning: oven-{number} overheated"),
        body: json!({"incident": number}).to_string(),
        attributes: vec![("severity", "warning".to_owned()), ("column", String::new())],
        group: "oven".to_owned(),
        deduplication: format!("incident-{number}"),
    }
}

/// A topic of its own behind a proxy, and the adapter.
async fn topic(name: &str) -> Option<(SnsNotify, Proxy)> {
    let server = Ministack::shared()?;
    let arn = server.create_topic(name);
    let proxy = Proxy::before(server);
    let aws = Aws::connect(Endpoint::Emulator(proxy.url())).await;
    Some((SnsNotify::new(&aws, &arn), proxy))
}

/// What the subscriber has: subject and message.
fn received(name: &str) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_str(&Ministack::shared().unwrap().receive(name)).unwrap();
    let envelope = |message: &Value| {
        let envelope: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
        let text = |field: &str| envelope[field].as_str().unwrap().to_owned();
        (text("Subject"), text("Message"))
    };
    answer["Messages"].as_array().map(|messages| messages.iter().map(envelope).collect()).unwrap_or_default()
}

fn told(number: u32) -> (String, String) {
    (notice(number).subject, notice(number).body)
}

#[tokio::test]
async fn a_subscriber_has_what_was_published() {
    let Some((sns, _proxy)) = topic("alerts").await else { return };
    sns.publish(&notice(1)).await.unwrap();
    assert_eq!(received("alerts"), [told(1)]);
}

#[tokio::test]
async fn a_lost_answer_tells_a_standard_topic_twice_and_an_ordered_one_once() {
    let Some((standard, proxy)) = topic("lost").await else { return };
    proxy.fail("POST", "/", Fault::LoseAnswer);
    standard.publish(&notice(1)).await.unwrap();
    assert_eq!(received("lost"), [told(1), told(1)]);
    let Some((ordered, proxy)) = topic("lost.fifo").await else { return };
    proxy.fail("POST", "/", Fault::LoseAnswer);
    ordered.publish(&notice(1)).await.unwrap();
    ordered.publish(&notice(1)).await.unwrap();
    assert_eq!(received("lost.fifo"), [told(1)]);
}

#[tokio::test]
async fn a_throttled_publication_is_made_again_and_then_left_to_the_next_delivery() {
    let Some((sns, proxy)) = topic("throttled").await else { return };
    let answer = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message>\
                  </Error></ErrorResponse>";
    let throttle = || proxy.fail("POST", "/", Fault::Answer("400 Bad Request", answer));
    throttle();
    sns.publish(&notice(1)).await.unwrap();
    throttle();
    throttle();
    let refused = sns.publish(&notice(2)).await;
    assert!(matches!(refused, Err(NotifyError::Unavailable { .. })), "{refused:?}");
    assert_eq!(received("throttled"), [told(1)]);
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_a_persons_matter() {
    let Some(server) = Ministack::shared() else { return };
    let aws = Aws::connect(Endpoint::Emulator(server.url())).await;
    let sns = SnsNotify::new(&aws, "arn:aws:sns:us-east-1:000000000000:nowhere");
    let refused = sns.publish(&notice(1)).await;
    assert!(
        matches!(&refused, Err(NotifyError::Refused { reason, .. }) if reason.contains("create the topic")),
        "{refused:?}"
    );
}
