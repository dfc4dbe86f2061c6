//! A plan → one publish: as many files as memory and time allow, up to a file's end.

use std::{sync::Arc, time::Instant};

use arrow::datatypes::DataType;
use futures::{StreamExt, stream};
use headgate::{
    Code,
    store::{ETag, Store, StoreError},
};
use tokio::sync::Semaphore;

use super::{
    MergeReport,
    apply::{Applied, Trouble, Work},
    base::{BaseFile, Content},
    changes::{Decoded, decode},
    delta::Delta,
    encode::sorting,
    fold::Fold,
    keys::{Composite, Integer, KeyKind, is_integer},
    ledger::{Ledger, Seen},
    listing::Cdc,
    plan::{Role, Todo},
    publish::{self, Current},
    run::{Run, Stop, lag},
    take::{Files, Taken, is_unlike, tell_undeclared},
};
use crate::{changes::Refusal, object::Failure};

/// The share that the search for doubles in an unsorted full load may take.
const DEDUPE_SHARE: u64 = 4;

/// How a round ended.
#[derive(Debug)]
pub enum Rounded {
    /// A snapshot was published.
    Published {
        /// Files are left.
        more: bool,
        /// What the next round would only run into.
        stop: Option<Stop>,
    },
    /// There was nothing to publish.
    Nothing {
        /// Why, if files are waiting.
        stop: Option<Stop>,
    },
    /// The time does not suffice.
    OutOfTime,
}

/// One round.
pub struct Round<'a> {
    /// The merge.
    pub run: &'a Run<'a>,
    /// The current snapshot.
    pub current: Option<Current>,
    /// The tag that publishing swaps.
    pub swap: Option<ETag>,
    /// Something besides rows must be published.
    pub changed: bool,
}

impl Round<'_> {
    /// Takes files and publishes.
    ///
    /// # Errors
    /// Where the store fails or another merge published first.
    pub async fn go(mut self, todo: Todo, report: &mut MergeReport) -> Result<Rounded, Failure> {
        let waiting = todo.changes.iter().any(|(_, role)| *role != Role::Settled);
        if !waiting && todo.loads.is_empty() && !self.changed {
            return Ok(Rounded::Nothing { stop: None });
        }
        let untouched = todo.ledger.clone();
        let mut taken = self.take_loads(todo).await?;
        loop {
            let changes = std::mem::take(&mut taken.todo.changes);
            let late = changes.iter().any(|(_, role)| *role == Role::Late);
            let kept = if late && !self.is_ordered() { changes.clone() } else { Vec::new() };
            let blocked = taken.stop.is_some() || taken.more;
            let changes = if blocked { Vec::new() } else { changes };
            // Names say nothing of the order there: what is in already is asked once, after all that is taken.
            let (changes, settled): (Vec<_>, Vec<_>) =
                changes.into_iter().partition(|(_, role)| !self.is_ordered() || *role != Role::Settled);
            let mut files = self.read(changes, taken.anew);
            let first = self.first(&mut taken, &mut files).await?;
            let Some(types) = taken.fold.types(&self.run.dataset.primary_key) else {
                return self.without_keys(taken);
            };
            let bad = if is_integer(&types) {
                self.publish::<Integer>(&mut taken, &types, first, files, settled, report).await?
            } else {
                self.publish::<Composite>(&mut taken, &types, first, files, settled, report).await?
            };
            match bad {
                Published::Yes => return Ok(Rounded::Published { more: taken.more, stop: taken.stop }),
                Published::Nothing => return Ok(Rounded::Nothing { stop: taken.stop }),
                Published::BadLoad(bad, refusal) => {
                    taken = self.without_load(taken, &bad, refusal, untouched.clone()).await?;
                }
                Published::Unlike => {
                    let todo = Todo { ledger: untouched.clone(), changes: kept, ..taken.todo };
                    taken = Taken { anew: true, ..self.reopen(todo).await? };
                }
            }
        }
    }

    /// Reads files of changes, some ahead of their turn.
    fn read(&self, changes: Vec<(Cdc, Role)>, anew: bool) -> Files<'static> {
        let (store, dataset) = (Arc::clone(self.run.store), Arc::clone(&self.run.dataset));
        let files = stream::iter(changes).map(move |(change, role)| {
            let (store, dataset) = (Arc::clone(&store), Arc::clone(&dataset));
            async move {
                let key = change.meta.key.clone();
                let wanted = if anew { Role::New } else { role };
                let read = async move {
                    let decoded = decode(&store, &dataset, change.name, change.meta, wanted).await?;
                    Ok(Decoded { role, ..decoded })
                };
                let decoded = tokio::spawn(read).await;
                (key, role, decoded.unwrap_or_else(|error| Err(super::rows::internal(error).into())))
            }
        });
        Box::pin(files.buffered(self.run.options.threads.max(1) * 2))
    }

    /// Whether a column decides between versions of a row, and not the files' names.
    pub(super) fn is_ordered(&self) -> bool {
        self.run.dataset.order_by.is_some()
    }

    fn without_keys(&self, taken: Taken) -> Result<Rounded, Failure> {
        if taken.fold.columns().is_empty() {
            return Ok(Rounded::Nothing { stop: taken.stop });
        }
        let lacks = |name: &&String| taken.fold.column(name).is_none();
        let missing = self.run.dataset.primary_key.iter().find(lacks).cloned().unwrap_or_default();
        Err(Refusal {
            code: Code::MissingKeyColumn,
            column: Some(missing.into()),
            reason: "primary_key names it, but the table does not have it".to_owned(),
        }
        .into())
    }

    async fn publish<K: KeyKind>(
        &self,
        taken: &mut Taken,
        types: &[DataType],
        first: Option<Decoded>,
        mut files: Files<'_>,
        settled: Vec<(Cdc, Role)>,
        report: &mut MergeReport,
    ) -> Result<Published, Failure> {
        let mut draft = report.clone();
        draft.files += taken.traceless;
        tell_undeclared(&mut draft, std::mem::take(&mut taken.undeclared));
        let mut delta = Delta::new(K::new(types)?, self.run.dataset.order_by.as_ref());
        let began = Instant::now();
        let mut next = first;
        let mut taken_any = false;
        while let Some(decoded) = next.take() {
            if !taken.anew && !self.is_ordered() && is_unlike(&taken.before, &decoded) {
                return Ok(Published::Unlike);
            }
            if self.take_file(taken, &mut delta, decoded, &mut draft)? {
                taken_any = true;
                taken.more |= self.is_full(&mut delta, began)?;
            }
            next = self.next(taken, types, &mut files).await?;
        }
        drop(files);
        let mut settled = self.read(if taken_any { settled } else { Vec::new() }, false);
        while let Some((_, _, decoded)) = settled.next().await {
            self.take_file(taken, &mut delta, decoded?, &mut draft)?;
        }
        let loads = !taken.todo.loads.is_empty();
        if !taken_any && !loads && !self.changed {
            return Ok(Published::Nothing);
        }
        self.write(taken, delta, draft, report).await
    }

    async fn write<K: KeyKind>(
        &self,
        taken: &mut Taken,
        delta: Delta<K>,
        mut draft: MergeReport,
        report: &mut MergeReport,
    ) -> Result<Published, Failure> {
        let run = self.run;
        let target = &run.dataset.target;
        let fold = taken.fold.clone();
        let reduced = Work::<K>::on_thread(move || delta.finish(&fold)).await?;
        let ledger = &mut taken.todo.ledger;
        for load in &taken.todo.loads {
            let seen = Seen { etag: load.meta.etag.clone(), modified: load.meta.last_modified };
            ledger.stale_loads.remove(&load.key);
            ledger.loads.insert(load.key.clone(), seen);
        }
        let store: &dyn Store = run.store.as_ref();
        let place = publish::place(store, target, self.swap.clone(), ledger.sequence + 1).await?;
        let sequence = place.sequence().unwrap_or(ledger.sequence + 1);
        let superseded = std::mem::replace(&mut ledger.sequence, sequence);
        if self.swap.is_some() && place.sequence().is_some() {
            ledger.superseded.insert(superseded, run.clock.now());
            let since = publish::kept_since(target, run.clock);
            ledger.superseded.retain(|_, at| *at >= since);
        }
        let counts = reduced.counts;
        let work = Work {
            store: run.store,
            dataset: &run.dataset,
            threads: run.options.threads.max(1),
            old_sorted: ledger.sorted && keeps_order(&taken.base, &taken.fold, &run.dataset.primary_key),
            base: Arc::new(std::mem::take(&mut taken.base)),
            fold: Arc::new(taken.fold.clone()),
            delta: Arc::new(reduced),
            memory: usize::try_from(run.options.memory / DEDUPE_SHARE).unwrap_or(usize::MAX),
            busy: Arc::new(Semaphore::new(run.options.threads.max(1))),
            progress: run.progress,
        };
        run.progress.step(&format!("writing {}", place.key()));
        let mut output = publish::begin(run.store, &place).await?;
        let applied = match work.apply(&mut output).await {
            Ok(applied) => applied,
            Err(trouble) => {
                output.abandon().await;
                return match trouble {
                    Trouble::Failed(failure) => Err(failure),
                    Trouble::Bad(at, refusal) => Ok(Published::BadLoad(work.base[at].meta.key.clone(), refusal)),
                };
            }
        };
        ledger.dataset.clone_from(&run.dataset.name);
        ledger.sorted = applied.sorted;
        ledger.advance(run.dataset.source.lateness_hours);
        let texts = publish::texts(ledger).map_err(|error| super::rows::internal(error.message))?;
        let schema = work.fold.schema();
        let order = if applied.sorted { sorting(&schema, &run.dataset.primary_key) } else { None };
        let (rows, groups) = output.rows();
        let copied = output.copied;
        let (_, size) = output.finish(&schema, order, texts, place.condition()).await?;
        publish::swap(store, &place).await?;
        note(&mut draft, &applied, counts, taken.todo.loads.len() as u64);
        (draft.rows, draft.row_groups) = (rows, groups);
        draft.bytes_copied += copied;
        draft.bytes_written += size - copied;
        draft.generation = ledger.generation;
        draft.snapshot = Some(place.key().to_owned());
        draft.lag_seconds = lag(ledger.newest.as_deref(), run.clock);
        draft.pending = draft.pending.saturating_sub(draft.files - report.files);
        *report = draft;
        self.clean_up(place.key(), &taken.todo.ledger).await;
        Ok(Published::Yes)
    }

    /// What is published is published: a version that could not be removed is removed next time.
    async fn clean_up(&self, current: &str, ledger: &Ledger) {
        let target = &self.run.dataset.target;
        let store: &dyn Store = self.run.store.as_ref();
        let cleaned: Result<u64, StoreError> =
            publish::clean_up(store, target, (current, ledger), self.run.clock).await;
        if let Err(error) = cleaned {
            tracing::warn!(%error, "old versions of the snapshot were not removed");
        }
    }
}

enum Published {
    Yes,
    Nothing,
    /// This full-load file is bad.
    BadLoad(String, Refusal),
    /// It is not enough that later files settle what a late one changed.
    Unlike,
}

/// Whether the old snapshot's keys sort as they did: numbers that became text do not.
fn keeps_order(base: &[BaseFile], fold: &Fold, primary_key: &[String]) -> bool {
    let Some(Content::Snapshot(old)) = base.first().map(|file| &file.content) else { return true };
    primary_key.iter().all(|name| {
        let old = old.schema().field_with_name(name).map(arrow::datatypes::Field::data_type);
        let new = fold.column(name).map(|column| &column.data_type);
        old.ok() == new || new != Some(&DataType::Utf8)
    })
}

fn note(report: &mut MergeReport, applied: &Applied, counts: super::delta::Counts, loads: u64) {
    report.files += loads;
    report.rows_in += counts.rows_in + applied.loaded;
    report.superseded += counts.superseded + applied.superseded + applied.tally.outdone;
    report.inserts += applied.tally.inserts + applied.loaded - applied.superseded;
    report.updates += applied.tally.updates;
    report.deletes += applied.tally.deletes;
    report.noop_deletes += applied.tally.noop_deletes;
    report.ghost_candidates += applied.tally.ghosts;
    report.row_groups_carried += applied.carried;
    report.row_groups_rewritten += applied.written;
}
