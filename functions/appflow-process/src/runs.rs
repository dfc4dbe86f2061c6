//! What is told of runs → those that there is something to do for, with what is noted of them.

use futures::{StreamExt, stream};
use headgate::{
    Code, Error,
    clock::Timestamp,
    flows::{Run, RunId, Status},
};

use crate::{
    handler::{Object, Ports},
    intake,
    ledger::{self, Note, Noted, State},
};

/// Notes that are read at a time.
const AT_ONCE: usize = 16;

/// What is told of runs.
pub enum Told {
    /// This run came to an end.
    One(Run),
    /// This run is to come in again.
    Again(RunId),
    /// Nothing: the service is asked.
    None,
}

/// The runs to bring in, in the order in which they began, and why some could not be looked at.
///
/// # Errors
/// As [`Flows`](headgate::flows::Flows). Poison: a run that is to come in again is not known.
pub async fn open(object: &Object, told: &Told, ports: &Ports) -> Result<(Vec<(Run, Noted)>, Vec<Error>), Error> {
    let runs = match told {
        Told::One(run) => vec![run.clone()],
        Told::Again(id) => vec![known(object, id, ports).await?],
        Told::None => ended(object, ports).await?,
    };
    let again = matches!(told, Told::Again(_));
    let read = |run: Run| async move {
        let noted = ledger::read(ports.store.as_ref(), &object.saas, &run.id).await?;
        Ok((again || intake::is_open(&run, &noted)).then_some((run, noted)))
    };
    let mut reading = stream::iter(runs.into_iter().map(read).collect::<Vec<_>>()).buffered(AT_ONCE);
    let (mut open, mut trouble) = (Vec::new(), Vec::new());
    while let Some(read) = reading.next().await {
        match read {
            Ok(found) => open.extend(found),
            Err(error) => trouble.push(error),
        }
    }
    Ok((open, trouble))
}

/// The runs that ended within the lookback, in the order in which they began.
async fn ended(object: &Object, ports: &Ports) -> Result<Vec<Run>, Error> {
    let mut runs = ports.flows.runs(&object.saas.flow, ports.clock.now().minus(ports.lookback)).await?;
    runs.retain(|run| run.status != Status::Running);
    runs.sort_by(|one, other| (one.started, &one.id).cmp(&(other.started, &other.id)));
    Ok(runs)
}

/// A run by its id, however long ago it was.
async fn known(object: &Object, id: &RunId, ports: &Ports) -> Result<Run, Error> {
    let noted = ledger::read(ports.store.as_ref(), &object.saas, id).await?;
    if let Some((_, Note { state: State::Planned(plan), .. })) = noted {
        return Ok(plan.run);
    }
    let flow = &object.saas.flow;
    let runs = ports.flows.runs(flow, Timestamp(0)).await?;
    runs.into_iter().find(|run| run.id == *id && run.status == Status::Succeeded).ok_or_else(|| {
        Error::poison(Code::InvalidEvent, format!("`run`: flow {flow} knows no run {id} that ended well"))
    })
}
