//! The source prefix → the files that are there, without walking the whole history.
//!
//! What the ledger has settled is not listed again but for a look at a few stretches, to find files that turned up
//! there late.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, future::try_join4, stream};
use headgate::{
    clock::Timestamp,
    store::{ObjectMeta, Store},
};

use super::{
    ledger::{Ledger, fingerprint},
    names::{self, CdcName, LoadName, Name, Stretch},
};
use crate::object::Failure;

/// List requests that looking at a settled table may make.
const REQUESTS: usize = 10;
/// Of them those for files outside the lateness horizon's own folders.
const ELSEWHERE: usize = 2;
/// Settled stretches that a merge looks at.
const AUDITS: usize = 2;
/// Applied files in a stretch of the window: a page less a few, for files that turned up late.
const KNOWN: usize = headgate::store::PAGE - 10;
/// Requests under way at a time.
const AT_ONCE: usize = 8;

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
    let window = ledger.filter(|_| !full).and_then(|ledger| window(ledger).map(|window| (ledger, window)));
    let Some((ledger, window)) = window else {
        let mut listing = scan(store, prefix, &Stretch::default()).await?;
        listing.full = true;
        listing.history_seen = ledger.is_some_and(|ledger| listing.changes.iter().any(|c| ledger.is_settled(&c.name)));
        audit_seen(ledger, &mut listing);
        return Ok(finished(listing));
    };
    let look = Look { store, prefix, ledger, start: window[0].after.as_deref().unwrap_or_default() };
    // A stretch with one file too many may take a second request.
    let audits = AUDITS.min(REQUESTS.saturating_sub(window.len() + ELSEWHERE) / 2);
    let (mut listing, head, year, audited) = try_join4(
        look.window(&window),
        look.before(None),
        look.before(year(&window)),
        look.audit(turns(ledger, prefix, poked, now), audits),
    )
    .await?;
    listing.history_seen = head.history_seen || audited.history_seen;
    listing.intruders = audited.intruders;
    for found in [head, year] {
        listing.loads.extend(found.loads);
        listing.changes.extend(found.changes);
    }
    look.poked(poked, &mut listing).await?;
    look.lost_loads(&mut listing).await?;
    Ok(finished(listing))
}

fn finished(mut listing: Listing) -> Listing {
    listing.changes.sort_by(|a, b| a.name.cmp(&b.name));
    listing.loads.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.key.cmp(&b.key)));
    listing.loads.dedup_by(|a, b| a.key == b.key);
    listing.changes.dedup_by(|a, b| a.name == b.name);
    listing
}

/// The stretches in which every file is that the horizon has not passed, each about one list request.
fn window(ledger: &Ledger) -> Option<Vec<Stretch>> {
    let mut window = Vec::new();
    for mut stretch in stretches(ledger)? {
        let until = stretch.until.take();
        let known = ledger.files.keys().map(String::as_str);
        let known = known.filter(|key| stretch.after.as_deref().is_none_or(|after| *key > after));
        let known: Vec<&str> = known.take_while(|key| until.as_deref().is_none_or(|until| *key <= until)).collect();
        for cut in known.chunks_exact(KNOWN).filter_map(|chunk| chunk.last()) {
            let next = Stretch { after: Some((*cut).to_owned()), until: None };
            window.push(Stretch { until: Some((*cut).to_owned()), ..std::mem::replace(&mut stretch, next) });
        }
        window.push(Stretch { until, ..stretch });
    }
    Some(window)
}

fn stretches(ledger: &Ledger) -> Option<Vec<Stretch>> {
    let horizon = names::moment(ledger.horizon.as_ref()?);
    let mut found: Option<Vec<Stretch>> = None;
    let mut folder = None;
    for key in ledger.files.keys() {
        // Names in one folder begin their listing at one place: one of each tells.
        let of = key.rsplit_once('/').map(|(folder, _)| folder);
        if found.is_some() && of == folder {
            continue;
        }
        folder = of;
        let here = names::list_after(&names::cdc(key)?, horizon)?;
        // One layout only: where folders differ in kind, none of them is sure.
        if found.as_ref().is_some_and(|found| *found != here) {
            return None;
        }
        found = Some(here);
    }
    found
}

/// The year that the window begins with.
fn year(window: &[Stretch]) -> Option<&str> {
    let year = window.first()?.after.as_deref()?.get(..4)?;
    year.bytes().all(|byte| byte.is_ascii_digit()).then_some(year)
}

/// Lists a stretch of the keys below the prefix.
async fn scan(store: &dyn Store, prefix: &str, stretch: &Stretch) -> Result<Listing, Failure> {
    let mut listing = Listing::default();
    let mut after = stretch.after.as_ref().map(|after| format!("{prefix}{after}"));
    loop {
        let page = store.list(prefix, after.as_deref()).await?;
        after = page.objects.last().map(|object| object.key.clone());
        for object in page.objects {
            if stretch.until.as_deref().is_some_and(|until| &object.key[prefix.len()..] > until) {
                return Ok(listing);
            }
            note(prefix, object, &mut listing);
        }
        if !page.more || after.is_none() {
            return Ok(listing);
        }
    }
}

fn note(prefix: &str, meta: ObjectMeta, listing: &mut Listing) {
    let key = meta.key.get(prefix.len()..).unwrap_or_default();
    match names::parse(key) {
        Some(Name::Load(name)) => listing.loads.push(Load { key: key.to_owned(), name, meta }),
        Some(Name::Cdc(name)) => listing.changes.push(Cdc { name, meta }),
        // Folders made by consoles are objects too.
        None if key.is_empty() || (key.ends_with('/') && meta.size == 0) => {}
        None => listing.unrecognized.push(meta.key),
    }
}

/// A look at a table whose ledger says where to look.
#[derive(Clone, Copy)]
struct Look<'a> {
    store: &'a dyn Store,
    prefix: &'a str,
    ledger: &'a Ledger,
    /// Where the window begins.
    start: &'a str,
}

impl Look<'_> {
    /// All that is in the window and not settled.
    async fn window(&self, window: &[Stretch]) -> Result<Listing, Failure> {
        let scans = stream::iter(window).map(|stretch| scan(self.store, self.prefix, stretch));
        let mut scans = std::pin::pin!(scans.buffered(AT_ONCE));
        let mut listing = Listing::default();
        while let Some(seen) = scans.try_next().await? {
            listing.loads.extend(seen.loads);
            listing.unrecognized.extend(seen.unrecognized);
            listing.changes.extend(seen.changes.into_iter().filter(|change| !self.ledger.is_settled(&change.name)));
        }
        Ok(listing)
    }

    /// The first files before the window, from `after` on: full-load files whose folders sort there, files whose
    /// folders are laid out anew, and whether any history is left at all.
    async fn before(&self, after: Option<&str>) -> Result<Listing, Failure> {
        let mut listing = Listing::default();
        let after = after.map(|after| format!("{}{after}", self.prefix));
        let keys = self.store.list_keys(self.prefix, after.as_deref()).await?.keys;
        for key in keys.iter().filter(|key| &key[self.prefix.len()..] <= self.start) {
            match names::parse(&key[self.prefix.len()..]) {
                Some(Name::Cdc(name)) if self.ledger.is_settled(&name) => listing.history_seen = true,
                Some(_) => self.head(key, &mut listing).await?,
                None => {}
            }
        }
        Ok(listing)
    }

    async fn head(&self, key: &str, listing: &mut Listing) -> Result<(), Failure> {
        if let Some(meta) = self.store.head(key).await? {
            note(self.prefix, meta, listing);
        }
        Ok(())
    }

    /// The files that events named, where nothing else led to them.
    async fn poked(&self, poked: &[String], listing: &mut Listing) -> Result<(), Failure> {
        for key in poked {
            let Some(name) = key.strip_prefix(self.prefix).and_then(names::cdc) else { continue };
            if !self.ledger.is_settled(&name) && !listing.changes.iter().any(|change| change.name == name) {
                self.head(key, listing).await?;
            }
        }
        Ok(())
    }

    /// Full-load files that are in and before the window.
    async fn lost_loads(&self, listing: &mut Listing) -> Result<(), Failure> {
        for key in self.ledger.loads.keys().chain(self.ledger.stale_loads.keys()) {
            if key.as_str() <= self.start && !listing.loads.iter().any(|load| load.key == *key) {
                self.head(&format!("{}{key}", self.prefix), listing).await?;
            }
        }
        Ok(())
    }

    /// Lists some settled stretches and compares them with the ledger.
    async fn audit(&self, turns: Vec<usize>, audits: usize) -> Result<Listing, Failure> {
        let audited = stream::iter(turns.into_iter().take(audits)).map(|at| self.audit_one(at));
        let audited: Vec<(bool, Vec<String>)> = audited.buffered(AT_ONCE).try_collect().await?;
        let (seen, intruders): (Vec<bool>, Vec<Vec<String>>) = audited.into_iter().unzip();
        Ok(Listing { history_seen: seen.contains(&true), intruders: intruders.concat(), ..Listing::default() })
    }

    /// Whether any file of the stretch is still there, and those that it did not have when it was settled.
    async fn audit_one(&self, at: usize) -> Result<(bool, Vec<String>), Failure> {
        let history = &self.ledger.history;
        let from = if at == 0 { None } else { history.get(at).map(|stretch| stretch.from.as_str()) };
        let until = history.get(at + 1).map(|next| next.from.as_str());
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

/// The settled stretches in the order in which they are looked at: those that events named, then by turns.
fn turns(ledger: &Ledger, prefix: &str, poked: &[String], now: Timestamp) -> Vec<usize> {
    let stretches = ledger.history.len();
    if stretches == 0 {
        return Vec::new();
    }
    let named = poked.iter().filter_map(|key| key.strip_prefix(prefix)).filter_map(names::cdc);
    let named = named.filter(|name| ledger.is_settled(name)).map(|name| ledger.stretch_of(&name.key));
    let turn = usize::try_from(now.0 / 60_000).unwrap_or(0);
    let mut done = BTreeSet::new();
    named.chain((0..AUDITS).map(|step| (turn * AUDITS + step) % stretches)).filter(|at| done.insert(*at)).collect()
}

/// The same for a full listing: every stretch was seen.
fn audit_seen(ledger: Option<&Ledger>, listing: &mut Listing) {
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
