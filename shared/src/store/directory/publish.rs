//! Bytes → an object that appears whole or not at all.
//!
//! Nothing is ever written in place: a draft becomes the object by one link or rename, under the key's lock. The
//! kernel drops a lock with its process, so a kill leaves at most a draft. Power loss is out of scope: no fsync.

use std::{
    collections::hash_map::RandomState,
    fs::{self, File},
    hash::{BuildHasher, Hasher},
    io,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Directory, digest::tag, failure, paths};
use crate::{
    clock::{Clock, SystemClock},
    store::{Condition, ETag, Result, StoreError},
};

/// A draft that has not been written to for so long belongs to a dead process.
const ABANDONED: Duration = Duration::from_hours(24);

/// How often a folder may be removed under our feet before we take it for another fault.
const ATTEMPTS: usize = 1000;

const DRAFT_SUFFIX: &str = ".draft";

/// A file that nobody sees yet; gone when dropped.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    pub(super) file: File,
}

impl Draft {
    pub(super) fn create(root: &Path) -> io::Result<Self> {
        // Process ids repeat across containers that share a folder: the number tells two processes apart.
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let folder = drafts(root);
        loop {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{}-{:016x}-{next}{DRAFT_SUFFIX}", std::process::id(), *PROCESS));
            match File::options().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { path, file }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(&folder)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Draft {
    /// Puts it where it belongs, over what is there.
    pub(super) fn rename(&self, to: &Path) -> io::Result<()> {
        fs::rename(&self.path, to)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once renamed it is not there any more, and a leftover is swept a day later.
        let _ = fs::remove_file(&self.path);
    }
}

fn drafts(root: &Path) -> PathBuf {
    root.join(paths::CONTROL).join("tmp")
}

/// Removes the drafts that dead processes left.
pub(super) fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(drafts(root)) else { return };
    let limit = SystemClock.now().minus(ABANDONED);
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.ends_with(DRAFT_SUFFIX));
        let old = entry.metadata().is_ok_and(|meta| super::modified(&meta) < limit);
        if ours
            && old
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %error, "an abandoned draft cannot be removed");
        }
    }
}

/// Excludes every other writer of the key, in this process and in others, until dropped.
fn lock(root: &Path, key: &str) -> io::Result<File> {
    // A few thousand locks serve any number of keys; two keys that share one only wait for each other.
    let name = format!("{:03x}", xxhash_rust::xxh3::xxh3_64(key.as_bytes()) & 0xfff);
    let folder = root.join(paths::CONTROL).join("locks");
    let open = || File::options().write(true).create(true).truncate(false).open(folder.join(&name));
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(&folder)?;
            open()?
        }
        other => other?,
    };
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map(|()| file),
        }
    }
}

impl Directory {
    /// Turns the draft, whose content has this digest, into the object.
    pub(super) fn publish(&self, key: &str, draft: &Draft, digest: u128, condition: &Condition) -> Result<ETag> {
        let path = paths::of_key(&self.root, key)?;
        let _lock = lock(&self.root, key).map_err(|error| failure(key, &error))?;
        if let Condition::Matches(expected) = condition
            && self.current(key, &path)?.as_ref() != Some(expected)
        {
            return Err(StoreError::Changed { key: key.to_owned() });
        }
        place(key, &path, draft, *condition == Condition::Absent)?;
        // The link or rename changed the file's identity: take it last.
        if let Ok(meta) = draft.file.metadata() {
            self.digests.remember(&meta, digest);
        }
        Ok(tag(digest))
    }

    /// Removes the object and the folders it leaves empty: a store of keys has no folders.
    pub(super) fn remove(&self, key: &str) -> Result<()> {
        let path = paths::of_key(&self.root, key)?;
        let _lock = lock(&self.root, key).map_err(|error| failure(key, &error))?;
        match fs::remove_file(&path) {
            Err(error) if absent(&error) || error.kind() == io::ErrorKind::IsADirectory => return Ok(()),
            other => other.map_err(|error| failure(key, &error))?,
        }
        let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
        for folder in folders {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn current(&self, key: &str, path: &Path) -> Result<Option<ETag>> {
        Ok(self.open(key, path)?.map(|(_, etag, _)| etag))
    }
}

fn place(key: &str, path: &Path, draft: &Draft, exclusive: bool) -> Result<()> {
    for _ in 0..ATTEMPTS {
        let placed = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            if exclusive {
                fs::hard_link(&draft.path, path)?;
                // It is published, whatever becomes of the draft's own name.
                let _ = fs::remove_file(&draft.path);
                Ok(())
            } else {
                exchange(&draft.path, path)
            }
        });
        let Err(error) = placed else { return Ok(()) };
        match error.kind() {
            // A concurrent delete removed the folder before the last call.
            io::ErrorKind::NotFound => {}
            // A folder with nothing in it is not an object: it is left from a killed delete.
            _ if path.is_dir() && fs::remove_dir(path).is_ok() => {}
            _ if path.is_dir() => return Err(refused(key, "other keys begin with this one and a `/`")),
            io::ErrorKind::AlreadyExists if exclusive && path.symlink_metadata().is_ok() => {
                return Err(StoreError::Changed { key: key.to_owned() });
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists
                if path.ancestors().skip(1).any(Path::is_file) =>
            {
                return Err(refused(key, "a part of the key before a `/` is an object itself"));
            }
            // `create_dir_all` saw a folder that was gone when it looked again.
            io::ErrorKind::AlreadyExists => {}
            _ => return Err(failure(key, &error)),
        }
    }
    Err(StoreError::Unavailable { key: key.to_owned(), reason: "its folder keeps vanishing".to_owned() })
}

/// Puts the draft in the object's place in one step. The two files change names: a plain rename over a file makes
/// ext4 write the whole draft to the disk first, which takes as long as the disk is busy. What was the object goes
/// with the draft.
fn exchange(draft: &Path, path: &Path) -> io::Result<()> {
    if path.is_file() && renameat_with(CWD, draft, CWD, path, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    // Nothing there yet, or a file system that cannot exchange.
    fs::rename(draft, path)
}

fn refused(key: &str, reason: &str) -> StoreError {
    StoreError::Refused { key: key.to_owned(), reason: format!("a directory cannot hold it: {reason}") }
}

/// Whether the failure says that there is no such file.
pub(super) fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
