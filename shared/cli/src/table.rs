//! Names and values → aligned lines for people.

use std::io::{self, Write};

/// Writes one line a pair, the names aligned.
pub fn write(out: &mut impl Write, pairs: &[(&str, String)]) -> io::Result<()> {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in pairs {
        writeln!(out, "  {name:<width$}  {value}")?;
    }
    Ok(())
}

/// Writes rows under their columns' names, each column as wide as it must be; NULL shows as `·`.
pub fn grid(out: &mut impl Write, columns: &[String], rows: &[Vec<Option<String>>]) -> io::Result<()> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "·".to_owned());
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
    let widths: Vec<_> = (0..columns.len())
        .map(|at| rows.iter().map(|row| &row[at]).chain([&columns[at]]).map(|text| text.chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    for row in [columns].into_iter().chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        writeln!(out, "  {}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// A count with a space between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the unit that suits them.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// A span of seconds in the units that suit it.
pub fn span(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.2} s"),
        120.0..7200.0 => format!("{:.0} min", seconds / 60.0),
        7200.0..172_800.0 => format!("{:.0} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, grid, span, write};

    #[test]
    fn people_read_aligned_lines() {
        let mut out = Vec::new();
        write(&mut out, &[("a", count(1_234_567)), ("long", bytes(1536)), ("x", span(7200.0))]).unwrap();
        grid(
            &mut out,
            &["id".to_owned(), "note".to_owned()],
            &[vec![Some("100".to_owned()), None], vec![Some("2".to_owned()), Some("ok".to_owned())]],
        )
        .unwrap();
        let expected = "  a     1 234 567\n  long  1.5 KiB\n  x     2 h\n  id   note\n  100  ·\n  2    ok\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
