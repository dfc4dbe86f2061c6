//! A store → what a consumer landed in it.

use std::collections::BTreeMap;

use bytes::Bytes;
use headgate::{
    quarantine::Line,
    store::{Store, memory::MemoryStore},
};
use headgate_columnar::rows;
use serde_json::{Value, json};

/// What a lake holds.
pub struct Landed<S = MemoryStore> {
    pub store: S,
}

impl<S: Store> Landed<S> {
    /// The objects under a prefix.
    pub async fn objects(&self, prefix: &str) -> Vec<(String, Bytes)> {
        let mut objects = Vec::new();
        for object in self.store.list(prefix, None).await.unwrap().objects {
            let (_, body) = self.store.get(&object.key).await.unwrap().unwrap();
            objects.push((object.key, body));
        }
        objects
    }

    /// How many objects the table has.
    pub async fn files(&self) -> usize {
        self.objects("raw/").await.len()
    }

    /// How often each value of the column is in the table.
    pub async fn values(&self, column: &str) -> BTreeMap<String, u64> {
        let mut values = BTreeMap::new();
        for (_, body) in self.objects("raw/").await {
            let rows = rows::read(body, None).unwrap();
            let at = rows.columns.iter().position(|name| name == column).unwrap();
            for row in &rows.rows {
                *values.entry(row[at].clone().unwrap_or_default()).or_default() += 1;
            }
        }
        values
    }

    /// The table's rows by object, with the names of the columns that are not null.
    pub async fn lines(&self) -> BTreeMap<String, Vec<String>> {
        let mut lines = BTreeMap::new();
        for (key, body) in self.objects("raw/").await {
            let rows = rows::read(body, None).unwrap();
            let line = |row: &Vec<Option<String>>| {
                let values = rows.columns.iter().zip(row);
                let there = values.filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
                there.collect::<Vec<_>>().join(" ")
            };
            lines.insert(key, rows.rows.iter().map(line).collect());
        }
        lines
    }

    /// What is in quarantine.
    pub async fn refused(&self) -> Vec<Line> {
        let objects = self.objects("quarantine/").await;
        let lines = objects.iter().flat_map(|(_, body)| std::str::from_utf8(body).unwrap().lines());
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many documents are refused for each reason.
    pub async fn reasons(&self) -> BTreeMap<String, u64> {
        let mut reasons = BTreeMap::new();
        for line in self.refused().await {
            *reasons.entry(line.code).or_default() += 1;
        }
        reasons
    }

    /// All that is there, in a form that does not change from run to run.
    pub async fn seen(&self) -> Value {
        let refused = self.refused().await.into_iter().map(|line| {
            let text = line.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            json!({"code": line.code, "reason": line.reason, "path": line.path,
                "position": line.position.to_string(), "document": line.document, "raw": text})
        });
        let refused: Vec<_> = refused.collect();
        json!({"rows": self.lines().await, "refused": refused})
    }
}
