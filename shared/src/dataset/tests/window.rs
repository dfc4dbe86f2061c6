//! What cannot work together in a dataset of windows.

use super::{stream::clickstream, *};
use crate::dataset::Stream;

fn check(pointer: &str, value: Value, want: &str) {
    let window = json!({"key": ["page"], "measures": [
        {"name": "n", "function": "count"}, {"name": "d", "function": "distinct", "column": "user_id"},
        {"name": "s", "function": "sum", "column": "value"}]});
    let dataset = with(with(clickstream(), "/unknown_fields", json!("drop")), "/window", window);
    let told = Stream::parse("x.json", &with(dataset, pointer, value).to_string()).unwrap_err().message;
    assert_eq!(told, format!("x.json: 1 problem\n  $.{want}"));
}

#[test]
fn a_window_fits_its_columns() {
    check("/source/type", json!("firehose"), "window: windows are made of a stream of `kinesis`, not of `firehose`");
    let what = "unknown_fields: a table of windows has no place for unknown fields: must be `drop` or `reject`";
    check("/unknown_fields", json!("keep"), what);
    let what = "partition_by.columns: a table of windows is partitioned by their time alone";
    check("/partition_by", json!({"columns": ["currency"]}), what);
    let what = "window.key[0]: `value` is `float64`: must be text, a whole or decimal number, a boolean or a time";
    check("/window/key", json!(["value"]), what);
    check("/window/key", json!(["nobody"]), "window.key[0]: `nobody` is not among the columns");
    let what = "window.measures[2].column: `page` is `string`: must be a number";
    check("/window/measures/2/column", json!("page"), what);
    for taken in ["page", "Shard", "n", "d_sketch"] {
        let what = format!("window.measures[2].name: `{taken}` is a column of the table already");
        check("/window/measures/2/name", json!(taken), &what);
    }
}
