//! What became of a batch of `kinesis-consumer`: the table's rows, the refused records, the figures.

use serde_json::{Value, json};

use crate::consume::lake::Lake;

/// All that the lake holds, in a form that does not change from run to run.
pub async fn seen(lake: &Lake) -> Value {
    let refused = lake.refused().await.into_iter().map(|line| {
        let text = line.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        json!({"code": line.code, "reason": line.reason, "path": line.path, "position": line.position.to_string(),
            "document": line.document, "raw": text})
    });
    let refused: Vec<_> = refused.collect();
    json!({"rows": lake.lines().await, "refused": refused})
}
