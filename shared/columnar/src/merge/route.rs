//! What was found in each piece → what happens to its rows, and where new keys go.
//!
//! A table in key order stays in key order: a new key goes into the piece around it, or between two pieces. Any other
//! table gets its new keys at the end.

use std::collections::HashMap;

use super::{
    delta::Reduced,
    keys::KeyKind,
    patch::{Change, Edit},
    probe::Probe,
    shape::Item,
};

/// A piece as routing needs to know it.
#[derive(Debug)]
pub struct Found<K: KeyKind> {
    /// What the probe told.
    pub probe: Probe<K>,
    /// Rows.
    pub rows: usize,
    /// Whether it is of the old snapshot, whose order is known.
    pub old: bool,
}

/// What happens where.
#[derive(Debug, Default)]
pub struct Routes {
    /// For each piece its edits, in row order.
    pub edits: Vec<Vec<Edit>>,
    /// Pieces and new rows in order.
    pub items: Vec<Item>,
    /// The rows of the delta that [`Item::New`] counts in.
    pub new_rows: Vec<u32>,
    /// Changed keys that were new, were there, or were deleted.
    pub tally: Tally,
}

/// What became of the changed keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// New keys.
    pub inserts: u64,
    /// Keys that were there and have a new row.
    pub updates: u64,
    /// Keys that were there and are gone.
    pub deletes: u64,
    /// Deleted keys that were not there.
    pub noop_deletes: u64,
    /// New keys that came as updates and did not say the old key.
    pub ghosts: u64,
    /// Keys that were there with a later version, and stay as they are.
    pub outdone: u64,
}

/// Whether the pieces, one after the other, are in strict key order.
#[must_use]
pub fn is_sorted<K: KeyKind>(found: &[Found<K>], old_sorted: bool) -> bool {
    let mut previous: Option<&Found<K>> = None;
    for piece in found.iter().filter(|piece| piece.rows > 0) {
        let ordered = if piece.old {
            old_sorted
        } else {
            let after = match (previous, &piece.probe.span) {
                (None, _) => true,
                // Bounds of an unread piece cover whole keys that begin with them.
                (Some(previous), Some((first, _))) => {
                    previous.probe.span.as_ref().is_some_and(|(_, last)| K::beyond(first, last))
                }
                (Some(_), None) => false,
            };
            piece.probe.sorted && after
        };
        if !ordered {
            return false;
        }
        previous = Some(piece);
    }
    true
}

/// Routes every changed key. `superseded`: rows that a later row of the same key in the base makes moot.
#[must_use]
pub fn route<K: KeyKind>(
    found: &[Found<K>],
    delta: &Reduced<K>,
    sorted: bool,
    superseded: &HashMap<usize, Vec<u32>>,
) -> Routes {
    let mut routes = Routes { edits: vec![Vec::new(); found.len()], ..Routes::default() };
    let mut placed = vec![false; delta.keys.len()];
    for (at, piece) in found.iter().enumerate() {
        let moot = superseded.get(&at).map_or(&[][..], Vec::as_slice);
        hits(piece, delta, moot, &mut routes.edits[at], &mut placed);
    }
    routes.tally = tally(delta, &placed);
    for &at in found.iter().flat_map(|piece| &piece.probe.outdone) {
        placed[at as usize] = true;
        outdone(delta.row_of[at as usize].is_some(), &mut routes.tally);
    }
    if sorted {
        for (piece, edits) in found.iter().zip(&mut routes.edits) {
            inserts(piece, delta, edits, &mut placed);
        }
    }
    let rest: Vec<usize> = (0..delta.keys.len()).filter(|&at| !placed[at] && delta.row_of[at].is_some()).collect();
    routes.new_rows = rest.iter().filter_map(|&at| delta.row_of[at]).collect();
    routes.items = if sorted { between(found, delta, &rest) } else { at_the_end(found.len(), rest.len()) };
    routes
}

fn hits<K: KeyKind>(piece: &Found<K>, delta: &Reduced<K>, moot: &[u32], edits: &mut Vec<Edit>, placed: &mut [bool]) {
    let mut moot = moot.iter().copied().peekable();
    let delete = |row: u32| Edit { row, change: Change::Delete };
    for &(row, at) in &piece.probe.hits {
        while let Some(earlier) = moot.next_if(|&earlier| earlier < row) {
            edits.push(delete(earlier));
        }
        if moot.next_if_eq(&row).is_some() {
            edits.push(delete(row));
            continue;
        }
        placed[at as usize] = true;
        edits.push(delta.row_of[at as usize].map_or(delete(row), |new| Edit { row, change: Change::Replace(new) }));
    }
    edits.extend(moot.map(delete));
}

/// New keys within a sorted piece go before the row they precede.
fn inserts<K: KeyKind>(piece: &Found<K>, delta: &Reduced<K>, edits: &mut Vec<Edit>, placed: &mut [bool]) {
    let before = edits.len();
    for &(row, at) in &piece.probe.gaps {
        let at = at as usize;
        if let Some(new) = delta.row_of[at].filter(|_| !placed[at]) {
            placed[at] = true;
            edits.push(Edit { row, change: Change::Insert(new) });
        }
    }
    if edits.len() > before {
        edits.sort_unstable();
    }
}

fn tally<K: KeyKind>(delta: &Reduced<K>, placed: &[bool]) -> Tally {
    let mut tally = Tally::default();
    for ((row, found), ghostly) in delta.row_of.iter().zip(placed).zip(&delta.ghostly) {
        match (row, found) {
            (Some(_), true) => tally.updates += 1,
            (Some(_), false) => {
                tally.inserts += 1;
                tally.ghosts += u64::from(*ghostly);
            }
            (None, true) => tally.deletes += 1,
            (None, false) => tally.noop_deletes += 1,
        }
    }
    tally
}

/// The key was counted as one that is not there.
fn outdone(has_row: bool, tally: &mut Tally) {
    tally.outdone += 1;
    let counted = if has_row { &mut tally.inserts } else { &mut tally.noop_deletes };
    *counted -= 1;
}

/// The rest of the new keys, each after the last piece that begins before it.
fn between<K: KeyKind>(found: &[Found<K>], delta: &Reduced<K>, rest: &[usize]) -> Vec<Item> {
    let mut items = Vec::with_capacity(found.len() + 1);
    let mut next = 0;
    for (at, piece) in found.iter().enumerate() {
        if let Some((first, _)) = &piece.probe.span {
            let until = next + rest[next..].partition_point(|&new| delta.keys[new] < *first);
            if until > next {
                items.push(Item::New(next..until));
                next = until;
            }
        }
        items.push(Item::Piece(at));
    }
    if next < rest.len() {
        items.push(Item::New(next..rest.len()));
    }
    items
}

fn at_the_end(pieces: usize, new: usize) -> Vec<Item> {
    let new = (new > 0).then_some(Item::New(0..new));
    (0..pieces).map(Item::Piece).chain(new).collect()
}
