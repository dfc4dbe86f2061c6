//! Rows as the contract reads them → what is known of each key.
//!
//! A row counts when the next begins, so that it can be taken back until then.

use std::collections::BTreeMap;

use headgate::{
    Error,
    contract::{Contract, Sink, Value},
};
use headgate_columnar::stream::Gather;
use serde::{Deserialize, Serialize};

use crate::{
    plan::Plan,
    scalar::{Key, Scalar},
    tally::Tally,
};

/// The longest text of a key's column, or of a last value, in bytes: a key must fit an item of the state.
pub const LONGEST: usize = 1024;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// How many records it has.
    pub rows: u64,
    /// What is told of them.
    pub tallies: Vec<Tally>,
}

/// What is known of every key.
pub type Known = BTreeMap<Key, Group>;

/// Groups that grow.
#[derive(Debug)]
pub struct Groups {
    known: Known,
    nothing: Vec<Tally>,
    /// The place in a row of each node that is asked for.
    places: Vec<Option<usize>>,
    /// The places of the key's columns.
    key: Vec<usize>,
    /// The place of each measure's values; `None`: it is of whole records.
    measures: Vec<Option<usize>>,
    /// The places whose texts are kept as they are.
    kept: Vec<bool>,
    row: Vec<Option<Scalar>>,
    held: Option<Vec<Option<Scalar>>>,
    bytes: usize,
}

impl Groups {
    /// Groups of which this is known, whose rows are read by `contract`.
    ///
    /// # Errors
    /// Retry, `internal`: a sketch cannot be made.
    pub fn new(plan: &Plan, contract: &Contract, known: Known) -> Result<Self, Error> {
        let columns = contract.columns();
        let at = |name: &str| columns.iter().position(|column| column.name == name);
        let mut places = vec![None; contract.nodes()];
        for (place, column) in columns.iter().enumerate() {
            places[column.node.id] = Some(place);
        }
        let key: Vec<_> = plan.key.iter().filter_map(|named| at(&named.name)).collect();
        let measures: Vec<_> =
            plan.measures.iter().map(|measure| measure.of.as_ref().and_then(|of| at(&of.name))).collect();
        let mut kept = vec![false; columns.len()];
        let nothing = plan.nothing()?;
        let lasting = measures.iter().zip(&nothing).filter(|(_, tally)| matches!(tally, Tally::Last(_)));
        for place in key.iter().chain(lasting.filter_map(|(place, _)| place.as_ref())) {
            kept[*place] = true;
        }
        let asked = |place: &usize| key.contains(place) || measures.contains(&Some(*place));
        for place in &mut places {
            *place = place.filter(asked);
        }
        let bytes = known.iter().map(|(key, group)| size(key, group)).sum();
        Ok(Self { known, nothing, places, key, measures, kept, row: vec![None; columns.len()], held: None, bytes })
    }

    /// What is known now.
    pub fn finish(mut self) -> Known {
        self.settle();
        self.known
    }

    fn settle(&mut self) {
        let Some(row) = self.held.take() else { return };
        let key: Key = self.key.iter().map(|place| row[*place].clone()).collect();
        let group = self.known.entry(key);
        let group = group.or_insert_with_key(|key| {
            let group = Group { rows: 0, tallies: self.nothing.clone() };
            self.bytes += size(key, &group);
            group
        });
        group.rows += 1;
        for (place, tally) in self.measures.iter().zip(&mut group.tallies) {
            match place {
                None => tally.take_record(),
                Some(place) => row[*place].iter().for_each(|value| tally.take(value)),
            }
        }
        self.row = row;
        self.row.fill(None);
    }
}

fn size(key: &Key, group: &Group) -> usize {
    let texts: usize = key.iter().flatten().map(Scalar::length).sum();
    128 + 48 * key.len() + texts + group.tallies.iter().map(Tally::bytes).sum::<usize>()
}

impl Sink for Groups {
    fn value(&mut self, node: usize, value: Value<'_>) {
        if let Some(place) = self.places[node] {
            self.row[place] = Scalar::of(value);
        }
    }

    fn null(&mut self, node: usize) {
        if let Some(place) = self.places[node] {
            self.row[place] = None;
        }
    }

    fn open(&mut self, _: usize) {}

    fn close(&mut self, node: usize) {
        // Of a list or a struct nothing is asked but whether it is there.
        if let Some(place) = self.places[node] {
            self.row[place] = Some(Scalar::Boolean(true));
        }
    }

    fn keep(&mut self, _: Option<&str>) {
        let blank = vec![None; self.row.len()];
        let row = std::mem::replace(&mut self.row, blank);
        self.settle();
        self.held = Some(row);
        self.row.fill(None);
    }

    fn forget(&mut self) {
        self.row.fill(None);
    }
}

impl Gather for Groups {
    fn take_back(&mut self) {
        self.held = None;
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn objection(&self) -> Option<&'static str> {
        let row = self.held.as_ref()?;
        let long = |value: &Option<Scalar>| value.as_ref().is_some_and(|value| value.length() > LONGEST);
        let too_long = row.iter().zip(&self.kept).any(|(value, kept)| *kept && long(value));
        too_long.then_some("a text of the window's key, or of a last value, has more than 1,024 bytes")
    }
}
