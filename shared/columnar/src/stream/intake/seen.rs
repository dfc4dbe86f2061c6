//! What was set aside → taken again; what came in so far → what would become of it.
//!
//! For a caller that looks before it decides: nothing is encoded here.

use std::collections::BTreeMap;

use headgate::{
    fate::Fates,
    quarantine::{Identity, Line},
};

use super::{Body, Gather, Intake};

impl<R: Gather> Intake<'_, R> {
    /// How many ended how.
    #[must_use]
    pub fn fates(&self) -> &Fates {
        &self.fates
    }

    /// The paths of the partitions that have rows, each with their number.
    #[must_use]
    pub fn partitions(&self) -> BTreeMap<&str, u64> {
        let mut partitions = BTreeMap::new();
        let paths = self.partitions.paths();
        for path in self.homes.iter().filter_map(|home| paths.get(usize::try_from(*home).ok()?)) {
            *partitions.entry(path.as_str()).or_default() += 1;
        }
        partitions
    }

    /// What is refused.
    pub fn refusals(&self) -> impl Iterator<Item = &Line> {
        self.aside.lines()
    }

    /// Says what line the records are of that are taken from now on.
    pub fn within(&mut self, line: Option<Identity>) {
        self.aside.within(line);
    }

    /// Takes a body that is one document by itself, as a refused one is.
    pub fn take_document(&mut self, body: &Body<'_>) {
        self.bytes += body.data.len();
        if std::str::from_utf8(&body.data).is_err() {
            return self.refused(body, headgate::Code::InvalidJson, "the document is not UTF-8");
        }
        self.document(body, 0, &body.data);
    }
}
