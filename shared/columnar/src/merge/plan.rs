//! The ledger and what is there → what is to be done.
//!
//! Pure: an event is only a poke, so the plan depends on the files and on nothing that was said about them.

use std::collections::BTreeSet;

use headgate::{
    Code, Error,
    clock::Timestamp,
    dataset::{OnTruncate, Source},
};

use super::{
    generation::{self, CdcFile, Generation, LoadFile},
    ledger::{Ledger, Seen},
    listing::{Cdc, Listing, Load},
    names::{self, Name},
};

mod onward;

/// What a file of changes is to the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Newer than anything applied.
    New,
    /// Older than something applied.
    Late,
    /// Applied, and newer than a late one, or perhaps with later versions of rows than a new one: what it changed is
    /// settled.
    Settled,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Todo {
    /// The ledger that the files are added to.
    pub ledger: Ledger,
    /// Nothing of the old snapshot's rows is used.
    pub fresh: bool,
    /// The table was emptied: its columns stay.
    pub emptied: bool,
    /// Full-load files, in order.
    pub loads: Vec<Load>,
    /// Files of changes, in order.
    pub changes: Vec<(Cdc, Role)>,
    /// Applied files that were listed.
    pub duplicates: u64,
    /// Files of an earlier generation that were listed.
    pub outdated: u64,
    /// Applied files that are gone.
    pub vanished: u64,
    /// Keys of files that are not applied by themselves.
    pub refused: Vec<String>,
}

/// What a plan is asked beyond the new files.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The dataset's source.
    pub source: &'a Source,
    /// Whole keys of files behind the horizon that are to be applied nevertheless.
    pub include: &'a [String],
    /// Whether a column decides between versions of a row, and not the files' names.
    pub ordered: bool,
}

/// Whether a plan over this listing needs the times of the full-load files, or must see everything there is.
#[must_use]
pub fn needs_evidence(ledger: Option<&Ledger>, listing: &Listing) -> bool {
    match ledger {
        None => !listing.loads.is_empty(),
        Some(ledger) => differing(ledger, listing).iter().any(|(_, how)| *how != How::Same),
    }
}

/// Plans a merge. `transfer` gives the transfer times of a full-load file's rows.
///
/// # Errors
/// Where the files do not say whether a full load was repeated, or files that are needed are gone.
pub fn plan(
    ledger: Option<&Ledger>,
    listing: &Listing,
    transfer: &dyn Fn(&str) -> Option<(Timestamp, Timestamp)>,
    asked: &Asked<'_>,
) -> Result<Todo, Error> {
    let Some(ledger) = ledger else {
        let generation = decide(listing, transfer, asked.source)?;
        return anew(&Ledger { generation: 1, ..Ledger::default() }, &generation, listing, asked);
    };
    let differing = differing(ledger, listing);
    let any = |how: How| differing.iter().any(|(_, found)| *found == how);
    let loaded_only = ledger.files.is_empty() && ledger.history.is_empty();
    if asked.source.on_truncate == OnTruncate::Follow && all_gone(ledger, listing) {
        let generation = decide(listing, transfer, asked.source)?;
        let next = Ledger { cutoff: None, newest: None, ..successor(ledger) };
        return anew(&next, &generation, listing, asked).map(|todo| Todo { emptied: true, ..todo });
    }
    if any(How::Changed) {
        if let Some(late) = late_load(ledger, listing, transfer, &differing, loaded_only) {
            return rebuild(ledger, &late, listing, asked);
        }
        let generation = reload(ledger, listing, transfer, &differing, asked.source)?;
        return anew(&successor(ledger), &generation, listing, asked);
    }
    if any(How::New) && (!loaded_only || out_of_order(ledger, &differing)) {
        let generation = decide(listing, transfer, asked.source)?;
        return rebuild(ledger, &generation, listing, asked);
    }
    let mut todo = onward::onward(ledger, listing, asked)?;
    todo.loads = differing.into_iter().filter(|(_, how)| *how == How::New).map(|(load, _)| load.clone()).collect();
    Ok(todo)
}

/// How a full-load file compares with the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Same,
    Changed,
    New,
}

fn differing<'a>(ledger: &Ledger, listing: &'a Listing) -> Vec<(&'a Load, How)> {
    let how = |load: &Load| match (ledger.loads.get(&load.key), ledger.stale_loads.get(&load.key)) {
        _ if ledger.quarantined.get(&load.key) == Some(&load.meta.etag) => How::Same,
        // Only the content counts: copying an object in place makes it younger, and no other.
        (Some(seen), _) if seen.etag != load.meta.etag => How::Changed,
        (None, Some(seen)) if seen.etag != load.meta.etag => How::New,
        (None, None) => How::New,
        _ => How::Same,
    };
    listing.loads.iter().map(|load| (load, how(load))).collect()
}

/// Whether a new full-load file comes before one of its sequence that is in: rows over rows would be the wrong way
/// round.
fn out_of_order(ledger: &Ledger, differing: &[(&Load, How)]) -> bool {
    let known: Vec<_> = ledger
        .loads
        .keys()
        .filter_map(|key| match names::parse(key) {
            Some(Name::Load(name)) => Some(name),
            _ => None,
        })
        .collect();
    let new = differing.iter().filter(|(_, how)| *how == How::New);
    new.map(|(load, _)| &load.name).any(|new| known.iter().any(|k| k.sequence == new.sequence && k.number > new.number))
}

fn all_gone(ledger: &Ledger, listing: &Listing) -> bool {
    let loads: BTreeSet<&str> = listing.loads.iter().map(|load| load.key.as_str()).collect();
    let changes: BTreeSet<&str> = listing.changes.iter().map(|change| change.name.key.as_str()).collect();
    ledger.applied() > 0
        && !listing.history_seen
        && !ledger.loads.keys().any(|key| loads.contains(key.as_str()))
        && !ledger.files.keys().any(|key| changes.contains(key.as_str()))
}

/// The next generation's ledger, empty: what this one applied is over.
fn successor(ledger: &Ledger) -> Ledger {
    Ledger {
        generation: ledger.generation + 1,
        sequence: ledger.sequence,
        cutoff: ledger.newest.clone().max(ledger.cutoff.clone()),
        quarantined: ledger.quarantined.clone(),
        superseded: ledger.superseded.clone(),
        ..Ledger::default()
    }
}

fn evidence(
    listing: &Listing,
    transfer: &dyn Fn(&str) -> Option<(Timestamp, Timestamp)>,
) -> (Vec<LoadFile>, Vec<CdcFile>) {
    let load = |load: &Load| LoadFile {
        key: load.key.clone(),
        name: load.name.clone(),
        modified: load.meta.last_modified,
        transfer: transfer(&load.key),
    };
    let change = |change: &Cdc| CdcFile { name: change.name.clone(), modified: change.meta.last_modified };
    (listing.loads.iter().map(load).collect(), listing.changes.iter().map(change).collect())
}

fn decide(
    listing: &Listing,
    transfer: &dyn Fn(&str) -> Option<(Timestamp, Timestamp)>,
    source: &Source,
) -> Result<Generation, Error> {
    let (loads, changes) = evidence(listing, transfer);
    generation::decide(loads, &changes, source.reload_cutoff, &source.prefix)
}

/// The full load was repeated: the ledger knows other content under the same keys.
fn reload(
    ledger: &Ledger,
    listing: &Listing,
    transfer: &dyn Fn(&str) -> Option<(Timestamp, Timestamp)>,
    differing: &[(&Load, How)],
    source: &Source,
) -> Result<Generation, Error> {
    let (loads, changes) = evidence(listing, transfer);
    let trusted = generation::is_trusted(&changes);
    let mut reloaded = Generation { cutoff: ledger.newest.clone().max(ledger.cutoff.clone()), ..Generation::default() };
    let mut latest: Option<Timestamp> = None;
    for (load, how) in differing {
        let seen = ledger.loads.get(&load.key).or_else(|| ledger.stale_loads.get(&load.key));
        let rewritten = *how != How::Same || seen.is_some_and(|seen| load.meta.last_modified > seen.modified);
        if !rewritten {
            reloaded.stale.push(load.key.clone());
            continue;
        }
        reloaded.loads.push(load.key.clone());
        let time = loads.iter().find(|file| file.key == load.key).and_then(|file| generation::time(file, trusted));
        latest = latest.max(time);
    }
    let before = changes.iter().filter(|file| latest.is_some_and(|latest| file.name.time() < latest));
    let before = before.map(|file| file.name.digits().to_owned()).max();
    let set = source.reload_cutoff.map(names::digits_of);
    let waiting =
        |file: &CdcFile| Some(file.name.digits()) > ledger.newest.as_deref() && !ledger.is_cut_off(&file.name);
    if latest.is_none() && set < ledger.newest && changes.iter().any(waiting) {
        return Err(Error::misconfigured(
            Code::AmbiguousReload,
            format!(
                "{}: the full load was repeated, and nothing tells which of the waiting change files came before it. \
                 Set source.reload_cutoff to the time of the repeated load: changes up to it are then left out",
                source.prefix
            ),
        ));
    }
    reloaded.cutoff = reloaded.cutoff.max(before).max(set);
    Ok(reloaded)
}

/// Changed full-load files that are older than every applied change belong to the present load after all.
fn late_load(
    ledger: &Ledger,
    listing: &Listing,
    transfer: &dyn Fn(&str) -> Option<(Timestamp, Timestamp)>,
    differing: &[(&Load, How)],
    loaded_only: bool,
) -> Option<Generation> {
    let (loads, changes) = evidence(listing, transfer);
    let trusted = generation::is_trusted(&changes);
    let applied = ledger.files.keys().filter_map(|key| names::cdc(key)).map(|name| name.time());
    let listed = changes.iter().filter(|c| !ledger.is_cut_off(&c.name)).map(|c| c.name.time());
    let first = listed.chain(applied).min()?;
    // Applied files that are gone may be older still: then the load is later than they.
    let settled = listing.changes.iter().filter(|change| ledger.is_settled(&change.name)).count() as u64;
    let rewritten = differing.iter().filter(|(_, how)| *how == How::Changed);
    let times: Option<Vec<Timestamp>> = rewritten
        .map(|(load, _)| {
            loads.iter().find(|file| file.key == load.key).and_then(|file| generation::time(file, trusted))
        })
        .collect();
    let late =
        !loaded_only && listing.full && settled >= ledger.settled() && times?.into_iter().all(|time| time < first);
    let current = |load: &LoadFile| !ledger.stale_loads.contains_key(&load.key);
    late.then(|| Generation {
        loads: loads.iter().filter(|load| current(load)).map(|load| load.key.clone()).collect(),
        stale: loads.iter().filter(|load| !current(load)).map(|load| load.key.clone()).collect(),
        cutoff: ledger.cutoff.clone(),
    })
}

/// Everything again, since a part of the full load turned up after changes were applied.
fn rebuild(ledger: &Ledger, generation: &Generation, listing: &Listing, asked: &Asked<'_>) -> Result<Todo, Error> {
    let cutoff = generation.cutoff.clone().max(ledger.cutoff.clone());
    let gone = |key: &String| !listing.changes.iter().any(|change| change.name.key == *key);
    let missing = ledger.files.keys().filter(|key| gone(key)).count() as u64;
    let settled = listing.changes.iter().filter(|change| ledger.is_settled(&change.name)).count() as u64;
    let lost = missing + ledger.settled().saturating_sub(settled);
    let over = cutoff >= ledger.newest && cutoff.is_some();
    if lost > 0 && !over {
        return Err(Error::misconfigured(
            Code::FilesGone,
            format!(
                "{}: full-load files turned up after {} files of changes were applied, and {lost} of those are gone, \
                 so the table cannot be built anew. Remove the new LOAD files, or set source.reload_cutoff to their \
                 time if they are a repeated full load",
                asked.source.prefix,
                ledger.files.len() as u64 + ledger.settled()
            ),
        ));
    }
    let grown = u64::from(cutoff != ledger.cutoff);
    let next = Ledger { generation: ledger.generation + grown, cutoff, newest: None, ..successor(ledger) };
    anew(&next, generation, listing, asked)
}

/// A generation from its first file on.
fn anew(base: &Ledger, generation: &Generation, listing: &Listing, asked: &Asked<'_>) -> Result<Todo, Error> {
    let cutoff = generation.cutoff.clone().max(base.cutoff.clone());
    let find = |key: &String| listing.loads.iter().find(|load| load.key == *key);
    let seen = |load: &Load| Seen { etag: load.meta.etag.clone(), modified: load.meta.last_modified };
    let stale = generation.stale.iter().filter_map(find).map(|load| (load.key.clone(), seen(load))).collect();
    let ledger = Ledger { cutoff, stale_loads: stale, newest: None, ..base.clone() };
    let mut todo = onward::onward(&ledger, listing, asked)?;
    let is_set_aside = |load: &&Load| ledger.quarantined.get(&load.key) == Some(&load.meta.etag);
    todo.loads = generation.loads.iter().filter_map(find).filter(|load| !is_set_aside(load)).cloned().collect();
    todo.fresh = true;
    todo.vanished = 0;
    Ok(todo)
}
