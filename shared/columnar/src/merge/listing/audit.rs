//! Settled stretches of the keys → the files in them that were not there when they were settled.
//!
//! The ledger has a count and a sum of each stretch, and no names: what is too many is told by these.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use headgate::clock::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::{AT_ONCE, Cdc, Listing, Look, scan};
use crate::{
    merge::{
        ledger::{Ledger, fingerprint},
        names::{self, CdcName, Stretch},
    },
    object::Failure,
};

/// Settled stretches that a merge looks at by turns.
pub(super) const BY_TURNS: usize = 2;
/// Those that it looks at because events named files in them.
const NAMED: usize = 8;

impl Look<'_> {
    /// Lists some settled stretches and compares them with the ledger.
    pub(super) async fn audit(&self, turns: BTreeSet<usize>) -> Result<Listing, Failure> {
        let audited = stream::iter(turns).map(|at| self.audit_one(at));
        let audited: Vec<(bool, Vec<String>)> = audited.buffered(AT_ONCE).try_collect().await?;
        let (seen, intruders): (Vec<bool>, Vec<Vec<String>>) = audited.into_iter().unzip();
        Ok(Listing { history_seen: seen.contains(&true), intruders: intruders.concat(), ..Listing::default() })
    }

    /// Whether any file of the stretch is still there, and those that it did not have when it was settled.
    async fn audit_one(&self, at: usize) -> Result<(bool, Vec<String>), Failure> {
        let history = &self.ledger.history;
        let from = if at == 0 { None } else { history.get(at).map(|stretch| stretch.from.as_str()) };
        // The last one ends where the settled files do, unless their folders sorted otherwise once.
        let last = || Some(self.end).filter(|end| from.is_none_or(|from| from < *end));
        let until = history.get(at + 1).map(|next| next.from.as_str()).or_else(last);
        let within = |key: &str| from.is_none_or(|from| key >= from) && until.is_none_or(|until| key < until);
        // Listing begins after a key: one character less begins with it.
        let after = from.map(|from| from.get(..from.len().saturating_sub(1)).unwrap_or_default().to_owned());
        let mut seen = Vec::new();
        let mut next = after.as_ref().map(|after| format!("{}{after}", self.prefix));
        loop {
            let page = self.store.list_keys(self.prefix, next.as_deref()).await?;
            let keys = page.keys.iter().map(|key| &key[self.prefix.len()..]);
            seen.extend(keys.filter(|key| within(key)).filter_map(names::cdc).filter(|n| self.ledger.is_settled(n)));
            next = page.keys.into_iter().next_back();
            let passed =
                next.as_deref().is_none_or(|last| until.is_some_and(|until| &last[self.prefix.len()..] >= until));
            if !page.more || passed {
                break;
            }
        }
        let intruders = match surplus(seen.iter(), self.ledger, at) {
            Surplus::None => Vec::new(),
            Surplus::One(key) => vec![key],
            Surplus::Some(count) => {
                let stretch = Stretch { after, until: until.map(str::to_owned) };
                let seen = scan(self.store, self.prefix, &stretch).await?.changes;
                let settled = |c: &Cdc| within(&c.name.key) && self.ledger.is_settled(&c.name);
                latest(seen.into_iter().filter(settled).collect(), count, self.ledger)
            }
        };
        Ok((!seen.is_empty(), intruders))
    }
}

/// The settled stretches that are looked at: those that events named, and some by turns.
pub(super) fn turns(ledger: &Ledger, prefix: &str, poked: &[String], now: Timestamp, audits: usize) -> BTreeSet<usize> {
    let stretches = ledger.history.len();
    if stretches == 0 {
        return BTreeSet::new();
    }
    let named = poked.iter().filter_map(|key| key.strip_prefix(prefix)).filter_map(names::cdc);
    let named = named.filter(|name| ledger.is_settled(name)).map(|name| ledger.stretch_of(&name.key));
    let mut turns: BTreeSet<usize> = named.take(NAMED).collect();
    // One after the other, minute by minute, misses none where merges are frequent. A merge an hour would meet the same
    // few for ever: every other look is at any of them.
    let minute = now.0.div_euclid(60_000).cast_unsigned();
    let any = xxh3_64(&minute.to_be_bytes());
    let by_turns = [minute, any >> 1].map(|turn| usize::try_from(turn % stretches as u64).unwrap_or(0));
    let skipped = if audits == 1 { usize::from(any & 1 == 1) } else { 0 };
    for turn in by_turns.into_iter().skip(skipped) {
        if turns.len() < audits {
            turns.insert(turn);
        }
    }
    turns
}

/// The same for a full listing: every stretch was seen.
pub(super) fn all(ledger: Option<&Ledger>, listing: &mut Listing) {
    let Some(ledger) = ledger.filter(|ledger| !ledger.history.is_empty()) else { return };
    let mut by_stretch: BTreeMap<usize, Vec<Cdc>> = BTreeMap::new();
    for change in listing.changes.iter().filter(|change| ledger.is_settled(&change.name)) {
        by_stretch.entry(ledger.stretch_of(&change.name.key)).or_default().push(change.clone());
    }
    for (at, seen) in by_stretch {
        match surplus(seen.iter().map(|change| &change.name), ledger, at) {
            Surplus::None => {}
            Surplus::One(key) => listing.intruders.push(key),
            Surplus::Some(count) => listing.intruders.extend(latest(seen, count, ledger)),
        }
    }
}

/// Whether a settled file is one of those that were settled: its stretch is seen as it was.
pub fn was_settled(ledger: &Ledger, listing: &Listing, name: &CdcName) -> bool {
    let at = ledger.stretch_of(&name.key);
    let seen = listing.changes.iter().map(|change| &change.name).filter(|name| ledger.stretch_of(&name.key) == at);
    let seen: Vec<_> = seen.filter(|name| ledger.is_settled(name) && ledger.may_be_settled(name)).collect();
    let sum = seen.iter().fold(0_u64, |sum, name| sum.wrapping_add(fingerprint(&name.key)));
    ledger.history.get(at).is_some_and(|stretch| (stretch.files, stretch.sum) == (seen.len() as u64, sum))
}

/// Files of a settled stretch that it did not have when it was settled.
enum Surplus {
    None,
    /// This one.
    One(String),
    /// So many.
    Some(usize),
}

/// The sum of what is there less the sum of what was there names a single newcomer outright.
fn surplus<'a>(seen: impl Iterator<Item = &'a CdcName>, ledger: &Ledger, at: usize) -> Surplus {
    let stretch = &ledger.history[at];
    let seen: Vec<&CdcName> = seen.filter(|name| ledger.may_be_settled(name)).collect();
    let count = usize::try_from((seen.len() as u64).saturating_sub(stretch.files)).unwrap_or(usize::MAX);
    if count == 0 {
        return Surplus::None;
    }
    let sum = seen.iter().fold(0_u64, |sum, name| sum.wrapping_add(fingerprint(&name.key)));
    let difference = sum.wrapping_sub(stretch.sum);
    let only = seen.iter().find(|name| count == 1 && fingerprint(&name.key) == difference);
    only.map_or(Surplus::Some(count), |only| Surplus::One(only.key.clone()))
}

/// Of several newcomers the latest stored are named.
fn latest(mut seen: Vec<Cdc>, count: usize, ledger: &Ledger) -> Vec<String> {
    seen.retain(|change| ledger.may_be_settled(&change.name));
    seen.sort_by_key(|change| std::cmp::Reverse(change.meta.last_modified));
    seen.into_iter().take(count).map(|change| change.name.key).collect()
}
