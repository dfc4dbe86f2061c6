//! Refused records → another look under the contract as it is now, and rows in the lake.
//!
//! What is replayed is never changed or removed. Each line of it is replayed once at most, and one that is still
//! refused can be replayed again.
//!
//! A line goes in so:
//!
//! 1. It must be *settled* ([`Shard::is_settled`](headgate::landing::Shard::is_settled)): its shard's checkpoint has
//!    passed it, and no attempt that did not finish may hold it. Otherwise the next delivery could bring the same record
//!    under this contract, and write its object anew or remove it. Settled objects neither grow nor change: the state
//!    is read first, and then that the object still is the one whose lines are read.
//! 2. It is read by itself. Where nothing of it is accepted it stays what it is. Otherwise it goes into the batch, whole:
//!    what is still refused of a line of several documents is set aside anew, in lines of their own.
//! 3. The batch is encoded, and *decided*: one entry of the log of its scope, created where none was before, has
//!    the identities of the lines and the bytes of all objects. This one call is the moment from which on the lines are
//!    replayed. Entries have consecutive numbers, so whoever creates the next one has read all before it.
//! 4. The objects are created from the entry, those that are not there yet. Last, the entry lets go of the bytes.
//!
//! A line's scope is where it came from, and nothing that another copy of it could have otherwise: of a refused record
//! the hour it arrived in, which is the folder that the function puts it in, and of a record of a failed batch its shard.
//!
//! Why each line lands once:
//!
//! - *A crash before the entry* leaves nothing behind. *A crash after it* is cured by whoever opens the log next: it
//!   writes the objects that the entry has, byte by byte, whatever became of the contract and its partitions since.
//! - *Two replays at once*: one creates the entry; the other is told so, has written nothing, and stops.
//! - *A slow replay* that wakes up after others completed its entry finds the objects there, and cannot replace them.
//! - *An object that was written anew* has the same lines under the same [`Identity`](headgate::quarantine::Identity),
//!   which is made of place and bytes, and not of a line's number or its object's key.
//! - *What is set aside anew* says which line it is of, and so is no line that was set aside of the same record before,
//!   though both may be the first document, with the same bytes.
//!
//! What is not kept: where an object of the table is removed (say, compacted) while a replay that began before still
//! hangs between steps 3 and 4, that replay creates it again.

mod batch;
mod kind;
mod kinesis;
mod lines;
mod log;
mod report;
mod settled;
mod source;
mod walk;

use headgate::{
    Error,
    dataset::stream::Granularity,
    landing,
    partition::time_path,
    quarantine::{self, Line},
    state::State,
    store::Store,
};

pub(crate) use self::log::is_published;
use self::walk::Walk;
pub use self::{
    kind::{Cause, Kind, Outlook, Read, Taking, of_record},
    kinesis::Kinesis,
    report::{Refused, Report},
};

/// What the names of a replay's objects of rows begin with.
pub const SOURCE: &str = "replay";

/// What is replayed, and what by.
#[derive(Debug)]
pub struct Target<'a, K> {
    /// The lake.
    pub store: &'a dyn Store,
    /// The shards' checkpoints.
    pub state: &'a dyn State,
    /// The dataset, and what its lines become.
    pub kind: &'a K,
}

impl<K> Clone for Target<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Target<'_, K> {}

/// What the objects hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Lines of refused records.
    Quarantine,
    /// Batches that an event source mapping gave up, an object each. What the contract refuses of them is set aside, for
    /// it is nowhere yet.
    FailedBatches,
}

impl Origin {
    /// What has a log of its own, for each dataset.
    fn scope(self, line: &Line) -> String {
        if let (Self::FailedBatches, Some((stream, shard, _))) = (self, settled::place(&line.position)) {
            return landing::item_key(&line.dataset, stream, &shard);
        }
        quarantine::prefix(&line.dataset) + &time_path(line.arrived, Granularity::Hour).unwrap_or_default()
    }
}

/// How to replay.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the objects hold.
    pub origin: Origin,
    /// What their keys begin with.
    pub prefix: String,
    /// Only the lines that were refused for one of these reasons; all, where there are none.
    pub reasons: Vec<String>,
    /// Also records of failed batches of which nobody knows any more whether they have landed.
    pub unclear: bool,
    /// Whether to write, or only to look.
    pub apply: bool,
    /// The most bytes of memory that a batch's rows may take.
    pub most: usize,
}

/// Hears how many objects are read, and how many are known of.
pub type Watch<'a> = &'a (dyn Fn(u64, u64) + Sync);

/// Replays what is under the prefix. Where it fails, the report tells why, and what was done before.
pub async fn replay<K: Kind>(target: Target<'_, K>, options: &Options, watch: Watch<'_>) -> Report {
    let mut report = Report::new(target.kind.dataset(), options.apply);
    report.error = walk(target, options, watch, &mut report).await.err();
    report
}

async fn walk<K: Kind>(
    target: Target<'_, K>,
    options: &Options,
    watch: Watch<'_>,
    report: &mut Report,
) -> Result<(), Error> {
    let (mut walk, mut after, mut listed): (_, Option<String>, u64) = (Walk::new(target, options), None, 0);
    loop {
        let page = target.store.list(&options.prefix, after.as_deref()).await?;
        listed += page.objects.len() as u64;
        for object in &page.objects {
            walk.read(object, report).await?;
            watch(report.objects, listed);
        }
        match page.objects.last() {
            Some(last) if page.more => after = Some(last.key.clone()),
            _ => return walk.finish(report).await,
        }
    }
}
