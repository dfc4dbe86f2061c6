//! What changed where → which row groups are carried, which written, and how they are cut.
//!
//! Pure: sizes in, a plan out. A row group nobody touched is never read, unless it is small and a neighbour is
//! written anyway.

use std::ops::Range;

/// The most rows in a row group.
const MOST_ROWS: usize = 1 << 20;
/// The bytes, before compression, that a row group aims at: small enough that a few fit into the smallest function
/// at once and a change touches little; large enough that it compresses to more than the 5 MiB that S3 can copy.
pub const AIM_BYTES: usize = 16 << 20;

/// A stretch of the old rows: a row group of the snapshot, or some of a full load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Rows it will have.
    pub rows: usize,
    /// It can go over as it is.
    pub untouched: bool,
}

/// What comes at one place of the new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// An old piece, changed or not.
    Piece(usize),
    /// New rows: positions in the list of new keys.
    New(Range<usize>),
}

/// What becomes consecutive row groups of the new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// These pieces as raw bytes.
    Carry(Range<usize>),
    /// These items, decoded and encoded, in row groups of about this many rows.
    Write {
        /// What is in it.
        items: Vec<Item>,
        /// Rows in all.
        rows: usize,
    },
}

/// The rows that a row group aims at, for rows of this many bytes.
#[must_use]
pub fn aim(bytes: u64, rows: u64) -> usize {
    let per_row = usize::try_from(bytes / rows.max(1)).unwrap_or(usize::MAX).max(1);
    (AIM_BYTES / per_row).clamp(1, MOST_ROWS)
}

/// How `rows` rows are cut into row groups that aim at `aim` rows: lengths that differ by one at most.
pub fn cuts(rows: usize, aim: usize) -> impl Iterator<Item = usize> {
    // Half as much again is one group still, or every group that grows a little would fall into two thin ones.
    let most = (aim + aim / 2).clamp(1, MOST_ROWS);
    let groups = if rows <= most { 1 } else { rows.div_ceil(aim.max(1)) };
    (0..groups).map(move |group| rows * (group + 1) / groups - rows * group / groups).filter(|&rows| rows > 0)
}

/// Plans the new snapshot: `items` in order, over `pieces`.
#[must_use]
pub fn plan(items: Vec<Item>, pieces: &[Piece], aim: usize) -> Vec<Segment> {
    let mut plan = Plan { segments: Vec::new(), open: Vec::new(), open_rows: 0, pieces, aim };
    for item in items {
        plan.add(item);
    }
    plan.close();
    plan.segments
}

struct Plan<'a> {
    segments: Vec<Segment>,
    open: Vec<Item>,
    open_rows: usize,
    pieces: &'a [Piece],
    aim: usize,
}

impl Plan<'_> {
    fn add(&mut self, item: Item) {
        let (rows, untouched) = match &item {
            Item::Piece(at) => (self.pieces[*at].rows, self.pieces[*at].untouched),
            Item::New(range) => (range.len(), false),
        };
        let thin = rows < self.aim / 4;
        if self.open_rows + rows > self.aim + self.aim / 4 || (untouched && !thin) {
            self.close();
        }
        match item {
            Item::Piece(at) if untouched && !thin => self.carry(at),
            item => {
                self.open.push(item);
                self.open_rows += rows;
            }
        }
    }

    fn carry(&mut self, at: usize) {
        match self.segments.last_mut() {
            Some(Segment::Carry(range)) if range.end == at => range.end = at + 1,
            _ => self.segments.push(Segment::Carry(at..at + 1)),
        }
    }

    fn close(&mut self) {
        let (items, rows) = (std::mem::take(&mut self.open), std::mem::take(&mut self.open_rows));
        match items[..] {
            [] => {}
            // Thin, but nothing beside it is written: not worth a rewrite by itself.
            [Item::Piece(at)] if self.pieces[at].untouched => self.carry(at),
            _ if rows == 0 => {}
            _ => self.segments.push(Segment::Write { items, rows }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pieces: &[(usize, bool)], items: Vec<Item>, expected: &[&str]) {
        let pieces: Vec<_> = pieces.iter().map(|&(rows, untouched)| Piece { rows, untouched }).collect();
        let shown: Vec<String> = plan(items, &pieces, 100)
            .iter()
            .map(|segment| match segment {
                Segment::Carry(range) => format!("carry {range:?}"),
                Segment::Write { items, rows } => format!("write {rows}: {items:?}"),
            })
            .collect();
        assert_eq!(shown, expected);
    }

    fn all(count: usize) -> Vec<Item> {
        (0..count).map(Item::Piece).collect()
    }

    #[test]
    fn untouched_pieces_are_carried_together() {
        check(
            &[(100, true), (90, true), (100, false), (100, true)],
            all(4),
            &["carry 0..2", "write 100: [Piece(2)]", "carry 3..4"],
        );
    }

    #[test]
    fn thin_pieces_join_a_neighbour_that_is_written_or_is_thin_too() {
        check(&[(100, true), (10, true), (100, true)], all(3), &["carry 0..3"]);
        check(&[(10, true), (20, true), (100, true)], all(3), &["write 30: [Piece(0), Piece(1)]", "carry 2..3"]);
        check(&[(10, true), (60, false), (50, false)], all(3), &["write 120: [Piece(0), Piece(1), Piece(2)]"]);
    }

    #[test]
    fn new_rows_fill_a_thin_last_piece_and_else_stand_alone() {
        let with_new = |count, new| all(count).into_iter().chain([Item::New(0..new)]).collect::<Vec<_>>();
        check(&[(100, true), (10, true)], with_new(2, 5), &["carry 0..1", "write 15: [Piece(1), New(0..5)]"]);
        check(&[(100, true)], with_new(1, 5), &["carry 0..1", "write 5: [New(0..5)]"]);
        check(&[(100, true)], with_new(1, 500), &["carry 0..1", "write 500: [New(0..500)]"]);
    }

    #[test]
    fn emptied_pieces_vanish() {
        check(&[(0, false), (100, true)], all(2), &["carry 1..2"]);
        check(&[(0, false)], all(1), &[]);
    }

    #[test]
    fn cuts_are_even_and_bounded() {
        let check = |rows, expected: &[usize]| assert_eq!(cuts(rows, 100).collect::<Vec<_>>(), expected);
        check(0, &[]);
        check(150, &[150]);
        check(151, &[75, 76]);
        check(301, &[75, 75, 75, 76]);
        assert_eq!(aim(0, 0), MOST_ROWS);
        assert_eq!(aim(200 << 20, 1), 1);
    }
}
