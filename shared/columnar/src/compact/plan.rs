//! A partition's files → groups of them that pay to become one file each.
//!
//! Pure: what is there and what time it is come in.

use std::time::Duration;

use headgate::{
    clock::Timestamp,
    dataset::stream::{Compact, Granularity},
    landing::{Mark, object_name, object_place},
    partition::time_end,
    store::{LONGEST_KEY, ObjectMeta, PAGE},
};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

/// What the names of compacted files begin with.
pub const SOURCE: &str = "compact";

/// No file is replaced before it is this old. Longer than anything in Lambda can live: whoever wrote it, or means to,
/// is gone by then.
pub(super) const LEAST_AGE: Duration = Duration::from_hours(1);
/// A compacted file is taken again only where at least this share of it is added.
const SHARE: u64 = 4;

/// Why a partition is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// Its time is not over for long enough.
    Open,
    /// A file came within the last hour.
    StillWritten,
    /// Its path is none of the dataset's.
    Unrecognized,
    /// It has too few small files.
    FewFiles,
    /// Its path is so long that the key of a new file would not fit S3. None that this dataset makes is.
    LongPath,
}

/// What a partition is judged by.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) compact: Compact,
    pub(super) time: Option<Granularity>,
    pub(super) now: Timestamp,
}

impl Rules {
    /// The files of a closed partition that are small, old and of this table. `path` is relative to the table.
    pub(super) fn candidates(&self, path: &str, files: Vec<ObjectMeta>) -> Result<Vec<ObjectMeta>, Skip> {
        let age = match self.time {
            Some(granularity) => {
                let end = time_end(path, granularity).ok_or(Skip::Unrecognized)?;
                if end.plus(self.compact.after) > self.now {
                    return Err(Skip::Open);
                }
                LEAST_AGE
            }
            // Such a partition never ends: its old files do.
            None => LEAST_AGE.max(self.compact.after),
        };
        let is_young = |file: &ObjectMeta| file.last_modified.plus(age) > self.now;
        if self.time.is_some() && files.iter().any(|file| is_young(file) && !is_own(&file.key)) {
            return Err(Skip::StillWritten);
        }
        Ok(files.into_iter().filter(|file| !is_young(file) && file.size < self.compact.target / 2).collect())
    }

    /// Groups of at most about the target's size. Files that came one after the other stay together, for their rows
    /// happened at about the same time.
    pub(super) fn groups(&self, mut files: Vec<ObjectMeta>) -> Vec<Vec<ObjectMeta>> {
        files.sort_by(|a, b| (a.last_modified, &a.key).cmp(&(b.last_modified, &b.key)));
        leave_what_does_not_pay(&mut files);
        let (mut groups, mut group, mut bytes) = (Vec::new(), Vec::new(), 0);
        for file in files {
            if !group.is_empty() && (bytes + file.size > self.compact.target || group.len() == PAGE) {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
            bytes += file.size;
            group.push(file);
        }
        groups.push(group);
        groups.retain(|group| group.len() >= self.compact.min_files);
        for group in &mut groups {
            group.sort_by(|a, b| a.key.cmp(&b.key));
        }
        groups
    }
}

/// Without that a few late rows would have a large file written anew each time.
fn leave_what_does_not_pay(files: &mut Vec<ObjectMeta>) {
    loop {
        let bytes: u64 = files.iter().map(|file| file.size).sum();
        let own = files.iter().enumerate().filter(|(_, file)| is_own(&file.key)).max_by_key(|(_, file)| file.size);
        match own {
            Some((at, file)) if file.size > SHARE * (bytes - file.size) => _ = files.remove(at),
            _ => return,
        }
    }
}

/// Whether this is a file that a compaction wrote.
pub(super) fn is_own(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    object_place(name).is_some_and(|(source, shard, _)| source == SOURCE && is_hash(&shard))
}

/// Whether this is what a hash of 128 bits is written as.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name of the file that these become, which are in the order of their keys: the same for the same.
pub(super) fn output_name(inputs: &[ObjectMeta]) -> String {
    let text: Vec<_> = inputs.iter().map(|input| format!("{}\n{}\n", input.key, input.etag)).collect();
    let hash = format!("{:032x}", xxh3_128(text.concat().as_bytes()));
    object_name(SOURCE, &hash, &Mark::from(inputs.len() as u64), "parquet")
}

/// Whether a new file's key fits beside this folder.
pub(super) fn has_room(folder: &str) -> bool {
    folder.len() + output_name(&[]).len() <= LONGEST_KEY
}

#[cfg(test)]
mod tests;
