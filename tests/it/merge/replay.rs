//! Change files → the table, in the plainest way: every row in order, in memory, nothing shared with the engine.

use std::collections::BTreeMap;

use super::file::{File, Row, Value};

/// A table as readers see it: rows by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: BTreeMap<Vec<String>, Vec<Value>>,
}

impl Table {
    /// The same with its columns in the order of their names.
    pub fn by_name(self) -> Self {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|&at| &self.columns[at]);
        let sorted = |row: Vec<Value>| order.iter().map(|&at| row[at].clone()).collect();
        let rows = self.rows.into_iter().map(|(key, row)| (key, sorted(row))).collect();
        Self { columns: order.iter().map(|&at| self.columns[at].clone()).collect(), rows }
    }
}

/// What the files make of the table. `whole`: a column that a file does not have is gone; else it may be left out.
pub fn replay<'a>(keys: &[String], files: impl IntoIterator<Item = &'a File>, whole: bool) -> Table {
    let mut replay = Replay { keys, whole, columns: Vec::new(), rows: BTreeMap::new() };
    let mut files: Vec<&File> = files.into_iter().collect();
    files.sort_by_key(|file| order(file));
    for file in files {
        replay.columns(file);
        for row in &file.rows {
            replay.row(file, row);
        }
    }
    replay.table()
}

/// Full load by its hexadecimal number, then changes by their names, whatever the folders.
fn order(file: &File) -> (bool, u32, String, String) {
    let name = file.name.rsplit('/').next().unwrap_or_default().to_owned();
    let number = name.strip_prefix("LOAD").map_or(0, |hex| u32::from_str_radix(hex, 16).expect("a number"));
    (!file.is_load(), number, name, file.name.clone())
}

struct Replay<'a> {
    keys: &'a [String],
    whole: bool,
    columns: Vec<String>,
    rows: BTreeMap<Vec<String>, BTreeMap<String, Value>>,
}

impl Replay<'_> {
    fn columns(&mut self, file: &File) {
        let names: Vec<String> = file.columns.iter().map(|(name, _)| name.clone()).collect();
        if !self.whole {
            // A truncate has no row that could say them.
            if file.rows.iter().all(|row| row.op == 'T') {
                return;
            }
            let new = names.into_iter().filter(|name| !self.columns.contains(name)).collect::<Vec<_>>();
            self.columns.extend(new);
            return;
        }
        for row in self.rows.values_mut() {
            row.retain(|name, _| names.contains(name));
        }
        self.columns = names;
    }

    fn row(&mut self, file: &File, row: &Row) {
        let image: BTreeMap<String, Value> =
            file.columns.iter().zip(&row.values).map(|((name, _), value)| (name.clone(), value.clone())).collect();
        let key = || self.keys.iter().map(|key| image[key].clone().expect("a key")).collect::<Vec<_>>();
        match row.op {
            'T' => self.rows.clear(),
            'D' => {
                self.rows.remove(&key());
            }
            _ => {
                let key = key();
                if let Some(old) = row.old.as_ref().filter(|_| row.op == 'U') {
                    self.rows.remove(old);
                }
                self.rows.insert(key, image);
            }
        }
    }

    fn table(self) -> Table {
        let values = |row: BTreeMap<String, Value>| {
            self.columns.iter().map(|column| row.get(column).cloned().flatten()).collect()
        };
        let rows = self.rows.into_iter().map(|(key, row)| (key, values(row))).collect();
        Table { columns: self.columns, rows }
    }
}
