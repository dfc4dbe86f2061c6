//! An invocation → a line about what it did.

use std::{io::Write, time::Duration};

use serde_json::Value;

use crate::{Failure, host::Host, table::count};

/// How long the function's metrics may lag behind its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Invokes the function and tells what came of it, from its answer and its metrics.
///
/// # Errors
/// [`Failure::Failed`] where the function fails or gives a message back.
pub async fn invocation(host: &mut Host, event: Value, timeout: Duration, out: &mut impl Write) -> Result<(), Failure> {
    let messages =
        event["Records"].as_array().filter(|records| records.iter().any(|record| record.get("body").is_some()));
    let asked = messages.map_or("one event".to_owned(), |messages| format!("{} messages", messages.len()));
    drop(host.lines());
    let answer = host.invoke(event, timeout).await.map_err(Failure::failed)?;
    if answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty()) {
        return Err(Failure::Failed(format!("the function gave messages back: {answer}\n{}", host.lines().join("\n"))));
    }
    let metrics = host.line(PATIENCE, |line| line.contains("\"MergeTime\"")).await;
    let metrics = metrics.and_then(|line| serde_json::from_str(&line).ok()).unwrap_or(Value::Null);
    writeln!(out, "  {asked:<12} -> {}", line(&metrics))?;
    Ok(())
}

fn line(metrics: &Value) -> String {
    let figure = |name: &str| metrics[name].as_u64().unwrap_or_default();
    if figure("Files") == 0 {
        return "up to date".to_owned();
    }
    format!(
        "{} {}, {} rows: {} inserts, {} updates, {} deletes; row groups {} carried, {} rewritten; {:.2} s",
        figure("Files"),
        if figure("Files") == 1 { "file" } else { "files" },
        count(figure("RowsIn")),
        count(figure("Inserts")),
        count(figure("Updates")),
        count(figure("Deletes")),
        figure("RowGroupsCarried"),
        figure("RowGroupsRewritten"),
        metrics["MergeTime"].as_f64().unwrap_or_default(),
    )
}
