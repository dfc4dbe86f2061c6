//! A new generation aside: the ledger and what is there → the files that come next, and the late ones.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    iter::Peekable,
    ops::Bound,
};

use headgate::{Code, Error, store::ETag};

use super::{Asked, Role, Todo};
use crate::merge::{
    ledger::Ledger,
    listing::{Cdc, Listing, was_settled},
    names,
};

/// The files of changes that the ledger does not have.
pub(super) fn onward(ledger: &Ledger, listing: &Listing, asked: &Asked<'_>) -> Result<Todo, Error> {
    let mut todo = Todo { ledger: ledger.clone(), ..Todo::default() };
    let intruders: BTreeSet<&str> = listing.intruders.iter().map(String::as_str).collect();
    let included = |change: &Cdc| asked.include.contains(&change.meta.key);
    let newest = ledger.files.keys().filter_map(|key| Some((names::order(key)?, key))).max();
    let newest = newest.and_then(|(_, key)| names::cdc(key));
    let mut known = Known::of(&ledger.files);
    let mut applied: Vec<&Cdc> = Vec::new();
    let mut unseen = intruders.clone();
    for change in &listing.changes {
        let key = change.name.key.as_str();
        let seen = known.etag(key);
        // What is told below of a file that was listed is all that is told of it.
        unseen.remove(key);
        if ledger.is_cut_off(&change.name) {
            todo.outdated += 1;
        } else if ledger.quarantined.get(key) == Some(&change.meta.etag) {
        } else if ledger.is_settled(&change.name) && !included(change) {
            if intruders.contains(key) { todo.refused.push(change.meta.key.clone()) } else { applied.push(change) }
        } else if seen == Some(&change.meta.etag)
            || ledger.is_settled(&change.name) && was_settled(ledger, listing, &change.name)
        {
            applied.push(change);
        } else if newest.as_ref().is_some_and(|newest| change.name < *newest) || ledger.is_settled(&change.name) {
            todo.changes.push((change.clone(), Role::Late));
        } else {
            todo.changes.push((change.clone(), Role::New));
        }
    }
    let unseen = unseen.iter().map(|key| format!("{}{key}", asked.source.prefix));
    todo.refused.extend(unseen.filter(|key| !asked.include.contains(key)));
    todo.refused.sort();
    todo.refused.dedup();
    todo.duplicates = applied.len() as u64;
    todo.vanished = ledger.files.len() as u64 - known.found;
    settle(&mut todo, &applied, listing, asked)?;
    if asked.ordered {
        ordered(&mut todo, &applied);
    }
    Ok(todo)
}

/// Puts all applied files after those to do: any of them may hold a later version of a row, or have deleted it.
fn ordered(todo: &mut Todo, applied: &[&Cdc]) {
    todo.changes.retain(|(_, role)| *role != Role::Settled);
    if !todo.changes.is_empty() {
        todo.changes.extend(applied.iter().map(|change| ((*change).clone(), Role::Settled)));
    }
}

/// The applied files, looked up in about the order of their keys: then each costs one comparison.
struct Known<'a> {
    files: &'a BTreeMap<String, ETag>,
    next: Peekable<btree_map::Range<'a, String, ETag>>,
    /// Those that were looked up, each once.
    found: u64,
}

impl<'a> Known<'a> {
    fn of(files: &'a BTreeMap<String, ETag>) -> Self {
        Self { files, next: files.range::<String, _>(..).peekable(), found: 0 }
    }

    fn etag(&mut self, key: &str) -> Option<&'a ETag> {
        let near = self.next.next_if(|(next, _)| *next == key).map(|(_, etag)| etag);
        let found = near.or_else(|| {
            let found = self.files.get_key_value(key);
            if let Some((key, _)) = found {
                self.next = self.files.range::<String, _>((Bound::Excluded(key), Bound::Unbounded)).peekable();
            }
            found.map(|(_, etag)| etag)
        });
        self.found += u64::from(found.is_some());
        found
    }
}

/// Puts the applied files that are newer than a late one between the files to do; a late one that lacks some of
/// them is refused.
fn settle(todo: &mut Todo, applied: &[&Cdc], listing: &Listing, asked: &Asked<'_>) -> Result<(), Error> {
    if todo.changes.iter().all(|(_, role)| *role != Role::Late) {
        return Ok(());
    }
    let seen: BTreeSet<&str> = listing.changes.iter().map(|change| change.name.key.as_str()).collect();
    let gone = todo.ledger.files.keys().filter(|key| !seen.contains(key.as_str()));
    let newest_gone = gone.filter_map(|key| names::cdc(key)).max();
    let mut refused = Vec::new();
    for (change, role) in &mut todo.changes {
        if *role != Role::Late {
            continue;
        }
        let settled_lost = todo.ledger.is_settled(&change.name) && lost_after(&todo.ledger, listing, &change.name.key);
        if newest_gone.as_ref().is_some_and(|gone| *gone > change.name) || settled_lost {
            refused.push(change.meta.key.clone());
        }
    }
    if let Some(key) = refused.iter().find(|key| asked.include.contains(key)) {
        return Err(Error::misconfigured(
            Code::FilesGone,
            format!(
                "{key}: cannot be applied: files of changes that came after it and are applied are gone, so it \
                     cannot be told which of its rows they superseded"
            ),
        ));
    }
    todo.changes.retain(|(change, _)| !refused.contains(&change.meta.key));
    todo.refused.extend(refused);
    let Some(first) = todo.changes.iter().filter(|(_, role)| *role == Role::Late).map(|(c, _)| c.name.clone()).min()
    else {
        return Ok(());
    };
    let later = applied.iter().filter(|change| change.name > first);
    todo.changes.extend(later.map(|change| ((*change).clone(), Role::Settled)));
    todo.changes.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(())
}

/// Whether settled files from the stretch of `key` on are gone.
fn lost_after(ledger: &Ledger, listing: &Listing, key: &str) -> bool {
    let mut counts = vec![0_u64; ledger.history.len()];
    for change in listing.changes.iter().filter(|change| ledger.is_settled(&change.name)) {
        if let Some(count) = counts.get_mut(ledger.stretch_of(&change.name.key)) {
            *count += 1;
        }
    }
    let from = ledger.stretch_of(key);
    !listing.full || ledger.history.iter().zip(counts).skip(from).any(|(stretch, count)| count < stretch.files)
}
