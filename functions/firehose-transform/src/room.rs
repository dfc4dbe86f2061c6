//! An answer's bytes → how many are left.
//!
//! What a record takes is known before it is promised: the least that each of the others takes is set aside from the
//! start, so that whatever becomes of them, the answer never outgrows its limit.

use headgate::event::firehose::{Outcome, PayloadField, Response, id_size};

/// Room for the answers to one request.
#[derive(Debug)]
pub(crate) struct Room {
    payload: PayloadField,
    most: usize,
    used: usize,
}

/// Whether an answer fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Yes, and its room is taken.
    Taken,
    /// Not beside the others.
    NotNow,
    /// Not even alone.
    Never,
}

impl Room {
    /// Room of `most` bytes for answers to the records of these ids, all of which are answered without data so far.
    pub(crate) fn new<'a>(payload: PayloadField, ids: impl Iterator<Item = &'a str>, most: usize) -> Self {
        // A comma more than there is.
        let used = ids.map(|id| id_size(id) + bare(payload) + 1).sum::<usize>() + Response::EMPTY;
        Self { payload, most, used }
    }

    /// How many bytes are taken.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Takes the room of this answer instead of the one without data.
    pub(crate) fn take(&mut self, id: &str, outcome: &Outcome<'_>) -> Fit {
        let size = outcome.size(self.payload);
        let with = self.used.saturating_add(size.saturating_sub(bare(self.payload)));
        if with <= self.most {
            self.used = with;
            return Fit::Taken;
        }
        if size.saturating_add(id_size(id) + Response::EMPTY) > self.most { Fit::Never } else { Fit::NotNow }
    }
}

/// The longest answer without data, its id aside.
fn bare(payload: PayloadField) -> usize {
    Outcome::ProcessingFailed.size(payload)
}

#[cfg(test)]
mod tests {
    use headgate::event::firehose::PartitionKeys;

    use super::*;

    fn ok(bytes: usize) -> Outcome<'static> {
        Outcome::Ok { data: vec![b'x'; bytes].into(), partition_keys: PartitionKeys::default() }
    }

    #[test]
    fn what_is_promised_fits() {
        let mut room = Room::new(PayloadField::Data, ["a", "b", "c"].into_iter(), 600);
        assert_eq!(room.take("a", &ok(300)), Fit::Taken);
        assert_eq!(room.take("b", &ok(300)), Fit::NotNow);
        assert_eq!(room.take("b", &ok(420)), Fit::Never);
        assert_eq!(room.take("c", &ok(9)), Fit::Taken);
        let mut response = Response::new(PayloadField::Data, room.used());
        response.push("a", &ok(300));
        response.push("b", &Outcome::ProcessingFailed);
        response.push("c", &ok(9));
        assert!(response.size() < room.used && room.used <= 600, "{} {}", response.size(), room.used);
    }
}
