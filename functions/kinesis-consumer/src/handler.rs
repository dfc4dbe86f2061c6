//! One batch of a shard → rows and refused records in the lake, and the answer.
//!
//! The answer names at most one record: the first that is to be delivered again, with all that come after it. No SDK
//! type comes in: lake and state are ports.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headgate::{
    Class, Code, Error,
    clock::{Clock, SystemClock, Timestamp},
    contract::Contract,
    dataset::{Stream, stream::Transport},
    event::kinesis::{self, BatchResponse, Record},
    landing::{self, Mark, Shard},
    metrics::Emitter,
    position::{Position, SequenceNumber},
    state::State,
    store::Store,
};
use headgate_columnar::stream::{Body, Intake, Source, take_record};

use crate::{Report, config::Config, emit};

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The lake.
    pub store: Arc<dyn Store>,
    /// The shards' checkpoints.
    pub state: Arc<dyn State>,
    /// The dataset.
    pub stream: Stream,
    /// What its records must be.
    pub contract: Contract,
    /// The most bytes that records, their rows and what is refused of them may take; one record more may come in.
    pub most: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where metrics go.
    pub emitter: Emitter,
    /// The function's name, for them.
    pub function: String,
}

impl Ports {
    /// Reads the dataset file and opens the lake and the state, once, before the first event.
    ///
    /// # Errors
    /// Misconfigured: the dataset file is wrong.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let (stream, contract) =
            Contract::load(&config.datasets, &config.dataset, Transport::Kinesis, config.mask_key)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            stream,
            contract,
            store: config.lake.open().await,
            state: config.state.open(Arc::clone(&clock)).await,
            // Text, its columns and their file are in memory at once; a column of arrow ends at 2 GiB.
            most: usize::try_from(config.bounds.memory / 8).unwrap_or(MOST).min(MOST),
            clock,
            emitter: Emitter::Stdout,
            function: config.function,
        })
    }
}

/// The most bytes that are turned into rows at once, whatever the memory.
const MOST: usize = 256 << 20;

/// What is set aside of an invocation's time for the answer.
const MARGIN: Duration = Duration::from_secs(2);

/// Lands the batch.
///
/// # Errors
/// Where the event is none of Kinesis', or where a person must change something: then the whole batch is delivered
/// again, or split, as the event source mapping says.
pub async fn handle(event: &[u8], deadline: Timestamp, ports: &Ports) -> Result<BatchResponse, Error> {
    let batch = Batch::read(event)?;
    let Some(batch) = batch else { return Ok(BatchResponse::done()) };
    let left = u64::try_from(deadline.0 - ports.clock.now().0).map(Duration::from_millis).unwrap_or_default();
    let landing = tokio::time::timeout(left.saturating_sub(MARGIN.min(left / 10)), batch.land_what_fits(ports));
    let landed = landing.await.unwrap_or_else(|_| {
        Err(Error::retry(Code::Deadline, "the time did not suffice; give the function a longer timeout or more memory"))
    });
    match landed {
        Ok(report) => {
            let logged = serde_json::to_string(&report).unwrap_or_default();
            tracing::info!(report = logged, "batch");
            ports.emitter.emit(emit::of_report(&ports.function, &report), ports.clock.now());
            for metrics in emit::of_reasons(&ports.function, &report) {
                ports.emitter.emit(metrics, ports.clock.now());
            }
            let again = report.again_from.as_deref().and_then(SequenceNumber::new);
            Ok(again.map_or_else(BatchResponse::done, BatchResponse::failed_at))
        }
        Err(error) => {
            let failure = emit::failure(&ports.function, &ports.stream.name, error.code);
            ports.emitter.emit(failure, ports.clock.now());
            if error.class != Class::Retry || error.code == Code::Internal {
                return Err(error);
            }
            tracing::error!(code = error.code.as_str(), "the batch goes back: {error}");
            Ok(BatchResponse::failed_at(batch.first))
        }
    }
}

/// A record, or what is there instead of one.
struct Item<'a> {
    mark: Mark,
    read: Result<Record<'a>, (Position, &'a str, Error)>,
}

/// Records of one shard, in order; never none.
struct Batch<'a> {
    stream: String,
    shard: String,
    first: SequenceNumber,
    items: Vec<Item<'a>>,
}

impl<'a> Batch<'a> {
    /// `None` where there are no records at all.
    fn read(event: &'a [u8]) -> Result<Option<Self>, Error> {
        let read = kinesis::read(event)?;
        let mut items = Vec::with_capacity(read.len());
        for record in read {
            let (mark, read) = match record {
                Ok(record) => (Mark::from(&record.sequence), Ok(record)),
                Err(refused) => {
                    // Without its place nobody can tell whether it was here before.
                    let Some(position @ Position::Shard { sequence, .. }) = &refused.position else {
                        return Err(refused.error.clone());
                    };
                    (Mark::from(sequence), Err((position.clone(), refused.raw, refused.error.clone())))
                }
            };
            items.push(Item { mark, read });
        }
        let Some(first) = items.first() else { return Ok(None) };
        let Position::Shard { stream, shard, sequence: first, .. } = first.position() else { return Ok(None) };
        if let Some(other) = items.iter().find(|item| !item.is_of(&stream, &shard)) {
            let message = format!("a batch of two shards: {shard} and {}", other.position());
            return Err(Error::poison(Code::InvalidEvent, message));
        }
        Ok(Some(Self { stream, shard, first, items }))
    }

    /// When the newest record came in.
    fn newest(&self) -> Option<Timestamp> {
        self.items.iter().filter_map(|item| Some(item.read.as_ref().ok()?.arrived)).max()
    }

    /// Lands the batch, or as much of it as has few enough objects for the shard's item.
    async fn land_what_fits(&self, ports: &Ports) -> Result<Report, Error> {
        let mut records = self.items.len();
        loop {
            match self.land(records, ports).await {
                Err(error) if error.code == Code::TooLarge && records > 1 => records = records.div_ceil(2),
                landed => return landed,
            }
        }
    }

    /// Lands the first records of the batch.
    async fn land(&self, records: usize, ports: &Ports) -> Result<Report, Error> {
        let item = landing::item_key(&ports.stream.name, &self.stream, &self.shard);
        let shard = landing::open(ports.state.as_ref(), &item).await?;
        let now = ports.clock.now();
        let mut report = Report {
            dataset: ports.stream.name.clone(),
            stream: self.stream.clone(),
            shard: self.shard.clone(),
            age_milliseconds: self.newest().map_or(0, |newest| now.0 - newest.0),
            ..Report::default()
        };
        let mut intake = Intake::new(&ports.stream, &ports.contract);
        let mut last = None;
        for (index, item) in self.items.iter().enumerate() {
            if index == records || intake.memory() > ports.most {
                if let Position::Shard { sequence, .. } = item.position() {
                    report.again_from = Some(sequence.to_string());
                }
                break;
            }
            item.take(&shard, &mut intake);
            report.records += 1;
            last = Some(&item.mark);
        }
        let Some(last) = last else { return Ok(report) };
        report.bytes_in = intake.bytes() as u64;
        let source = Source { stream: &self.stream, shard: &self.shard, attempt: shard.attempt().clone() };
        let (objects, tally) = intake.finish(&source)?;
        report.tally(tally, now);
        report.landed = shard.land(ports.store.as_ref(), ports.state.as_ref(), objects, last.clone()).await?;
        Ok(report)
    }
}

impl Item<'_> {
    fn position(&self) -> Position {
        match &self.read {
            Ok(record) => record.position(None),
            Err((position, ..)) => position.clone(),
        }
    }

    /// When it came in; what does not say so goes to 1970, whichever records it comes with.
    fn arrived(&self) -> Timestamp {
        self.read.as_ref().map_or(Timestamp(0), |record| record.arrived)
    }

    fn is_of(&self, stream: &str, shard: &str) -> bool {
        match &self.read {
            Ok(record) => record.stream == stream && record.shard == shard,
            Err((Position::Shard { stream: other, shard: place, .. }, ..)) => other == stream && place == shard,
            Err(_) => false,
        }
    }

    fn take(&self, shard: &Shard, intake: &mut Intake<'_>) {
        if shard.is_done(&self.mark) {
            return intake.repeated();
        }
        match &self.read {
            Ok(record) => take_record(record, &self.mark, intake),
            Err((position, raw, error)) => {
                let data = Bytes::copy_from_slice(raw.as_bytes());
                let position = || position.clone();
                let body = Body::new(&position, &self.mark, self.arrived(), data);
                intake.unread(&body, error.code, &error.message);
            }
        }
    }
}
