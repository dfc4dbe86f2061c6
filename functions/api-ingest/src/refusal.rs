//! Why a request is not accepted → a problem that says what to change.
//!
//! Every way to say no is here, each with its status and a reason from a bounded list. No value of a record, no key and
//! no signature is repeated.

use headgate::{
    Error,
    decode::Refusal as Unreadable,
    event::http::{Problem, Response},
    stream::Failed,
};
use serde_json::json;

use crate::{positions::Positions, signature::Terms};

/// Why a request is not accepted, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No dataset of ours.
    UnknownDataset,
    /// Not `POST`.
    Method,
    /// A signature or its time is missing, or the time is no number.
    Unsigned {
        /// What was expected where.
        terms: Terms,
    },
    /// Signed too long ago, or in the future.
    OutOfTime {
        /// What was expected where.
        terms: Terms,
    },
    /// None of our keys made the signature.
    WrongSignature {
        /// What was expected where.
        terms: Terms,
    },
    /// A content type that is not JSON.
    MediaType,
    /// A content encoding that is none of ours.
    Encoding,
    /// An idempotency key that is empty, too long, or not of visible characters.
    InvalidKey,
    /// The body cannot be unpacked.
    Packed(Unreadable),
    /// The body is larger than this.
    BodyTooLarge {
        /// Bytes, unpacked.
        most: usize,
    },
    /// There are more records than this.
    TooManyRecords {
        /// Records.
        most: usize,
    },
    /// A record is larger than the stream takes.
    RecordTooLarge {
        /// Its place.
        at: usize,
        /// Its bytes, its key's included.
        bytes: usize,
        /// The most it may have.
        most: usize,
    },
    /// There is no record.
    Empty,
    /// A record is no JSON object.
    InvalidJson {
        /// Its place.
        at: u64,
        /// What is wrong.
        unreadable: Unreadable,
    },
    /// The idempotency key belongs to another body.
    KeyReused,
    /// Another request with this idempotency key is under way.
    UnderWay {
        /// When to ask again, in seconds.
        seconds: u64,
    },
    /// Nothing was sent: the world failed before.
    Unavailable(Error),
    /// Nothing was sent: our setup is wrong.
    Misconfigured(Error),
    /// Some, or none, is accepted.
    Partial(Partial),
}

/// A body that is accepted in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// What is accepted, this time or before.
    pub accepted: Positions,
    /// How many records the body has.
    pub records: usize,
    /// Why the first of the others is not.
    pub failed: Failed,
    /// Whether what is accepted is noted under an idempotency key, so that the request may be repeated as it is.
    pub keyed: bool,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Packed(_) | Self::Empty | Self::InvalidJson { .. } | Self::InvalidKey => 400,
            Self::Unsigned { .. } | Self::OutOfTime { .. } | Self::WrongSignature { .. } => 401,
            Self::UnknownDataset => 404,
            Self::Method => 405,
            Self::KeyReused | Self::UnderWay { .. } => 409,
            Self::BodyTooLarge { .. } | Self::TooManyRecords { .. } | Self::RecordTooLarge { .. } => 413,
            Self::MediaType | Self::Encoding => 415,
            Self::Misconfigured(_) => 500,
            Self::Unavailable(_) | Self::Partial(_) => 503,
        }
    }

    /// The reason as it appears in answers, metrics and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownDataset => "unknown_dataset",
            Self::Method => "method",
            Self::Unsigned { .. } => "unsigned",
            Self::OutOfTime { .. } => "out_of_time",
            Self::WrongSignature { .. } => "wrong_signature",
            Self::MediaType => "media_type",
            Self::Encoding => "encoding",
            Self::InvalidKey => "invalid_idempotency_key",
            Self::Packed(_) => "invalid_compression",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::TooManyRecords { .. } => "too_many_records",
            Self::RecordTooLarge { .. } => "record_too_large",
            Self::Empty => "empty",
            Self::InvalidJson { .. } => "invalid_json",
            Self::KeyReused => "idempotency_key_reused",
            Self::UnderWay { .. } => "under_way",
            Self::Unavailable(_) => "unavailable",
            Self::Misconfigured(_) => "misconfigured",
            Self::Partial(_) => "not_all_accepted",
        }
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response {
        let problem = Problem::new(self.status()).with_detail(self.detail()).with("reason", self.reason());
        match self {
            Self::Method => problem.into_response().with_header("allow", "POST"),
            Self::Unsigned { .. } | Self::OutOfTime { .. } | Self::WrongSignature { .. } => {
                problem.into_response().with_header("www-authenticate", "HMAC-SHA256")
            }
            Self::RecordTooLarge { at, .. } => problem.with("position", *at).into_response(),
            Self::InvalidJson { at, .. } => problem.with("position", *at).into_response(),
            Self::UnderWay { seconds } => problem.into_response().with_header("retry-after", seconds.to_string()),
            Self::Unavailable(_) => problem.into_response().with_header("retry-after", "1"),
            Self::Partial(partial) => partial.tell(problem).into_response().with_header("retry-after", "1"),
            _ => problem.into_response(),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::UnknownDataset => "The path's last segment names no dataset that is served here.".to_owned(),
            Self::Method => "Send records with POST.".to_owned(),
            Self::Unsigned { terms } => format!(
                "Send {}: the time in seconds since 1970, and {}: v1=<hex of HMAC-SHA-256 over `<that time>.<body>`>.",
                terms.timestamp_header, terms.signature_header
            ),
            Self::OutOfTime { terms } => format!(
                "{} is more than {} s from the time here. Sign when you send, and set the clock.",
                terms.timestamp_header,
                terms.window.as_secs()
            ),
            Self::WrongSignature { terms } => format!(
                "{} was made with none of the dataset's keys, or over other bytes. Sign `<{}>.<body>`, the body exactly \
                 as it is sent, after compression.",
                terms.signature_header, terms.timestamp_header
            ),
            Self::MediaType => "Send application/json or application/x-ndjson, in UTF-8.".to_owned(),
            Self::Encoding => "Send the body as it is, or with content-encoding gzip or zstd.".to_owned(),
            Self::InvalidKey => "An idempotency-key has 1 to 255 visible ASCII characters.".to_owned(),
            Self::Packed(unreadable) => format!("The body cannot be unpacked: {unreadable}. Nothing was sent on."),
            Self::BodyTooLarge { most } => format!("The body has more than {most} bytes. Send it in several requests."),
            Self::TooManyRecords { most } => {
                format!("The body has more than {most} records. Send it in several requests.")
            }
            Self::RecordTooLarge { at, bytes, most } => format!(
                "The record at position {at} has {bytes} bytes with its partition key, and the most is {most}. Nothing \
                 was sent on."
            ),
            Self::Empty => {
                "There is no record. Send one JSON object, several one after the other, or an array of them.".to_owned()
            }
            Self::InvalidJson { at, unreadable } => format!(
                "The record at position {at} cannot be read: {unreadable}. Records are JSON objects. Nothing was sent on."
            ),
            Self::KeyReused => {
                "The idempotency-key came with another body before. Use a new key for each body.".to_owned()
            }
            Self::UnderWay { .. } => {
                "A request with this idempotency-key is under way. Repeat it later to learn how it ended.".to_owned()
            }
            Self::Unavailable(_) => {
                "A service behind this one does not answer. Nothing was sent on: repeat it.".to_owned()
            }
            Self::Misconfigured(_) => {
                "This service is not set up right; its log says how. Nothing was sent on.".to_owned()
            }
            Self::Partial(partial) => partial.detail(),
        }
    }
}

impl Partial {
    fn tell(&self, problem: Problem) -> Problem {
        problem
            .with("failed", json!(self.failed))
            .with("accepted", json!(self.accepted))
            .with("accepted_count", self.accepted.len())
            .with("records", self.records)
    }

    fn detail(&self) -> String {
        let how = if self.keyed {
            "Repeat the request with the same idempotency-key: only the others are sent then."
        } else {
            "Send the records at the other positions again, as a request of their own."
        };
        format!(
            "{} of {} records are accepted; `accepted` has the first and last position of each run of them. {how}",
            self.accepted.len(),
            self.records
        )
    }
}
