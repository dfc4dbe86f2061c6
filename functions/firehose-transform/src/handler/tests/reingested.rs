//! Records for which the answer has no room.

use headgate::stream::{Outgoing, Reason};

use super::*;

/// An answer for one of these takes about 1,000 bytes.
fn body(id: usize) -> String {
    format!("{{\"id\":{id},\"page\":\"{}\"}}", "x".repeat(580))
}

fn bodies(count: usize) -> Vec<String> {
    (0..count).map(body).collect()
}

/// `o`k, `d`ropped or `f`ailed, a letter a record.
fn letters(response: &Response) -> String {
    let letter = |(_, outcome): &(String, Outcome<'_>)| match outcome {
        Outcome::Ok { .. } => 'o',
        Outcome::Dropped => 'd',
        Outcome::ProcessingFailed => 'f',
    };
    response.answers().unwrap().iter().map(letter).collect()
}

fn held(stream: &MemoryStream) -> Vec<(String, String)> {
    let line = |record: &Outgoing| (record.partition_key.clone(), String::from_utf8(record.data.to_vec()).unwrap());
    stream.records().iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_goes_back_as_it_came() {
    let bodies = bodies(6);
    let (ports, stream) = reingesting(4_500, STREAM, Limits::KINESIS);
    assert_eq!(letters(&answered(&kinesis(&bodies), &ports).await), "oooodd");
    assert_eq!(held(&stream), [("k4".to_owned(), bodies[4].clone()), ("k5".to_owned(), bodies[5].clone())]);
    assert_eq!(figures(&ports, "RecordsReingested")[0].1, 2);

    let (ports, stream) = reingesting(4_500, DELIVERY, Limits::FIREHOSE);
    assert_eq!(letters(&answered(&direct(&bodies), &ports).await), "oooodd");
    assert_eq!(held(&stream), [(String::new(), bodies[4].clone()), (String::new(), bodies[5].clone())]);
}

#[tokio::test(start_paused = true)]
async fn without_it_they_fail() {
    let ports = ports(4_500);
    assert_eq!(letters(&answered(&kinesis(&bodies(6)), &ports).await), "ooooff");
    assert!(figures(&ports, "RecordsFailed").contains(&("too_large".to_owned(), 2)));
}

#[tokio::test(start_paused = true)]
async fn they_only_go_back_to_where_they_came_from() {
    let (ports, stream) = reingesting(4_500, DELIVERY, Limits::FIREHOSE);
    assert_eq!(letters(&answered(&kinesis(&bodies(6)), &ports).await), "ooooff");
    let (ports, other) = reingesting(4_500, "arn:aws:kinesis:eu-west-1:123456789012:stream/other", Limits::KINESIS);
    assert_eq!(letters(&answered(&kinesis(&bodies(6)), &ports).await), "ooooff");
    let mut event = kinesis(&bodies(6));
    event["records"][4]["kinesisRecordMetadata"].as_object_mut().unwrap().remove("partitionKey");
    let (ports, third) = reingesting(4_500, STREAM, Limits::KINESIS);
    assert_eq!(letters(&answered(&event, &ports).await), "oooofd");
    assert_eq!((held(&stream).len(), held(&other).len(), held(&third).len()), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_fit_alone_fails() {
    let (ports, stream) = reingesting(4_500, STREAM, Limits::KINESIS);
    let huge = format!("{{\"id\":1,\"page\":\"{}\"}}", "x".repeat(4_000));
    assert_eq!(letters(&answered(&kinesis(&[huge, body(1)]), &ports).await), "fo");
    assert_eq!(held(&stream), []);
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_back_unless_something_is_delivered() {
    let (ports, stream) = reingesting(4_500, STREAM, Limits::KINESIS);
    // It would fit alone, and never beside these.
    let large = format!("{{\"id\":1,\"page\":\"{}\"}}", "x".repeat(3_200));
    let mut bodies = vec!["[]".to_owned(); 10];
    bodies.push(large.clone());
    assert_eq!(letters(&answered(&kinesis(&[large]), &ports).await), "o");
    assert_eq!(letters(&answered(&kinesis(&bodies), &ports).await), "ddddddddddf");
    assert_eq!(held(&stream), []);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_fails_alone() {
    let (ports, stream) = reingesting(4_500, STREAM, Limits::KINESIS);
    stream.refuse(1, Reason::Throttled);
    stream.refuse(2, Reason::Rejected);
    assert_eq!(letters(&answered(&kinesis(&bodies(6)), &ports).await), "oooodf");
    assert_eq!(held(&stream).len(), 1);
    assert_eq!(figures(&ports, "Throttles")[0].1, 1);

    let (ports, stream) = reingesting(4_500, STREAM, Limits::KINESIS);
    stream.faults().crash_from(1);
    assert_eq!(letters(&answered(&kinesis(&bodies(6)), &ports).await), "ooooff");
    assert!(figures(&ports, "RecordsFailed").contains(&("unavailable".to_owned(), 2)));
    assert_eq!(held(&stream), []);
}

/// A record is dropped for good only after the stream has it: when the answer is lost, the error prefix has it too.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_loses_nothing() {
    let (ports, stream) = reingesting(4_500, STREAM, Limits { record: 700, ..Limits::KINESIS });
    stream.faults().fail_after(1);
    let mut bodies = bodies(6);
    bodies[5] = format!("{{\"id\":5,\"page\":\"{}\"}}", "x".repeat(800));
    assert_eq!(letters(&answered(&kinesis(&bodies), &ports).await), "oooodf");
    assert_eq!(held(&stream).len(), 2, "put twice, for nothing told of the first");
}
