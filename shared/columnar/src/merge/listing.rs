//! The source prefix → the files that are there, without walking the whole history.
//!
//! What the ledger has settled is not listed again but for a look at a few stretches, to find files that turned up
//! there late.

use futures::{StreamExt, TryStreamExt, future::try_join5, stream};
use headgate::{
    clock::Timestamp,
    store::{ObjectMeta, Store},
};

use super::{
    ledger::Ledger,
    names::{self, CdcName, LoadName, Name, Stretch, Window},
};

use crate::object::Failure;

mod audit;

pub use audit::was_settled;

/// List requests that looking at a settled table may make.
const REQUESTS: usize = 10;
/// Of them those for files outside the window: before it, in its year, and between its stretches.
const ELSEWHERE: usize = 3;
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
    let window = ledger.filter(|_| !full).and_then(|ledger| Some((ledger, window(ledger)?)));
    let Some((ledger, window)) = window else {
        let mut listing = scan(store, prefix, &Stretch::default()).await?;
        listing.full = true;
        listing.history_seen = ledger.is_some_and(|ledger| listing.changes.iter().any(|c| ledger.is_settled(&c.name)));
        audit::all(ledger, &mut listing);
        return Ok(finished(listing));
    };
    let Window { stretches, end } = &window;
    let start = stretches[0].after.as_deref().unwrap_or_default();
    let look = Look { store, prefix, ledger, start, end };
    let pages = pages(ledger, stretches);
    let audits = audit::BY_TURNS.min(REQUESTS.saturating_sub(pages.len() + ELSEWHERE)).max(1);
    let (mut listing, head, year, between, audited) = try_join5(
        look.window(&pages),
        look.before(None),
        look.before(year(start)),
        look.between(stretches),
        look.audit(audit::turns(ledger, prefix, poked, now, audits)),
    )
    .await?;
    listing.history_seen = head.history_seen || audited.history_seen;
    listing.intruders = audited.intruders;
    for found in [head, year, between] {
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

/// The stretches cut so that each is about one list request.
fn pages(ledger: &Ledger, stretches: &[Stretch]) -> Vec<Stretch> {
    let mut pages = Vec::new();
    for mut stretch in stretches.iter().cloned() {
        let until = stretch.until.take();
        let known = ledger.files.keys().map(String::as_str);
        let known = known.filter(|key| stretch.after.as_deref().is_none_or(|after| *key > after));
        let known: Vec<&str> = known.take_while(|key| until.as_deref().is_none_or(|until| *key <= until)).collect();
        for cut in known.chunks_exact(KNOWN).filter_map(|chunk| chunk.last()) {
            let next = Stretch { after: Some((*cut).to_owned()), until: None };
            pages.push(Stretch { until: Some((*cut).to_owned()), ..std::mem::replace(&mut stretch, next) });
        }
        pages.push(Stretch { until, ..stretch });
    }
    pages
}

/// Where every file is that the horizon has not passed.
fn window(ledger: &Ledger) -> Option<Window> {
    let horizon = names::moment(ledger.horizon.as_ref()?);
    let mut found: Option<Window> = None;
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
fn year(start: &str) -> Option<&str> {
    let year = start.get(..4)?;
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
    /// Where the settled files end.
    end: &'a str,
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

    /// What is between the stretches of the window: nothing but settled files, unless folders are laid out anew.
    async fn between(&self, stretches: &[Stretch]) -> Result<Listing, Failure> {
        let mut listing = Listing::default();
        for (before, next) in stretches.iter().zip(&stretches[1..]) {
            let (after, until) = (before.until.clone(), next.after.clone());
            let from = after.as_ref().map(|after| format!("{}{after}", self.prefix));
            let keys = self.store.list_keys(self.prefix, from.as_deref()).await?.keys;
            let mut keys = keys.iter().map(|key| &key[self.prefix.len()..]);
            let stranger = |key: &str| match names::parse(key) {
                Some(Name::Cdc(name)) => !self.ledger.is_settled(&name),
                Some(Name::Load(_)) => true,
                None => false,
            };
            if keys.any(|key| until.as_deref().is_none_or(|until| key <= until) && stranger(key)) {
                let found = scan(self.store, self.prefix, &Stretch { after, until }).await?;
                listing.loads.extend(found.loads);
                listing.changes.extend(found.changes.into_iter().filter(|c| !self.ledger.is_settled(&c.name)));
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
}
