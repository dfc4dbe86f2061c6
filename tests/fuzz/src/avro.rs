//! A schema's text, a zero byte and a datum → JSON, which is JSON and of one datum.
//!
//! No JSON text has a zero byte in it. Without a schema the datum is read by schemas of every kind.

use std::sync::LazyLock;

use headgate::Code;
use headgate_kafka::avro::{Schema, Style, decode};
use serde::de::IgnoredAny;

/// What may come out of a datum.
const CAP: usize = 1 << 18;

const EVERY_TYPE: &str = r#"{"type":"record","name":"all","namespace":"a.b","fields":[
    {"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":["null","long"]},
    {"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"y","type":"bytes"},{"name":"s","type":"string"},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"x","type":{"type":"fixed","name":"F","size":2}},
    {"name":"a","type":{"type":"array","items":"int"}},{"name":"m","type":{"type":"map","values":"F"}},
    {"name":"r","type":["null","all"]}]}"#;
const LOGICAL: &str = r#"{"type":"record","name":"logical","fields":[
    {"name":"dt","type":{"type":"int","logicalType":"date"}},{"name":"tm","type":{"type":"int","logicalType":"time-millis"}},
    {"name":"tu","type":{"type":"long","logicalType":"time-micros"}},
    {"name":"ms","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"us","type":{"type":"long","logicalType":"local-timestamp-micros"}},
    {"name":"ns","type":{"type":"long","logicalType":"timestamp-nanos"}},
    {"name":"n","type":{"type":"bytes","logicalType":"decimal","precision":38,"scale":9}},
    {"name":"fn","type":{"type":"fixed","name":"fn","size":17,"logicalType":"decimal","precision":38,"scale":0}},
    {"name":"u","type":{"type":"fixed","name":"u","size":16,"logicalType":"uuid"}},
    {"name":"p","type":{"type":"fixed","name":"p","size":12,"logicalType":"duration"}},
    {"name":"cd","type":{"type":"int","connect.name":"io.debezium.time.Date"}},
    {"name":"cn","type":{"type":"bytes","connect.name":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2"}}}]}"#;
const EVENT: &str = r#"{"type":"record","name":"Envelope","fields":[
    {"name":"before","type":["null",{"type":"record","name":"Value","fields":[{"name":"id","type":"long"},
        {"name":"at","type":["null",{"type":"long","connect.name":"io.debezium.time.MicroTimestamp"}]}]}],"default":null},
    {"name":"after","type":["null","Value"]},{"name":"op","type":"string"}]}"#;

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let nested =
        [r#"{"type":"array","items":"null"}"#, r#"{"type":"map","values":{"type":"array","items":["string","int"]}}"#];
    let texts = [EVERY_TYPE, LOGICAL, EVENT].into_iter().chain(nested);
    texts.map(|text| Schema::parse(text, &[]).expect("a schema")).collect()
});

/// As a schema and a datum, or as a datum.
pub fn avro(input: &[u8]) {
    let Some(zero) = input.iter().position(|byte| *byte == 0) else { return };
    let (schema, datum) = (&input[..zero], &input[zero + 1..]);
    if schema.is_empty() {
        return SCHEMAS.iter().for_each(|schema| read(schema, datum, input.len()));
    }
    let Ok(text) = std::str::from_utf8(schema) else { return };
    match Schema::parse(text, &[]) {
        Ok(schema) => {
            if let Some(connect) = schema.connect() {
                is_json(&connect);
            }
            read(&schema, datum, input.len());
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

/// One datum begins in no other's way: with a byte less or more it is none.
fn read(schema: &Schema, datum: &[u8], input: usize) {
    let [contract, connect] = [Style::Contract, Style::Connect].map(|style| {
        let told = decode(schema, datum, style, CAP);
        if let Ok(text) = &told {
            is_json(text);
            assert!(text.len() <= CAP + 1024 + 8 * input, "{} bytes of {input}", text.len());
            assert!(decode(schema, &[datum, &[0]].concat(), style, CAP).is_err(), "one byte more");
            if let Some((_, less)) = datum.split_last() {
                assert!(decode(schema, less, style, CAP).is_err(), "one byte less");
            }
        }
        told.map_err(|refusal| refusal.code)
    });
    match (contract, connect) {
        (Ok(_), Err(code)) => assert_eq!(code, Code::TooLarge),
        // What one of them cannot tell is all that they differ in.
        (Err(code), Ok(_)) => assert!(matches!(code, Code::InvalidValue | Code::TooLarge), "{code}"),
        _ => {}
    }
}

fn is_json(text: &str) {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        panic!("{error}");
    }
}

/// A datum of each schema, with it and without.
pub fn seeds() -> Vec<Vec<u8>> {
    let every = [
        &[1, 14, 2, 5][..],
        &1.5_f32.to_le_bytes(),
        &1e300_f64.to_le_bytes(),
        b"\x04\x00\xff",
        b"\x06foo",
        &[2],
        b"xy",
        &[3, 4, 6, 54, 0],
        b"\x02\x02kzz\x00",
        &[0],
    ];
    let logical = [
        &[4][..],
        &[0xd0, 0x0f],
        &[2],
        &[1],
        &[2],
        &[2],
        &[2, 0x7b],
        &[0; 17],
        &[0x12; 16],
        &[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        &[4],
        &[4, 0xff, 0x85],
    ];
    let event = b"\x00\x02\x0e\x02\x04\x02c";
    let read = [(EVERY_TYPE, every.concat()), (LOGICAL, logical.concat()), (EVENT, event.to_vec())];
    let with = |(schema, datum): &(&str, Vec<u8>)| [schema.as_bytes(), &[0], datum].concat();
    let mut seeds: Vec<_> = read.iter().map(with).collect();
    seeds.extend(read.iter().map(|(_, datum)| [&[0], &datum[..]].concat()));
    // A list that claims a billion nulls, and text in a map of lists of unions.
    seeds.push(b"\0\xfe\xff\xff\xff\x0f\x00".to_vec());
    seeds.push(b"\0\x02\x02k\x04\x00\x02a\x02\x0e\x00\x00".to_vec());
    seeds.extend(
        [&br#"["null",{"type":"string"}]"#[..], br#"{"type":"enum","name":"x.E","symbols":["A"]}"#]
            .map(|schema| [schema, b"\0\x02\x02a"].concat()),
    );
    seeds
}
