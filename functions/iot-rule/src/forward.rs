//! Readings → the stream that they go on to.
//!
//! In little time, for alerts wait for it: what is not sent is sent with the event's next delivery.

use std::time::Duration;

use headgate::{
    Error,
    quarantine::Identity,
    stream::{Fared, Limits, Misfit, Outgoing, Patience, Stream, deliver},
};

use crate::reading::Reading;

/// The most that alerts wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most characters of a partition key.
const KEY: usize = 256;

/// A reading as a record: records of one device keep their order within a request.
pub(crate) fn record(reading: &Reading) -> Outgoing {
    let device = &reading.device;
    let fits = (1..=KEY).contains(&device.chars().count());
    let partition_key = if fits { device.clone() } else { Identity::of(&[device]).to_string() };
    Outgoing { partition_key, explicit_hash_key: None, data: reading.raw.clone() }
}

/// Whether the reading fits no request, whenever it is sent.
pub(crate) fn is_too_large(reading: &Reading, limits: Limits) -> bool {
    limits.misfit(&record(reading)) == Some(Misfit::TooLarge)
}

/// Sends the readings; gives which of them the stream has, and why not all.
pub(crate) async fn forward(stream: &dyn Stream, readings: &[&Reading], time: Duration) -> (Vec<bool>, Option<Error>) {
    let records: Vec<Outgoing> = readings.iter().map(|reading| record(reading)).collect();
    let delivery = deliver(stream, &records, &Patience::within(time.min(PATIENCE))).await;
    let sent: Vec<bool> = delivery.fared.iter().map(|fared| matches!(fared, Fared::Accepted(_))).collect();
    let failed = delivery.failed().map(|failed| {
        let missing = sent.iter().filter(|sent| !**sent).count();
        let message = format!("stream {}: {missing} of {} readings not sent: {failed:?}", stream.name(), sent.len());
        delivery.error.clone().map_or_else(|| Error::retry(headgate::Code::Unavailable, message), Error::from)
    });
    (sent, failed)
}
