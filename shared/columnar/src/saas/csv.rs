//! CSV with a header → records as JSON: texts by the header's names.

use headgate::{Code, dataset::Csv};

use super::records::{Stop, Take, give, write_name, write_text};
use crate::{
    changes::Refusal,
    read::{Dialect, Field, Found},
};

/// The most of the rest of a file that is kept where nobody can tell its records; all of it is in the file.
const REST: usize = 64 << 10;

/// Gives each record of the file to `take`.
///
/// # Errors
/// Where the header cannot be read, or what `take` says.
pub fn each(file: &[u8], csv: &Csv, take: &mut Take<'_>) -> Result<(), Stop> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    // Half of a CR LF ends the last record as well as all of it.
    let file = file.strip_suffix(b"\r").unwrap_or(file);
    let (mut dialect, mut fields, mut room) = (Dialect::new(csv.delimiter), Vec::new(), Vec::new());
    let Found::Record(mut at) = dialect.split(file, true, &mut fields) else {
        return Err(unreadable("the header is no CSV").into());
    };
    let mut names: Vec<String> = Vec::with_capacity(fields.len());
    for field in &fields {
        let name = text(field.text(file, &mut room)).ok_or_else(|| unreadable("the header is not UTF-8"))?;
        if names.iter().any(|known| known == name) {
            return Err(unreadable("the header names a column twice").into());
        }
        names.push(name.to_owned());
    }
    let (mut row, mut record) = (0, Vec::new());
    while at < file.len() {
        let rest = &file[at..];
        match dialect.split(rest, true, &mut fields) {
            Found::Record(length) => {
                at += length;
                // Blanks and tabs may be delimiters.
                let raw = rest[..length].strip_suffix(b"\n").unwrap_or(&rest[..length]);
                let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
                if raw.is_empty() {
                    continue;
                }
                match write(rest, &names, &fields, &mut room, &mut record) {
                    Ok(()) => give(row, &record, take)?,
                    Err(reason) => take(row, Err((Code::UnreadableFile, reason.into(), raw)))?,
                }
                row += 1;
            }
            Found::Malformed(reason) => {
                let (left, kept) = (rest.len(), &rest[..rest.len().min(REST)]);
                let reason = format!(
                    "the file ends here, for nobody can tell the next record of the {left} bytes left: {reason}"
                );
                return take(row, Err((Code::UnreadableFile, reason.into(), kept)));
            }
            Found::Incomplete => return Ok(()),
        }
    }
    Ok(())
}

fn write(
    record: &[u8],
    names: &[String],
    fields: &[Field],
    room: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    if fields.len() != names.len() {
        return Err(format!("has {} fields, the header {}", fields.len(), names.len()));
    }
    out.clear();
    for (index, (name, field)) in names.iter().zip(fields).enumerate() {
        let text = text(field.text(record, room)).ok_or_else(|| format!("field {}: not UTF-8", index + 1))?;
        write_name(index == 0, name, out);
        write_text(text, out);
    }
    out.push(b'}');
    Ok(())
}

fn text(bytes: &[u8]) -> Option<&str> {
    simdutf8::basic::from_utf8(bytes).ok()
}

fn unreadable(reason: &str) -> Refusal {
    Refusal { code: Code::UnreadableFile, column: None, reason: format!("not readable as CSV: {reason}") }
}
