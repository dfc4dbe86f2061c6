//! A folder → the names in it, in the order of the keys they stand for.
//!
//! Only names are read here: no file is opened, and none but a link is asked for its metadata.

use std::{
    collections::VecDeque,
    fs, io,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{digest::Identity, paths::CONTROL};
use crate::{
    clock::{Clock, SystemClock},
    store::PAGE,
};

/// How many large folders are remembered: the LOAD files, and the changes of the days that one merge looks at.
const REMEMBERED: usize = 16;

/// The names in one folder. A folder's name ends in `/`, so that sorting names by their bytes sorts the keys:
/// `a-b`, then all of `a/`, then `a0`.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Names {
    text: String,
    spans: Vec<(u32, u32)>,
}

impl Names {
    fn push(&mut self, name: &str, folder: bool) {
        let start = self.text.len() as u32;
        self.text.push_str(name);
        if folder {
            self.text.push('/');
        }
        self.spans.push((start, self.text.len() as u32));
    }

    fn sort(&mut self) {
        let Self { text, spans } = self;
        spans.sort_unstable_by(|a, b| slice(text, *a).cmp(slice(text, *b)));
    }

    /// The names from the first one on for which `skip` is false; `skip` must be true for a run at the front only.
    pub(super) fn from(&self, skip: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
        let first = self.spans.partition_point(|&span| skip(slice(&self.text, span)));
        self.spans[first..].iter().map(|&span| slice(&self.text, span))
    }
}

fn slice(text: &str, (start, end): (u32, u32)) -> &str {
    &text[start as usize..end as usize]
}

/// The names, once they are read: whoever asks meanwhile waits for them.
type Remembered = Arc<Mutex<Option<Arc<Names>>>>;

/// Reads folders, and remembers the large ones: listing a flat folder page by page must not read it anew for
/// every page.
#[derive(Debug, Default)]
pub(super) struct Folders {
    large: Mutex<VecDeque<(Identity, Remembered)>>,
    /// Held while a folder is read that has just changed: the next one in the queue may find it settled.
    unsettled: Mutex<()>,
    warned: AtomicBool,
    /// How many folders were read from the disk.
    #[cfg(test)]
    pub(super) scans: std::sync::atomic::AtomicUsize,
}

impl Folders {
    /// The names in `folder`; none where there is no such folder. `top` marks the root, which holds our own.
    pub(super) fn read(&self, folder: &Path, top: bool) -> io::Result<Arc<Names>> {
        match self.read_existing(folder, top) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Arc::default())
            }
            other => other,
        }
    }

    fn read_existing(&self, folder: &Path, top: bool) -> io::Result<Arc<Names>> {
        // Entries that come or go after this moment change the folder's identity, if it has settled by now.
        let look =
            || fs::metadata(folder).map(|meta| Some(Identity::of(&meta)).filter(|i| i.settled(SystemClock.now())));
        let identity = if let Some(identity) = look()? {
            identity
        } else {
            let _turn = self.unsettled.lock().unwrap_or_else(PoisonError::into_inner);
            match look()? {
                Some(identity) => identity,
                None => return self.scan(folder, top).map(Arc::new),
            }
        };
        let remembered = self.remembered(identity);
        let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = &*remembered {
            return Ok(Arc::clone(names));
        }
        let names = Arc::new(self.scan(folder, top)?);
        if names.spans.len() > PAGE {
            *remembered = Some(Arc::clone(&names));
        }
        Ok(names)
    }

    fn scan(&self, folder: &Path, top: bool) -> io::Result<Names> {
        #[cfg(test)]
        self.scans.fetch_add(1, Ordering::Relaxed);
        let mut names = Names::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.warn_of(&entry.path());
                continue;
            };
            if top && name == CONTROL {
                continue;
            }
            let mut kind = entry.file_type()?;
            if kind.is_symlink() {
                let Ok(target) = fs::metadata(entry.path()) else { continue };
                kind = target.file_type();
            }
            if kind.is_file() || kind.is_dir() {
                names.push(name, kind.is_dir());
            }
        }
        names.sort();
        Ok(names)
    }

    fn remembered(&self, identity: Identity) -> Remembered {
        let mut large = self.large.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, names)) = large.iter().find(|(known, _)| *known == identity) {
            return Arc::clone(names);
        }
        // What the folder was before nobody can ask for again, and small folders leave nothing behind.
        let is_empty =
            |names: &Remembered| Arc::strong_count(names) == 1 && names.try_lock().is_ok_and(|names| names.is_none());
        large.retain(|(known, names)| !known.is_of_same_file(&identity) && !is_empty(names));
        if large.len() == REMEMBERED {
            large.pop_front();
        }
        let names = Remembered::default();
        large.push_back((identity, Arc::clone(&names)));
        names
    }

    fn warn_of(&self, path: &Path) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(path = %path.display(), "skipped: the name is not UTF-8 (further ones are not reported)");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    use super::*;

    fn all(names: &Names) -> Vec<&str> {
        names.from(|_| false).collect()
    }

    #[test]
    fn names_sort_as_their_keys() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a0", "a-b", "B", "ü", "a!"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::create_dir(folder.path().join(CONTROL)).unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(b"\xff")), "").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling")).unwrap();
        std::os::unix::fs::symlink("a0", folder.path().join("link")).unwrap();
        let folders = Folders::default();
        let names = folders.read(folder.path(), true).unwrap();
        assert_eq!(all(&names), ["B", "a!", "a-b", "a/", "a0", "link", "ü"]);
        assert!(folders.warned.load(Ordering::Relaxed), "the name that is not UTF-8 is reported");
        assert_eq!(names.from(|name| name < "a/").collect::<Vec<_>>(), ["a/", "a0", "link", "ü"]);
        assert!(folders.read(folder.path(), false).unwrap().from(|_| false).any(|name| name == ".headgate/"));
    }

    #[test]
    fn what_is_not_there_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        for path in ["gone", "file", "file/below"] {
            assert_eq!(*Folders::default().read(&folder.path().join(path), false).unwrap(), Names::default(), "{path}");
        }
    }

    #[test]
    fn a_large_folder_is_read_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=PAGE {
            fs::write(folder.path().join(format!("{number:05}")), "").unwrap();
        }
        let folders = Folders::default();
        let identity = || Identity::of(&fs::metadata(folder.path()).unwrap());
        folders.read(folder.path(), false).unwrap();
        while !identity().settled(SystemClock.now()) {
            std::thread::yield_now();
        }
        let first = folders.read(folder.path(), false).unwrap();
        assert!(Arc::ptr_eq(&first, &folders.read(folder.path(), false).unwrap()));
        fs::remove_file(folder.path().join("00007")).unwrap();
        assert_eq!(all(&folders.read(folder.path(), false).unwrap()).len(), PAGE);
    }
}
