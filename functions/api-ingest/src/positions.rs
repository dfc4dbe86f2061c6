//! Places in a body → ranges, for a body that is accepted in part mostly is so in runs.
//!
//! In order, without overlap, and never longer than the body: what is stored and answered stays small.

use serde::{Deserialize, Serialize};

/// A set of places, the first being 0; as JSON `[[first, last], …]`, both included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Positions(Vec<(usize, usize)>);

impl Positions {
    /// The places that `places` gives, in any order.
    pub fn of(places: impl IntoIterator<Item = usize>) -> Self {
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_unstable();
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for place in places {
            match ranges.last_mut() {
                Some((_, last)) if place <= *last + 1 => *last = place,
                _ => ranges.push((place, place)),
            }
        }
        Self(ranges)
    }

    /// These places and those of `others`.
    #[must_use]
    pub fn with(&self, others: impl IntoIterator<Item = usize>) -> Self {
        Self::of(self.iter().chain(others))
    }

    /// The places, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Of the places `0..of`, those that are not in here, in order.
    pub fn rest(&self, of: usize) -> impl Iterator<Item = usize> {
        let starts = std::iter::once(0).chain(self.0.iter().map(|(_, last)| last + 1));
        let ends = self.0.iter().map(|(first, _)| *first).chain(std::iter::once(of));
        starts.zip(ends).flat_map(|(start, end)| start..end)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|(first, last)| last + 1 - first).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(places: &[usize], of: usize, ranges: &str, rest: &[usize]) {
        let positions = Positions::of(places.iter().copied());
        assert_eq!(serde_json::to_string(&positions).unwrap(), ranges);
        assert_eq!(serde_json::from_str::<Positions>(ranges).unwrap(), positions);
        assert_eq!(positions.rest(of).collect::<Vec<_>>(), rest);
        assert_eq!(positions.len() + rest.len(), of);
        assert_eq!(positions.with(rest.iter().copied()), Positions::of(0..of));
    }

    #[test]
    fn runs_become_ranges() {
        check(&[], 0, "[]", &[]);
        check(&[], 2, "[]", &[0, 1]);
        check(&[0, 1, 2], 3, "[[0,2]]", &[]);
        check(&[5, 1, 0], 7, "[[0,1],[5,5]]", &[2, 3, 4, 6]);
        check(&[3], 4, "[[3,3]]", &[0, 1, 2]);
    }
}
