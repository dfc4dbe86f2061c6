//! What went wrong → what the caller should do.
//!
//! Every failure is one of three classes; anything finer is a code from a bounded list, never another
//! library's free text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the caller should do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The world failed (throttling, a timeout, a lost race): deliver the same event again.
    Retry,
    /// The input is bad and will stay bad: set it aside, do not deliver it again as it is.
    Poison,
    /// The setup is wrong (dataset file, setting, permission): a person must change it.
    Misconfigured,
}

/// Why, from a bounded list: safe as a metric dimension and as the runtime's error type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The store or another service did not answer, or asked to slow down.
    Unavailable,
    /// Another writer kept winning the compare-and-swap.
    Contended,
    /// The time left does not suffice.
    Deadline,
    /// The service refused our credentials or permissions.
    AccessDenied,
    /// A setting or dataset file is wrong.
    InvalidConfig,
    /// The event is not one this function understands.
    InvalidEvent,
    /// Bytes that should be compressed cannot be unpacked.
    InvalidCompression,
    /// A header or envelope around a record's data is none of the known ones, or is cut short.
    InvalidFraming,
    /// A text is no JSON, or not JSON of the shape that is asked for.
    InvalidJson,
    /// Bytes are no Avro datum of the schema they were written with.
    InvalidAvro,
    /// No registry has the schema that a record was written with.
    UnknownSchema,
    /// The schema that a record was written with cannot be read.
    InvalidSchema,
    /// More bytes than the limit.
    TooLarge,
    /// A file cannot be read as its format.
    UnreadableFile,
    /// A file or row carries an operation that is none of the known ones.
    UnknownOp,
    /// A key column is not in the file.
    MissingKeyColumn,
    /// A key column holds NULL.
    NullKey,
    /// A column changed to a type that cannot be reconciled with the table's.
    IncompatibleType,
    /// A value cannot be read as its column's type.
    InvalidValue,
    /// A required field is missing or null.
    MissingField,
    /// A field that no column takes, where none may be left over.
    UnknownField,
    /// A field occurs twice in one object.
    DuplicateField,
    /// A value breaks a check of its column.
    CheckFailed,
    /// The batch has more partitions than one call may write.
    TooManyPartitions,
    /// What is in one record belongs to several partitions, and the record can go to one only.
    MixedPartitions,
    /// A file arrived after the files around it were settled.
    BehindHorizon,
    /// Whether a full load was repeated cannot be told from the files.
    AmbiguousReload,
    /// A change cannot be put where it belongs among the others.
    OutOfOrder,
    /// An action of a device rule did not take a message.
    ActionFailed,
    /// Files that are needed to apply a late file are gone.
    FilesGone,
    /// The object at the snapshot's key was not written by this software.
    ForeignSnapshot,
    /// A bug: an invariant did not hold.
    Internal,
}

impl Code {
    /// The code as it appears in metrics, logs and the runtime's error type.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Contended => "contended",
            Self::Deadline => "deadline",
            Self::AccessDenied => "access_denied",
            Self::InvalidConfig => "invalid_config",
            Self::InvalidEvent => "invalid_event",
            Self::InvalidCompression => "invalid_compression",
            Self::InvalidFraming => "invalid_framing",
            Self::InvalidJson => "invalid_json",
            Self::InvalidAvro => "invalid_avro",
            Self::UnknownSchema => "unknown_schema",
            Self::InvalidSchema => "invalid_schema",
            Self::TooLarge => "too_large",
            Self::UnreadableFile => "unreadable_file",
            Self::UnknownOp => "unknown_op",
            Self::MissingKeyColumn => "missing_key_column",
            Self::NullKey => "null_key",
            Self::IncompatibleType => "incompatible_type",
            Self::InvalidValue => "invalid_value",
            Self::MissingField => "missing_field",
            Self::UnknownField => "unknown_field",
            Self::DuplicateField => "duplicate_field",
            Self::CheckFailed => "check_failed",
            Self::TooManyPartitions => "too_many_partitions",
            Self::MixedPartitions => "mixed_partitions",
            Self::BehindHorizon => "behind_horizon",
            Self::AmbiguousReload => "ambiguous_reload",
            Self::OutOfOrder => "out_of_order",
            Self::ActionFailed => "action_failed",
            Self::FilesGone => "files_gone",
            Self::ForeignSnapshot => "foreign_snapshot",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure with its class, its code and a message for people that says what to fix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}")]
pub struct Error {
    /// What the caller should do.
    pub class: Class,
    /// Why, from the bounded list.
    pub code: Code,
    /// What happened, where, and what to change.
    pub message: String,
}

impl Error {
    /// A failure that another delivery may cure.
    pub fn retry(code: Code, message: impl Into<String>) -> Self {
        Self { class: Class::Retry, code, message: message.into() }
    }

    /// Input that will stay bad.
    pub fn poison(code: Code, message: impl Into<String>) -> Self {
        Self { class: Class::Poison, code, message: message.into() }
    }

    /// A setup that a person must change.
    pub fn misconfigured(code: Code, message: impl Into<String>) -> Self {
        Self { class: Class::Misconfigured, code, message: message.into() }
    }
}
