//! Bytes → the rows of change files, by datasets that declare all types and by some that declare none.

use std::{io, sync::LazyLock};

use headgate::dataset::Dataset;
use headgate_columnar::{
    changes::{FileKind, Refusal},
    read::{self, Rows},
};

const EVERY_TYPE: &str = r#""columns": [
    {"name": "id", "type": "int64"}, {"name": "s", "type": "string"}, {"name": "i", "type": "int32"},
    {"name": "u", "type": "uint64"}, {"name": "f", "type": "float32"}, {"name": "d", "type": "float64"},
    {"name": "n", "type": "decimal(18,4)"}, {"name": "b", "type": "boolean"}, {"name": "day", "type": "date"},
    {"name": "ms", "type": "timestamp(ms)"}, {"name": "us", "type": "timestamp(us)"}, {"name": "t", "type": "time"},
    {"name": "bin", "type": "binary"}],"#;

static CSV: LazyLock<[Dataset; 3]> = LazyLock::new(|| {
    let head = r#""format": "csv", "timestamp_column": "ts", "csv": {"header": true}, "before_image_prefix": "BI_""#;
    [
        dataset(head, ""),
        dataset(head, EVERY_TYPE),
        dataset(r#""format": "csv", "order_column": "seq", "csv": {"null": "", "delimiter": "|"}"#, EVERY_TYPE),
    ]
});

static DEBEZIUM: LazyLock<[Dataset; 2]> =
    LazyLock::new(|| ["", EVERY_TYPE].map(|columns| dataset(r#""format": "debezium_json""#, columns)));

fn dataset(source: &str, columns: &str) -> Dataset {
    let text = format!(
        r#"{{"name": "orders", "kind": "cdc", "source": {{"prefix": "cdc/orders/", {source}}}, "primary_key": ["id"],
            {columns} "target": {{"snapshot": "curated/orders/snapshot.parquet"}}}}"#
    );
    Dataset::parse("orders.json", &text).expect("a dataset")
}

/// As a CSV file.
pub fn csv(input: &[u8]) {
    CSV.iter().for_each(|dataset| file(dataset, input));
}

/// As a file of Debezium's envelopes.
pub fn debezium(input: &[u8]) {
    DEBEZIUM.iter().for_each(|dataset| file(dataset, input));
}

fn file(dataset: &Dataset, input: &[u8]) {
    let owned = input.to_vec();
    for kind in [FileKind::Load, FileKind::Cdc] {
        let open = || -> io::Result<Box<dyn io::Read + Send>> { Ok(Box::new(io::Cursor::new(owned.clone()))) };
        let told = read::open(&dataset.source.format, kind, dataset, &open).and_then(|mut rows| read_all(&mut *rows));
        if let Err(refusal) = told {
            assert!(!refusal.reason.is_empty());
        }
    }
}

/// Every batch has the file's columns and an operation for each of its rows.
fn read_all(rows: &mut dyn Rows) -> Result<(), Refusal> {
    while let Some(changes) = rows.next_batch()? {
        assert_eq!(changes.rows.schema_ref(), rows.schema());
        assert_eq!(changes.ops.len(), changes.rows.num_rows());
        assert!(changes.old_keys.iter().flatten().all(|key| key.len() == changes.ops.len()));
    }
    Ok(())
}

/// Files with and without names, and one of a full load.
pub fn csv_seeds() -> Vec<Vec<u8>> {
    let row = "7,k,-1,18446744073709551615,0.1,1.5e308,1.5000,t,1582-10-10,2024-01-15 22:30:16.318000,\
               9999-12-31 23:59:59.999999,23:59:59.5,00fF";
    let names = "Op,ts,id,s,i,u,f,d,n,b,day,ms,us,t,bin,BI_id";
    let files = [
        format!("{names}\r\nI,2024-01-15 22:30:21.000000,{row},NULL\r\nU,,{row},6\r\n"),
        format!("{names}\nD,2024-01-15 22:30:21.000000,{row},NULL\n"),
        format!("I|{}|1\n", row.replace(',', "|")),
        format!("{}|\"1\"\n", row.replace(',', "|")),
        "id,name\n1,\"a,\"\"b\r\n\"\n2,NULL\n".to_owned(),
    ];
    files.map(String::into_bytes).into()
}

/// Bare envelopes, and one with its schema.
pub fn debezium_seeds() -> Vec<Vec<u8>> {
    let files = [
        r#"{"Op": "I", "before": null, "after": {"id": 1, "s": "a", "n": "-301.1500", "us": "2024-09-19 22:27:53.370"}, "ts_ms": 17}
{"op":"u","ts_ms":18,"before":{"id":1},"after":{"s":"\ud83d\ude00\n","id":"2","n":1.50,"ms":1,"more":[1]}}
null

{"op":"m","message":{}}
{"op":"d","before":{"id":2,"s":"x","n":"bad"},"after":null}
{"op":"t","before":null,"after":null}"#,
        r#"{"schema":{"type":"struct","fields":[{"field":"after","type":"struct","fields":[{"field":"id","type":"int64"},
{"field":"s","type":"int32","name":"io.debezium.time.Date"},
{"field":"d","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2","connect.decimal.precision":"10"}},
{"field":"us","type":"int64","name":"io.debezium.time.MicroTimestamp"},{"field":"bin","type":"bytes"},{"field":"t","type":"int32",
"name":"io.debezium.time.Time"},{"field":"day","type":"int32","name":"io.debezium.time.Date"},{"field":"n","type":"struct",
"name":"io.debezium.data.VariableScaleDecimal"}]}]},"payload":{"op":"c","after":{"id":1,"s":1,"d":"AN3H","us":1700000000000000,
"bin":"AAE=","t":1000,"day":19000,"n":{"scale":2,"value":"AN3H"}}}}"#,
        r#"{"op":"c","after":{"id":1,"a":1.5,"b":true,"c":null,"e":18446744073709551615,"g":123456789012345678901234567890}}"#,
    ];
    // A line is a record: the breaks that keep these texts short are only for people.
    let wrapped = |file: &str| file.replace(",\n", ",").into_bytes();
    files.map(wrapped).into()
}
