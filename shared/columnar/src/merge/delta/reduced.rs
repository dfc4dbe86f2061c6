//! A finished delta → what of it concerns a key.

use arrow::array::RecordBatch;
use hashbrown::HashTable;

use super::Counts;
use crate::merge::{keys::KeyKind, order::Version};

/// A finished delta.
pub struct Reduced<K: KeyKind> {
    /// How the keys are held.
    pub kind: K,
    /// The changed keys in order.
    pub keys: Vec<K::Owned>,
    /// For each key its row in `rows`; `None`: deleted.
    pub row_of: Vec<Option<u32>>,
    /// For each key whether its first change was an update without a before-image.
    pub ghostly: Vec<bool>,
    /// The last rows, in key order, in the snapshot's schema.
    pub rows: RecordBatch,
    /// Whether nothing of the old snapshot survives.
    pub truncated: bool,
    /// For each key its version, where the dataset has an order column.
    pub versions: Option<Vec<Version>>,
    /// What went in.
    pub counts: Counts,
    /// The positions of the keys, by their hashes.
    pub(super) index: HashTable<u32>,
}

impl<K: KeyKind> Reduced<K> {
    /// The position of a changed key.
    pub fn find(&self, key: K::Ref<'_>) -> Option<u32> {
        self.index.find(K::hash(key), |&i| K::same(K::borrow(&self.keys[i as usize]), key)).copied()
    }
}
