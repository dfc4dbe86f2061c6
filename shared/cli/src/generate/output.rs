//! Events → stdout, a file, or a folder with a file each.

use std::{
    fs::{self, File},
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
};

use crate::{Failure, traffic::Format};

/// Where events go.
pub(super) enum Output {
    /// One after the other, a line each; `seen` by people, where that is a terminal.
    Stream { out: Box<dyn Write>, line_break: &'static str, seen: bool },
    /// `event-00000.json` and so on.
    Folder { path: PathBuf, extension: &'static str, number: u64 },
}

/// What the files in a folder begin with.
const PREFIX: &str = "event-";

impl Output {
    /// `-` is stdout; a folder is one that is there, or ends in `/` and is made.
    pub(super) fn open(place: &Path, format: Format, gzip: bool) -> Result<Self, Failure> {
        if is_folder(place) {
            return Self::folder(place, format, gzip);
        }
        let line_break = if format == Format::Ndjson { "" } else { "\n" };
        let is_stdout = place == Path::new("-");
        let out: Box<dyn Write> = if is_stdout {
            Box::new(BufWriter::new(io::stdout().lock()))
        } else {
            Box::new(BufWriter::new(File::create(place).map_err(|error| wrong(place, &error))?))
        };
        Ok(Self::Stream { out, line_break, seen: is_stdout && io::stdout().is_terminal() })
    }

    fn folder(place: &Path, format: Format, gzip: bool) -> Result<Self, Failure> {
        fs::create_dir_all(place).map_err(|error| wrong(place, &error))?;
        for entry in fs::read_dir(place).map_err(|error| wrong(place, &error))? {
            let name = entry.map_err(|error| wrong(place, &error))?.file_name();
            if name.to_string_lossy().starts_with(PREFIX) {
                return Err(wrong(place, &format_args!("{} is there; give an empty folder", name.display())));
            }
        }
        let extension = match format {
            Format::Ndjson if gzip => "ndjson.gz",
            Format::Ndjson => "ndjson",
            _ => "json",
        };
        Ok(Self::Folder { path: place.to_owned(), extension, number: 0 })
    }

    /// Writes an event; `at_once` where somebody waits for it.
    pub(super) fn write(&mut self, event: &[u8], at_once: bool) -> io::Result<()> {
        match self {
            Self::Stream { out, line_break, .. } => {
                out.write_all(event)?;
                out.write_all(line_break.as_bytes())?;
                if at_once { out.flush() } else { Ok(()) }
            }
            Self::Folder { path, extension, number } => {
                let file = path.join(format!("{PREFIX}{number:05}.{extension}"));
                *number += 1;
                fs::write(file, event)
            }
        }
    }

    pub(super) fn is_seen(&self) -> bool {
        matches!(self, Self::Stream { seen: true, .. })
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream { out, .. } => out.flush(),
            Self::Folder { .. } => Ok(()),
        }
    }
}

fn is_folder(place: &Path) -> bool {
    place.is_dir() || place.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn wrong(place: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("--output {}: {why}", place.display()))
}
