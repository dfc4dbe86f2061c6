//! A command line → traffic options and how it is wrapped.

use std::{ops::RangeInclusive, path::PathBuf};

use clap::{Args, builder::RangedU64ValueParser};
use headgate::clock::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::output::Output;
use crate::{
    Failure,
    traffic::{Format, Kind, MAX_EVENT_BYTES, Options, SMALLEST_EVENT, Wrapping},
};

/// What `headgate gen` takes.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// What the records are
    #[arg(value_enum)]
    pub(super) kind: Kind,
    /// As what they come
    #[arg(long, value_enum, default_value = "ndjson")]
    pub(super) format: Format,
    /// `-` for stdout, a file, or a folder (there, or ending in `/`) for a file an event: `event-00000.json`
    #[arg(short, long, value_name = "PLACE", default_value = "-")]
    pub(super) output: PathBuf,
    /// Records an event at most; an aggregate is one
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub(super) records: usize,
    /// Events to write; of ndjson on stdout or in one file, so many times the records
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) events: u64,
    /// An event's bytes at most
    #[arg(long, value_name = "BYTES", default_value_t = MAX_EVENT_BYTES, value_parser = RangedU64ValueParser::<usize>::new().range(SMALLEST_EVENT as u64..))]
    pub(super) max_bytes: usize,
    /// Records a second, by the clock and in the records' own times [default: as fast as it goes, 5 ms apart]
    #[arg(long, value_name = "R", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// Another seed is other traffic; the same seed and options write the same bytes
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Zipf exponent of users, orders and devices: 0 for all alike, at most 5
    #[arg(long, value_name = "Z", default_value_t = 1.0, value_parser = skew)]
    pub(super) skew: f64,
    /// Share of bad records: truncated, without a required field, of a wrong type, empty, not UTF-8, out of range
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(super) bad: f64,
    /// Share of records that were sent shortly before
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(super) duplicate: f64,
    /// Share of records with a time 1 to 48 hours ago
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(super) late: f64,
    /// Share of Kafka records without a value
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub(super) tombstones: f64,
    /// When the first record is put, RFC 3339; never the clock's time, or no two runs would be the same
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00Z", value_parser = moment)]
    pub(super) start: Timestamp,
    /// Pack N records into each Kinesis record, as the Kinesis Producer Library does
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(super) aggregate: Option<usize>,
    /// Pack each record's body with gzip; of ndjson the lines
    #[arg(long)]
    pub(super) gzip: bool,
    /// Shards or partitions; each shard has events of its own [default: 1]
    #[arg(long, visible_alias = "partitions", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub(super) shards: Option<usize>,
    /// The stream's, delivery stream's or topic's name [default: what the records are]
    #[arg(long, visible_alias = "topic", value_name = "NAME", value_parser = name)]
    pub(super) stream: Option<String>,
}

/// An option that is not what it must be.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("a share is a number from 0 to 1")]
    Share,
    #[error("a number from 0.001 to 1000000")]
    Rate,
    #[error("a number from 0 to 5")]
    Skew,
    #[error("an RFC 3339 time from 1971 to 2199, such as 2026-01-01T00:00:00Z")]
    Moment,
    #[error("1 to 128 letters, digits, `_`, `.` and `-`")]
    Name,
}

impl Arguments {
    /// Whether the options go together.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.bad + self.duplicate + self.late + self.tombstones > 1.0 {
            return Err(Failure::usage("--bad, --duplicate, --late and --tombstones are more than 1 together"));
        }
        let format = self.format;
        let options = [
            (self.aggregate.is_some() && format != Format::Kinesis, "--aggregate", "kinesis"),
            (self.tombstones > 0.0 && format != Format::Kafka, "--tombstones", "kafka"),
            (self.shards.is_some() && !format.has_lanes(), "--shards", "kinesis, firehose-kinesis or kafka"),
            (
                self.stream.is_some() && format == Format::Ndjson,
                "--stream",
                "kinesis, firehose, firehose-kinesis or kafka",
            ),
        ];
        match options.into_iter().find(|(is_astray, ..)| *is_astray) {
            Some((_, option, formats)) => Err(Failure::Usage(format!("{option} goes with --format {formats}"))),
            None => Ok(()),
        }
    }

    /// The traffic's options.
    pub(super) fn options(&self) -> Options {
        let &Self { start, skew, bad, duplicate, late, tombstones, .. } = self;
        let rate = self.rate.unwrap_or(Options::default().rate);
        Options { start, rate, skew, bad, duplicate, late, tombstones }
    }

    /// How the records are wrapped for `output`.
    pub(super) fn wrapping(&self, output: &Output) -> Wrapping {
        let kind = clap::ValueEnum::to_possible_value(&self.kind);
        let kind = kind.map(|kind| kind.get_name().to_owned()).unwrap_or_default();
        Wrapping {
            // A line is written as soon as it is there.
            records: if self.are_lines(output) { 1 } else { self.records },
            max_bytes: self.max_bytes,
            lanes: self.shards.unwrap_or(1),
            aggregate: self.aggregate.unwrap_or_default(),
            gzip: self.gzip,
            seed: self.seed,
            ..Wrapping::new(self.format, self.stream.clone().unwrap_or(kind))
        }
    }

    /// How many events, or lines, there are.
    pub(super) fn total(&self, output: &Output) -> u64 {
        let lines = if self.are_lines(output) { self.records as u64 } else { 1 };
        self.events.saturating_mul(lines)
    }

    fn are_lines(&self, output: &Output) -> bool {
        self.format == Format::Ndjson && matches!(output, Output::Stream { .. })
    }
}

fn number(text: &str, range: RangeInclusive<f64>, unfit: Unfit) -> Result<f64, Unfit> {
    text.parse().ok().filter(|number| range.contains(number)).ok_or(unfit)
}

fn share(text: &str) -> Result<f64, Unfit> {
    number(text, 0.0..=1.0, Unfit::Share)
}

fn rate(text: &str) -> Result<f64, Unfit> {
    number(text, 0.001..=1e6, Unfit::Rate)
}

fn skew(text: &str) -> Result<f64, Unfit> {
    number(text, 0.0..=5.0, Unfit::Skew)
}

fn moment(text: &str) -> Result<Timestamp, Unfit> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|at| (1971..2200).contains(&at.year()));
    let millis = at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
    millis.map(Timestamp).ok_or(Unfit::Moment)
}

fn name(text: &str) -> Result<String, Unfit> {
    let fits = (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    fits.then(|| text.to_owned()).ok_or(Unfit::Name)
}
