//! Bytes and ranges in order → parts that S3 accepts.
//!
//! Pure: no request is made here. Invariant: the parts' contents, one after the other, are the input, and every
//! part but the last keeps within [`Limits`].

use std::{mem, ops::Range};

use bytes::Bytes;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a part may be. Sizes in bytes.
///
/// As parts are used up they must grow, or a large object would not fit: the size doubles every `step` parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The least a part may hold that is not the last. A copied range also needs a source that is larger.
    smallest: u64,
    /// How much appended data is gathered for one of the first parts.
    body: u64,
    /// What `body` grows to at most.
    largest_body: u64,
    /// How many times a copied part may exceed a gathered one: it takes no memory, and fewer are faster.
    copy_factor: u64,
    /// The most a part may hold.
    largest: u64,
    /// After how many parts the sizes double.
    step: u64,
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>: 5 MiB to 5 GiB, 10,000 parts.
pub(super) const S3: Limits =
    Limits { smallest: 5 * MIB, body: 8 * MIB, largest_body: 2 * GIB, copy_factor: 64, largest: 5 * GIB, step: 1000 };

impl Limits {
    /// How much appended data part `index` (from 0) gathers.
    fn body(&self, index: u64) -> u64 {
        let doublings = (index / self.step).min(u64::from(self.body.leading_zeros()) - 1);
        (self.body << doublings).min(self.largest_body)
    }

    /// The least that part `index` is made of unless it is the last: with it the last part number suffices.
    fn floor(&self, index: u64) -> u64 {
        if index < self.step { self.smallest } else { self.body(index) }
    }

    /// The most that part `index` copies.
    fn copy(&self, index: u64) -> u64 {
        (self.body(index) * self.copy_factor).min(self.largest)
    }
}

/// How a range that is to be copied is had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Too little to copy: read it all and append it.
    Read,
    /// Read up to this offset and append that, flush, and copy from there on.
    CopyFrom(u64),
}

/// What has not been sent yet.
#[derive(Debug)]
pub(super) struct Plan {
    limits: Limits,
    pending: Vec<u8>,
    parts: u64,
}

impl Plan {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, pending: Vec::new(), parts: 0 }
    }

    /// Takes from `body` until a part is full, and gives that; `None` once all of `body` is taken in.
    pub(super) fn append(&mut self, body: &mut &[u8]) -> Option<Bytes> {
        if body.is_empty() {
            return None;
        }
        let target = self.limits.body(self.parts) as usize;
        if self.pending.capacity() < target {
            // Untouched memory costs nothing, and a part never moves while it grows.
            self.pending.reserve_exact(target - self.pending.len());
        }
        let (taken, rest) = body.split_at(body.len().min(target - self.pending.len()));
        self.pending.extend_from_slice(taken);
        *body = rest;
        if self.pending.len() == target { self.flush() } else { None }
    }

    /// Where `range` of a source must be cut so that what is pending can become a part, and the rest too.
    pub(super) fn cut(&self, range: &Range<u64>) -> Cut {
        let pending = self.pending.len() as u64;
        let fill = if pending == 0 { 0 } else { self.limits.floor(self.parts).saturating_sub(pending) };
        let from = range.start + fill;
        let next = self.parts + u64::from(pending > 0);
        // A source that reaches beyond `smallest` is larger than it.
        if from + self.limits.floor(next) <= range.end && range.end > self.limits.smallest {
            Cut::CopyFrom(from)
        } else {
            Cut::Read
        }
    }

    /// What is pending, as a part.
    pub(super) fn flush(&mut self) -> Option<Bytes> {
        if self.pending.is_empty() {
            return None;
        }
        self.parts += 1;
        Some(Bytes::from(mem::take(&mut self.pending)))
    }

    /// Splits what [`Plan::cut`] leaves to copy into parts. Nothing may be pending.
    pub(super) fn pieces(&mut self, range: Range<u64>) -> Vec<Range<u64>> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let left = range.end - start;
            let mut take = self.limits.copy(self.parts).min(left);
            // A remainder too small for a part of its own shares evenly with this one.
            if take < left && left - take < self.limits.floor(self.parts + 1) {
                take = left / 2;
            }
            pieces.push(start..start + take);
            start += take;
            self.parts += 1;
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// S3's limits in miniature: 5..=5120 bytes, sizes double every 8 parts.
    const TINY: Limits = Limits { smallest: 5, body: 8, largest_body: 2048, copy_factor: 16, largest: 5120, step: 8 };

    #[derive(Debug, Clone)]
    enum Step {
        Append(usize),
        Copy(Range<u64>),
    }

    #[derive(Debug, PartialEq)]
    enum Part {
        Body(Vec<u8>),
        Copy(Range<u64>),
    }

    fn source() -> Vec<u8> {
        (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let append = prop_oneof![0..6_usize, 0..40_usize, 0..3000_usize].prop_map(Step::Append);
        let copy = (0..20_000_u64, prop_oneof![0..12_u64, 0..80_u64, 0..20_000_u64])
            .prop_map(|(start, len)| Step::Copy(start..(start + len).min(20_000)));
        prop::collection::vec(prop_oneof![append, copy], 0..40)
    }

    fn append(plan: &mut Plan, mut body: &[u8], parts: &mut Vec<Part>) {
        while let Some(part) = plan.append(&mut body) {
            parts.push(Part::Body(part.to_vec()));
        }
        assert!(body.is_empty());
    }

    /// Does as the upload does, without a store.
    fn run(steps: &[Step], source: &[u8]) -> (Vec<Part>, Plan) {
        let mut plan = Plan::new(TINY);
        let mut parts = Vec::new();
        let slice = |range: Range<u64>| &source[range.start as usize..range.end as usize];
        for step in steps {
            match step {
                Step::Append(len) => append(&mut plan, &source[..*len], &mut parts),
                Step::Copy(range) => match plan.cut(range) {
                    Cut::Read => append(&mut plan, slice(range.clone()), &mut parts),
                    Cut::CopyFrom(from) => {
                        append(&mut plan, slice(range.start..from), &mut parts);
                        parts.extend(plan.flush().map(|body| Part::Body(body.to_vec())));
                        parts.extend(plan.pieces(from..range.end).into_iter().map(Part::Copy));
                    }
                },
            }
        }
        parts.extend(plan.flush().map(|body| Part::Body(body.to_vec())));
        (parts, plan)
    }

    proptest! {
        #[test]
        fn parts_are_the_input_within_the_limits(steps in steps()) {
            let source = source();
            let (parts, plan) = run(&steps, &source);
            prop_assert_eq!(plan.parts, parts.len() as u64);

            let mut expected = Vec::new();
            for step in &steps {
                match step {
                    Step::Append(len) => expected.extend_from_slice(&source[..*len]),
                    Step::Copy(range) => expected.extend_from_slice(&source[range.start as usize..range.end as usize]),
                }
            }
            let mut actual = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let before = actual.len();
                match part {
                    Part::Body(body) => actual.extend_from_slice(body),
                    Part::Copy(range) => {
                        prop_assert!(range.end - range.start >= TINY.smallest && range.end > TINY.smallest);
                        actual.extend_from_slice(&source[range.start as usize..range.end as usize]);
                    }
                }
                let size = (actual.len() - before) as u64;
                prop_assert!(size <= TINY.largest, "part {} of {} bytes", index, size);
                if index + 1 < parts.len() {
                    prop_assert!(size >= TINY.floor(index as u64), "part {} of {} bytes", index, size);
                }
            }
            prop_assert_eq!(actual, expected);
        }

        #[test]
        fn a_long_range_splits_into_parts_of_its_own(len in 5 * MIB + 1..6 * 1024 * GIB, parts in 0..4000_u64) {
            let mut plan = Plan { parts, ..Plan::new(S3) };
            prop_assume!(plan.cut(&(0..len)) == Cut::CopyFrom(0));
            let pieces = plan.pieces(0..len);
            let mut end = 0;
            for (piece, index) in pieces.iter().zip(parts..) {
                prop_assert_eq!(piece.start, end);
                prop_assert!((S3.floor(index)..=S3.largest).contains(&(piece.end - piece.start)));
                end = piece.end;
            }
            prop_assert_eq!(end, len);
        }
    }

    #[test]
    fn ten_thousand_least_parts_hold_the_largest_object() {
        let least: u64 = (0..10_000).map(|index| S3.floor(index)).sum();
        assert!(least >= 5 * 1024 * GIB, "{least}");
        assert!((0..10_000).all(|index| S3.floor(index) >= 5 * MIB && S3.copy(index) <= 5 * GIB));
    }

    #[test]
    fn a_short_prefix_is_filled_from_the_range() {
        let mut plan = Plan::new(S3);
        assert_eq!(plan.append(&mut b"PAR1".as_slice()), None);
        assert_eq!(plan.cut(&(100..100 + 20 * MIB)), Cut::CopyFrom(100 + 5 * MIB - 4));
        assert_eq!(plan.cut(&(100..100 + 9 * MIB)), Cut::Read);
    }

    #[test]
    fn a_source_that_may_be_no_larger_than_the_least_part_is_read() {
        let plan = Plan::new(S3);
        assert_eq!(plan.cut(&(0..5 * MIB)), Cut::Read);
        assert_eq!(plan.cut(&(1..5 * MIB + 1)), Cut::CopyFrom(1));
    }
}
