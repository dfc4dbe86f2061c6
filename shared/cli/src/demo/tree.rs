//! A folder → its tree, long lists cut short.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use crate::table::bytes;

/// Files shown at each end of a long list.
const ENDS: usize = 2;

/// Writes the tree under `root`, hidden folders left out.
pub fn write(out: &mut impl Write, root: &Path) -> io::Result<()> {
    folder(out, root, 1)
}

fn folder(out: &mut impl Write, path: &Path, depth: usize) -> io::Result<()> {
    let mut entries = fs::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
    entries.retain(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    entries.sort_by_key(fs::DirEntry::file_name);
    let (folders, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.path().is_dir());
    let indent = "  ".repeat(depth);
    for (at, file) in files.iter().enumerate() {
        if at < ENDS || at + ENDS >= files.len() {
            let name = file.file_name();
            writeln!(out, "{indent}{}  {}", name.to_string_lossy(), bytes(file.metadata()?.len()))?;
        } else if at == ENDS {
            writeln!(out, "{indent}… {} more", files.len() - 2 * ENDS)?;
        }
    }
    for entry in folders {
        writeln!(out, "{indent}{}/", entry.file_name().to_string_lossy())?;
        folder(out, &entry.path(), depth + 1)?;
    }
    Ok(())
}
