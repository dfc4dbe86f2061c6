//! A key → the one path it may have under the root.
//!
//! No key reaches outside the root or into the control folder.

use std::path::{Path, PathBuf};

use crate::store::{Result, StoreError};

/// The folder under the root that holds our own files: drafts, locks and digests. Never an object.
pub(super) const CONTROL: &str = ".headgate";

/// The path of the object `key`.
pub(super) fn of_key(root: &Path, key: &str) -> Result<PathBuf> {
    check(key, key)?;
    Ok(root.join(key))
}

/// The folder that holds every key with this prefix, as a prefix of its own: empty or ending in `/`.
pub(super) fn folder_of_prefix(prefix: &str) -> Result<&str> {
    let folder = prefix.rfind('/').map_or("", |slash| &prefix[..=slash]);
    if let Some(inner) = folder.strip_suffix('/') {
        check(inner, prefix)?;
    }
    Ok(folder)
}

fn check(path: &str, key: &str) -> Result<()> {
    let refused = |reason: &str| Err(StoreError::Refused { key: key.to_owned(), reason: reason.to_owned() });
    if path.is_empty() {
        return refused("a key may not be empty");
    }
    if path.contains('\0') {
        return refused("a key may not contain a NUL character");
    }
    let mut segments = path.split('/');
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return refused("a key may not begin or end with `/`, nor contain `//`, `.` or `..` as a segment");
    }
    if segments.next() == Some(CONTROL) {
        return refused("`.headgate` is the store's own folder");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_inside_the_root() {
        for bad in ["", "/etc/passwd", "a//b", "a/", "../a", "a/../b", "a/./b", ".", "..", ".headgate/locks/0", "a\0b"]
        {
            let got = of_key(Path::new("/lake"), bad);
            assert!(matches!(got, Err(StoreError::Refused { .. })), "{bad:?}: {got:?}");
        }
        for good in ["a", "a/b", "a/.headgate/b", ".hidden", "a/..b", "ü/ /é", "a\\b"] {
            assert_eq!(of_key(Path::new("/lake"), good), Ok(Path::new("/lake").join(good)), "{good:?}");
        }
    }

    #[test]
    fn a_prefix_may_end_anywhere() {
        for (prefix, folder) in [("", ""), ("a", ""), ("a/", "a/"), ("a/b", "a/"), ("a/b/c.", "a/b/")] {
            assert_eq!(folder_of_prefix(prefix), Ok(folder), "{prefix:?}");
        }
        for bad in ["/", "/a", "a//", "../", "a/../b", ".headgate/", ".headgate/locks"] {
            assert!(matches!(folder_of_prefix(bad), Err(StoreError::Refused { .. })), "{bad:?}");
        }
    }
}
