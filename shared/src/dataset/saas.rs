//! A `saas` dataset: runs of a flow of `AppFlow`, and the table that their records come to.
//!
//! It is two things that are known: a contract for records, as a stream has, and a table that a merge keeps.

mod parse;

use super::{Csv, Dataset, Stream};

pub(super) use parse::saas;

/// Records of one kind that a flow brings from a `SaaS` product, run by run, and the table of their last versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Saas {
    /// The flow's name.
    pub flow: String,
    /// How the files of its runs read.
    pub format: FileFormat,
    /// The keys of its files begin with this; it ends in `/`.
    pub prefix: String,
    /// Texts that stand for null, whatever the column.
    pub nulls: Vec<String>,
    /// What tells that a record was deleted in the product; none: nothing is.
    pub deleted: Option<Deleted>,
    /// What the records must be.
    pub rows: Stream,
    /// The table. Its change files are the runs that came in; `order_by` says which version of a row is the last.
    pub table: Dataset,
}

/// How the files of a run read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFormat {
    /// Parquet, with the types of the source or all of it text.
    Parquet,
    /// A JSON object a line.
    Json,
    /// CSV with a header; what stands for NULL is in [`Saas::nulls`].
    Csv(Csv),
}

/// What tells that a record was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// A column.
    pub column: String,
    /// Its values that say so; where there are none it is a boolean, and `true` does.
    pub one_of: Vec<String>,
}

impl Saas {
    /// Its name: the file's stem, the table's name in the catalog.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.table.name
    }
}
