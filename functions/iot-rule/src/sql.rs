//! A message that an action did not take → the message that the rule's SQL would have given.
//!
//! The SQL is what the Terraform makes of the dataset (`infra/devices.tf`): for each column that `watch` names it says
//! what a device cannot be trusted to say, in the field that the column is read from. So nothing that a device wrote there
//! is left, even where nothing can be said in its place.

use bytes::Bytes;
use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::{
        Stream,
        stream::watch::{TopicFilter, Watch},
    },
    quarantine::Identity,
};
use serde_json::value::RawValue;

use crate::{
    failed::Failed,
    message::{self, Object, unpack, value},
};

/// What the SQL of a dataset's rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sql {
    filter: TopicFilter,
    /// What it says in which field.
    said: Vec<(Said, String)>,
    /// The field of what the device sent, where that is packed.
    payload: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Topic,
    Device,
    Arrival,
    MessageId,
}

impl Sql {
    /// The SQL for this dataset, with this filter in its `FROM`.
    ///
    /// # Errors
    /// Misconfigured: a column is read from within an object, where no SQL can say anything.
    pub fn new(filter: TopicFilter, dataset: &Stream, watch: &Watch) -> Result<Self, Error> {
        let columns = [
            (Said::Topic, &watch.topic),
            (Said::Device, &watch.device),
            (Said::Arrival, &watch.arrival),
            (Said::MessageId, &watch.message_id),
        ];
        let mut said = Vec::new();
        for (what, name) in columns {
            let Some(column) = dataset.columns.iter().find(|column| Some(&column.name) == name.as_ref()) else {
                continue;
            };
            let [field] = &column.path[..] else {
                let (column, path, dataset) = (&column.name, column.path.join("."), &dataset.name);
                let told = format!(
                    "TOPIC_FILTER: the column `{column}` of {dataset} is read from `{path}`, within an object, where no \
                     rule's SQL can say it; give it a path of one name, or leave the setting out"
                );
                return Err(Error::misconfigured(Code::InvalidConfig, told));
            };
            said.push((what, field.clone()));
        }
        Ok(Self { filter, said, payload: watch.payload.clone() })
    }

    /// Whether it is the SQL that gave this event: it has a field that the SQL adds. What an error action sends has none,
    /// the topic aside.
    pub(crate) fn gave(&self, event: &[u8]) -> bool {
        serde_json::from_slice::<Object>(event)
            .is_ok_and(|event| self.said.iter().any(|(what, field)| *what != Said::Topic && event.contains_key(field)))
    }

    /// The message as the function passes such on: what was packed is unpacked, unless it cannot be.
    pub(crate) fn message(&self, failed: &Failed, arrived: Timestamp) -> Bytes {
        let mut message = match &self.payload {
            None => failed.sent(),
            Some(field) => {
                unpack(&failed.payload).unwrap_or_else(|_| Object::from([(field.clone(), value(&failed.payload))]))
            }
        };
        for (what, field) in &self.said {
            match self.says(*what, failed, arrived) {
                Some(said) => message.insert(field.clone(), said),
                None => message.remove(field),
            };
        }
        message::bytes(&message)
    }

    /// Why it is none of the rule's messages, if it is not.
    pub(crate) fn objection(&self, failed: &Failed) -> Option<String> {
        let is_meant = failed.topic.as_deref().is_some_and(|topic| self.filter.takes(topic));
        (!is_meant).then(|| format!("; its topic is none of TOPIC_FILTER, `{}`", self.filter))
    }

    fn says(&self, what: Said, failed: &Failed, arrived: Timestamp) -> Option<Box<RawValue>> {
        let topic = failed.topic.as_deref();
        match what {
            Said::Topic => topic.map(|topic| value(&topic)),
            Said::Device => topic.and_then(|topic| self.filter.first(topic)).map(|device| value(&device)),
            Said::Arrival => Some(value(&arrived.0)),
            // `newuuid()` would be another one each time that the event comes.
            Said::MessageId => Some(match &failed.trace {
                Some(trace) => value(trace),
                None => value(&Identity::of(&[topic.unwrap_or_default(), &failed.payload])),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use serde_json::{Value, json};

    use super::*;
    use crate::failed::tests::failed;

    fn sql(filter: &str, change: impl FnOnce(&mut Value)) -> Sql {
        made(filter, change).unwrap()
    }

    fn made(filter: &str, change: impl FnOnce(&mut Value)) -> Result<Sql, Error> {
        let mut dataset: Value =
            serde_json::from_str(include_str!("../../../infra/datasets/temperature.json")).unwrap();
        change(&mut dataset);
        let dataset = Stream::parse("temperature.json", &dataset.to_string()).unwrap();
        Sql::new(filter.parse().unwrap(), &dataset, dataset.watch.as_ref().unwrap())
    }

    fn says(sql: &Sql, failed: &Failed) -> Value {
        serde_json::from_slice(&sql.message(failed, Timestamp(7))).unwrap()
    }

    #[test]
    fn what_the_sql_says_wins_over_the_device() {
        let plain = sql("sensors/+/temperature", |_| ());
        let forged = failed(br#"{"temperature":81,"topic":"own","device":"b","mid":1,"rx_ts":0,"arrived":3}"#);
        let want = json!({"temperature": 81, "topic": "sensors/a/temperature", "device": "a", "mid": "7c1c", "rx_ts": 7,
            "arrived": 3});
        assert_eq!((says(&plain, &forged), plain.objection(&forged)), (want, None));
        let exact = plain.message(&failed(br#"{"temperature":12345678901234567890.125}"#), Timestamp(7));
        assert!(exact.ends_with(br#""temperature":12345678901234567890.125,"topic":"sensors/a/temperature"}"#));
        assert_eq!(says(&plain, &failed(b"hot"))["data"], "aG90");
    }

    #[test]
    fn nothing_can_be_said_within_an_object() {
        let nested = made("sensors/+/temperature", |dataset| dataset["columns"][0]["path"] = json!("from.name"));
        let told = nested.unwrap_err().message;
        assert!(
            told.starts_with("TOPIC_FILTER: the column `device` of temperature is read from `from.name`"),
            "{told}"
        );
    }

    #[test]
    fn what_the_sql_gave_is_no_error_action_whatever_a_device_sent() {
        let sql = sql("sensors/+/temperature", |_| ());
        let mut event = json!({"ruleName": "r", "topic": "sensors/b/temperature", "cloudwatchTraceId": "y",
            "base64OriginalPayload": "e30=", "failures": []});
        assert!(Failed::read(event.to_string().as_bytes()).is_some() && !sql.gave(event.to_string().as_bytes()));
        event["device"] = json!("a");
        assert!(Failed::read(event.to_string().as_bytes()).is_some() && sql.gave(event.to_string().as_bytes()));
    }

    #[test]
    fn a_packed_payload_is_unpacked_unless_it_cannot_be() {
        let packed = sql("sensors/+/temperature", |dataset| dataset["watch"]["payload"] = json!("data"));
        let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
        zipped.write_all(br#"{"temperature":81,"device":"b"}"#).unwrap();
        for payload in [&zipped.finish().unwrap()[..], br#"{"temperature":81}"#] {
            let said = says(&packed, &failed(payload));
            assert_eq!((&said["temperature"], &said["device"], &said["data"]), (&json!(81), &json!("a"), &Value::Null));
        }
        let said = says(&packed, &failed(b"hot"));
        assert_eq!((&said["data"], &said["device"], &said["mid"]), (&json!("aG90"), &json!("a"), &json!("7c1c")));
    }

    #[test]
    fn a_device_names_itself_on_no_topic_of_another_rule() {
        let other = sql("kiosks/+/clicks", |_| ());
        let forged = failed(br#"{"device":"b"}"#);
        assert_eq!(says(&other, &forged)["device"], Value::Null);
        let objection = "; its topic is none of TOPIC_FILTER, `kiosks/+/clicks`";
        assert_eq!(other.objection(&forged).as_deref(), Some(objection));
        let nowhere = Failed { topic: None, ..forged };
        assert_eq!(says(&other, &nowhere), json!({"mid": "7c1c", "rx_ts": 7}));
        assert!(other.objection(&nowhere).is_some());
    }

    #[test]
    fn a_message_without_a_trace_has_an_id_of_its_bytes_and_topic() {
        let plain = sql("sensors/+/temperature", |_| ());
        let id = |payload: &[u8], topic: &str| {
            says(&plain, &Failed { trace: None, topic: Some(topic.to_owned()), ..failed(payload) })["mid"].clone()
        };
        let one = id(b"{}", "sensors/a/temperature");
        assert_eq!((one.as_str().map(str::len), &one), (Some(32), &id(b"{}", "sensors/a/temperature")));
        assert!(one != id(b"{}", "sensors/b/temperature") && one != id(b"[]", "sensors/a/temperature"));
    }
}
