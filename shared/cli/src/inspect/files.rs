//! What is known of a stream's table → a report for people, or JSON.

use std::io::{self, Write};

use headgate_columnar::inspect::{Files, Sizes};

use super::{columns, refused};
use crate::table::{self, bytes, count, span};

/// As many partitions, and keys of foreign files, are told of.
const TOLD: usize = 10;

pub(super) fn tell(seen: &Files, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json {
        return writeln!(out, "{}", serde_json::to_string(seen)?);
    }
    writeln!(out, "{}: {}", seen.dataset, seen.prefix)?;
    let Sizes { files, bytes: size, small } = seen.all;
    let mut lines = vec![(
        "files",
        format!("{} in {} partitions, {}", count(files), count(seen.partitions.len() as u64), bytes(size)),
    )];
    if let (Some(key), Some(age)) = (&seen.newest, seen.newest_seconds) {
        lines.push(("newest", format!("{} old, {} rows: {key}", span(age), count(seen.newest_rows))));
    }
    if small > 0 {
        lines.push(("small", format!("{} files; `headgate compact` makes few of many", count(small))));
    }
    lines.extend(refused(&seen.refused));
    lines.extend(seen.unrecognized.iter().take(TOLD).map(|key| ("unrecognized", key.clone())));
    if seen.unrecognized.len() > TOLD {
        lines.push(("", format!("and {} more", count((seen.unrecognized.len() - TOLD) as u64))));
    }
    table::write(out, &lines)?;
    partitions(seen, out)?;
    columns(&seen.schema, out)
}

/// The last ones, which are the newest of a table that is partitioned by time.
fn partitions(seen: &Files, out: &mut impl Write) -> io::Result<()> {
    let left = seen.partitions.len().saturating_sub(TOLD);
    let more =
        if left > 0 { format!(", the last {TOLD} of {}", count(seen.partitions.len() as u64)) } else { String::new() };
    writeln!(out, "partitions{more}")?;
    let line = |(path, sizes): (&String, &Sizes)| {
        let path = if path.is_empty() { "." } else { path };
        let cells = [path.to_owned(), count(sizes.files), bytes(sizes.bytes), count(sizes.small)];
        cells.map(Some).to_vec()
    };
    let rows: Vec<_> = seen.partitions.iter().skip(left).map(line).collect();
    table::grid(out, &["path", "files", "bytes", "small"].map(str::to_owned), &rows)
}
