//! A record → where it came from, so that a person or a replay can find it again.
//!
//! It names a place, never a content.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// A row of an object.
    Row {
        /// The object.
        key: String,
        /// The row, the first being 0; `None` where the object cannot be read as rows.
        row: Option<u64>,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row { key, row: Some(row) } => write!(f, "{key} row {row}"),
            Self::Row { key, row: None } => f.write_str(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_a_place() {
        let row = |row| Position::Row { key: "cdc/a.csv".to_owned(), row };
        assert_eq!(row(Some(3)).to_string(), "cdc/a.csv row 3");
        assert_eq!(row(None).to_string(), "cdc/a.csv");
        assert!(row(None) < row(Some(0)) && row(Some(9)) < row(Some(10)), "positions sort as rows do");
    }
}
