//! The samples in `events/` → what each decoder begins with.
//!
//! One decoder's answers are the next one's input, as in the functions; only what no sample has is written out here.

use std::{fs, path::Path};

use bytes::Bytes;
use headgate::{
    decode::{
        compression, json,
        kpl::{self, Packed},
    },
    event::{firehose, http, kafka, kinesis},
};

/// Enough for any sample.
const CAP: usize = 1 << 20;

/// The events of a function.
fn events(function: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(function);
    let files = fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    files.map(|file| fs::read(file).unwrap()).collect()
}

pub fn kinesis_events() -> Vec<Vec<u8>> {
    events("kinesis-consumer")
}

pub fn firehose_events() -> Vec<Vec<u8>> {
    events("firehose-transform")
}

pub fn http_events() -> Vec<Vec<u8>> {
    events("api-ingest")
}

pub fn kafka_events() -> Vec<Vec<u8>> {
    let written = [
        r#"{"eventSource":"aws:kafka","records":{"eu-orders-3":[{"topic":"eu-orders","partition":3,"offset":7,
            "timestamp":1767225600050,"timestampType":"CREATE_TIME","key":"azE=","value":"dmFsdWU=","headers":[{"trace":[97,-98]}],
            "valueSchemaMetadata":{"dataFormat":"AVRO","schemaId":"12"}}],"eu-orders-4":[{"offset":"8","value":null}]}}"#,
        r#"{"records":{"a-0":{"offset":9},"nonsense":[{"offset":1}],"b-1":null}}"#,
    ];
    [events("msk-consumer"), written.map(|event| event.as_bytes().to_vec()).into()].concat()
}

/// What was put into streams.
fn data() -> Vec<Bytes> {
    let mut data = Vec::new();
    for event in kinesis_events() {
        data.extend(kinesis::read(&event).into_iter().flatten().flatten().map(|record| record.data));
    }
    for event in firehose_events() {
        let records = firehose::read(&event).into_iter().flat_map(|request| request.records);
        data.extend(records.flatten().map(|record| record.data));
    }
    for event in kafka_events() {
        data.extend(kafka::read(&event).into_iter().flatten().flatten().filter_map(|record| record.value));
    }
    for event in http_events() {
        data.extend(http::read(&event).map(|request| Bytes::copy_from_slice(&request.body)));
    }
    data
}

/// Data as it came, and its content where it is packed.
fn told(is_meant: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = data().iter().map(|data| data.to_vec()).collect();
    all.extend(data().iter().filter_map(|data| compression::unpack(data, CAP).ok()).map(Vec::from));
    all.retain(|data| !data.is_empty() && data.len() < CAP && is_meant(data));
    all.sort();
    all.dedup();
    all
}

pub fn packed() -> Vec<Vec<u8>> {
    let bomb = vec![0; 4 * CAP];
    let mut packed = told(|data| compression::Packing::sniff(data).is_some());
    packed.extend([1, 19].map(|level| zstd::encode_all(&*bomb, level).unwrap()));
    packed.push(zstd::encode_all(&b"a frame without its size"[..], 1).unwrap());
    packed
}

pub fn bodies() -> Vec<Vec<u8>> {
    let mut bodies = told(<[u8]>::is_ascii);
    bodies.push(b"{\"a\":\n".to_vec());
    bodies
}

pub fn documents() -> Vec<Vec<u8>> {
    let typed = r#"{"b":true,"i":"7","l":1e3,"u":18446744073709551615,"f":0.1,"d":-1.5,"n":"12.3400","s":"a\u00e9\n","dt":"2024-02-29",
        "ms":1545084650.05,"us":"2018-12-17T22:10:50.987654Z","t":"23:59:59.5","bin":"AAE=","j":[1,{"x":null}],"o":{"p":"p","q":"qqqq"},
        "list":[{"x":1,"y":["z",null],"w":2},null],"st":{"x":1,"y":{"z":1.25,"more":2}},"extra":[{}]}"#;
    let dms =
        format!(r#"{{"data":{typed},"metadata":{{"record-type":"data","operation":"insert","table-name":"t"}}}}"#);
    let control = r#"{"metadata":{"record-type":"control","operation":"create-table"},"control":{}}"#;
    let mut all: Vec<Vec<u8>> = [typed, &dms, control].map(|text| text.as_bytes().to_vec()).into();
    for body in bodies() {
        all.extend(json::documents(&body.into()).flatten().map(|document| document.raw.to_vec()));
    }
    all
}

/// The messages of aggregates, without magic and digest.
pub fn aggregates() -> Vec<Vec<u8>> {
    let aggregate = |data: &Vec<u8>| matches!(kpl::deaggregate(&data.clone().into()), Packed::Aggregate(_));
    let messages = told(|_| true).into_iter().filter(aggregate);
    messages.map(|data| data[4..data.len() - 16].to_vec()).collect()
}

pub fn logs() -> Vec<Vec<u8>> {
    told(|data| data.windows(8).any(|window| window == b"_MESSAGE"))
}

pub fn framed() -> Vec<Vec<u8>> {
    let uuid = [7; 16];
    let zlib = [0x78, 0x01, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0x02, 0x4d, 0x01, 0x27];
    let written = [
        vec![0, 0, 0, 1, 2, 4, 2, 6, 8, 1],
        [&[3, 0], &uuid[..], b"abc"].concat(),
        [&[3, 5], &uuid[..], &zlib].concat(),
    ];
    [told(|data| matches!(data, [0 | 3, ..])), written.into()].concat()
}
