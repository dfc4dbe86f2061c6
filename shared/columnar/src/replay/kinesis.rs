//! Lines of a stream's records → rows of the table.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    contract::Contract,
    dataset::Stream,
    event::kinesis,
    fate::Fates,
    landing::{Attempt, Mark, Object},
    quarantine::{Line, Part},
};

use super::{
    SOURCE,
    kind::{Cause, Kind, Outlook, Read, Taking, of_record},
};
use crate::stream::{Body, Intake, Source, take_record};

/// A table whose records come by Kinesis.
#[derive(Debug, Clone, Copy)]
pub struct Kinesis<'a> {
    /// The dataset.
    pub stream: &'a Stream,
    /// What its records must be.
    pub contract: &'a Contract,
}

#[async_trait]
impl Kind for Kinesis<'_> {
    type Known = ();

    fn dataset(&self) -> &str {
        &self.stream.name
    }

    fn records(&self, object: &[u8]) -> Result<Vec<Read>, Error> {
        let event = kinesis::failed_event(object)?;
        let texts = kinesis::texts(event.as_bytes())?;
        let found = kinesis::read(event.as_bytes())?.into_iter().zip(texts).map(|(record, text)| {
            let (position, arrived) = match record {
                Ok(record) => (Some(record.position(None)), record.arrived),
                Err(refused) => (refused.position.clone(), Timestamp(0)),
            };
            let position = position.ok_or("does not say where it came from")?;
            let line = of_record(&self.stream.name, position, arrived, text);
            Ok((line, Bytes::copy_from_slice(text.as_bytes())))
        });
        Ok(found.collect())
    }

    fn lands_in_parts(&self) -> bool {
        false
    }

    async fn look(&self, _: &Line, _: &Bytes, _: &Cause) -> Result<Outlook<()>, Error> {
        Ok(Outlook::Known(()))
    }

    fn taking(&self) -> Box<dyn Taking<()> + '_> {
        Box::new(Rows(Intake::new(self.stream, self.contract)))
    }
}

struct Rows<'a>(Intake<'a>);

impl Taking<()> for Rows<'_> {
    fn take(&mut self, line: &Line, data: &Bytes, (): &(), mark: &Mark) {
        let Self(intake) = self;
        let position = || line.position.clone();
        let body = Body::new(&position, mark, Timestamp(line.arrived), data.clone());
        // Of an event nothing was set aside but itself: what is now, is as the function would have it.
        intake.within((line.part != Part::Event).then(|| line.identity()));
        match line.part {
            Part::Record => intake.take(&body),
            Part::Document => intake.take_document(&body),
            Part::Event => event(&body, intake),
        }
    }

    fn fates(&self) -> &Fates {
        self.0.fates()
    }

    fn rows(&self) -> BTreeMap<&str, u64> {
        self.0.partitions()
    }

    fn refusal(&self) -> Option<&Line> {
        self.0.refusals().next()
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }

    fn finish(self: Box<Self>, log: &str) -> Result<Vec<Object>, Error> {
        Ok(self.0.finish(&Source { stream: SOURCE, shard: log, attempt: Attempt::fresh() })?.0)
    }
}

/// A record of which nothing could be read, or nobody has tried yet.
fn event(body: &Body<'_>, intake: &mut Intake<'_>) {
    let event = [b"{\"Records\":[", &body.data[..], b"]}"].concat();
    match kinesis::read(&event).map(<[_; 1]>::try_from) {
        Ok(Ok([Ok(record)])) => take_record(&record, body.mark, intake),
        Ok(Ok([Err(refused)])) => intake.unread(body, refused.error.code, &refused.error.message),
        Ok(Err(_)) => intake.unread(body, Code::InvalidEvent, "the line is not one record"),
        Err(error) => intake.unread(body, error.code, &error.message),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(sequence: &str, data: &str) -> serde_json::Value {
        json!({
            "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": sequence,
                "data": data, "approximateArrivalTimestamp": 1_767_225_600.05},
            "eventID": format!("shardId-000000000006:{sequence}"),
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/clicks",
        })
    }

    #[test]
    fn a_failed_batch_is_its_records_the_bad_ones_too() {
        let text = json!({"name": "clicks", "kind": "stream", "source": {"type": "kinesis"},
            "columns": [{"name": "a", "type": "string"}], "target": {"prefix": "raw/clicks/"}});
        let stream = Stream::parse("clicks.json", &text.to_string()).unwrap();
        let contract = Contract::new(&stream, None).unwrap();
        let event = json!({"Records": [record("7", "e30="), record("8", "?"), {"eventID": 1}]}).to_string();
        let object = json!({"KinesisBatchInfo": {}, "payload": event}).to_string();
        let found = Kinesis { stream: &stream, contract: &contract }.records(object.as_bytes()).unwrap();
        let told = found.iter().map(|found| match found {
            Ok((line, _)) => format!("{} {} {:?}", line.position, line.arrived, line.part),
            Err(why) => why.clone(),
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "clicks shardId-000000000006 sequence 7 1767225600050 Event",
                "clicks shardId-000000000006 sequence 8 0 Event",
                "does not say where it came from",
            ]
        );
        let text = found[0].as_ref().unwrap().1.clone();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).unwrap(), record("7", "e30="));
    }
}
