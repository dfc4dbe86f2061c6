//! Bytes → the lines of a file, one at a time.

use headgate::{Code, dataset::Dataset};
use memchr::memchr;

use super::envelope::Envelope;
use crate::{
    changes::{FileKind, Refusal},
    read::{Open, Place, input::Input},
};

/// A file's lines, and which one is at hand.
#[derive(Debug)]
pub(super) struct Lines {
    input: Input,
    kind: FileKind,
    op_column: String,
    /// Bytes of the line at hand, its end included; 0 where it is not found yet.
    length: usize,
    line: u64,
}

impl Lines {
    pub(super) fn open(kind: FileKind, dataset: &Dataset, open: Open<'_>) -> Result<Self, Refusal> {
        let op_column = dataset.source.op_column.clone();
        Ok(Self { input: Input::open(open)?, kind, op_column, length: 0, line: 1 })
    }

    /// Whether there is a line at hand.
    pub(super) fn find(&mut self) -> Result<bool, Refusal> {
        while self.length == 0 {
            let text = self.input.unread();
            match memchr(b'\n', text) {
                Some(end) => self.length = end + 1,
                None if !self.input.ended() => self.input.more().map_err(|refusal| refusal.at(self.place()))?,
                None if text.is_empty() => return Ok(false),
                None => self.length = text.len(),
            }
        }
        Ok(true)
    }

    /// The change on the line at hand; `None` where it is none.
    pub(super) fn envelope(&self) -> Result<Option<Envelope<'_>>, Refusal> {
        let line = &self.input.unread()[..self.length];
        let line = std::str::from_utf8(line)
            .map_err(|_| self.place().refuse(Code::UnreadableFile, "the text is not UTF-8"))?;
        Envelope::of(line, self.place(), self.kind, &self.op_column)
    }

    /// Goes to the next line.
    pub(super) fn advance(&mut self) {
        self.input.consume(self.length);
        self.length = 0;
        self.line += 1;
    }

    /// Bytes of the line at hand.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn place(&self) -> Place {
        Place::Line(self.line)
    }
}
