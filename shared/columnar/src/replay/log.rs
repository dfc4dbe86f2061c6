//! Decided batches → entries that say which lines are replayed, and objects in the lake.
//!
//! An entry is created once and never removed. All it may still do is to let go of the bytes of its objects, when these
//! are where they belong.

use std::collections::HashSet;

use bytes::{Bytes, BytesMut};
use headgate::{
    Code, Error,
    landing::Object,
    quarantine::Identity,
    store::{Condition, ETag, Store, StoreError},
};
use memchr::memchr;
use serde::{Deserialize, Serialize};

use super::{Report, Target, kind::Kind};

/// What is known of a scope.
pub(super) struct Log<'a> {
    store: &'a dyn Store,
    scope: String,
    /// The scope in few letters, none of them a slash.
    name: String,
    /// The folder of its entries.
    prefix: String,
    next: u64,
    known: HashSet<Identity>,
}

/// An entry's first line; the bytes of its objects follow, one after the other, until they are published.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// For people.
    scope: String,
    published: bool,
    objects: Vec<Decided>,
    lines: Vec<Identity>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Decided {
    key: String,
    bytes: usize,
}

impl<'a> Log<'a> {
    /// Reads the entries. Where it may write (`apply`), it completes those that were interrupted.
    pub(super) async fn open<K: Kind>(
        target: Target<'a, K>,
        scope: String,
        apply: bool,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let (store, dataset) = (target.store, target.kind.dataset());
        let name = Identity::of(&[&scope]).to_string();
        let prefix = format!("_headgate/replay/{dataset}/{name}/");
        let mut log = Self { store, scope, name, prefix, next: 0, known: HashSet::new() };
        let mut after = None;
        loop {
            let page = store.list_keys(&log.prefix, after.as_deref()).await?;
            for key in &page.keys {
                let completed = log.read(key, apply, report).await?;
                report.include.extend(completed.into_iter().filter(|key| apply && target.kind.is_late(key)));
            }
            match page.keys.last() {
                Some(last) if page.more => after = Some(last.clone()),
                _ => return Ok(log),
            }
        }
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn knows(&self, line: Identity) -> bool {
        self.known.contains(&line)
    }

    /// Notes a line that will be in the next entry.
    pub(super) fn learn(&mut self, line: Identity) {
        self.known.insert(line);
    }

    /// Reads an entry. Where it was interrupted it is completed, if it may be: the keys of its objects.
    async fn read(&mut self, key: &str, apply: bool, report: &mut Report) -> Result<Vec<String>, Error> {
        if key != self.key() {
            let message = format!("{key}: {} must be there before it; entries are never to be removed", self.key());
            return Err(Error::misconfigured(Code::FilesGone, message));
        }
        let (etag, entry) = self.store.get(key).await?.ok_or(StoreError::NotFound { key: key.to_owned() })?;
        let (head, bodies) = parse(key, &entry)?;
        self.known.extend(&head.lines);
        self.next += 1;
        if head.published {
            return Ok(Vec::new());
        }
        report.completed += 1;
        let keys = head.objects.iter().map(|object| object.key.clone()).collect();
        if apply {
            report.written += self.publish(key, etag, head, bodies).await?;
        }
        Ok(keys)
    }

    fn key(&self) -> String {
        format!("{}{:08}", self.prefix, self.next)
    }

    /// Decides that these lines are these objects, and writes them; how many.
    ///
    /// # Errors
    /// Retry: another replay decided something first, and nothing is written; or the store does not answer, and whoever
    /// opens the log next completes what may be decided.
    pub(super) async fn decide(&mut self, lines: Vec<Identity>, objects: Vec<Object>) -> Result<u64, Error> {
        let decided = objects.iter().map(|Object { key, body, .. }| Decided { key: key.clone(), bytes: body.len() });
        let head = Head { scope: self.scope.clone(), published: false, objects: decided.collect(), lines };
        let mut entry = write(&head)?;
        let start = entry.len();
        for object in objects {
            entry.extend_from_slice(&object.body);
        }
        let (key, entry) = (self.key(), entry.freeze());
        let created = self.store.put(&key, entry.clone(), Condition::Absent).await;
        let etag = created.map_err(|error| match error {
            StoreError::Changed { .. } => {
                let message = format!("{}: another replay is at work; run it again afterwards", self.scope);
                Error::retry(Code::Contended, message)
            }
            error => error.into(),
        })?;
        self.next += 1;
        self.publish(&key, etag, head, entry.slice(start..)).await
    }

    /// Creates the objects of an entry, those that are not there yet.
    async fn publish(&self, key: &str, etag: ETag, head: Head, mut bodies: Bytes) -> Result<u64, Error> {
        let mut written = 0;
        for Decided { key, bytes } in &head.objects {
            match self.store.put(key, bodies.split_to(*bytes), Condition::Absent).await {
                Ok(_) => written += 1,
                Err(StoreError::Changed { .. }) => self.must_be_there(key).await?,
                Err(error) => return Err(error.into()),
            }
        }
        let published = write(&Head { published: true, ..head })?.freeze();
        match self.store.put(key, published, Condition::Matches(etag)).await {
            // Another replay has done the same.
            Ok(_) | Err(StoreError::Changed { .. }) => Ok(written),
            Err(error) => Err(error.into()),
        }
    }

    /// A write at the same time counts as a change as well, and may fail yet.
    async fn must_be_there(&self, key: &str) -> Result<(), Error> {
        match self.store.head(key).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::Changed { key: key.to_owned() }.into()),
        }
    }
}

/// Whether the objects of an entry are where they belong, and nobody writes them any more. `false` where there is no
/// such entry.
pub(crate) async fn is_published(store: &dyn Store, dataset: &str, log: &str, number: &str) -> Result<bool, Error> {
    let key = format!("_headgate/replay/{dataset}/{log}/{number:0>8}");
    let Some((_, entry)) = store.get(&key).await? else { return Ok(false) };
    Ok(parse(&key, &entry)?.0.published)
}

fn write(head: &Head) -> Result<BytesMut, Error> {
    let mut line = serde_json::to_vec(head).map_err(|error| Error::retry(Code::Internal, error.to_string()))?;
    line.push(b'\n');
    Ok(line.as_slice().into())
}

fn parse(key: &str, entry: &Bytes) -> Result<(Head, Bytes), Error> {
    let foreign = || Error::misconfigured(Code::InvalidJson, format!("{key}: is no entry of a replay; move it away"));
    let end = memchr(b'\n', entry).ok_or_else(foreign)?;
    let head: Head = serde_json::from_slice(&entry[..end]).map_err(|_| foreign())?;
    let bodies = entry.slice(end + 1..);
    let bytes = head.objects.iter().try_fold(0_usize, |sum, object| sum.checked_add(object.bytes));
    if bytes != Some(bodies.len()) && !head.published {
        return Err(foreign());
    }
    Ok((head, bodies))
}
