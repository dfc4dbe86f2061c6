//! Changes in order → the last one of every key.
//!
//! Its size follows the keys that changed, not the table. A key's last row in (file, row) order wins, whatever came
//! before; where the dataset has an order column, its greatest value wins, and the last among equals.

mod reduced;

use arrow::array::{Array, RecordBatch, UInt32Array};
use hashbrown::HashTable;
use headgate::Code;

use super::{
    fold::Fold,
    keys::{KeyKind, first_null},
    names::CdcName,
    order::{Version, versions},
    rows::{gather, key_arrays, take_rows},
};
use crate::changes::{Changes, Op, Refusal};

pub use reduced::Reduced;

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Its last row: the batch and the row in it.
    Row { batch: u32, row: u32 },
    /// It was deleted.
    Gone,
    /// A file that the snapshot already holds changed it later: leave it as it is.
    Settled,
}

#[derive(Debug)]
struct Entry<K: KeyKind> {
    key: K::Owned,
    slot: Slot,
    /// Its first change was an update that did not say the old key: if the key is new, the old one may be a ghost.
    ghostly: bool,
}

#[derive(Debug)]
struct Held {
    rows: RecordBatch,
    ordinal: u32,
    /// Rows that are their key's last.
    live: usize,
    /// Bytes, for the memory budget.
    bytes: usize,
}

/// Counts of what went in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows read.
    pub rows_in: u64,
    /// Rows that a later row of the same delta, or a later file that is already in, made moot.
    pub superseded: u64,
}

/// The changes so far, reduced.
pub struct Delta<K: KeyKind> {
    kind: K,
    index: HashTable<u32>,
    entries: Vec<Entry<K>>,
    held: Vec<Held>,
    heap: usize,
    rows_bytes: usize,
    counts: Counts,
    truncated: bool,
    order: Option<Order>,
}

/// What decides between versions of a key, where the dataset has an order column.
#[derive(Debug)]
struct Order {
    column: String,
    /// For each entry its version, and the file that it came with.
    of: Vec<(Version, u32)>,
    /// The files, in order.
    files: Vec<CdcName>,
}

impl Order {
    /// The versions of these rows; they are needed of none where there is no order.
    fn versions(order: Option<&Self>, changes: &Changes) -> Result<Vec<Version>, Refusal> {
        order.map_or(Ok(Vec::new()), |order| versions(&changes.rows, &order.column))
    }
}

impl<K: KeyKind> Delta<K> {
    /// No changes yet; `order_by` is the column that decides between versions, where names of files do not.
    pub fn new(kind: K, order_by: Option<&String>) -> Self {
        Self {
            kind,
            index: HashTable::new(),
            entries: Vec::new(),
            held: Vec::new(),
            heap: 0,
            rows_bytes: 0,
            counts: Counts::default(),
            truncated: false,
            order: order_by.map(|column| Order { column: column.clone(), of: Vec::new(), files: Vec::new() }),
        }
    }

    /// Bytes held, roughly.
    pub fn bytes(&self) -> usize {
        let per_entry = std::mem::size_of::<Entry<K>>() + std::mem::size_of::<u32>() * 2;
        let versions = self.order.as_ref().map_or(0, |order| order.of.len() * std::mem::size_of::<(Version, u32)>());
        self.rows_bytes + self.entries.len() * per_entry + versions + self.heap
    }

    /// Takes a whole file with this name and ordinal: all of it or, on an error, nothing.
    ///
    /// # Errors
    /// Where a key is NULL or does not fit.
    pub fn push(
        &mut self,
        (name, file): (&CdcName, &[Changes]),
        ordinal: u32,
        key_columns: &[String],
    ) -> Result<(), Refusal> {
        if file.iter().all(Changes::only_truncate) {
            let rows: usize = file.iter().map(|changes| changes.ops.len()).sum();
            self.counts.rows_in += rows as u64;
            if rows > 0 {
                self.truncate();
            }
            return Ok(());
        }
        let mut row = 0;
        let mut encoded = Vec::with_capacity(file.len());
        for changes in file {
            encoded.push(self.encode(changes, row, key_columns)?);
            row += changes.ops.len();
        }
        if let Some(order) = &mut self.order {
            order.files.push(name.clone());
        }
        for (changes, keys) in file.iter().zip(&encoded) {
            self.apply(changes, keys, ordinal);
        }
        Ok(())
    }

    fn encode(&self, changes: &Changes, before: usize, key_columns: &[String]) -> Result<Keys<K>, Refusal> {
        let keys = key_arrays(&changes.rows, key_columns)?;
        if let Some((row, at)) = first_null(&keys, |row| changes.ops[row] != Op::Truncate) {
            return Err(Refusal {
                code: Code::NullKey,
                column: Some(key_columns[at].as_str().into()),
                reason: format!("row {}: the key is NULL", before + row + 1),
            });
        }
        let old = changes.old_keys.as_ref().map(|old| self.kind.encode(old)).transpose()?;
        let versions = Order::versions(self.order.as_ref(), changes)?;
        Ok(Keys { new: self.kind.encode(&keys)?, old, versions })
    }

    fn apply(&mut self, changes: &Changes, keys: &Keys<K>, ordinal: u32) {
        let batch = position(self.held.len());
        let bytes = changes.rows.get_array_memory_size();
        self.rows_bytes += bytes;
        self.held.push(Held { rows: changes.rows.clone(), ordinal, live: 0, bytes });
        self.counts.rows_in += changes.ops.len() as u64;
        for (row, op) in changes.ops.iter().enumerate() {
            let key = K::at(&keys.new, row);
            let slot = Slot::Row { batch, row: position(row) };
            let version = keys.versions.get(row).copied().flatten();
            match op {
                Op::Truncate => self.truncate(),
                Op::Delete => self.set(key, Slot::Gone, false, version),
                Op::Insert => self.set(key, slot, false, version),
                Op::Update => {
                    let old_key = keys.old_at(changes, row);
                    if let Some(old_key) = old_key.filter(|old_key| !K::same(*old_key, key)) {
                        self.set(old_key, Slot::Gone, false, version);
                    }
                    self.set(key, slot, old_key.is_none(), version);
                }
            }
        }
    }

    /// Takes the keys of a file that the snapshot already holds and that belongs here in the order: what it changed
    /// is settled, so earlier changes of those keys must not come back. Where there is an order column, what it changed
    /// is settled where its version is the later one.
    ///
    /// # Errors
    /// Where the keys do not fit.
    pub fn settle(&mut self, name: &CdcName, changes: &Changes, key_columns: &[String]) -> Result<(), Refusal> {
        if changes.ops.contains(&Op::Truncate) {
            self.counts.superseded += self.entries.len() as u64;
            self.forget();
        }
        if changes.only_truncate() {
            return Ok(());
        }
        let old = changes.old_keys.as_ref().map(|old| self.kind.encode(old)).transpose()?;
        let versions = Order::versions(self.order.as_ref(), changes)?;
        let keys = Keys::<K> { new: self.kind.encode(&key_arrays(&changes.rows, key_columns)?)?, old, versions };
        for row in 0..changes.ops.len() {
            let version = (keys.versions.get(row).copied().flatten(), name);
            self.settle_key(K::at(&keys.new, row), version);
            if let Some(old) = keys.old_at(changes, row) {
                self.settle_key(old, version);
            }
        }
        Ok(())
    }

    /// Drops superseded rows from memory where they are many.
    ///
    /// # Errors
    /// Where arrow refuses, which is a bug.
    pub fn compact(&mut self) -> Result<(), Refusal> {
        let sparse: Vec<bool> = self.held.iter().map(|held| held.live * 2 < held.rows.num_rows()).collect();
        if !sparse.contains(&true) {
            return Ok(());
        }
        let mut keep: Vec<Vec<u32>> = vec![Vec::new(); self.held.len()];
        for entry in &mut self.entries {
            if let Slot::Row { batch, row } = &mut entry.slot
                && sparse[*batch as usize]
            {
                keep[*batch as usize].push(*row);
                *row = position(keep[*batch as usize].len() - 1);
            }
        }
        for ((held, rows), sparse) in self.held.iter_mut().zip(keep).zip(sparse) {
            if sparse {
                held.rows = take_rows(&held.rows, &UInt32Array::from(rows))?;
                let bytes = held.rows.get_array_memory_size();
                self.rows_bytes = self.rows_bytes - held.bytes + bytes;
                held.bytes = bytes;
            }
        }
        Ok(())
    }

    /// Ends the delta: its keys sorted, its rows gathered in the snapshot's schema.
    ///
    /// # Errors
    /// Where a value does not fit its column's type.
    pub fn finish(mut self, fold: &Fold) -> Result<Reduced<K>, Refusal> {
        let settled = self.entries.iter().filter(|entry| entry.slot == Slot::Settled).count() as u64;
        self.counts.superseded += settled;
        let versions = self.sort();
        let picks: Vec<(usize, usize)> = self
            .entries
            .iter()
            .filter_map(|entry| match entry.slot {
                Slot::Row { batch, row } => Some((batch as usize, row as usize)),
                Slot::Gone | Slot::Settled => None,
            })
            .collect();
        let held = self.held.into_iter().map(|held| (held.rows, held.ordinal));
        let rows = gather(held, fold, &picks)?;
        let mut reduced = Reduced {
            index: HashTable::with_capacity(self.entries.len()),
            keys: Vec::with_capacity(self.entries.len()),
            rows,
            row_of: Vec::with_capacity(self.entries.len()),
            ghostly: Vec::with_capacity(self.entries.len()),
            truncated: self.truncated,
            versions,
            counts: self.counts,
            kind: self.kind,
        };
        let mut next = 0;
        for entry in self.entries {
            let live = matches!(entry.slot, Slot::Row { .. });
            reduced.row_of.push(live.then_some(next));
            next += u32::from(live);
            reduced.ghostly.push(entry.ghostly);
            reduced.keys.push(entry.key);
        }
        for at in 0..reduced.keys.len() {
            let hash = K::hash(K::borrow(&reduced.keys[at]));
            let keys = &reduced.keys;
            let at = position(at);
            reduced.index.insert_unique(hash, at, |&i| K::hash(K::borrow(&keys[i as usize])));
        }
        Ok(reduced)
    }

    /// Puts the entries that are not settled in key order, and gives their versions.
    fn sort(&mut self) -> Option<Vec<Version>> {
        let Some(order) = self.order.take() else {
            self.entries.retain(|entry| entry.slot != Slot::Settled);
            self.entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            return None;
        };
        let entries = std::mem::take(&mut self.entries).into_iter().zip(order.of);
        let mut entries: Vec<_> = entries.filter(|(entry, _)| entry.slot != Slot::Settled).collect();
        entries.sort_unstable_by(|(a, _), (b, _)| a.key.cmp(&b.key));
        let (entries, versions) = entries.into_iter().map(|(entry, (version, _))| (entry, version)).unzip();
        self.entries = entries;
        Some(versions)
    }

    fn set(&mut self, key: K::Ref<'_>, slot: Slot, ghostly: bool, version: Version) {
        if let Slot::Row { batch, .. } = slot {
            self.held[batch as usize].live += 1;
        }
        let hash = K::hash(key);
        if let Some(&at) = self.index.find(hash, |&i| K::same(K::borrow(&self.entries[i as usize].key), key)) {
            if let Some(order) = &mut self.order {
                if order.of[at as usize].0 > version {
                    self.dropped(slot);
                    self.counts.superseded += 1;
                    return;
                }
                order.of[at as usize] = (version, position(order.files.len()));
            }
            let old = std::mem::replace(&mut self.entries[at as usize].slot, slot);
            self.dropped(old);
            self.counts.superseded += u64::from(old != Slot::Settled);
            return;
        }
        let at = position(self.entries.len());
        let key = K::own(key);
        self.heap += K::heap(&key);
        self.entries.push(Entry { key, slot, ghostly });
        if let Some(order) = &mut self.order {
            order.of.push((version, position(order.files.len())));
        }
        let entries = &self.entries;
        self.index.insert_unique(hash, at, |&i| K::hash(K::borrow(&entries[i as usize].key)));
    }

    fn settle_key(&mut self, key: K::Ref<'_>, version: (Version, &CdcName)) {
        let found = self.index.find(K::hash(key), |&i| K::same(K::borrow(&self.entries[i as usize].key), key));
        if let Some(&at) = found {
            if let Some(order) = &self.order {
                // A file is counted when its rows come, so the last of them is its own.
                let (own, file) = order.of[at as usize];
                let file = order.files.get((file as usize).saturating_sub(1));
                if (own, file) > (version.0, Some(version.1)) {
                    return;
                }
            }
            let old = std::mem::replace(&mut self.entries[at as usize].slot, Slot::Settled);
            self.dropped(old);
        }
    }

    fn dropped(&mut self, slot: Slot) {
        if let Slot::Row { batch, .. } = slot {
            self.held[batch as usize].live -= 1;
        }
    }

    fn truncate(&mut self) {
        self.truncated = true;
        self.counts.superseded += self.entries.len() as u64;
        self.forget();
    }

    fn forget(&mut self) {
        self.index.clear();
        self.entries.clear();
        if let Some(order) = &mut self.order {
            order.of.clear();
        }
        self.heap = 0;
        for held in &mut self.held {
            held.live = 0;
        }
    }
}

/// The keys of a batch, and those before the change.
struct Keys<K: KeyKind> {
    new: K::Column,
    old: Option<K::Column>,
    /// None where there is no order column.
    versions: Vec<Version>,
}

impl<K: KeyKind> Keys<K> {
    /// The key before the change, where the row tells it.
    fn old_at(&self, changes: &Changes, row: usize) -> Option<K::Ref<'_>> {
        let told = changes.old_keys.as_ref()?.iter().all(|column| column.is_valid(row));
        self.old.as_ref().filter(|_| told).map(|old| K::at(old, row))
    }
}

/// A position in memory: a delta of 2³² rows does not fit any function.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
