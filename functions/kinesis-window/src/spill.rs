//! Keys that do not fit the state that Lambda hands on → items of the state, until the window closes.
//!
//! An item is named by what it holds, and the window's state names the items. So one that an attempt left behind which
//! did not finish is nobody's, and ends by itself; a repeat writes the same bytes under the same name.

use std::collections::BTreeSet;

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use headgate::{
    Code, Error,
    landing::{KEPT, Mark},
    quarantine::Identity,
    state::{Expected, State},
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    carried::{Open, packed, unpacked},
    groups::{Group, Known},
    scalar::Key,
};

/// The most bytes of an item: `DynamoDB` takes 400 KB.
const ITEM: usize = 300_000;
/// How many items are read or written at once.
pub const AT_ONCE: usize = 32;

/// What left the window's state.
#[derive(Debug, Default)]
pub struct Spilled {
    /// How many keys.
    pub keys: u64,
    /// The items, each with its content.
    pub items: Vec<(String, String)>,
}

/// Where a window's items are in the state.
pub fn folder(dataset: &str, stream: &str, shard: &str, first: &Mark) -> String {
    format!("window/{dataset}/{stream}/{shard}/{first}")
}

/// Takes the keys of the fewest records out of `open` until its state has at most `most` bytes, and gives the state.
///
/// # Errors
/// Retry, [`Code::Internal`]: something cannot be written.
pub fn fit(open: &mut Open, most: usize) -> Result<(Box<RawValue>, Spilled), Error> {
    let mut spilled = Spilled::default();
    loop {
        let state = open.write()?;
        let (length, keys) = (state.get().len(), open.known.len());
        if length <= most || keys == 0 {
            return Ok((state, spilled));
        }
        // What is left takes about three quarters of the room, so that the next batch does not spill again.
        let stay = (keys * most / length * 3 / 4).min(keys - 1);
        let gone = fewest(&mut open.known, keys - stay);
        spilled.keys += gone.len() as u64;
        let gone: Vec<_> = gone.iter().collect();
        for content in contents(&gone)? {
            let name = Identity::of(&[&content]).to_string();
            open.spilled.push(name.clone());
            spilled.items.push((name, content));
        }
    }
}

fn fewest(known: &mut Known, count: usize) -> Known {
    let mut keys: Vec<_> = known.iter().map(|(key, group)| (group.rows, key.clone())).collect();
    keys.sort_unstable();
    keys.into_iter().take(count).filter_map(|(_, key)| known.remove_entry(&key)).collect()
}

fn contents(groups: &[(&Key, &Group)]) -> Result<Vec<String>, Error> {
    let content = packed(groups.iter().copied())?;
    if content.len() <= ITEM || groups.len() < 2 {
        return Ok(vec![content]);
    }
    let (one, other) = groups.split_at(groups.len() / 2);
    let mut halves = contents(one)?;
    halves.extend(contents(other)?);
    Ok(halves)
}

/// Writes the items.
///
/// # Errors
/// As the state's.
pub async fn write(state: &dyn State, folder: &str, spilled: &Spilled) -> Result<(), Error> {
    let writing: Vec<_> = spilled.items.iter().map(|item| write_one(state, folder, item).boxed()).collect();
    stream::iter(writing).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

async fn write_one(state: &dyn State, folder: &str, (name, content): &(String, String)) -> Result<(), Error> {
    state.put_if(&format!("{folder}/{name}"), json!(content), Expected::Any, Some(KEPT)).await?;
    Ok(())
}

/// All that is known of the window: what is in its items, then what it has itself. `None` where the items are gone
/// because the window was closed before.
///
/// # Errors
/// Retry where the state does not answer, or where items are gone that nobody closed.
pub async fn whole(state: &dyn State, folder: &str, open: &Open) -> Result<Option<Known>, Error> {
    let reading: Vec<_> = open.spilled.iter().map(|name| read(state, format!("{folder}/{name}")).boxed()).collect();
    let parts: Vec<Option<Known>> = stream::iter(reading).buffered(AT_ONCE).try_collect().await?;
    let Some(parts) = parts.into_iter().collect::<Option<Vec<_>>>() else {
        let closed = state.get(&closed_key(folder)).await?;
        let last = open.span.as_ref().map(|span| json!(span.last));
        if closed.is_some_and(|item| Some(item.value) == last) {
            return Ok(None);
        }
        let what = format!("{folder}: keys of the window that were put into the state are gone; was it cleared?");
        return Err(Error::retry(Code::FilesGone, what));
    };
    let mut whole = Known::new();
    for part in parts.into_iter().chain([open.known.clone()]) {
        merge(&mut whole, part)?;
    }
    Ok(Some(whole))
}

fn merge(whole: &mut Known, part: Known) -> Result<(), Error> {
    for (key, later) in part {
        let Some(group) = whole.get_mut(&key) else {
            whole.insert(key, later);
            continue;
        };
        group.rows += later.rows;
        for (tally, more) in group.tallies.iter_mut().zip(later.tallies) {
            tally.merge(more)?;
        }
    }
    Ok(())
}

async fn read(state: &dyn State, key: String) -> Result<Option<Known>, Error> {
    let Some(item) = state.get(&key).await? else { return Ok(None) };
    let Value::String(content) = item.value else {
        return Err(Error::misconfigured(Code::InvalidConfig, format!("{key}: the item is none of this function's")));
    };
    let known = unpacked(&content);
    known.map(Some).map_err(|what| Error::misconfigured(Code::InvalidConfig, format!("{key}: {what}")))
}

fn closed_key(folder: &str) -> String {
    format!("{folder}/closed")
}

/// Notes that the window is closed, then removes its items. What cannot be removed ends by itself.
///
/// # Errors
/// As the state's, as long as the note is not there.
pub async fn remove(state: &dyn State, folder: &str, open: &Open) -> Result<(), Error> {
    if open.spilled.is_empty() {
        return Ok(());
    }
    let last = json!(open.span.as_ref().map(|span| &span.last));
    state.put_if(&closed_key(folder), last, Expected::Any, Some(KEPT)).await?;
    let names: BTreeSet<_> = open.spilled.iter().collect();
    let removing: Vec<_> =
        names.into_iter().map(|name| remove_one(state, format!("{folder}/{name}")).boxed()).collect();
    stream::iter(removing).buffer_unordered(AT_ONCE).collect::<()>().await;
    Ok(())
}

async fn remove_one(state: &dyn State, key: String) {
    if let Err(error) = state.delete_if(&key, Expected::Any).await {
        tracing::warn!("{error}: the item stays until its time is over");
    }
}
