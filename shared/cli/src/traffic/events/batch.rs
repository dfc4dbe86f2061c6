//! Items → one event's text, and whether another fits.

use std::collections::BTreeMap;

use super::Event;

/// A record of the event.
#[derive(Debug)]
pub(super) struct Item {
    /// Its JSON.
    pub text: Vec<u8>,
    /// How many of the producers' records are in it.
    pub records: usize,
}

/// What stands between and behind the items.
#[derive(Debug)]
pub(super) struct Shape {
    separator: &'static str,
    part_tail: &'static str,
    tail: &'static str,
}

pub(super) const LINES: Shape = Shape { separator: "", part_tail: "", tail: "" };
pub(super) const LIST: Shape = Shape { separator: ",", part_tail: "", tail: "]}" };
pub(super) const MAP_OF_LISTS: Shape = Shape { separator: ",", part_tail: "]", tail: "}}" };

/// An event that is being filled.
#[derive(Debug)]
pub(super) struct Batch {
    head: String,
    shape: &'static Shape,
    /// By what stands before each part's items: a partition's name and `[`, or nothing of an event with one list.
    parts: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    items: usize,
    records: usize,
}

impl Batch {
    pub(super) fn new(head: String, shape: &'static Shape) -> Self {
        let bytes = head.len() + shape.tail.len();
        Self { head, shape, parts: BTreeMap::new(), bytes, items: 0, records: 0 }
    }

    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// An item that is too large by itself fits nowhere better.
    pub(super) fn fits(&self, part: &str, item: &Item, max_bytes: usize) -> bool {
        self.items == 0 || self.bytes + self.more(part, item) <= max_bytes
    }

    fn more(&self, part: &str, item: &Item) -> usize {
        let opening = if self.parts.contains_key(part) { 0 } else { part.len() + self.shape.part_tail.len() };
        // One separator more than there are items, at most.
        item.text.len() + self.shape.separator.len() + opening
    }

    pub(super) fn add(&mut self, part: String, item: &Item) {
        self.bytes += self.more(&part, item);
        let items = self.parts.entry(part).or_default();
        if !items.is_empty() {
            items.extend(self.shape.separator.as_bytes());
        }
        items.extend(&item.text);
        self.items += 1;
        self.records += item.records;
    }

    pub(super) fn end(self) -> Event {
        let mut bytes = Vec::with_capacity(self.bytes);
        bytes.extend(self.head.as_bytes());
        for (at, (part, items)) in self.parts.iter().enumerate() {
            if at > 0 {
                bytes.extend(self.shape.separator.as_bytes());
            }
            bytes.extend(part.as_bytes());
            bytes.extend(items);
            bytes.extend(self.shape.part_tail.as_bytes());
        }
        bytes.extend(self.shape.tail.as_bytes());
        Event { bytes, records: self.records }
    }
}
