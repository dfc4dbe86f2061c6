//! A run → its files of changes and what is refused, each at most once.
//!
//! Look at the note, do the next thing, swap the note: whoever dies between any two of them costs the work of one
//! group, and whoever comes too late finds another note and goes on from there.

use std::{fmt::Display, sync::Arc};

use bytes::Bytes;
use headgate::{
    Code, Error,
    flows::{Run, Status},
    store::{Condition, StoreError},
};
use headgate_columnar::saas::{self, Piece, land};
use tokio::sync::mpsc;

use crate::{
    files::Files,
    handler::{Budget, Object, Ports},
    ledger::{self, File, Note, Noted, Plan, State},
    report::Tally,
};

/// What became of a run.
#[derive(Debug)]
pub enum Taken {
    /// It is in, by us.
    Landed {
        /// What it came to.
        tally: Tally,
        /// By how many records that differs from what the run says it has.
        missing: u64,
    },
    /// It failed, which nobody noted before.
    Failed,
    /// It was known before, or somebody else brought it in.
    Known,
}

/// Whether there is something to do for a run of which this is noted.
pub fn is_open(run: &Run, noted: &Noted) -> bool {
    match noted {
        Some((_, Note { state: State::Planned(plan), .. })) => run.status != Status::Failed && plan.next().is_some(),
        Some((_, Note { state: State::Failed, .. })) => run.status != Status::Failed,
        None => true,
    }
}

/// Brings a run in that came to an end; one that failed is noted. With `again` one that is in comes in anew.
///
/// # Errors
/// Where the store fails, the time ends, or as [`Files::of`] and [`Plan::new`].
pub async fn take(
    object: &Arc<Object>,
    (run, mut noted, mut again): (&Run, Noted, bool),
    files: &mut Files<'_>,
    budget: Budget,
    ports: &Ports,
) -> Result<Taken, Error> {
    while again || is_open(run, &noted) {
        budget.check(ports.clock.now())?;
        let (etag, note) = noted.unzip();
        let next = match note.map(|note| note.state) {
            _ if run.status == Status::Failed => State::Failed,
            Some(State::Planned(plan)) if plan.is_of(object) && plan.next().is_some() => {
                State::Planned(Box::new(go_on(object, *plan, ports).await?))
            }
            old => {
                let plan = Plan::new(object, run, files.of(run).await?, ports.clock.now(), ports.bounds.memory)?;
                State::Planned(Box::new(if let Some(State::Planned(old)) = old { plan.anew(&old) } else { plan }))
            }
        };
        let (now_noted, is_ours) = ledger::swap(ports.store.as_ref(), &object.saas, &run.id, etag, next).await?;
        match &now_noted {
            Some((_, Note { state: State::Failed, .. })) if is_ours => return Ok(Taken::Failed),
            Some((_, Note { state: State::Planned(plan), .. })) if is_ours && plan.next().is_none() => {
                told_apart(object, plan);
                return Ok(Taken::Landed { tally: plan.tally.clone(), missing: plan.missing() });
            }
            _ => (noted, again) = (now_noted, false),
        }
    }
    Ok(Taken::Known)
}

/// Does the next thing; gives the plan after that.
async fn go_on(object: &Arc<Object>, plan: Plan, ports: &Ports) -> Result<Plan, Error> {
    let now = ports.clock.now();
    match plan.next() {
        Some(_) if plan.is_aged(&object.saas, now) => Ok(plan.renamed(&object.saas, now)),
        Some(group) => Ok(plan.with(&group_in(object, &plan, group, ports).await?)),
        None => Ok(plan),
    }
}

/// Lands a group of files.
async fn group_in(object: &Arc<Object>, plan: &Plan, group: &[File], ports: &Ports) -> Result<Tally, Error> {
    let store = ports.store.as_ref();
    let (mut files, mut tally) = (Vec::with_capacity(group.len()), Tally::default());
    for file in group {
        let body = match file.size {
            0 => Bytes::new(),
            size => store.get_range(&file.key, 0..size, &file.etag).await?,
        };
        tally.files += 1;
        tally.bytes += file.size;
        files.push((file.key.clone(), body));
    }
    // One part waits while another is written, and no more.
    let (send, mut pieces) = mpsc::channel(1);
    let (reading, id, at, memory) = (Arc::clone(object), plan.run.id.clone(), plan.run.started, ports.bounds.memory);
    let read = move || {
        let mut give = |piece| send.blocking_send(piece).map_err(|_| broken("nobody takes what is read"));
        land((&reading.saas, &reading.readers), saas::Run { id: id.as_str(), at }, &files, memory, &mut give)
    };
    let reading = tokio::task::spawn_blocking(read);
    while let Some(piece) = pieces.recv().await {
        let (key, body) = match piece {
            Piece::Changes(part, file) => (plan.changes_key(&object.saas, part), file),
            Piece::Refused(part, lines) => (plan.quarantine_key(&object.saas, part), lines),
        };
        put_once(ports, &key, body).await?;
    }
    let landed = reading.await.map_err(broken)??;
    let (records, deleted, unknown_fields) = (landed.records, landed.deleted, landed.unknown_fields);
    Ok(Tally { records, deleted, unknown_fields, fates: landed.fates, ..tally })
}

fn broken(why: impl Display) -> Error {
    Error::retry(Code::Internal, format!("reading a run failed: {why}"))
}

/// Who was first wrote the same.
async fn put_once(ports: &Ports, key: &str, body: Bytes) -> Result<(), Error> {
    match ports.store.put(key, body, Condition::Absent).await {
        Ok(_) | Err(StoreError::Changed { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The service's count is of what it handled, and no promise: a difference is for people to look at.
fn told_apart(object: &Object, plan: &Plan) {
    let (records, missing) = (plan.tally.records, plan.missing());
    if missing > 0 {
        let (dataset, run, told) = (object.saas.name(), plan.run.id.as_str(), plan.run.records);
        let message = "the run says that it has another number of records than its files";
        tracing::warn!(dataset, run, told, records, message);
    }
}
