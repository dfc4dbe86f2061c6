//! JSON arrays and objects → lists and structs in the sink.
//!
//! As deep as the column's type and no deeper: what is not in it is only passed over.

use super::{
    Reader,
    scalar::{misfit, put, scalar},
};
use crate::{
    contract::{
        Node, Sink,
        refused::{Refused, Result},
        value::Value,
    },
    dataset::ColumnType,
    error::Code,
    lexer::{Lexer, inner, said},
};

impl Reader<'_> {
    /// A value inside a list or struct, or one of these itself.
    pub(super) fn nested(&mut self, lexer: &mut Lexer<'_>, node: &Node, sink: &mut impl Sink) -> Result<()> {
        if lexer.peek() == b'n' {
            lexer.token()?;
            sink.null(node.id);
            return Ok(());
        }
        match (&node.r#type, lexer.peek()) {
            (ColumnType::Json, _) => sink.value(node.id, Value::Text(lexer.skip()?)),
            (ColumnType::List(_), b'[') => self.list(lexer, node, sink)?,
            (ColumnType::Struct(_), b'{') => self.structure(lexer, node, sink)?,
            (ColumnType::List(_) | ColumnType::Struct(_), _) => {
                lexer.skip()?;
                return Err(misfit(node));
            }
            _ => {
                let (value, json) = scalar(lexer, node, &mut self.rooms.text, &mut self.rooms.bytes)?;
                put(node, value, json, sink);
            }
        }
        Ok(())
    }

    fn list(&mut self, lexer: &mut Lexer<'_>, node: &Node, sink: &mut impl Sink) -> Result<()> {
        lexer.enter()?;
        sink.open(node.id);
        let (_, item) = &node.inner[0];
        let mut index = 0;
        while lexer.more(index == 0, b']')? {
            let mark = (!item.inner.is_empty()).then(|| self.row.extra.open_item(index));
            self.nested(lexer, item, sink).map_err(|refused| refused.at(index))?;
            if let Some(mark) = mark {
                self.row.extra.close(mark);
            }
            index += 1;
        }
        sink.close(node.id);
        Ok(())
    }

    fn structure(&mut self, lexer: &mut Lexer<'_>, node: &Node, sink: &mut impl Sink) -> Result<()> {
        lexer.enter()?;
        sink.open(node.id);
        let base = self.row.members.len();
        self.row.members.resize(base + node.inner.len(), false);
        let (mut hint, mut first) = (0, true);
        while lexer.more(first, b'}')? {
            first = false;
            let (written, at) = self.member(lexer, node, hint)?;
            let Some(at) = at else {
                self.unknown(lexer, written).map_err(|refused| refused.within(written))?;
                continue;
            };
            hint = at + 1;
            let (name, member) = &node.inner[at];
            if std::mem::replace(&mut self.row.members[base + at], true) {
                return Err(Refused::new(Code::DuplicateField, "the field occurs twice").within(name));
            }
            let mark = (!member.inner.is_empty()).then(|| self.row.extra.open(written));
            self.nested(lexer, member, sink).map_err(|refused| refused.within(name))?;
            if let Some(mark) = mark {
                self.row.extra.close(mark);
            }
        }
        for (at, (_, member)) in node.inner.iter().enumerate() {
            if !self.row.members[base + at] {
                sink.null(member.id);
            }
        }
        self.row.members.truncate(base);
        sink.close(node.id);
        Ok(())
    }

    /// The next field's name as it is written, and which member it is, if any: that may well be the one at `hint`.
    fn member<'t, 'l: 't>(
        &mut self,
        lexer: &mut Lexer<'l>,
        node: &'t Node,
        hint: usize,
    ) -> Result<(&'t str, Option<usize>)> {
        if let Some((_, member)) = node.inner.get(hint).filter(|(_, member)| lexer.passes(&member.written)) {
            return Ok((inner(&member.written), Some(hint)));
        }
        let raw = lexer.name()?;
        let name = said(raw, &mut self.rooms.name);
        Ok((raw.text, node.inner.iter().position(|(known, _)| known == name)))
    }
}
