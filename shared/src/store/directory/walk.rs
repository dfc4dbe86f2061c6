//! A prefix and a start → the next keys, reading only the folders that can hold them.
//!
//! A folder wholly before the start or beside the prefix is never read: a merge of one new file costs the same
//! after a year as on the first day.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{names::Folders, paths};
use crate::store::Result;

/// The first `limit` keys under `root` that start with `prefix` and come after `after`, in byte order.
pub(super) fn keys(
    folders: &Folders,
    root: &Path,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>> {
    let folder = paths::folder_of_prefix(prefix)?;
    let mut walk = Walk { folders, prefix, after, limit, links: Vec::new(), found: Vec::new() };
    walk.folder(&root.join(folder), folder)?;
    Ok(walk.found)
}

struct Walk<'a> {
    folders: &'a Folders,
    prefix: &'a str,
    after: Option<&'a str>,
    limit: usize,
    /// Where the links on the way down lead: one that leads there again would go round for ever.
    links: Vec<PathBuf>,
    found: Vec<String>,
}

/// Which keys of a folder come after the start.
enum Remaining<'a> {
    All,
    /// Those whose rest, after the folder's own key, comes after this.
    After(&'a str),
    None,
}

impl<'a> Walk<'a> {
    /// Collects from the folder at `path`, whose keys begin with `key`: empty or ending in `/`.
    fn folder(&mut self, path: &Path, key: &str) -> Result<()> {
        let after = match self.remaining(key) {
            Remaining::All => "",
            Remaining::After(rest) => rest,
            Remaining::None => return Ok(()),
        };
        // Only the topmost folder can hold names beside the prefix.
        let prefix = self.prefix.strip_prefix(key).unwrap_or("");
        let names = self.folders.read(path, key.is_empty()).map_err(|error| super::failure(key, &error))?;
        for name in names.from(|name| name < prefix || passed(name, after)) {
            if self.found.len() == self.limit || !name.starts_with(prefix) {
                break;
            }
            let child = format!("{key}{name}");
            match name.strip_suffix('/') {
                None => self.found.push(child),
                Some(name) => self.child(&path.join(name), &child)?,
            }
        }
        Ok(())
    }

    fn child(&mut self, path: &Path, key: &str) -> Result<()> {
        if !path.is_symlink() {
            return self.folder(path, key);
        }
        let Some(target) = self.enter(path).map_err(|error| super::failure(key, &error))? else {
            return Ok(());
        };
        self.links.push(target);
        let walked = self.folder(path, key);
        self.links.pop();
        walked
    }

    /// Where the link leads, unless it goes round or is gone.
    fn enter(&self, link: &Path) -> io::Result<Option<PathBuf>> {
        let real = |path: &Path| match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        };
        let (Some(target), Some(parent)) = (real(link)?, real(link.parent().unwrap_or(link))?) else {
            return Ok(None);
        };
        Ok((!parent.starts_with(&target) && !self.links.contains(&target)).then_some(target))
    }

    fn remaining(&self, key: &str) -> Remaining<'a> {
        match self.after {
            None => Remaining::All,
            Some(after) => match after.strip_prefix(key) {
                Some(rest) => Remaining::After(rest),
                None if key > after => Remaining::All,
                None => Remaining::None,
            },
        }
    }
}

/// Whether the name and all below it come at or before `after`. Sorted names have such ones at the front only.
fn passed(name: &str, after: &str) -> bool {
    name <= after && !(name.ends_with('/') && after.starts_with(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    fn tree(keys: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for key in keys {
            let path = root.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    fn list(root: &Path, prefix: &str, after: Option<&str>) -> Vec<String> {
        keys(&Folders::default(), root, prefix, after, usize::MAX).unwrap()
    }

    #[test]
    fn keys_come_in_byte_order_across_folders() {
        let sorted = ["a!b/c", "a-b", "a/b", "a/b-/c", "a0", "ab", "b/a/c", "b/ab"];
        let root = tree(&sorted);
        assert_eq!(list(root.path(), "", None), sorted);
        assert_eq!(list(root.path(), "a", Some("a/b")), ["a/b-/c", "a0", "ab"]);
        assert_eq!(list(root.path(), "a/", Some("b")), [""; 0]);
        assert_eq!(list(root.path(), "b/a", Some("a")), ["b/a/c", "b/ab"]);
        assert_eq!(keys(&Folders::default(), root.path(), "", None, 3).unwrap(), ["a!b/c", "a-b", "a/b"]);
    }

    #[test]
    fn folders_before_the_start_or_beside_the_prefix_are_never_read() {
        let root = tree(&["t/2024/01/a", "t/2024/02/a", "t/2024/03/a", "t/2025/01/a", "u/a"]);
        let folders = Folders::default();
        let found = keys(&folders, root.path(), "t/", Some("t/2024/02/"), 9).unwrap();
        assert_eq!(found, ["t/2024/02/a", "t/2024/03/a", "t/2025/01/a"]);
        assert_eq!(folders.scans.into_inner(), 6, "t, t/2024, its 02 and 03, t/2025 and its 01");
        let folders = Folders::default();
        assert_eq!(keys(&folders, root.path(), "t/", None, 1).unwrap(), ["t/2024/01/a"]);
        assert_eq!(folders.scans.into_inner(), 3, "nothing is read beyond the page");
    }

    #[test]
    fn links_are_followed_but_not_round() {
        let root = tree(&["a/x", "b/y"]);
        symlink("..", root.path().join("a/up")).unwrap();
        symlink("../b", root.path().join("a/b")).unwrap();
        symlink("../a", root.path().join("b/a")).unwrap();
        assert_eq!(list(root.path(), "a/", None), ["a/b/a/x", "a/b/y", "a/x"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_walk_equals_a_filtered_sort(
            names in prop::collection::btree_set("[a-c!-/]{1,3}(/[ab.]x[-0]?){0,2}", 1..20),
            prefix in "([a-c][a-c!-]?(/[ab])?)?",
            after in prop::option::of("[a-c!-]{1,2}(/[ab]x?/?){0,2}"),
        ) {
            let root = tempfile::tempdir().unwrap();
            let mut there: Vec<String> = Vec::new();
            for key in names {
                let Ok(path) = paths::of_key(root.path(), &key) else { continue };
                if path.parent().is_some_and(|parent| fs::create_dir_all(parent).is_ok()) && fs::write(&path, "").is_ok() {
                    there.push(key);
                }
            }
            there.sort();
            there.retain(|key| key.starts_with(&prefix) && after.as_deref().is_none_or(|after| key.as_str() > after));
            prop_assert_eq!(list(root.path(), &prefix, after.as_deref()), there);
        }
    }
}
