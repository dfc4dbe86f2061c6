//! A plan → one publish: as many files as memory and time allow, up to a file's end.

use std::{sync::Arc, time::Instant};

use arrow::datatypes::DataType;
use futures::{Stream, StreamExt, stream};
use headgate::{
    Code,
    dataset::Format,
    store::{ETag, Store, StoreError},
};

use tokio::sync::Semaphore;

use super::{
    MergeReport,
    apply::{Applied, Trouble, Work},
    base::{BaseFile, Content, text},
    changes::{Decoded, declared_columns, decode, file_columns, open_parquet},
    delta::Delta,
    encode::sorting,
    fold::{FileColumns, Fold},
    keys::{Composite, Integer, KeyKind, is_integer},
    ledger::{Ledger, Seen},
    listing::Load,
    plan::{Role, Todo},
    publish::{self, Current},
    run::{Run, Stop, lag},
};
use crate::{
    changes::{Changes, FileKind, Op, Refusal},
    object::Failure,
};

/// The share of the memory that changes may take: their rows are there twice while they are gathered.
const DELTA_SHARE: u64 = 8;
/// The share that the search for doubles in an unsorted full load may take.
const DEDUPE_SHARE: u64 = 4;
/// Bytes of full-load files that a second and thread is trusted with, where time is bounded.
const LOAD_PACE: f64 = 10e6;

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

/// What a round takes, up to the first file it must leave.
struct Taken {
    base: Vec<BaseFile>,
    fold: Fold,
    todo: Todo,
    stop: Option<Stop>,
    more: bool,
    /// No more late files are taken: what the ones before undid must still be settled.
    cut: bool,
    /// Files that are in already and come after a late one are applied anew, rows and columns.
    anew: bool,
    /// Files that are in without a trace.
    traceless: u64,
    /// The fold before the last file was admitted.
    before: Fold,
}

type Files<'s> = std::pin::Pin<Box<dyn Stream<Item = (String, Role, Result<Decoded, Failure>)> + Send + 's>>;

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
            let kept = if late { changes.clone() } else { Vec::new() };
            let anew = taken.anew;
            let blocked = taken.stop.is_some() || taken.more;
            let (store, dataset) = (Arc::clone(self.run.store), Arc::clone(&self.run.dataset));
            let ahead = self.run.options.threads.max(1) * 2;
            let files = stream::iter(if blocked { Vec::new() } else { changes }).map(move |(change, role)| {
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
            let mut files: Files<'_> = Box::pin(files.buffered(ahead));
            let first = self.first(&mut taken, &mut files).await?;
            let Some(types) = taken.fold.types(&self.run.dataset.primary_key) else {
                return self.without_keys(taken);
            };
            let bad = if is_integer(&types) {
                self.publish::<Integer>(&mut taken, &types, first, files, report).await?
            } else {
                self.publish::<Composite>(&mut taken, &types, first, files, report).await?
            };
            match bad {
                Published::Yes => return Ok(Rounded::Published { more: taken.more, stop: taken.stop }),
                Published::Nothing => return Ok(Rounded::Nothing { stop: taken.stop }),
                Published::BadLoad(at, refusal) => {
                    taken = self.without_load(taken, at, refusal, untouched.clone()).await?;
                }
                Published::Unlike => {
                    let todo = Todo { ledger: untouched.clone(), changes: kept, ..taken.todo };
                    taken = Taken { anew: true, ..self.reopen(todo).await? };
                }
            }
        }
    }

    /// Opens the base: the old snapshot and as many full-load files as the time allows.
    async fn take_loads(&mut self, todo: Todo) -> Result<Taken, Failure> {
        let declared = declared_columns(&self.run.dataset);
        let old = self.current.take();
        let keep_columns = !todo.fresh || todo.emptied;
        let schema = old.as_ref().filter(|_| keep_columns).map(|current| Arc::clone(current.snapshot.schema()));
        let fold = Fold::new(schema.as_deref(), declared.as_deref())?;
        let mut base = Vec::new();
        if let Some(current) = old.filter(|_| !todo.fresh) {
            base.push(BaseFile {
                meta: current.meta,
                ordinal: 0,
                content: Content::Snapshot(Box::new(current.snapshot)),
            });
        }
        let before = fold.clone();
        let mut taken =
            Taken { base, fold, todo, stop: None, more: false, cut: false, anew: false, traceless: 0, before };
        let mut room =
            self.run.time_left().map(|left| left.as_secs_f64() * LOAD_PACE * self.run.options.threads as f64);
        for load in std::mem::take(&mut taken.todo.loads) {
            let bytes = load.meta.size as f64;
            if room.is_some_and(|room| room < bytes) && !taken.todo.loads.is_empty() {
                taken.more = true;
                break;
            }
            room = room.map(|room| room - bytes);
            match self.take_load(&mut taken, &load).await {
                Ok(()) => taken.todo.loads.push(load),
                Err(Failure::Refused(refusal)) => {
                    taken.stop = Some(Stop::at(&load.meta.key, refusal));
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(taken)
    }

    async fn take_load(&self, taken: &mut Taken, load: &Load) -> Result<(), Failure> {
        let (store, dataset) = (self.run.store, &self.run.dataset);
        let (columns, content) = if dataset.source.format == Format::Parquet {
            let (file, _) = open_parquet(store, dataset, &load.meta, FileKind::Load).await?;
            (file_columns(&file, dataset).0, Content::Load(Box::new(file.as_ref().clone())))
        } else {
            let (store, dataset, meta) = (Arc::clone(store), Arc::clone(dataset), load.meta.clone());
            let open = tokio::task::spawn_blocking(move || text(&store, &meta, FileKind::Load, &dataset));
            let rows = open.await.map_err(super::rows::internal)??;
            let fields = rows.schema().fields().iter();
            let columns = fields.map(|field| (field.name().clone(), field.data_type().clone())).collect();
            (FileColumns { columns, complete: rows.complete() }, Content::Text)
        };
        let ordinal = taken.fold.admit(&columns)?;
        taken.base.push(BaseFile { meta: load.meta.clone(), ordinal, content });
        Ok(())
    }

    /// The same without the full-load file that turned out bad, and all after it.
    async fn without_load(
        &mut self,
        taken: Taken,
        at: usize,
        refusal: Refusal,
        ledger: Ledger,
    ) -> Result<Taken, Failure> {
        let bad = &taken.base[at].meta.key;
        let stop = Stop::at(bad, refusal);
        let good = taken.todo.loads.iter().take_while(|load| load.meta.key != *bad).cloned().collect();
        let todo = Todo { ledger, loads: good, changes: Vec::new(), ..taken.todo };
        Ok(Taken { stop: Some(stop), ..self.reopen(todo).await? })
    }

    /// Opens the base once more.
    async fn reopen(&mut self, todo: Todo) -> Result<Taken, Failure> {
        let target = &self.run.dataset.target;
        let policy = parquet::file::metadata::PageIndexPolicy::Optional;
        (self.current, _) = publish::current(self.run.store, target, policy).await?;
        self.take_loads(todo).await
    }

    /// The first file of changes, admitted: it may tell the key's type.
    async fn first(&self, taken: &mut Taken, files: &mut Files<'_>) -> Result<Option<Decoded>, Failure> {
        while let Some((key, _, decoded)) = files.next().await {
            let admitted = decoded.and_then(|decoded| {
                admit(&mut taken.fold, &decoded, taken.anew)?;
                Ok(decoded)
            });
            match admitted {
                // It empties what is empty and tells no column: in, without a trace in the rows.
                Ok(decoded)
                    if taken.fold.columns().is_empty() && decoded.changes.iter().all(Changes::only_truncate) =>
                {
                    taken.todo.ledger.apply(&decoded.name, decoded.meta.etag);
                    taken.traceless += 1;
                }
                Ok(decoded) => return Ok(Some(decoded)),
                Err(Failure::Refused(refusal)) => {
                    taken.stop = Some(Stop::at(&key, refusal));
                    return Ok(None);
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
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
        report: &mut MergeReport,
    ) -> Result<Published, Failure> {
        let mut draft = report.clone();
        draft.files += taken.traceless;
        let mut delta = Delta::new(K::new(types)?);
        let began = Instant::now();
        let mut next = first;
        let mut taken_any = false;
        while let Some(decoded) = next.take() {
            if !taken.anew && is_unlike(&taken.before, &decoded) {
                return Ok(Published::Unlike);
            }
            if self.take_file(taken, &mut delta, decoded, &mut draft)? {
                taken_any = true;
                taken.more |= self.is_full(&mut delta, began)?;
            }
            next = self.next(taken, types, &mut files).await?;
        }
        drop(files);
        let loads = !taken.todo.loads.is_empty();
        if !taken_any && !loads && !self.changed {
            return Ok(Published::Nothing);
        }
        self.write(taken, delta, draft, report).await
    }

    /// The next file to take. After the end of the publish only files that are in already: what a late one undid must
    /// be in the same publish as the late one.
    async fn next(
        &self,
        taken: &mut Taken,
        types: &[DataType],
        files: &mut Files<'_>,
    ) -> Result<Option<Decoded>, Failure> {
        while let Some((key, role, decoded)) = files.next().await {
            match role {
                Role::New if taken.cut || taken.more => {
                    taken.more = true;
                    return Ok(None);
                }
                Role::Late if taken.cut => continue,
                Role::New | Role::Late | Role::Settled => {}
            }
            match decoded.and_then(|decoded| self.admit_next(taken, types, decoded)) {
                Ok(Some(decoded)) => return Ok(Some(decoded)),
                Ok(None) => (taken.cut, taken.more) = (true, true),
                Err(Failure::Refused(refusal)) if role != Role::Settled => {
                    (taken.cut, taken.stop) = (true, Some(Stop::at(&key, refusal)));
                }
                Err(failure) => return Err(failure),
            }
        }
        taken.more &= taken.cut;
        Ok(None)
    }

    /// Applies a file to the delta; `false`: it is bad, and the publish ends before it.
    fn take_file<K: KeyKind>(
        &self,
        taken: &mut Taken,
        delta: &mut Delta<K>,
        decoded: Decoded,
        report: &mut MergeReport,
    ) -> Result<bool, Failure> {
        let keys = &self.run.dataset.primary_key;
        if decoded.role == Role::Settled && taken.anew {
            delta.push(&decoded.changes, taken.fold.files(), keys)?;
            return Ok(true);
        }
        if decoded.role == Role::Settled {
            for changes in &decoded.changes {
                delta.settle(changes, keys)?;
            }
            return Ok(true);
        }
        let ordinal = if decoded.role == Role::Late && !taken.anew { 0 } else { taken.fold.files() };
        if let Err(refusal) = delta.push(&decoded.changes, ordinal, keys) {
            taken.fold.clone_from(&taken.before);
            (taken.cut, taken.stop) = (true, Some(Stop::at(&decoded.meta.key, refusal)));
            return Ok(false);
        }
        taken.todo.ledger.apply(&decoded.name, decoded.meta.etag);
        report.files += 1;
        report.late += u64::from(decoded.role == Role::Late);
        for column in decoded.undeclared {
            if !report.undeclared_columns.contains(&column) {
                report.undeclared_columns.push(column);
            }
        }
        Ok(true)
    }

    /// Admits the next file's columns; `None`: its key has another type, and it begins a publish of its own.
    fn admit_next(&self, taken: &mut Taken, types: &[DataType], decoded: Decoded) -> Result<Option<Decoded>, Failure> {
        let mut fold = taken.fold.clone();
        admit(&mut fold, &decoded, taken.anew)?;
        let same = fold.types(&self.run.dataset.primary_key).as_deref() == Some(types);
        if same {
            taken.before = std::mem::replace(&mut taken.fold, fold);
        }
        Ok(same.then_some(decoded))
    }

    fn is_full<K: KeyKind>(&self, delta: &mut Delta<K>, began: Instant) -> Result<bool, Refusal> {
        let budget = usize::try_from(self.run.options.memory / DELTA_SHARE).unwrap_or(usize::MAX);
        if delta.bytes() > budget {
            delta.compact()?;
        }
        let slow = self.run.time_left().is_some_and(|left| began.elapsed() > left / 2);
        Ok(slow || delta.bytes() > budget)
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
        ledger.sequence += 1;
        if let publish::Place::Version { sequence, .. } = &place {
            ledger.sequence = *sequence;
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
                taken.base = Arc::try_unwrap(work.base).unwrap_or_default();
                return match trouble {
                    Trouble::Failed(failure) => Err(failure),
                    Trouble::Bad(at, refusal) => Ok(Published::BadLoad(at, refusal)),
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
        self.clean_up(place.key()).await;
        Ok(Published::Yes)
    }

    /// What is published is published: a version that could not be removed is removed next time.
    async fn clean_up(&self, current: &str) {
        let target = &self.run.dataset.target;
        let store: &dyn Store = self.run.store.as_ref();
        let cleaned: Result<u64, StoreError> = publish::clean_up(store, target, current, self.run.clock).await;
        if let Err(error) = cleaned {
            tracing::warn!(%error, "old versions of the snapshot were not removed");
        }
    }
}

enum Published {
    Yes,
    Nothing,
    BadLoad(usize, Refusal),
    /// It is not enough that later files settle what a late one changed.
    Unlike,
}

/// Whether a late file, or one after it, did more than change rows: then the files from there on are applied anew.
fn is_unlike(fold: &Fold, decoded: &Decoded) -> bool {
    let truncates = || decoded.changes.iter().any(|changes| changes.ops.contains(&Op::Truncate));
    match decoded.role {
        Role::New => false,
        Role::Late => truncates() || !fold.has_columns_of(&decoded.columns),
        Role::Settled => !fold.has_columns_of(&decoded.columns),
    }
}

fn admit(fold: &mut Fold, decoded: &Decoded, anew: bool) -> Result<(), Refusal> {
    match decoded.role {
        _ if anew => fold.admit(&decoded.columns).map(|_| ()),
        Role::New => fold.admit(&decoded.columns).map(|_| ()),
        Role::Late => fold.admit_late(&decoded.columns).map(|_| ()),
        Role::Settled => Ok(()),
    }
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
    report.superseded += counts.superseded + applied.superseded;
    report.inserts += applied.tally.inserts + applied.loaded - applied.superseded;
    report.updates += applied.tally.updates;
    report.deletes += applied.tally.deletes;
    report.noop_deletes += applied.tally.noop_deletes;
    report.ghost_candidates += applied.tally.ghosts;
    report.row_groups_carried += applied.carried;
    report.row_groups_rewritten += applied.written;
}
