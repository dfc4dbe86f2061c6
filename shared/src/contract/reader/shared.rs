//! A value that several columns share → each of them.
//!
//! It is read once for each taker. What none of them takes is told once.

use super::Reader;
use crate::contract::{
    Sink,
    extra::Leftover,
    known::Known,
    refused::Result,
    tree::{Step, Taker},
};
use crate::lexer::{Lexer, Token, said};

impl Reader<'_> {
    /// A value that is asked for more than once.
    pub(super) fn several(
        &mut self,
        lexer: &mut Lexer<'_>,
        step: &Step,
        name: &str,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let value = lexer.skip()?;
        let leftover = std::mem::replace(&mut self.row.leftover, Leftover::Ignore);
        for taker in &step.takers {
            match taker {
                Taker::Column(index) => self.column(&mut Lexer::new(value, 0), *index, sink)?,
                Taker::Fallback(_) if step.inner.is_some() && value.starts_with('{') => {}
                Taker::Fallback(index) => self.row.fallbacks.note(*index, value),
                Taker::RecordType => self.row.control = value == "\"control\"",
            }
        }
        if let Some(inner) = step.inner.as_ref().filter(|_| value.starts_with('{')) {
            self.branch(&mut Lexer::new(value, 0), inner, sink)?;
        }
        self.row.leftover = if step.envelope { leftover.in_envelope() } else { leftover };
        let mark = self.row.extra.open(name);
        self.rest(&mut Lexer::new(value, 0), &step.known)?;
        self.row.extra.close(mark);
        self.row.leftover = leftover;
        Ok(())
    }

    /// What of the value is not known.
    fn rest(&mut self, lexer: &mut Lexer<'_>, known: &Known) -> Result<()> {
        lexer.peek();
        if known.whole {
            lexer.skip()?;
            return Ok(());
        }
        match lexer.token()? {
            Token::Object => self.rest_of_object(lexer, known),
            Token::Array => self.rest_of_array(lexer, known),
            _ => Ok(()),
        }
    }

    fn rest_of_object(&mut self, lexer: &mut Lexer<'_>, known: &Known) -> Result<()> {
        let mut first = true;
        while lexer.more(first, b'}')? {
            first = false;
            let raw = lexer.name()?;
            let read = match known.get(said(raw, &mut self.rooms.name)) {
                Some(inner) => {
                    let mark = self.row.extra.open(raw.text);
                    self.rest(lexer, inner).map(|()| self.row.extra.close(mark))
                }
                None => self.unknown(lexer, raw.text),
            };
            read.map_err(|refused| refused.within(raw.text))?;
        }
        Ok(())
    }

    fn rest_of_array(&mut self, lexer: &mut Lexer<'_>, known: &Known) -> Result<()> {
        let mut index = 0;
        while lexer.more(index == 0, b']')? {
            let mark = self.row.extra.open_item(index);
            match &known.items {
                Some(item) => self.rest(lexer, item).map_err(|refused| refused.at(index))?,
                None => {
                    lexer.skip()?;
                }
            }
            self.row.extra.close(mark);
            index += 1;
        }
        Ok(())
    }
}
