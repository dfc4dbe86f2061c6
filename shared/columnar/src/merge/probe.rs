//! The keys of a piece and the changed keys → where they meet.

use std::cmp::Ordering;

use arrow::{array::ArrayRef, datatypes::DataType};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::{base::Snapshot, delta::Reduced, keys::KeyKind, order::Version};

/// What was found out about a piece.
#[derive(Debug)]
pub struct Probe<K: KeyKind> {
    /// Its keys ascend strictly.
    pub sorted: bool,
    /// The first and last key; of a piece that was not read, bounds of them.
    pub span: Option<(K::Owned, K::Owned)>,
    /// Rows whose keys changed, with the position of the change.
    pub hits: Vec<(u32, u32)>,
    /// Of a sorted piece: changed keys that are not there, with the row they would come before.
    pub gaps: Vec<(u32, u32)>,
    /// Changes that leave their row as it is, for its version is a later one.
    pub outdone: Vec<u32>,
}

impl<K: KeyKind> Probe<K> {
    /// A piece that no changed key can be in, and whose order is known.
    #[must_use]
    pub fn missed(sorted: bool, span: Option<(K::Owned, K::Owned)>) -> Self {
        Self { sorted, span, hits: Vec::new(), gaps: Vec::new(), outdone: Vec::new() }
    }

    /// Leaves out the hits of rows whose versions, one a row, are later than those of the changes.
    pub fn compare(&mut self, rows: &[Version], changes: &[Version]) {
        let is_later = |row: u32, at: u32| rows.get(row as usize) > changes.get(at as usize);
        let (outdone, hits) = self.hits.iter().partition::<Vec<_>, _>(|(row, at)| is_later(*row, *at));
        self.outdone = outdone.into_iter().map(|(_, at)| at).collect();
        self.hits = hits;
    }

    /// Looks for the changed keys among the keys of a piece.
    #[must_use]
    pub fn new(keys: &K::Column, rows: usize, delta: &Reduced<K>) -> Self {
        let sorted = (1..rows).all(|row| K::at(keys, row - 1) < K::at(keys, row));
        let (first, last) = (0..rows)
            .fold(None, |span: Option<(K::Ref<'_>, K::Ref<'_>)>, row| {
                let key = K::at(keys, row);
                match span {
                    // Sorted keys need no look at each.
                    Some((low, _)) if sorted => Some((low, K::at(keys, rows - 1))),
                    Some((low, high)) => Some((low.min(key), high.max(key))),
                    None => Some((key, key)),
                }
            })
            .unzip();
        let span = first.zip(last).map(|(first, last)| (K::own(first), K::own(last)));
        let mut probe = Self::missed(sorted, span);
        if sorted {
            probe.join(keys, rows, delta);
        } else {
            probe.look_up(keys, rows, delta);
        }
        probe
    }

    /// Both sides are sorted: every changed key in the span is sought from where the last one was found.
    fn join(&mut self, keys: &K::Column, rows: usize, delta: &Reduced<K>) {
        let Some((first, last)) = &self.span else { return };
        let from = delta.keys.partition_point(|key| key < first);
        let mut row = 0;
        for (at, key) in delta.keys.iter().enumerate().skip(from).take_while(|(_, key)| *key <= last) {
            let key = K::borrow(key);
            row = seek::<K>(keys, row, rows, key);
            let (at, row_at) = (u32::try_from(at).unwrap_or(u32::MAX), u32::try_from(row).unwrap_or(u32::MAX));
            if row < rows && K::same(K::at(keys, row), key) {
                self.hits.push((row_at, at));
            } else {
                self.gaps.push((row_at, at));
            }
        }
    }

    fn look_up(&mut self, keys: &K::Column, rows: usize, delta: &Reduced<K>) {
        for row in 0..rows {
            if let Some(at) = delta.find(K::at(keys, row)) {
                self.hits.push((u32::try_from(row).unwrap_or(u32::MAX), at));
            }
        }
    }
}

/// The first row from `from` on whose key is not less than `key`: steps double, then halve.
fn seek<K: KeyKind>(keys: &K::Column, from: usize, rows: usize, key: K::Ref<'_>) -> usize {
    let (mut low, mut step) = (from, 1);
    while low + step <= rows && K::compare(K::at(keys, low + step - 1), key) == Ordering::Less {
        low += step;
        step *= 2;
    }
    let mut high = (low + step).min(rows);
    while low < high {
        let middle = low + (high - low) / 2;
        match K::compare(K::at(keys, middle), key) {
            Ordering::Less => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

/// Bounds of the first key column in every row group of the snapshot, as keys; `None` where there are none that hold.
#[must_use]
pub fn bounds<K: KeyKind>(
    kind: &K,
    snapshot: &Snapshot,
    name: &str,
    key_type: &DataType,
) -> Vec<Option<(K::Owned, K::Owned)>> {
    let footer = snapshot.metadata.metadata();
    let none = || (0..footer.num_row_groups()).map(|_| None).collect();
    let Ok(field) = snapshot.schema().field_with_name(name) else { return none() };
    // Numbers that became text no longer sort as they did.
    let same_order = field.data_type() == key_type || (field.data_type().is_integer() && key_type.is_integer());
    // Statistics leave NaN out.
    if !same_order || key_type.is_floating() {
        return none();
    }
    let read = || -> Option<(ArrayRef, ArrayRef)> {
        let schema = footer.file_metadata().schema_descr();
        let converter = StatisticsConverter::try_new(name, snapshot.schema(), schema).ok()?;
        let groups = footer.row_groups();
        Some((converter.row_group_mins(groups.iter()).ok()?, converter.row_group_maxes(groups.iter()).ok()?))
    };
    read().and_then(|(low, high)| kind.bounds(&low, &high)).unwrap_or_else(none)
}

/// Whether any changed key lies within the bounds.
#[must_use]
pub fn any_within<K: KeyKind>(delta: &Reduced<K>, (low, high): &(K::Owned, K::Owned)) -> bool {
    let from = delta.keys.partition_point(|key| key < low);
    delta.keys.get(from).is_some_and(|key| !K::beyond(key, high))
}
