//! The second places of columns → the values of those that have none at the first.
//!
//! They are read after the whole record: which place comes first in it must not matter.

use std::ops::Range;

use super::Reader;
use crate::{
    contract::{Column, Sink, extra::Leftover, refused::Result},
    lexer::Lexer,
};

/// What is at the second places of columns.
#[derive(Debug, Default)]
pub(super) struct Fallbacks {
    text: String,
    values: Vec<(usize, Range<usize>)>,
}

impl Fallbacks {
    pub(super) fn note(&mut self, column: usize, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.values.push((column, start..self.text.len()));
    }

    fn of(&self, column: usize) -> Option<&str> {
        let (_, range) = self.values.iter().find(|(of, _)| *of == column)?;
        self.text.get(range.clone())
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
    }
}

impl Reader<'_> {
    /// Takes what is at the second place of a column, if anything is.
    pub(super) fn fallback(&mut self, index: usize, column: &Column, sink: &mut impl Sink) -> Result<bool> {
        let Some(path) = &column.fallback else { return Ok(false) };
        let fallbacks = std::mem::take(&mut self.row.fallbacks);
        let value = fallbacks.of(index).filter(|value| *value != "null");
        let is_there = value.is_some();
        // What of it is unknown was told where it stood.
        let leftover = std::mem::replace(&mut self.row.leftover, Leftover::Ignore);
        let read = value.map_or(Ok(()), |value| self.given(&mut Lexer::new(value, 0), index, column, sink));
        self.row.leftover = leftover;
        self.row.fallbacks = fallbacks;
        read.map_err(|refused| path.iter().rev().fold(refused, |inner, name| inner.within(name)))?;
        Ok(is_there)
    }
}
