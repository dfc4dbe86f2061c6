//! How the files of a stream are compacted: every field, and every problem with its path.

use std::time::Duration;

use serde_json::{Value, json};

use super::stream::clickstream;
use crate::dataset::{Stream, stream::Compact};

fn parse(compact: Value) -> Result<Option<Compact>, String> {
    let mut document = clickstream();
    document["compact"] = compact;
    let parsed = Stream::parse("clickstream.json", &document.to_string());
    parsed.map(|stream| stream.compact).map_err(|error| error.message)
}

#[test]
fn fields_have_defaults() {
    assert_eq!(parse(json!({})), Ok(Some(Compact::default())));
    let stated = json!({"target_mb": 64, "after_hours": 2, "order_by": ["user_id", "ts"], "min_files": 2});
    let order_by = vec!["user_id".to_owned(), "ts".to_owned()];
    let expected = Compact { target: 64 << 20, after: Duration::from_hours(2), order_by, min_files: 2 };
    assert_eq!(parse(stated), Ok(Some(expected)));
}

#[test]
fn problems_are_told_with_their_paths() {
    for (compact, told) in [
        (json!({"target_mb": 0}), "$.compact.target_mb: expected a whole number of megabytes from 1 to 1024, found 0"),
        (json!({"after_hours": 0}), "$.compact.after_hours: expected a whole number of hours from 1"),
        (json!({"min_files": 1}), "$.compact.min_files: expected a whole number of files from 2 to 1000, found 1"),
        (json!({"order_by": ["nope"]}), "$.compact.order_by[0]: `nope` is not among the columns"),
        (json!({"order_by": ["ts", "ts"]}), "$.compact.order_by[1]: `ts` is listed twice"),
        (json!({"order_by": [1]}), "$.compact.order_by[0]: expected a column's name, found 1"),
        (json!({"order_by": ["tags"]}), "$.compact.order_by[0]: `tags` is `list<string>`: must not be nested"),
        (json!({"target": 1}), "$.compact.target: unknown field"),
        (json!([]), "$.compact: expected an object, found an array"),
    ] {
        let error = parse(compact.clone()).unwrap_err();
        assert!(error.contains(told), "{compact}: {error}");
    }
}
