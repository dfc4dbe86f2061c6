//! A run → its files of changes and what is refused, each at most once.
//!
//! Note, then land, then note that it landed: a crash between any two of them costs work and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use headgate::{
    Code, Error,
    flows::{Run, Status},
    store::{Condition, ETag, StoreError},
};
use headgate_columnar::saas::{self, Landed, land};

use crate::{
    files,
    handler::{Budget, Object, Ports},
    ledger::{self, File, Note, State},
    report::Report,
};

/// Brings a run in that came to an end; one that failed is noted.
///
/// # Errors
/// Where the store fails, the time ends, or as [`files::of`] and [`Note::planned`].
pub async fn take(
    object: &Arc<Object>,
    run: &Run,
    budget: Budget,
    ports: &Ports,
    report: &mut Report,
) -> Result<(), Error> {
    let (store, saas) = (ports.store.as_ref(), &object.saas);
    let noted = ledger::read(store, saas, &run.id).await?;
    if run.status == Status::Failed {
        if noted.is_none() {
            let (_, _, is_ours) = ledger::write(store, saas, Note::of_failed(run), Condition::Absent).await?;
            report.failed += u64::from(is_ours);
        }
        return Ok(());
    }
    let (etag, note) = match noted {
        Some((etag, note)) if note.state != State::Failed => (etag, note),
        other => {
            let found = files::of(store, saas, run).await?;
            let note = Note::planned(saas, run, found, ports.clock.now(), ports.bounds.memory)?;
            // What failed first and then did not is as good as new.
            let condition = other.map_or(Condition::Absent, |(etag, _)| Condition::Matches(etag));
            let (etag, note, _) = ledger::write(store, saas, note, condition).await?;
            (etag, note)
        }
    };
    if note.state == State::Landed {
        report.repeated += 1;
        return Ok(());
    }
    let mut records = 0;
    for (index, group) in note.groups.iter().enumerate() {
        budget.check(ports.clock.now())?;
        records += group_in(object, &note, (index as u64, group), ports, report).await?;
    }
    told_apart(object, &note, records, report);
    finished(ports, object, etag, note).await?;
    report.landed += 1;
    Ok(())
}

/// Lands a group of files; gives how many records it has.
async fn group_in(
    object: &Arc<Object>,
    note: &Note,
    (index, group): (u64, &[File]),
    ports: &Ports,
    report: &mut Report,
) -> Result<u64, Error> {
    let store = ports.store.as_ref();
    let mut files = Vec::with_capacity(group.len());
    for file in group {
        let body = match file.size {
            0 => Bytes::new(),
            size => store.get_range(&file.key, 0..size, &file.etag).await?,
        };
        report.files += 1;
        report.bytes += file.size;
        files.push((file.key.clone(), body));
    }
    let (reading, id, at) = (Arc::clone(object), note.execution.clone(), note.at);
    let read = move || land(&reading.saas, &reading.readers, saas::Run { id: &id, at }, &files);
    let landed: Landed = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| Error::retry(Code::Internal, format!("reading a run failed: {error}")))??;
    if !landed.refused.is_empty() {
        put_once(ports, &note.quarantine_key(&object.saas, index), landed.refused).await?;
    }
    if let Some(changes) = landed.changes {
        put_once(ports, &note.changes_key(&object.saas, index), changes).await?;
    }
    for (fate, records) in landed.fates.iter() {
        report.fates.add(fate, records);
    }
    report.records += landed.records;
    report.deleted += landed.deleted;
    report.unknown_fields += landed.unknown_fields;
    Ok(landed.records)
}

/// Who was first wrote the same.
async fn put_once(ports: &Ports, key: &str, body: Bytes) -> Result<(), Error> {
    match ports.store.put(key, body, Condition::Absent).await {
        Ok(_) | Err(StoreError::Changed { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The service's count is of what it handled, and no promise: a difference is for people to look at.
fn told_apart(object: &Object, note: &Note, records: u64, report: &mut Report) {
    let Some(told) = note.records.filter(|told| *told != records) else { return };
    report.missing += told.abs_diff(records);
    let (dataset, run) = (object.saas.name(), note.execution.as_str());
    tracing::warn!(dataset, run, told, records, "the run says that it has another number of records than its files");
}

async fn finished(ports: &Ports, object: &Object, etag: ETag, note: Note) -> Result<(), Error> {
    let note = Note { state: State::Landed, ..note };
    ledger::write(ports.store.as_ref(), &object.saas, note, Condition::Matches(etag)).await.map(|_| ())
}
