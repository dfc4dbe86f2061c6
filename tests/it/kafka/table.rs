//! What happens to a table → the records of its change topic, as Debezium writes them, and the rows that are there.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use time::Date;

pub const PARTITIONS: usize = 3;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON without a schema, over several lines.
    Bare,
    /// JSON with its schema.
    Wrapped,
    /// Avro behind a Confluent header.
    Avro,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: i64,
    state: Option<String>,
    cents: i32,
    day: i32,
}

impl Row {
    fn amount(&self) -> String {
        let (sign, cents) = (if self.cents < 0 { "-" } else { "" }, self.cents.unsigned_abs());
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

/// The table, and its topic by partitions: offsets and values.
#[derive(Debug)]
pub struct Table {
    form: Form,
    rows: BTreeMap<i64, Row>,
    pub topic: [Vec<(i64, Option<Vec<u8>>)>; PARTITIONS],
    /// The keys of its records by partition and offset.
    keys: BTreeMap<(usize, i64), i64>,
    /// Records that are no change the merge could apply.
    pub bad: usize,
}

impl Table {
    pub fn new(form: Form) -> Self {
        Self { form, rows: BTreeMap::new(), topic: Default::default(), keys: BTreeMap::new(), bad: 0 }
    }

    /// A statement of someone's.
    pub fn happen(&mut self, what: u8, id: u8, other: u8, value: u8) {
        let (id, other) = (i64::from(id % 8), i64::from(other % 8));
        let row = |id| Row {
            id,
            state: (!value.is_multiple_of(5)).then(|| format!("s{value}\n\"é")),
            cents: i32::from(value) * 131 - 9000,
            day: 20_000 + i32::from(value),
        };
        match (what % 8, self.rows.remove(&id)) {
            (0..=2, None) => self.write(if value % 4 == 1 { "r" } else { "c" }, None, row(id)),
            // Without REPLICA IDENTITY FULL there is no image before.
            (0..=2, Some(old)) => self.write("u", (value.is_multiple_of(2)).then_some(&old), row(id)),
            (3 | 4, Some(old)) => self.delete(&old),
            (5, Some(old)) if !self.rows.contains_key(&other) && other != id => {
                self.delete(&old);
                self.write("c", None, Row { id: other, ..old });
            }
            (6, old) => {
                self.rows.extend(old.map(|old| (id, old)));
                self.disturb(value, &row(id));
            }
            (_, old) => self.rows.extend(old.map(|old| (id, old))),
        }
    }

    fn write(&mut self, op: &str, before: Option<&Row>, after: Row) {
        let event = self.form.event(op, before, Some(&after));
        self.send(after.id, Some(event));
        self.rows.insert(after.id, after);
    }

    fn delete(&mut self, row: &Row) {
        self.send(row.id, Some(self.form.event("d", Some(row), None)));
        self.send(row.id, None);
    }

    /// What is no change, or none that can be applied.
    fn disturb(&mut self, which: u8, row: &Row) {
        let (text, bad) = match which % 7 {
            0 => (json!({"op": "m", "message": {"prefix": "x", "content": ""}}).to_string(), false),
            1 => (json!({"status": "END", "id": "571", "event_count": 2, "data_collections": []}).to_string(), false),
            2 => (json!({"schema": null, "payload": null}).to_string(), false),
            3 => (json!({"id": row.id, "state": "new"}).to_string(), true),
            4 => ("[]".to_owned(), true),
            5 => ("\0\0\0\0\x09no schema".to_owned(), true),
            _ => {
                let row = Row { state: Some("__debezium_unavailable_value".to_owned()), ..row.clone() };
                self.bad += 1;
                return self.send(row.id, Some(self.form.event("u", None, Some(&row))));
            }
        };
        self.bad += usize::from(bad);
        self.send(row.id, Some(text.into_bytes()));
    }

    fn send(&mut self, key: i64, value: Option<Vec<u8>>) {
        let at = usize::try_from(key).unwrap() % PARTITIONS;
        let partition = &mut self.topic[at];
        // Offsets have gaps.
        let offset = partition.last().map_or(5, |(last, _)| last + 1 + key % 2);
        partition.push((offset, value));
        self.keys.insert((at, offset), key);
    }

    /// Has every Avro event that `which` picks, by partition and number, be of schema 8, which is the same as 7.
    pub fn renumber(&mut self, which: impl Fn(usize, usize) -> bool) {
        for (at, partition) in self.topic.iter_mut().enumerate() {
            for (number, (_, value)) in partition.iter_mut().enumerate() {
                let value = value.as_mut().filter(|value| value.starts_with(&[0, 0, 0, 0, 7]));
                if let Some(value) = value.filter(|_| which(at, number)) {
                    value[4] = 8;
                }
            }
        }
    }

    /// The rows as a snapshot has them.
    pub fn truth(&self) -> BTreeMap<i64, Vec<Option<String>>> {
        let truth = |row: &Row| {
            let day = Date::from_julian_day(row.day + 2_440_588).unwrap();
            vec![row.state.clone(), Some(row.amount()), Some(day.to_string())]
        };
        self.rows.iter().map(|(id, row)| (*id, truth(row))).collect()
    }

    /// An event source mapping's event with these records of each partition.
    pub fn event(&self, ranges: &[std::ops::Range<usize>; PARTITIONS]) -> Value {
        let key = |partition: usize, offset: i64| json!({"id": self.keys.get(&(partition, offset))}).to_string();
        let record = |partition: usize, (offset, value): &(i64, Option<Vec<u8>>)| {
            json!({"topic": "shop.public.orders", "partition": partition, "offset": offset,
                "timestamp": 1_795_348_700_000_i64 + offset, "timestampType": "CREATE_TIME", "headers": [],
                "key": BASE64_STANDARD.encode(key(partition, *offset)), "value": value.as_ref().map(|value| BASE64_STANDARD.encode(value))})
        };
        let list = |(at, range): (usize, &std::ops::Range<usize>)| {
            let records: Vec<_> = self.topic[at][range.clone()].iter().map(|one| record(at, one)).collect();
            (format!("shop.public.orders-{at}"), json!(records))
        };
        let records: serde_json::Map<_, _> = ranges.iter().enumerate().map(list).collect();
        json!({"eventSource": "aws:kafka", "bootstrapServers": "b-1:9092", "records": records})
    }
}

impl Form {
    fn event(self, op: &str, before: Option<&Row>, after: Option<&Row>) -> Vec<u8> {
        let image = |row: Option<&Row>| row.map(|row| self.row(row));
        let event = json!({"before": image(before), "after": image(after), "source": {"lsn": 7}, "op": op,
            "ts_ms": 1_795_348_700_000_i64, "transaction": null});
        match self {
            Self::Bare => serde_json::to_vec_pretty(&event).unwrap(),
            Self::Wrapped => json!({"schema": schema(), "payload": event}).to_string().into_bytes(),
            Self::Avro => {
                let lsn = [long(1), long(7)].concat();
                let stamp = [long(1), long(1_795_348_700_000)].concat();
                let parts = [optional(before, avro), optional(after, avro), lsn, text(op), stamp];
                [vec![0, 0, 0, 0, 7], parts.concat()].concat()
            }
        }
    }

    fn row(self, row: &Row) -> Value {
        let amount = match self {
            Self::Bare => row.amount(),
            _ => BASE64_STANDARD.encode(row.cents.to_be_bytes()),
        };
        json!({"id": row.id, "state": row.state, "amount": amount, "day": row.day})
    }
}

fn schema() -> Value {
    let row = |field: &str| {
        json!({"field": field, "type": "struct", "optional": true, "fields": [
            {"field": "id", "type": "int64", "optional": false},
            {"field": "state", "type": "string", "optional": true},
            {"field": "amount", "type": "bytes", "optional": true, "name": "org.apache.kafka.connect.data.Decimal",
                "parameters": {"scale": "2", "connect.decimal.precision": "9"}},
            {"field": "day", "type": "int32", "optional": true, "name": "io.debezium.time.Date"},
        ]})
    };
    json!({"type": "struct", "fields": [row("before"), row("after"), {"field": "op", "type": "string"}]})
}

fn avro(row: &Row) -> Vec<u8> {
    let bytes = |bytes: [u8; 4]| [long(4), bytes.to_vec()].concat();
    let state = optional(row.state.as_deref(), text);
    [
        long(row.id),
        state,
        optional(Some(row.cents.to_be_bytes()), bytes),
        optional(Some(row.day), |day| long(day.into())),
    ]
    .concat()
}

/// A union with null.
fn optional<T>(value: Option<T>, write: impl Fn(T) -> Vec<u8>) -> Vec<u8> {
    value.map_or_else(|| long(0), |value| [long(1), write(value)].concat())
}

fn text(text: &str) -> Vec<u8> {
    [long(i64::try_from(text.len()).unwrap()), text.as_bytes().to_vec()].concat()
}

fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut out = Vec::new();
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap());
    out
}
