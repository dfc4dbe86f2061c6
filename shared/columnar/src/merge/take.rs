//! Files that wait → what a round takes of them, up to the first it must leave.

use std::{sync::Arc, time::Instant};

use arrow::datatypes::DataType;
use futures::{Stream, StreamExt};
use headgate::dataset::Format;

use super::{
    MergeReport,
    base::{BaseFile, Content, text},
    changes::{Decoded, declared_columns, file_columns, open_parquet},
    delta::Delta,
    fold::{FileColumns, Fold},
    keys::KeyKind,
    ledger::Ledger,
    listing::Load,
    plan::{Role, Todo},
    publish,
    round::Round,
    run::Stop,
};
use crate::{
    changes::{Changes, FileKind, Op, Refusal},
    object::Failure,
};

/// The share of the memory that changes may take: their rows are there twice while they are gathered.
const DELTA_SHARE: u64 = 8;
/// Bytes of full-load files that a second and thread is trusted with, where time is bounded.
const LOAD_PACE: f64 = 10e6;

/// What a round takes, up to the first file it must leave.
pub(super) struct Taken {
    /// The old snapshot and the full-load files.
    pub base: Vec<BaseFile>,
    /// The table's columns so far.
    pub fold: Fold,
    /// The plan: its ledger grows with every file that is taken.
    pub todo: Todo,
    /// Why the round ends early.
    pub stop: Option<Stop>,
    /// Files are left for the next round.
    pub more: bool,
    /// No more late files are taken: what the ones before undid must still be settled.
    pub cut: bool,
    /// Files that are in already and come after a late one are applied anew, rows and columns.
    pub anew: bool,
    /// Files that are in without a trace.
    pub traceless: u64,
    /// Columns of full-load files that the dataset does not declare.
    pub undeclared: Vec<String>,
    /// The fold before the last file was admitted.
    pub before: Fold,
}

/// Files of changes on their way: the key, what the file is to the snapshot, and what came of reading it.
pub(super) type Files<'s> = std::pin::Pin<Box<dyn Stream<Item = (String, Role, Result<Decoded, Failure>)> + Send + 's>>;

impl Round<'_> {
    /// Opens the base: the old snapshot and as many full-load files as the time allows.
    pub(super) async fn take_loads(&mut self, todo: Todo) -> Result<Taken, Failure> {
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
        let mut taken = Taken {
            base,
            fold,
            todo,
            stop: None,
            more: false,
            cut: false,
            anew: false,
            traceless: 0,
            undeclared: Vec::new(),
            before,
        };
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
        let (columns, undeclared, content) = if dataset.source.format == Format::Parquet {
            let (file, _) = open_parquet(store, dataset, &load.meta, FileKind::Load).await?;
            let (columns, undeclared) = file_columns(&file, dataset);
            (columns, undeclared, Content::Load(Box::new(file.as_ref().clone())))
        } else {
            let (store, dataset, meta) = (Arc::clone(store), Arc::clone(dataset), load.meta.clone());
            let open = tokio::task::spawn_blocking(move || text(&store, &meta, FileKind::Load, &dataset));
            let rows = open.await.map_err(super::rows::internal)??;
            let fields = rows.schema().fields().iter();
            let columns = fields.map(|field| (field.name().clone(), field.data_type().clone())).collect();
            (FileColumns { columns, complete: rows.complete() }, rows.undeclared().to_vec(), Content::Text)
        };
        let ordinal = taken.fold.admit(&columns)?;
        taken.undeclared.extend(undeclared);
        taken.base.push(BaseFile { meta: load.meta.clone(), ordinal, content });
        Ok(())
    }

    /// The same without the full-load file that turned out bad, and all after it.
    pub(super) async fn without_load(
        &mut self,
        taken: Taken,
        bad: &str,
        refusal: Refusal,
        ledger: Ledger,
    ) -> Result<Taken, Failure> {
        let stop = Stop::at(bad, refusal);
        let good = taken.todo.loads.iter().take_while(|load| load.meta.key != bad).cloned().collect();
        let todo = Todo { ledger, loads: good, changes: Vec::new(), ..taken.todo };
        Ok(Taken { stop: Some(stop), ..self.reopen(todo).await? })
    }

    /// Opens the base once more.
    pub(super) async fn reopen(&mut self, todo: Todo) -> Result<Taken, Failure> {
        let target = &self.run.dataset.target;
        let policy = parquet::file::metadata::PageIndexPolicy::Optional;
        (self.current, _) = publish::current(self.run.store, target, policy).await?;
        self.take_loads(todo).await
    }

    /// The first file of changes, admitted: it may tell the key's type.
    pub(super) async fn first(&self, taken: &mut Taken, files: &mut Files<'_>) -> Result<Option<Decoded>, Failure> {
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

    /// The next file to take. After the end of the publish only files that are in already: what a late one undid must
    /// be in the same publish as the late one.
    pub(super) async fn next(
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
                Role::Late if self.is_ordered() && (taken.cut || taken.more) => {
                    taken.more = true;
                    return Ok(None);
                }
                // Memory is full, or an earlier one is bad: late ones wait, applied ones still have their say.
                Role::Late if taken.cut || taken.more => {
                    taken.cut = true;
                    continue;
                }
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
    pub(super) fn take_file<K: KeyKind>(
        &self,
        taken: &mut Taken,
        delta: &mut Delta<K>,
        decoded: Decoded,
        report: &mut MergeReport,
    ) -> Result<bool, Failure> {
        let keys = &self.run.dataset.primary_key;
        if decoded.role == Role::Settled && taken.anew {
            delta.push((&decoded.name, &decoded.changes), taken.fold.files(), keys)?;
            return Ok(true);
        }
        if decoded.role == Role::Settled {
            for changes in &decoded.changes {
                delta.settle(&decoded.name, changes, keys)?;
            }
            return Ok(true);
        }
        let ordinal = if decoded.role == Role::Late && !taken.anew { 0 } else { taken.fold.files() };
        if let Err(refusal) = delta.push((&decoded.name, &decoded.changes), ordinal, keys) {
            taken.fold.clone_from(&taken.before);
            (taken.cut, taken.stop) = (true, Some(Stop::at(&decoded.meta.key, refusal)));
            return Ok(false);
        }
        taken.todo.ledger.apply(&decoded.name, decoded.meta.etag);
        report.files += 1;
        report.late += u64::from(decoded.role == Role::Late);
        tell_undeclared(report, decoded.undeclared);
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

    pub(super) fn is_full<K: KeyKind>(&self, delta: &mut Delta<K>, began: Instant) -> Result<bool, Refusal> {
        // One array of text holds less than 2 GiB.
        let budget = usize::try_from(self.run.options.memory / DELTA_SHARE).unwrap_or(usize::MAX).min(1 << 30);
        if delta.bytes() > budget {
            delta.compact()?;
        }
        // Where names say nothing of the order, what is in already is still to be read.
        let share = if self.is_ordered() { 3 } else { 2 };
        let slow = self.run.time_left().is_some_and(|left| began.elapsed() > left / share);
        Ok(slow || delta.bytes() > budget)
    }
}

/// Whether a late file, or one after it, did more than change rows: then the files from there on are applied anew.
pub(super) fn is_unlike(fold: &Fold, decoded: &Decoded) -> bool {
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

/// Adds columns that the dataset does not declare, each once.
pub(super) fn tell_undeclared(report: &mut MergeReport, columns: Vec<String>) {
    for column in columns {
        if !report.undeclared_columns.contains(&column) {
            report.undeclared_columns.push(column);
        }
    }
}
