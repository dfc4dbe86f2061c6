//! What a CSV file says → what is read.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::read::{
    input::tests::{dribble, gzip},
    tests::{dataset, dump},
};

fn read(dataset: &Dataset, csv: &Csv, kind: FileKind, file: &[u8], step: usize) -> Result<Vec<String>, Refusal> {
    dump(&mut CsvRows::open(csv, kind, dataset, &dribble(file, step))?)
}

fn plain() -> Csv {
    Csv { header: false, null: "NULL".to_owned(), delimiter: b',' }
}

fn header() -> Csv {
    Csv { header: true, ..plain() }
}

fn check(dataset: &Dataset, csv: &Csv, kind: FileKind, text: &str, want: &[&str]) {
    for step in [1, 5, 1 << 20] {
        assert_eq!(read(dataset, csv, kind, text.as_bytes(), step).unwrap(), want, "{text:?}");
        assert_eq!(read(dataset, csv, kind, &gzip(text.as_bytes()), step).unwrap(), want, "packed {text:?}");
    }
}

fn refuse_file(dataset: &Dataset, csv: &Csv, file: impl AsRef<[u8]>, want: (Code, Option<&str>, &str)) {
    let refusal = read(dataset, csv, FileKind::Cdc, file.as_ref(), 3).unwrap_err();
    assert_eq!((refusal.code, refusal.column.as_deref(), refusal.reason.as_str()), want);
}

#[test]
fn reads_a_load_and_its_changes() {
    let orders = dataset("id int64, name string, price decimal, payload string");
    let load = "2024-01-15 22:30:16.318000,-7,NULL,53.2021,6162\n2024-01-15 22:30:16.318000,2,\"a,\"\"b\r\n\",NULL,\n";
    check(
        &orders,
        &plain(),
        FileKind::Load,
        load,
        &["Insert id=-7 name=NULL price=53.2021 payload=6162", "Insert id=2 name=a,\"b\r\n price=NULL payload="],
    );
    let changes = "I,2024-01-15 22:30:21.000000,1,\"NULL\",1,\nu,2024-01-15 22:30:21.000000,1,null,1.5000,\0\n\
                   D,2024-01-15 22:30:21.000000,1,,whatever,NULL\n";
    check(
        &orders,
        &plain(),
        FileKind::Cdc,
        changes,
        &[
            "Insert id=1 name=NULL price=1.0000 payload=",
            "Update id=1 name=null price=1.5000 payload=\0",
            "Delete id=1 name= price=NULL payload=NULL",
        ],
    );
}

#[test]
fn reads_every_type() {
    let all = dataset(
        "id string, i int32, u uint64, f float32, d float64, b boolean, day date, ms ms, us us, t time, bytes binary",
    );
    let row = "k,-1,18446744073709551615,0.1,1.7976931348623157e308,t,1582-10-10,2024-01-15 22:30:16.318000,\
               9999-12-31 23:59:59.999999,23:59:59.5,00fF";
    check(
        &all,
        &header(),
        FileKind::Load,
        &format!("id,i,u,f,d,b,day,ms,us,t,bytes\n{row}\n"),
        &["Insert id=k i=-1 u=18446744073709551615 f=0.1 d=1.7976931348623157e308 b=true day=1582-10-10 \
           ms=2024-01-15 22:30:16.318 us=9999-12-31 23:59:59.999999 t=23:59:59.500000 bytes=[00, ff]"],
    );
}

#[test]
fn a_header_names_the_columns() {
    let mut orders = dataset("id int64, name string, gone string");
    orders.source.before_image_prefix = Some("BI_".to_owned());
    let text = "\u{feff}ts,BI_id,name,Op,id,extra\r\n,NULL,a,I,1,x\r\n,1,b,U,2,x\r\n,2,b,D,2,x\r\n";
    check(
        &orders,
        &header(),
        FileKind::Cdc,
        text,
        &["Insert name=a id=1 | old NULL", "Update name=b id=2 | old 1", "Delete name=b id=2 | old NULL"],
    );
    let mut rows = CsvRows::open(&header(), FileKind::Cdc, &orders, &dribble(text.as_bytes(), 9)).unwrap();
    dump(&mut rows).unwrap();
    assert_eq!((rows.complete(), rows.undeclared(), rows.earliest()), (true, &["extra".to_owned()][..], None));
    check(&orders, &header(), FileKind::Cdc, "Op,id\n", &[]);
    orders.columns = None;
    check(&orders, &header(), FileKind::Cdc, "Op,id,x\nI,01,NULL\n", &["Insert id=01 x=NULL"]);
}

#[test]
fn tells_the_earliest_time() {
    let orders = dataset("id int64");
    let text = "2024-01-15 22:30:17.000000,1\n2024-01-15 22:30:16.318999,2\nNULL,3\n";
    let mut rows = CsvRows::open(&plain(), FileKind::Load, &orders, &dribble(text.as_bytes(), 9)).unwrap();
    assert_eq!(rows.earliest(), None);
    dump(&mut rows).unwrap();
    assert_eq!(rows.earliest(), Some(Timestamp(1_705_357_816_318)));
}

#[test]
fn null_may_be_the_empty_text() {
    let empty = Csv { null: String::new(), delimiter: b'\t', ..plain() };
    let mut orders = dataset("id int64, name string, n int64");
    orders.source.timestamp_column = None;
    check(&orders, &empty, FileKind::Cdc, "I\t1\t\"\"\t\n", &["Insert id=1 name= n=NULL"]);
    check(&orders, &empty, FileKind::Cdc, "I\t1\t\t7", &["Insert id=1 name=NULL n=7"]);
}

#[test]
fn refuses_what_is_wrong() {
    let orders = dataset("id int64, name string, n int32");
    let check = |file: &[u8], want| refuse_file(&orders, &plain(), file, want);
    let t = "2024-01-15 22:30:21.000000";
    check(b"", (Code::UnreadableFile, None, "the file is empty (0 bytes)"));
    check(b"I,1\n", (Code::UnreadableFile, None, "row 1: 2 fields where 5 are expected, or 4 without an operation"));
    let row = |row: &str| format!("I,{t},1,a,1\n{row}\n").into_bytes();
    check(&row(&format!("I,{t},1,a")), (Code::UnreadableFile, None, "row 2: 4 fields where 5 are expected"));
    check(&row(&format!("X,{t},1,a,1")), (Code::UnknownOp, None, "row 2: the operation is \"X\""));
    check(&row(&format!(",{t},1,a,1")), (Code::UnknownOp, None, "row 2: the operation is \"\""));
    check(&row(&format!("I,{t},NULL,a,1")), (Code::NullKey, Some("id"), "row 2: the key is NULL"));
    let misfit = "row 2: the value cannot be read as Int32";
    check(&row(&format!("I,{t},1,a,")), (Code::InvalidValue, Some("n"), misfit));
    check(&row(&format!("U,{t},1,a,+1")), (Code::InvalidValue, Some("n"), misfit));
    let misfit = "row 2: the value cannot be read as Int64";
    check(&row(&format!("D,{t},x,a,1")), (Code::InvalidValue, Some("id"), misfit));
    check(&row(&format!("I,{t},1,\"a,1")), (Code::UnreadableFile, None, "row 2: a quoted field does not end"));
    let latin = [format!("I,{t},1,").as_bytes(), b"\xe9,1\n"].concat();
    check(&latin, (Code::InvalidValue, Some("name"), "row 1: the text is not UTF-8"));
    let reason = "row 1: 4 fields where 5 are expected, or 4 without an operation";
    check(b"I,1,a,2\n", (Code::UnreadableFile, None, reason));
    check(b"x,1,a,2\n", (Code::InvalidValue, Some("ts"), "row 1: the value is no time"));
    let mut packed = gzip(&row("x"));
    packed.truncate(packed.len() - 1);
    assert_eq!(read(&orders, &plain(), FileKind::Cdc, &packed, 9).unwrap_err().code, Code::UnreadableFile);
    refuse_file(&orders, &header(), "Op,name\n", (Code::MissingKeyColumn, Some("id"), "the file has no such column"));
}

/// As a writer quotes: NULL bare, text that needs it quoted, other text as `quote` says.
fn written(value: Option<&str>, quote: bool, null: &str) -> String {
    match value {
        None => null.to_owned(),
        Some(text) if quote || text == null || text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text.to_owned(),
    }
}

fn any_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof!["NULL|null||\\\\N", "[a,\"\n\r\0😀é ]{0,8}"])
}

proptest! {
    #[test]
    fn reads_back_what_was_written(
        rows in prop::collection::vec((any::<i64>(), any_text(), any_text(), any::<bool>()), 0..20),
        step in 1_usize..40,
        null in "NULL|\\\\N|",
        newline in "\n|\r\n",
    ) {
        let mut orders = dataset("id int64, a string, b string");
        orders.source.timestamp_column = None;
        let (mut file, mut want) = (String::new(), Vec::new());
        for (id, a, b, quote) in &rows {
            let text = |value: &Option<String>| written(value.as_deref(), *quote, &null);
            write!(file, "U,{id},{},{}{newline}", text(a), text(b)).unwrap();
            let shown = |value: &Option<String>| value.clone().unwrap_or("NULL".to_owned());
            want.push(format!("Update id={id} a={} b={}", shown(a), shown(b)));
        }
        let csv = Csv { null, ..plain() };
        let file = if file.is_empty() { gzip(b"") } else { file.into_bytes() };
        prop_assert_eq!(read(&orders, &csv, FileKind::Cdc, &file, step), Ok(want));
    }

    #[test]
    fn takes_any_bytes(file in prop::collection::vec(prop::sample::select(b"I,\"\r\n1NUL-:\xff\x1f\x8b".to_vec()), 0..60)) {
        let orders = dataset("id int64");
        let _ = read(&orders, &plain(), FileKind::Cdc, &file, 7);
        let _ = read(&orders, &header(), FileKind::Cdc, &file, 7);
    }
}
