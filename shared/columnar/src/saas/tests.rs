//! Files of every format, good and bad, and what they come to.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, MapBuilder, RecordBatch, StringArray,
    StringBuilder, StructArray, TimestampMicrosecondArray,
};
use bytes::Bytes;
use headgate::{Class, Code, clock::Timestamp, dataset::Saas, fate::Fate};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::{Piece, Readers, Run, land};

const MEMORY: u64 = 256 << 20;

fn dataset(format: &str, change: impl Fn(&mut Value)) -> Saas {
    let mut document = json!({"name": "deals", "kind": "saas", "source": {"flow": "deals", "format": format},
        "primary_key": ["id"], "order_by": "modified", "deleted": {"column": "gone"}, "unknown_fields": "drop",
        "columns": [
            {"name": "id", "type": "string", "path": "Id", "required": true},
            {"name": "modified", "type": "timestamp(ms)", "path": "LastModifiedDate", "required": true},
            {"name": "gone", "type": "boolean", "path": "IsDeleted"},
            {"name": "amount", "type": "decimal(12,2)", "path": "Amount"},
            {"name": "city", "type": "string", "path": "BillingAddress.City", "fallback": "BillingCity"},
            {"name": "email", "type": "string", "path": "Email", "mask": "keep_last(4)"}],
        "target": {"snapshot": "curated/saas/deals/snapshot.parquet"}});
    change(&mut document);
    Saas::parse("deals.json", &document.to_string()).unwrap()
}

/// The rows of the changes, and of what is refused the row, the code and where.
fn landed(saas: &Saas, file: impl Into<Bytes>) -> (Vec<Value>, Vec<Value>) {
    let run = Run { id: "e1", at: Timestamp(0) };
    let readers = Readers::new(saas, None).unwrap();
    let (mut changes, mut aside) = (Vec::new(), Vec::new());
    let mut give = |piece| {
        match piece {
            Piece::Changes(part, file) => {
                assert_eq!(part, changes.len() as u64);
                changes.push(file);
            }
            Piece::Refused(_, lines) => aside.extend_from_slice(&lines),
        }
        Ok(())
    };
    land((saas, &readers), run, &[("raw/a".to_owned(), file.into())], MEMORY, &mut give).unwrap();
    let rows = changes.into_iter().flat_map(rows).collect();
    let refused = aside.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let refused = refused.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let told = refused.map(|line| json!([line["position"]["row"]["row"], line["code"], line["path"]])).collect();
    (rows, told)
}

fn rows(file: Bytes) -> Vec<Value> {
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let cell = |array: &ArrayRef| arrow::util::display::array_value_to_string(array, row).unwrap();
            rows.push(batch.columns().iter().map(cell).collect::<Value>());
        }
    }
    rows
}

#[test]
fn json_of_rest_and_of_bulk_come_to_the_same() {
    let rest = concat!(
        r#"{"Id":"1","LastModifiedDate":"2026-01-01T00:00:00.000+0000","IsDeleted":false,"Amount":10000.5,"BillingAddress":{"City":"Bern"},"Email":"a@b.example"}"#,
        "\n\n",
        r#"{"Id":"2","LastModifiedDate":1767225600000,"IsDeleted":true,"Amount":null,"BillingAddress":null,"Email":null}"#,
        "\r\n",
    );
    let bulk = concat!(
        r#"{"Id":"1","LastModifiedDate":"2026-01-01T00:00:00Z","IsDeleted":"false","Amount":"10000.50","BillingCity":"Bern","Email":"a@b.example"}"#,
        "\n",
        r#"{"Id":"2","LastModifiedDate":"1767225600000","IsDeleted":"true","Amount":"","BillingCity":"","Email":""}"#,
    );
    let saas = dataset("json", |_| {});
    let want = vec![
        json!(["I", "1", "2026-01-01T00:00:00", "false", "10000.50", "Bern", "*******mple"]),
        json!(["D", "2", "2026-01-01T00:00:00", "true", "", "", ""]),
    ];
    assert_eq!(landed(&saas, rest), (want.clone(), vec![]));
    assert_eq!(landed(&saas, bulk), (want.clone(), vec![]));
    let csv = "Id,LastModifiedDate,IsDeleted,Amount,BillingCity,Email\r\n\
        1,2026-01-01T00:00:00.000Z,false,10000.5,Bern,a@b.example\r\n2,1767225600000,true,\"\",,\r\n";
    assert_eq!(landed(&dataset("csv", |_| {}), csv), (want, vec![]));
}

fn parquet_file(columns: Vec<(&str, ArrayRef)>) -> Bytes {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    crate::stream::encode(&batch, None, headgate::dataset::Compression::None, &[]).unwrap()
}

#[test]
fn parquet_of_texts_and_of_types_come_to_the_same() {
    let texts = |values: [Option<&str>; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let text = parquet_file(vec![
        ("Id", texts([Some("1"), Some("2")])),
        ("LastModifiedDate", texts([Some("2026-01-01T00:00:00.000+0000"), Some("2026-01-01T01:00:00+01:00")])),
        ("IsDeleted", texts([Some("false"), Some("true")])),
        ("Amount", texts([Some("9007199254740993.25"), None])),
        ("BillingCity", texts([Some("Bern"), Some("")])),
    ]);
    let city: ArrayRef = Arc::new(StringArray::from(vec![Some("Bern"), None]));
    let field = Arc::new(arrow::datatypes::Field::new("City", arrow::datatypes::DataType::Utf8, true));
    let amount =
        Decimal128Array::from(vec![Some(900_719_925_474_099_325), None]).with_precision_and_scale(18, 2).unwrap();
    let moments = TimestampMicrosecondArray::from(vec![1_767_225_600_000_000; 2]).with_timezone("UTC");
    let typed = parquet_file(vec![
        ("Id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("LastModifiedDate", Arc::new(moments)),
        ("IsDeleted", Arc::new(BooleanArray::from(vec![false, true]))),
        ("Amount", Arc::new(amount)),
        ("BillingAddress", Arc::new(StructArray::from(vec![(field, city)]))),
    ]);
    let saas = dataset("parquet", |document| document["columns"][3]["type"] = json!("decimal(18,2)"));
    let want = vec![
        json!(["I", "1", "2026-01-01T00:00:00", "false", "9007199254740993.25", "Bern", ""]),
        json!(["D", "2", "2026-01-01T00:00:00", "true", "", "", ""]),
    ];
    assert_eq!(landed(&saas, text), (want.clone(), vec![]));
    assert_eq!(landed(&saas, typed), (want, vec![]));
}

#[test]
fn a_bad_record_costs_itself() {
    let file = concat!(
        r#"{"Id":"1","LastModifiedDate":"yesterday"}"#,
        "\n",
        r#"{"Id":"","LastModifiedDate":"2026-01-01"}"#,
        "\n",
        r#"{"Id":"3","LastModifiedDate":"2026-01-01"} {}"#,
        "\n",
        "[1]\n",
        r#"{"Id":"4""#,
        "\n",
        r#"{"Id":"5","LastModifiedDate":"2026-01-01"}"#,
        "\n",
    );
    let (rows, refused) = landed(&dataset("json", |_| {}), file);
    assert_eq!(rows, [json!(["I", "5", "2026-01-01T00:00:00", "", "", "", ""])]);
    let want = [
        json!([0, "invalid_value", "$.LastModifiedDate"]),
        json!([1, "missing_field", "$.Id"]),
        json!([2, "invalid_json", null]),
        json!([3, "invalid_json", "$"]),
        json!([4, "invalid_json", "$"]),
    ];
    assert_eq!(refused, want);
    let csv = "Id,LastModifiedDate\n1\n2,2026-01-01\n3,\"2026\"x\n4,2026-01-01\n";
    let (rows, refused) = landed(&dataset("csv", |_| {}), csv);
    assert_eq!(rows.len(), 1);
    assert_eq!(refused, [json!([0, "unreadable_file", null]), json!([2, "unreadable_file", null])]);
    let floats = parquet_file(vec![
        ("Id", Arc::new(Int64Array::from(vec![1]))),
        ("LastModifiedDate", Arc::new(StringArray::from(vec!["2026-01-01"]))),
        ("Amount", Arc::new(Float64Array::from(vec![f64::NAN]))),
    ]);
    let saas = dataset("parquet", |_| {});
    assert_eq!(landed(&saas, floats).1, [json!([0, "invalid_value", "$.Amount"])]);
    for bad in [&b"PAR1"[..], b"PAR1xxxxxxxxxxxxxxxxPAR1"] {
        assert_eq!(landed(&saas, bad).1, [json!([null, "unreadable_file", null])]);
    }
    assert_eq!(landed(&saas, ""), (vec![], vec![]));
}

#[test]
fn what_the_filter_does_not_want_takes_its_row_out() {
    let saas = dataset("json", |document| document["filter"] = json!([{"column": "amount", "above": 10000}]));
    let record = |id: u8, amount: u32| {
        format!(
            "{{\"Id\":\"{id}\",\"LastModifiedDate\":\"2026-01-01\",\"Amount\":{amount},\"Email\":\"a@b.example\"}}\n"
        )
    };
    let (rows, refused) = landed(&saas, [record(1, 10_001), record(2, 10_000), record(3, 10_002)].concat());
    let want = [
        json!(["I", "1", "2026-01-01T00:00:00", "", "10001.00", "", "*******mple"]),
        json!(["D", "2", "2026-01-01T00:00:00", "", "", "", ""]),
        json!(["I", "3", "2026-01-01T00:00:00", "", "10002.00", "", "*******mple"]),
    ];
    assert_eq!((&rows[..], &refused[..]), (&want[..], &[][..]));
}

#[test]
fn a_deletion_needs_no_more_than_its_key() {
    let saas = dataset("json", |document| {
        document["columns"][4]["required"] = json!(true);
        document["columns"][5] = json!({"name": "status", "type": "string", "path": "Status", "one_of": ["open"]});
    });
    let file = concat!(
        r#"{"Id":"1","LastModifiedDate":"2026-01-01","IsDeleted":true}"#,
        "\n",
        r#"{"Id":"2","LastModifiedDate":"2026-01-01","IsDeleted":true,"BillingCity":"Bern","Status":"gone"}"#,
        "\n",
        r#"{"Id":"3","LastModifiedDate":"2026-01-01","IsDeleted":false}"#,
        "\n",
        r#"{"LastModifiedDate":"2026-01-01","IsDeleted":true}"#,
        "\n",
        r#"{"Id":"5","LastModifiedDate":"2026-01-01","IsDeleted":true} {}"#,
        "\n",
    );
    let (rows, refused) = landed(&saas, file);
    let gone = |id: &str| json!(["D", id, "2026-01-01T00:00:00", "true", "", "", ""]);
    assert_eq!(rows, [gone("1"), gone("2")]);
    let want = [
        json!([2, "missing_field", "$.BillingAddress.City"]),
        json!([3, "missing_field", "$.Id"]),
        json!([4, "missing_field", "$.BillingAddress.City"]),
    ];
    assert_eq!(refused, want);
}

#[test]
fn much_is_cut_into_the_same_parts_each_time() {
    let saas = dataset("json", |_| {});
    let line = |row: usize| {
        let city = "x".repeat(32 << 10);
        match row % 2 {
            0 => format!("{{\"Id\":\"{row}\",\"LastModifiedDate\":\"2026-01-01\",\"BillingCity\":\"{city}\"}}\n"),
            _ => format!("{{\"Id\":1,\"LastModifiedDate\":\"{city}\"}}\n"),
        }
    };
    let file: Bytes = (0..140).map(line).collect::<String>().into();
    let readers = Readers::new(&saas, None).unwrap();
    let land = || {
        let mut pieces = Vec::new();
        let mut give = |piece| {
            pieces.push(piece);
            Ok(())
        };
        let run = Run { id: "e1", at: Timestamp(0) };
        let landed = land((&saas, &readers), run, &[("raw/a".to_owned(), file.clone())], MEMORY, &mut give).unwrap();
        (landed, pieces)
    };
    let (told, pieces) = land();
    let parts = |wanted: fn(&Piece) -> Option<u64>| pieces.iter().filter_map(wanted).collect::<Vec<_>>();
    assert_eq!(parts(|piece| if let Piece::Changes(part, _) = piece { Some(*part) } else { None }), [0, 1, 2]);
    assert!(parts(|piece| if let Piece::Refused(part, _) = piece { Some(*part) } else { None }).len() > 2);
    assert_eq!((told.records, told.fates.of(Fate::Stored), told.fates.quarantined()), (140, 70, 70));
    assert_eq!(land(), (told, pieces));
}

#[test]
fn a_row_group_that_does_not_fit_the_memory_is_no_bad_file() {
    let saas = dataset("parquet", |_| {});
    // Snappy makes little of it, and decoding all of it again.
    let file = {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..2000).map(|row| format!("{row:01000}"))));
        let batch = RecordBatch::try_from_iter([("Id", texts)]).unwrap();
        crate::stream::encode(&batch, None, headgate::dataset::Compression::Snappy, &[]).unwrap()
    };
    let readers = Readers::new(&saas, None).unwrap();
    let files = [("raw/a".to_owned(), file)];
    let land = |memory| land((&saas, &readers), Run { id: "e1", at: Timestamp(0) }, &files, memory, &mut |_| Ok(()));
    let error = land(4 << 20).unwrap_err();
    assert_eq!((error.class, error.code), (Class::Misconfigured, Code::TooLarge));
    assert!(error.message.starts_with("raw/a: a row group has "), "{error}");
    assert_eq!(land(16 << 20).unwrap().records, 2000);
}

#[test]
fn what_no_json_can_tell_costs_nothing_that_nobody_asked_for() {
    let texts = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let mut notes = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    notes.keys().append_value("a");
    notes.values().append_value("b");
    notes.append(true).unwrap();
    let notes: ArrayRef = Arc::new(notes.finish());
    let file = |name: &str| {
        parquet_file(vec![("Id", texts("1")), ("LastModifiedDate", texts("2026-01-01")), (name, Arc::clone(&notes))])
    };
    let saas = dataset("parquet", |document| document["unknown_fields"] = json!("keep"));
    let want = json!(["I", "1", "2026-01-01T00:00:00", "", "", "", "", "{\"Notes\":null}"]);
    assert_eq!(landed(&saas, file("Notes")), (vec![want], vec![]));
    for asked in ["Amount", "BillingAddress"] {
        assert_eq!(landed(&saas, file(asked)), (vec![], vec![json!([null, "unreadable_file", null])]));
    }
}

#[test]
fn csv_of_tabs_may_have_empty_records_and_a_file_end_in_half_a_line_end() {
    let saas = dataset("csv", |document| {
        document["source"]["csv"] = json!({"delimiter": "\t"});
        document["columns"][0]["default"] = json!("none");
        document["columns"][1]["required"] = json!(false);
    });
    let (rows, refused) = landed(&saas, "Id\tBillingCity\r\n1\tBern\r\n\t\r\n\r\n2\t\"Thun\"\r");
    let row = |id: &str, city: &str| json!(["I", id, "", "", "", city, ""]);
    assert_eq!((rows, refused), (vec![row("1", "Bern"), row("none", ""), row("2", "Thun")], vec![]));
}

#[test]
fn the_rest_of_a_broken_csv_is_not_kept_twice() {
    let saas = dataset("csv", |_| {});
    let file = format!("Id,LastModifiedDate\n1,\"2026\"x\n{}", "2,2026-01-01\n".repeat(100_000));
    let mut aside = Vec::new();
    let mut give = |piece| {
        if let Piece::Refused(_, lines) = piece {
            aside.extend_from_slice(&lines);
        }
        Ok(())
    };
    let readers = Readers::new(&saas, None).unwrap();
    let files = [("raw/a".to_owned(), Bytes::from(file))];
    land((&saas, &readers), Run { id: "e1", at: Timestamp(0) }, &files, MEMORY, &mut give).unwrap();
    let line: Value = serde_json::from_slice(&aside).unwrap();
    assert!(line["reason"].as_str().unwrap().contains("1300010 bytes left"), "{}", line["reason"]);
    assert!(aside.len() < 100_000, "{} bytes", aside.len());
}
