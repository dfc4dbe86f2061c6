//! A value that several columns share → the fields in it that none of them takes.
//!
//! Compiled beside the tree of fields; asked only where a value has more than one taker.

use super::{
    Node,
    tree::{Branch, Step, Taker},
};
use crate::dataset::ColumnType;

/// What is taken of a value.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// All of it.
    pub(super) whole: bool,
    /// Fields of an object.
    fields: Vec<(String, Known)>,
    /// Items of an array.
    pub(super) items: Option<Box<Known>>,
}

impl Known {
    /// What the takers of this field take together; `nodes` are the columns', and whether they are erased.
    pub(super) fn of(step: &Step, nodes: &[(&Node, bool)]) -> Self {
        let mut known = Self::default();
        for taker in &step.takers {
            match taker {
                // Where it is an object that others look into, it is not the value.
                Taker::Fallback(_) if step.inner.is_some() => {}
                Taker::Column(index) | Taker::Fallback(index) => match nodes.get(*index) {
                    Some((node, false)) => known.take(node),
                    _ => known.whole = true,
                },
                Taker::RecordType => known.whole = true,
            }
        }
        if let Some(inner) = &step.inner {
            known.branch(inner, nodes);
        }
        known
    }

    fn branch(&mut self, branch: &Branch, nodes: &[(&Node, bool)]) {
        for step in branch.steps() {
            self.field(&step.name).merge(Self::of(step, nodes));
        }
    }

    fn take(&mut self, node: &Node) {
        match &node.r#type {
            ColumnType::Struct(_) => node.inner.iter().for_each(|(name, member)| self.field(name).take(member)),
            ColumnType::List(_) => {
                let items = self.items.get_or_insert_default();
                node.inner.iter().for_each(|(_, item)| items.take(item));
            }
            _ => self.whole = true,
        }
    }

    fn field(&mut self, name: &str) -> &mut Self {
        let at = self.fields.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.fields.push((name.to_owned(), Self::default()));
            self.fields.len() - 1
        });
        &mut self.fields[at].1
    }

    fn merge(&mut self, other: Self) {
        self.whole |= other.whole;
        other.fields.into_iter().for_each(|(name, known)| self.field(&name).merge(known));
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items);
        }
    }

    /// What is taken of the field of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, known)| known)
    }
}
