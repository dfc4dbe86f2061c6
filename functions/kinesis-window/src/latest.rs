//! The results of a window → the newest of each key, an item of the state each.
//!
//! An item is of one window. A newer one takes its place; the parts of the same one, of other shards, stand side by side.

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use headgate::{
    Code, Error,
    quarantine::Identity,
    state::{Expected, Item, State, StateError},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::time::Duration;

use crate::{closing::Part, plan::Plan, spill::AT_ONCE};

/// How long an item is kept after its window.
const KEPT: Duration = Duration::from_hours(32 * 24);
/// How often an item is read again that others keep changing.
const ROUNDS: usize = 16;
/// The longest name of a key, which may become the name of a file.
const NAME: usize = 200;
const SAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Writes the results, and says how many items that changed.
///
/// # Errors
/// As the state's; retry, [`Code::Contended`], where others keep changing an item.
pub async fn write(
    state: &dyn State,
    dataset: &str,
    plan: &Plan,
    lines: &[String],
    part: Part<'_>,
) -> Result<u64, Error> {
    let results = lines.iter().map(|line| Latest::of(dataset, plan, line, part)).collect::<Result<Vec<_>, _>>()?;
    let writing: Vec<_> = results.iter().map(|latest| latest.write(state).boxed()).collect();
    let changed: Vec<bool> = stream::iter(writing).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(changed.into_iter().filter(|changed| *changed).count() as u64)
}

/// What a part of a window says of a key.
struct Latest {
    item: String,
    start: i64,
    end: i64,
    key: Map<String, Value>,
    part: String,
    measures: Map<String, Value>,
}

impl Latest {
    fn of(dataset: &str, plan: &Plan, line: &str, Part { window, first }: Part<'_>) -> Result<Self, Error> {
        let told: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
        let at = |name: &String| (name.clone(), told.get(name).cloned().unwrap_or_default());
        let key: Map<_, _> = plan.key.iter().map(|named| at(&named.name)).collect();
        let measures = plan.measures.iter().map(|measure| at(&measure.name)).collect();
        let values: Vec<_> = plan.key.iter().map(|named| &key[&named.name]).collect();
        let text = json!(values).to_string();
        let name = utf8_percent_encode(&text, SAFE).to_string();
        let name = if name.len() > NAME { Identity::of(&[&text]).to_string() } else { name };
        Ok(Self {
            item: format!("latest/{dataset}/{name}"),
            start: window.start.0,
            end: window.end.0,
            key,
            part: format!("{}/{first}", window.shard),
            measures,
        })
    }

    async fn write(&self, state: &dyn State) -> Result<bool, Error> {
        for _ in 0..ROUNDS {
            let there = state.get(&self.item).await?;
            let Some(value) = self.over(there.as_ref())? else { return Ok(false) };
            let expected = there.map_or(Expected::Absent, |item| Expected::Version(item.version));
            match state.put_if(&self.item, value, expected, Some(KEPT)).await {
                Ok(_) => return Ok(true),
                Err(StateError::Changed { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::retry(Code::Contended, format!("{}: changed by others again and again", self.item)))
    }

    /// What the item becomes; `None` where it says so already, or more.
    fn over(&self, there: Option<&Item>) -> Result<Option<Value>, Error> {
        let mut parts = Map::new();
        if let Some(item) = there {
            let (Some(start), Some(known)) = (item.value["start"].as_i64(), item.value["parts"].as_object()) else {
                let what = format!("{}: the item is none of this function's; remove it", self.item);
                return Err(Error::misconfigured(Code::InvalidConfig, what));
            };
            if start > self.start {
                return Ok(None);
            }
            if start == self.start {
                parts.clone_from(known);
            }
        }
        let measures = Value::Object(self.measures.clone());
        if parts.get(&self.part) == Some(&measures) {
            return Ok(None);
        }
        parts.insert(self.part.clone(), measures);
        Ok(Some(json!({"key": self.key, "start": self.start, "end": self.end, "parts": parts})))
    }
}
