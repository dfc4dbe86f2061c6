//! Bytes of a file of a run → its records as JSON, each with its row.
//!
//! A record that cannot be told is given as it is, with why: it costs itself, and the rest of its file alone where
//! nobody can tell where the next one begins.

use std::borrow::Cow;

use bytes::Bytes;
use headgate::{Code, Error, dataset::saas::FileFormat};

use super::{csv, parquet};
use crate::changes::Refusal;

/// What a record is, or what is there instead.
pub type Told<'a> = Result<Cow<'a, str>, (Code, Cow<'a, str>, &'a [u8])>;

/// Who takes the records, each with its row.
pub type Take<'a> = dyn FnMut(u64, Told<'_>) -> Result<(), Stop> + 'a;

/// Why a file is read no further.
#[derive(Debug)]
pub enum Stop {
    /// It, or the rest of it, cannot be read by anybody.
    Unreadable(Refusal),
    /// It is not to be taken for read.
    Failed(Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Unreadable(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Their format.
    pub format: &'a FileFormat,
    /// Where in a record somebody looks.
    pub paths: &'a [Vec<String>],
    /// Bytes of memory that there are.
    pub memory: u64,
}

/// Gives each record of a file to `take`, with its row, the first being 0.
///
/// # Errors
/// Where the file cannot be read, what `take` says, or as [`parquet::each`].
pub fn each(file: &Bytes, reading: Reading<'_>, take: &mut Take<'_>) -> Result<(), Stop> {
    match reading.format {
        // Some writers leave a file without a row empty.
        _ if file.is_empty() => Ok(()),
        FileFormat::Parquet => parquet::each(file, reading, take),
        FileFormat::Csv(dialect) => csv::each(file, dialect, take),
        FileFormat::Json => lines(file, take),
    }
}

fn lines(file: &[u8], take: &mut Take<'_>) -> Result<(), Stop> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let lines = file.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    for (row, line) in lines.enumerate() {
        let text = simdutf8::basic::from_utf8(line).map(Cow::from);
        take(row as u64, text.map_err(|_| (Code::InvalidJson, "not UTF-8".into(), line)))?;
    }
    Ok(())
}

/// Appends a JSON string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory cannot fail, and every text is JSON.
    let _ = serde_json::to_writer(out, text);
}

/// Appends what comes before a member, its name included.
pub fn write_name(is_first: bool, name: &str, out: &mut Vec<u8>) {
    out.push(if is_first { b'{' } else { b',' });
    write_text(name, out);
    out.push(b':');
}

/// Gives a record that was written here.
pub fn give(row: u64, record: &[u8], take: &mut Take<'_>) -> Result<(), Stop> {
    let text = simdutf8::basic::from_utf8(record).map(Cow::from);
    take(row, text.map_err(|_| (Code::Internal, "not UTF-8".into(), record)))
}
