//! A rule's result → alerts told, readings gone on, what is refused in quarantine.
//!
//! The function is invoked asynchronously: an error makes Lambda deliver the event again, and nobody reads the answer.
//! No SDK type comes in: lake, state, stream and topic are ports.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::Contract,
    dataset::Stream as Dataset,
    fate::{Dropped, Fate},
    metrics::Emitter,
    notify::{Notify, directory::DirectoryNotify},
    runtime::Event,
    state::{State, Version},
    store::Store,
    stream::Stream,
};
use headgate_aws::{Aws, Endpoint, KinesisStream};
use headgate_sns::SnsNotify;

use crate::{
    Report,
    config::{Config, Onward, Topic},
    device::{Applied, Desk, Found},
    emit,
    forward::forward,
    intake::{Intake, Terms},
    ledger::{Taken, Watching},
    reading::Reading,
    sql::Sql,
    transition,
};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake, where the quarantine is.
    pub store: Arc<dyn Store>,
    /// What is known of devices.
    pub state: Arc<dyn State>,
    /// Who is told.
    pub notify: Arc<dyn Notify>,
    /// Where readings go on to, where the rule has no action of its own for that.
    pub onward: Option<Arc<dyn Stream>>,
    /// The dataset.
    pub dataset: Dataset,
    /// What its messages must be.
    pub contract: Contract,
    /// What is watched.
    pub watching: Watching,
    /// What the rule's SQL says, where that is known.
    pub sql: Option<Sql>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Reads the dataset file and makes the clients, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: the dataset file is wrong.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (dataset, watch, contract) = Contract::load_watched(&config.datasets, &config.dataset)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let aws = Aws::connect(Endpoint::Environment).await;
        Ok(Self {
            store: config.lake.open().await,
            state: config.state.open(Arc::clone(&clock)).await,
            notify: match config.topic {
                Topic::Sns(topic) => Arc::new(SnsNotify::new(&aws, &topic)),
                Topic::Directory(root) => Arc::new(DirectoryNotify::new(root)),
            },
            onward: match config.onward {
                Onward::Kinesis(stream) => Some(Arc::new(KinesisStream::new(&aws, &stream))),
                Onward::Rule => None,
            },
            sql: config.filter.map(|filter| Sql::new(filter, &dataset, &watch)).transpose()?,
            watching: Watching::new(&dataset.name, watch),
            dataset,
            contract,
            clock,
            emitter: Emitter::Stdout,
            function: config.function,
        })
    }
}

/// How many devices of an event are seen to at once.
const AT_ONCE: usize = 16;
/// How many readings of a device are put into its ledger at once.
const CHUNK: usize = 100;
/// What is set aside of an invocation's time for the answer.
const MARGIN: Duration = Duration::from_secs(2);

/// Sees to the messages of an event.
///
/// # Errors
/// Where the event is no JSON, or where something of it is not done: then Lambda delivers it again, and at last hands it
/// to the function's on-failure destination.
pub async fn handle(event: &Event, ports: &Ports) -> Result<Report, Error> {
    let now = ports.clock.now();
    let left = Duration::from_millis(u64::try_from(event.deadline.0.saturating_sub(now.0)).unwrap_or_default());
    let left = left.saturating_sub(MARGIN.min(left / 10));
    let mut report = Report { dataset: ports.dataset.name.clone(), ..Report::default() };
    let seen_to = tokio::time::timeout(left, see_to(event, now, left, ports, &mut report)).await;
    let seen_to = seen_to.unwrap_or_else(|_| {
        Err(Error::retry(Code::Deadline, "the time did not suffice; give the function a longer timeout or more memory"))
    });
    tell(&report, seen_to.as_ref().err(), ports);
    seen_to.map(|()| report)
}

fn tell(report: &Report, error: Option<&Error>, ports: &Ports) {
    let (function, now) = (&ports.function, ports.clock.now());
    let logged = serde_json::to_string(report).unwrap_or_default();
    tracing::info!(report = logged, "event");
    ports.emitter.emit(emit::of_report(function, report), now);
    for metrics in emit::of_reasons(function, report) {
        ports.emitter.emit(metrics, now);
    }
    if let Some(error) = error {
        ports.emitter.emit(emit::failure(function, &report.dataset, error.code), now);
    }
}

async fn see_to(
    event: &Event,
    now: Timestamp,
    left: Duration,
    ports: &Ports,
    report: &mut Report,
) -> Result<(), Error> {
    let limits = ports.onward.as_ref().map(|stream| stream.limits());
    let (stream, contract, watching, sql) = (&ports.dataset, &ports.contract, &ports.watching, ports.sql.as_ref());
    let intake = Intake::read(event, now, Terms { stream, contract, watching, sql, limits })?;
    let who = Version::fresh().0;
    let desk = Desk {
        state: &*ports.state,
        notify: &*ports.notify,
        clock: &*ports.clock,
        watching,
        who: &who,
        end: now.plus(left),
    };
    let aside = intake.aside.write(&*ports.store).await;
    let mut devices = devices(&intake.readings);
    open(&mut devices, desk).await;
    let unsent = pass_on(&mut devices, left / 4, ports, report).await;
    let applied: Vec<_> =
        stream::iter(devices).map(|device| device.apply(desk)).buffer_unordered(AT_ONCE).collect().await;

    report.messages = intake.messages;
    report.fates = intake.fates;
    let mut errors: Vec<Error> = aside.err().into_iter().chain(unsent).collect();
    for (device, applied) in applied {
        report.devices += 1;
        device.count(&applied, report);
        errors.extend(applied.err());
    }
    report.quarantined = report.fates.quarantined();
    report.filtered = report.fates.of(Fate::Dropped { reason: Dropped::Filtered });
    let oldest = intake.readings.iter().map(|reading| reading.place.0).min();
    report.lag_milliseconds = oldest.map(|oldest| ports.clock.now().0.saturating_sub(oldest));
    report.fates.account_for(report.messages)?;
    // What a person must change is told before what passes.
    match errors.into_iter().max_by_key(|error| error.class == Class::Misconfigured) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// A device of an event.
struct Device<'a> {
    name: &'a str,
    readings: Vec<&'a Reading>,
    /// Whether the stream is known to have each of them.
    sent: Vec<bool>,
    found: Option<Result<Found, Error>>,
}

fn devices(readings: &[Reading]) -> Vec<Device<'_>> {
    let mut devices: BTreeMap<&str, Vec<&Reading>> = BTreeMap::new();
    for reading in readings {
        devices.entry(&reading.device).or_default().push(reading);
    }
    let mut found = Vec::with_capacity(devices.len());
    for (name, mut readings) in devices {
        readings.sort_by_key(|reading| reading.place);
        found.push(Device { name, sent: vec![false; readings.len()], readings, found: None });
    }
    found
}

async fn open(devices: &mut [Device<'_>], desk: Desk<'_>) {
    let names: Vec<_> = devices.iter().map(|device| device.name).collect();
    let found = stream::iter(names).map(|name| desk.open(name)).buffered(AT_ONCE).collect::<Vec<_>>().await;
    for (device, found) in devices.iter_mut().zip(found) {
        device.found = Some(found);
    }
}

/// Sends what the stream is not known to have, and notes what it then has.
async fn pass_on(devices: &mut [Device<'_>], time: Duration, ports: &Ports, report: &mut Report) -> Option<Error> {
    let Some(onward) = &ports.onward else {
        for device in devices {
            device.sent.fill(true);
        }
        return None;
    };
    let mut places = Vec::new();
    for (at, device) in devices.iter_mut().enumerate() {
        // A reading whose ledger cannot be read is sent when it can be.
        let Some(Ok(found)) = &device.found else { continue };
        for (index, reading) in device.readings.iter().enumerate() {
            device.sent[index] = found.ledger.has_sent(reading);
            if !device.sent[index] && !device.is_copy(index) {
                places.push((at, index));
            }
        }
    }
    if places.is_empty() {
        return None;
    }
    let readings: Vec<_> = places.iter().map(|(at, index)| devices[*at].readings[*index]).collect();
    let (sent, error) = forward(&**onward, &readings, time).await;
    for ((at, index), sent) in places.into_iter().zip(sent) {
        devices[at].sent[index] = sent;
        report.forwarded += u64::from(sent);
    }
    for device in devices {
        for index in 1..device.sent.len() {
            device.sent[index] |= device.is_copy(index) && device.sent[index - 1];
        }
    }
    error
}

impl Device<'_> {
    /// Whether this reading is the one before it once more: they are in order.
    fn is_copy(&self, index: usize) -> bool {
        index > 0 && self.readings[index].place == self.readings[index - 1].place
    }

    async fn apply(mut self, desk: Desk<'_>) -> (Self, Result<Applied, Error>) {
        let found = self.found.take();
        let applied = self.apply_all(found, desk).await;
        (self, applied)
    }

    /// Puts the readings into the device's ledger, few enough at a time for what they bring to fit its item.
    async fn apply_all(&self, mut found: Option<Result<Found, Error>>, desk: Desk<'_>) -> Result<Applied, Error> {
        let judged: Vec<_> = (0..self.readings.len()).filter(|index| !self.readings[*index].future).collect();
        let mut all = Applied::default();
        // Without any there may still be something left to be told.
        let chunks = if judged.is_empty() { vec![&judged[..]] } else { judged.chunks(CHUNK).collect() };
        for chunk in chunks {
            let found = match found.take() {
                Some(found) => found?,
                None => desk.open(self.name).await?,
            };
            let readings: Vec<_> = chunk.iter().map(|index| self.readings[*index]).collect();
            let sent: Vec<_> = chunk.iter().map(|index| self.sent[*index]).collect();
            let Applied { taken, told } = desk.apply(self.name, found, &readings, &sent).await?;
            all.taken.extend(taken);
            all.told.extend(told);
        }
        Ok(all)
    }

    /// Counts how the readings ended.
    fn count(&self, applied: &Result<Applied, Error>, report: &mut Report) {
        let mut taken = applied.iter().flat_map(|applied| &applied.taken);
        for (reading, sent) in self.readings.iter().zip(&self.sent) {
            let taken = if reading.future { None } else { taken.next() };
            let fate = match applied {
                Err(error) => Fate::Retry { reason: error.code },
                Ok(_) if !sent => Fate::Retry { reason: Code::Unavailable },
                Ok(_) if taken == Some(&Taken::Repeated) => Fate::Dropped { reason: Dropped::Repeated },
                Ok(_) => Fate::Stored,
            };
            report.fates.add(fate, 1);
            let counted = match taken {
                _ if reading.future => &mut report.future,
                Some(Taken::Judged) => &mut report.judged,
                Some(Taken::Repeated) => &mut report.repeated,
                Some(Taken::Late) => &mut report.late,
                None => continue,
            };
            *counted += 1;
        }
        for event in applied.iter().flat_map(|applied| &applied.told) {
            match event {
                transition::Event::Opened => report.opened += 1,
                transition::Event::Updated => report.updated += 1,
                transition::Event::Resolved => report.resolved += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests;
