//! The source prefix → the files that are there, without walking the whole history.
//!
//! What the ledger has settled is not listed again but for a look at a few stretches, to find files that turned up
//! there late.

use std::collections::BTreeMap;

use headgate::{
    clock::Timestamp,
    store::{ObjectMeta, Store},
};

use super::{
    ledger::{Ledger, fingerprint},
    names::{self, CdcName, LoadName, Name},
};
use crate::object::Failure;

/// List requests that looking at a settled table may make.
const REQUESTS: u64 = 10;

/// A full-load file that is there.
#[derive(Debug, Clone)]
pub struct Load {
    /// Its key below the prefix.
    pub key: String,
    /// What the name says.
    pub name: LoadName,
    /// The object.
    pub meta: ObjectMeta,
}

/// A file of changes that is there.
#[derive(Debug, Clone)]
pub struct Cdc {
    /// What the name says.
    pub name: CdcName,
    /// The object.
    pub meta: ObjectMeta,
}

/// What is there.
#[derive(Debug, Default)]
pub struct Listing {
    /// Full-load files.
    pub loads: Vec<Load>,
    /// Files of changes, in name order; of the settled ones only those that were seen.
    pub changes: Vec<Cdc>,
    /// Keys that are no change files.
    pub unrecognized: Vec<String>,
    /// Keys, below the prefix, of files that turned up in settled stretches.
    pub intruders: Vec<String>,
    /// Whether everything under the prefix was listed.
    pub full: bool,
    /// Whether any settled file is still there, as far as was looked.
    pub history_seen: bool,
    /// List requests made.
    pub requests: u64,
}

/// Lists what a merge needs. `full`: everything; else from the ledger's horizon on, where the folders allow it.
///
/// # Errors
/// Where the store fails.
pub async fn list(
    store: &dyn Store,
    prefix: &str,
    ledger: Option<&Ledger>,
    poked: &[String],
    now: Timestamp,
    full: bool,
) -> Result<Listing, Failure> {
    let mut listing = Listing::default();
    let start = ledger.filter(|_| !full).and_then(|ledger| start(ledger).map(|start| (ledger, start)));
    let Some((ledger, start)) = start else {
        scan(store, prefix, None, None, &mut listing).await?;
        listing.full = true;
        listing.history_seen = ledger.is_some_and(|ledger| listing.changes.iter().any(|c| ledger.is_settled(&c.name)));
        audit_seen(ledger, &mut listing);
        return Ok(finished(listing));
    };
    scan(store, prefix, Some(&start), None, &mut listing).await?;
    listing.changes.retain(|change| !ledger.is_settled(&change.name));
    head(store, prefix, &start, ledger, &mut listing).await?;
    elsewhere(store, prefix, &start, ledger, poked, &mut listing).await?;
    audit(store, prefix, ledger, poked, now, &mut listing).await?;
    Ok(finished(listing))
}

fn finished(mut listing: Listing) -> Listing {
    listing.changes.sort_by(|a, b| a.name.cmp(&b.name));
    listing.loads.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.key.cmp(&b.key)));
    listing.loads.dedup_by(|a, b| a.key == b.key);
    listing.changes.dedup_by(|a, b| a.name == b.name);
    listing
}

/// Where a listing may begin so that it sees every file the horizon has not passed.
fn start(ledger: &Ledger) -> Option<String> {
    let horizon = names::moment(ledger.horizon.as_ref()?);
    let mut found: Option<String> = None;
    let mut folder = None;
    for key in ledger.files.keys() {
        // Names in one folder begin their listing at one place: one of each tells.
        let of = key.rsplit_once('/').map(|(folder, _)| folder);
        if found.is_some() && of == folder {
            continue;
        }
        folder = of;
        let start = names::list_after(&names::cdc(key)?, horizon)?;
        // One layout only: where folders differ in kind, none of them is sure.
        if found.as_ref().is_some_and(|found| *found != start) {
            return None;
        }
        found = Some(start);
    }
    found
}

/// Lists the keys below the prefix after `after`, up to and with `until`.
async fn scan(
    store: &dyn Store,
    prefix: &str,
    after: Option<&str>,
    until: Option<&str>,
    listing: &mut Listing,
) -> Result<(), Failure> {
    let mut after = after.map(|after| format!("{prefix}{after}"));
    loop {
        let page = store.list(prefix, after.as_deref()).await?;
        listing.requests += 1;
        after = page.objects.last().map(|object| object.key.clone());
        for object in page.objects {
            if until.is_some_and(|until| &object.key[prefix.len()..] > until) {
                return Ok(());
            }
            note(prefix, object, listing);
        }
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

fn note(prefix: &str, meta: ObjectMeta, listing: &mut Listing) {
    let key = meta.key.get(prefix.len()..).unwrap_or_default().to_owned();
    match names::parse(&key) {
        Some(Name::Load(name)) => listing.loads.push(Load { key, name, meta }),
        Some(Name::Cdc(name)) => listing.changes.push(Cdc { name, meta }),
        // Folders made by consoles are objects too.
        None if key.is_empty() || (key.ends_with('/') && meta.size == 0) => {}
        None => listing.unrecognized.push(meta.key),
    }
}

/// Looks before the start: at full-load files whose folders sort there, and whether any history is left at all.
async fn head(
    store: &dyn Store,
    prefix: &str,
    start: &str,
    ledger: &Ledger,
    listing: &mut Listing,
) -> Result<(), Failure> {
    let mut first = Listing::default();
    let page = store.list(prefix, None).await?;
    listing.requests += 1;
    for object in page.objects {
        if &object.key[prefix.len()..] <= start {
            note(prefix, object, &mut first);
        }
    }
    listing.loads.extend(first.loads);
    listing.history_seen = first.changes.iter().any(|change| ledger.is_settled(&change.name));
    listing.changes.extend(first.changes.into_iter().filter(|change| !ledger.is_settled(&change.name)));
    for (key, _) in ledger.loads.iter().chain(&ledger.stale_loads) {
        let known = listing.loads.iter().any(|load| load.key == *key);
        if key.as_str() <= start
            && !known
            && let Some(meta) = store.head(&format!("{prefix}{key}")).await?
        {
            note(prefix, meta, listing);
        }
    }
    Ok(())
}

/// Looks where files would be if their folders were laid out anew: before the start, in the same year, and at the keys
/// that events named.
async fn elsewhere(
    store: &dyn Store,
    prefix: &str,
    start: &str,
    ledger: &Ledger,
    poked: &[String],
    listing: &mut Listing,
) -> Result<(), Failure> {
    if let Some(year) = start.get(..4).filter(|year| year.bytes().all(|b| b.is_ascii_digit())) {
        let page = store.list(prefix, Some(&format!("{prefix}{year}"))).await?;
        listing.requests += 1;
        let mut found = Listing::default();
        for object in page.objects.into_iter().filter(|object| &object.key[prefix.len()..] <= start) {
            note(prefix, object, &mut found);
        }
        listing.changes.extend(found.changes.into_iter().filter(|change| !ledger.is_settled(&change.name)));
        listing.loads.extend(found.loads);
    }
    for key in poked {
        let Some(name) = key.strip_prefix(prefix).and_then(names::cdc) else { continue };
        let seen = ledger.is_settled(&name) || listing.changes.iter().any(|change| change.name == name);
        if !seen && let Some(meta) = store.head(key).await? {
            listing.changes.push(Cdc { name, meta });
        }
    }
    Ok(())
}

/// Lists some settled stretches and compares them with the ledger: those that events named, then a few by turns.
async fn audit(
    store: &dyn Store,
    prefix: &str,
    ledger: &Ledger,
    poked: &[String],
    now: Timestamp,
    listing: &mut Listing,
) -> Result<(), Failure> {
    let stretches = ledger.history.len();
    if stretches == 0 {
        return Ok(());
    }
    let of = |key: &str| ledger.history.partition_point(|stretch| stretch.from.as_str() <= key).saturating_sub(1);
    let named = poked.iter().filter_map(|key| key.strip_prefix(prefix)).filter(|key| match names::parse(key) {
        Some(Name::Cdc(name)) => ledger.is_settled(&name),
        _ => false,
    });
    let mut turns: Vec<usize> = named.map(of).collect();
    let turn = usize::try_from(now.0.rem_euclid(86_400_000) / 60_000).unwrap_or(0);
    turns.extend((0..stretches).map(|step| (turn + step) % stretches));
    let mut done = std::collections::BTreeSet::new();
    for at in turns {
        // A stretch with one file too many may take a second request.
        if listing.requests + 2 > REQUESTS {
            break;
        }
        if done.insert(at) {
            audit_one(store, prefix, ledger, at, listing).await?;
        }
    }
    Ok(())
}

async fn audit_one(
    store: &dyn Store,
    prefix: &str,
    ledger: &Ledger,
    at: usize,
    listing: &mut Listing,
) -> Result<(), Failure> {
    let from = if at == 0 { None } else { Some(ledger.history[at].from.as_str()) };
    let until = ledger.history.get(at + 1).map(|next| next.from.as_str());
    let mut seen = Listing::default();
    // Listing begins after a key: one character less begins with it.
    let after = from.map(|from| from.get(..from.len().saturating_sub(1)).unwrap_or("").to_owned());
    scan(store, prefix, after.as_deref(), until, &mut seen).await?;
    listing.requests += seen.requests;
    let within = |key: &str| from.is_none_or(|from| key >= from) && until.is_none_or(|until| key < until);
    let settled: Vec<Cdc> =
        seen.changes.into_iter().filter(|c| within(&c.name.key) && ledger.is_settled(&c.name)).collect();
    listing.history_seen |= !settled.is_empty();
    listing.intruders.extend(intruders(&settled, ledger, at));
    Ok(())
}

/// The same for a full listing: every stretch was seen.
fn audit_seen(ledger: Option<&Ledger>, listing: &mut Listing) {
    let Some(ledger) = ledger.filter(|ledger| !ledger.history.is_empty()) else { return };
    let mut by_stretch: BTreeMap<usize, Vec<Cdc>> = BTreeMap::new();
    for change in listing.changes.iter().filter(|change| ledger.is_settled(&change.name)) {
        let at = ledger.history.partition_point(|stretch| stretch.from <= change.name.key).saturating_sub(1);
        by_stretch.entry(at).or_default().push(change.clone());
    }
    let found: Vec<String> = by_stretch.iter().flat_map(|(at, seen)| intruders(seen, ledger, *at)).collect();
    listing.intruders.extend(found);
}

/// The files of a settled stretch that it did not have when it was settled. The sum of what is there less the sum of
/// what was there names a single newcomer outright; of several, the latest stored are named.
fn intruders(seen: &[Cdc], ledger: &Ledger, at: usize) -> Vec<String> {
    let stretch = &ledger.history[at];
    let candidates: Vec<&Cdc> = seen.iter().filter(|c| !ledger.is_cut_off(&c.name)).collect();
    let candidates: Vec<&Cdc> =
        candidates.into_iter().filter(|c| !ledger.quarantined.contains_key(&c.name.key)).collect();
    let extra = (candidates.len() as u64).saturating_sub(stretch.files);
    if extra == 0 {
        return Vec::new();
    }
    let sum = candidates.iter().fold(0_u64, |sum, c| sum.wrapping_add(fingerprint(&c.name.key)));
    let difference = sum.wrapping_sub(stretch.sum);
    if let Some(only) = candidates.iter().find(|c| extra == 1 && fingerprint(&c.name.key) == difference) {
        return vec![only.name.key.clone()];
    }
    let mut by_age = candidates;
    by_age.sort_by_key(|c| std::cmp::Reverse(c.meta.last_modified));
    by_age.into_iter().take(usize::try_from(extra).unwrap_or(usize::MAX)).map(|c| c.name.key.clone()).collect()
}
