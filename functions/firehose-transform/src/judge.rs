//! A request's records → a verdict on each, in order.
//!
//! No IO: what does not fit the answer is only marked.

use std::{collections::BTreeSet, ops::Range};

use headgate::{
    Code,
    clock::Timestamp,
    event::firehose::{Origin, Outcome, PayloadField, Record, Request},
    fate::{Dropped, Fate},
};

use crate::{
    Report,
    handler::Ports,
    room::{Fit, Room},
    transform::{Kept, Transform, Transformed, Why},
};

/// What a record is to be answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To be delivered: these lines, to the partition of this number.
    Ok(Range<usize>, usize),
    /// Left out on purpose.
    Dropped(Dropped),
    /// To the error prefix.
    Refused(Code),
    /// Good, but the answer has no room for it.
    NoRoom,
    /// The stream that feeds this one has it again.
    Reingested,
}

impl Verdict {
    /// How the record ends; one for which there is no room ends in the error prefix.
    pub(crate) fn fate(&self) -> Fate {
        match self {
            Self::Ok(..) => Fate::Stored,
            Self::Dropped(reason) => Fate::Dropped { reason: *reason },
            Self::Refused(reason) => Fate::Quarantined { reason: *reason },
            Self::NoRoom => Fate::Quarantined { reason: Code::TooLarge },
            Self::Reingested => Fate::Retry { reason: Code::TooLarge },
        }
    }
}

/// The verdicts on a request's records, in order, and what they are on.
pub(crate) struct Judged<'p> {
    pub(crate) verdicts: Vec<Verdict>,
    transform: Transform<'p>,
    /// How many bytes an answer takes with all that is to be delivered.
    pub(crate) room: usize,
}

impl Judged<'_> {
    /// What Firehose is told.
    pub(crate) fn outcome(&self, verdict: &Verdict) -> Outcome<'_> {
        match verdict {
            Verdict::Ok(lines, partition) => self.transform.outcome(lines, *partition),
            Verdict::Dropped(_) | Verdict::Reingested => Outcome::Dropped,
            Verdict::Refused(_) | Verdict::NoRoom => Outcome::ProcessingFailed,
        }
    }
}

struct Judge<'p> {
    transform: Transform<'p>,
    payload: PayloadField,
    room: Room,
    /// The most partitions of the answer, and those it has.
    most: usize,
    partitions: BTreeSet<usize>,
    now: Timestamp,
}

/// A verdict on each of the request's records; one whose turn comes only after `end` is refused unread.
pub(crate) fn judge<'p>(request: &Request<'_>, end: Timestamp, ports: &'p Ports, report: &mut Report) -> Judged<'p> {
    let ids = request.records.iter().filter_map(|record| match record {
        Ok(record) => Some(&*record.id),
        Err(unreadable) => unreadable.id.as_deref(),
    });
    let mut judge = Judge {
        transform: Transform::new(&ports.dataset, &ports.contract, ports.budget),
        payload: request.payload,
        room: Room::new(request.payload, ids, ports.budget),
        most: ports.partitions,
        partitions: BTreeSet::new(),
        now: ports.clock.now(),
    };
    let mut verdicts = Vec::with_capacity(request.records.len());
    for record in &request.records {
        verdicts.push(match record {
            // Small records that unpack to large ones could take more time than there is, and the whole batch with them.
            Ok(record) if ports.clock.now() >= end => {
                report.refuse(&record.id, Why::new(Code::Deadline, "the time did not suffice to read it"));
                Verdict::Refused(Code::Deadline)
            }
            Ok(record) => judge.record(record, report),
            Err(unreadable) => {
                let error = &unreadable.refused.error;
                report.unanswered += u64::from(unreadable.id.is_none());
                report.refuse(unreadable.id.as_deref().unwrap_or_default(), Why::new(error.code, &error.message));
                Verdict::Refused(error.code)
            }
        });
    }
    report.partitions = judge.partitions.len() as u64;
    Judged { verdicts, transform: judge.transform, room: judge.room.used() }
}

impl Judge<'_> {
    fn record(&mut self, record: &Record<'_>, report: &mut Report) -> Verdict {
        report.bytes_in += record.data.len() as u64;
        if record.data.is_empty() && self.payload == PayloadField::KafkaRecordValue {
            // A tombstone: a key of a compacted topic, and no value.
            return Verdict::Dropped(Dropped::Empty);
        }
        let before = match &record.origin {
            Origin::Kinesis(metadata) => metadata.arrived,
            Origin::Kafka(metadata) => metadata.arrived,
            Origin::Unknown => None,
        };
        let arrived = record.arrived.or(before).unwrap_or(self.now);
        let refused = match self.transform.record(&record.data, arrived) {
            Ok(Transformed::Dropped { reason, filtered }) => {
                report.filtered += filtered;
                return Verdict::Dropped(reason);
            }
            Ok(Transformed::Kept(kept)) => {
                let fit = self.fit(record, kept, report);
                if !matches!(fit, Ok(Verdict::Ok(..))) {
                    self.transform.withdraw();
                }
                match fit {
                    Ok(verdict) => return verdict,
                    Err(why) => why,
                }
            }
            Err(why) => why,
        };
        let code = refused.code;
        report.refuse(&record.id, refused);
        Verdict::Refused(code)
    }

    fn fit(&mut self, record: &Record<'_>, kept: Kept, report: &mut Report) -> Result<Verdict, Why> {
        let Kept { lines, partition, documents, filtered, unknown_fields, newest } = kept;
        if self.partitions.len() >= self.most && !self.partitions.contains(&partition) {
            let reason = format!("the batch has more than {} partitions", self.most);
            return Err(Why::new(Code::TooManyPartitions, reason));
        }
        match self.room.take(&record.id, &self.transform.outcome(&lines, partition)) {
            Fit::Taken => {
                self.partitions.insert(partition);
                report.documents += documents;
                report.filtered += filtered;
                report.unknown_fields += unknown_fields;
                report.bytes_out += lines.len() as u64;
                report.newest = report.newest.max(newest);
                Ok(Verdict::Ok(lines, partition))
            }
            Fit::NotNow => Ok(Verdict::NoRoom),
            Fit::Never => Err(Why::new(Code::TooLarge, "the record becomes more than an answer may have")),
        }
    }
}
