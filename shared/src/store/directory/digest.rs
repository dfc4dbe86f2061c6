//! An open file → the tag of its content.
//!
//! A tag never comes from a path or a time alone: a time only says whether a content that was hashed before is
//! still the one in the file.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::{self, Read, Seek},
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rustix::fs::{AtFlags, FileType, statat};
use xxhash_rust::xxh3::Xxh3Default;

use crate::{
    clock::{Clock, SystemClock, Timestamp},
    store::{ETag, ObjectMeta},
};

mod kept;

/// Large enough to make the calls cheap, small enough to stay in the processor's cache between read and hash.
const CHUNK: usize = 256 << 10;

/// File systems stamp a change with the last clock tick, up to 10 ms ago: until then a second change may leave
/// the same time.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// Beyond this many remembered files the memory starts anew; a year of one file a minute fits.
const REMEMBERED: usize = 1 << 20;

/// A process that hashed so many contents, or so many bytes of them, keeps their tags for the ones to come.
const WORTH_KEEPING: (u64, u64) = (256, 16 << 20);

/// What the file system says of a file's content: equal identities, equal content, once a tick has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// The user cannot set this one, so it tells a change whose modification time was put back.
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// The same of a regular file, by its name in an open folder: a path is long to walk. `None`: it must be opened.
    pub(super) fn at(folder: &OwnedFd, name: &str) -> Option<Self> {
        let stat = statat(folder, name, AtFlags::empty()).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then_some(())?;
        #[allow(
            clippy::cast_lossless,
            clippy::cast_sign_loss,
            clippy::cast_possible_wrap,
            clippy::unnecessary_cast,
            reason = "these types differ from platform to platform"
        )]
        Some(Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        })
    }

    /// The object of this content.
    pub(super) fn object(&self, key: &str, etag: ETag) -> ObjectMeta {
        let (seconds, nanos) = self.modified;
        let last_modified = Timestamp(seconds * 1000 + nanos / 1_000_000);
        ObjectMeta { key: key.to_owned(), size: self.size, last_modified, etag }
    }

    /// Whether these are of one file, at two times.
    pub(super) fn is_of_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }

    /// Whether its times tell more than seconds, so that a later change must show in them for other processes too.
    fn is_fine(&self) -> bool {
        self.changed.1 != 0
    }

    /// Whether any later change must show in the identity.
    pub(super) fn settled(&self, now: Timestamp) -> bool {
        let (seconds, nanos) = self.changed;
        seconds * 1000 + nanos / 1_000_000 < now.minus(TICK).0
    }
}

/// The tags of the contents that this process, or one before it, has already read or written.
#[derive(Debug)]
pub(super) struct Digests {
    root: PathBuf,
    kept: kept::Kept,
    known: Mutex<HashMap<Identity, u128>>,
    hashed_files: AtomicU64,
    hashed_bytes: AtomicU64,
    /// The one the file system stamps changes by.
    clock: Arc<dyn Clock>,
}

impl Drop for Digests {
    /// A process that is killed leaves its work to the next one.
    fn drop(&mut self) {
        let (files, bytes) = WORTH_KEEPING;
        if self.hashed_files.load(Relaxed) >= files || self.hashed_bytes.load(Relaxed) >= bytes {
            let known = self.known.get_mut().unwrap_or_else(PoisonError::into_inner);
            kept::Kept::save(&self.root, known);
        }
    }
}

impl Digests {
    /// With what earlier processes kept under this root.
    pub(super) fn of(root: &Path) -> Self {
        Self::timed(root, Arc::new(SystemClock))
    }

    fn timed(root: &Path, clock: Arc<dyn Clock>) -> Self {
        Self {
            root: root.to_owned(),
            kept: kept::Kept::load(root),
            known: Mutex::default(),
            hashed_files: AtomicU64::new(0),
            hashed_bytes: AtomicU64::new(0),
            clock,
        }
    }

    /// How many contents this process has read to the end.
    #[cfg(test)]
    pub(super) fn hashed(&self) -> u64 {
        self.hashed_files.load(Relaxed)
    }

    /// The tag, if the content is known.
    pub(super) fn known(&self, identity: Identity) -> Option<ETag> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&identity).copied();
        self.kept.get(&identity).or_else(known).map(tag)
    }

    /// Keeps the digest of a content that only this process can have touched.
    pub(super) fn remember(&self, meta: &Metadata, digest: u128) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(Identity::of(meta), digest);
    }

    /// The file's tag and metadata that belong together, reading the content only if it is not known.
    pub(super) fn tagged(&self, file: &mut File) -> io::Result<(ETag, Metadata)> {
        loop {
            let meta = file.metadata()?;
            if let Some(etag) = self.known(Identity::of(&meta)) {
                return Ok((etag, meta));
            }
            let now = self.clock.now();
            file.rewind()?;
            let digest = of_content(file)?;
            self.hashed_files.fetch_add(1, Relaxed);
            self.hashed_bytes.fetch_add(meta.len(), Relaxed);
            // Someone else may write into the file in place while we read: then what we hashed never existed.
            if Identity::of(&file.metadata()?) == Identity::of(&meta) {
                if Identity::of(&meta).settled(now) {
                    self.remember(&meta, digest);
                }
                return Ok((tag(digest), meta));
            }
        }
    }
}

/// The tag of bytes as they pass.
#[derive(Default)]
pub(super) struct Digest(Xxh3Default);

impl Digest {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn sum(&self) -> u128 {
        self.0.digest128()
    }
}

/// A digest as a tag.
pub(super) fn tag(digest: u128) -> ETag {
    // Formatting would cost more than all the rest of listing a file.
    let nibble = |at: u32| b"0123456789abcdef"[(digest >> (4 * at)) as usize & 0xf];
    let text: Vec<u8> = (0..32).rev().map(nibble).collect();
    ETag(String::from_utf8(text).unwrap_or_default())
}

/// The tag of these bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> ETag {
    tag(xxhash_rust::xxh3::xxh3_128(bytes))
}

fn of_content(file: &mut File) -> io::Result<u128> {
    let mut digest = Digest::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(digest.sum()),
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write, time::SystemTime};

    use super::{super::modified, *};
    use crate::clock::ManualClock;

    #[test]
    fn a_stream_and_a_whole_agree() {
        let bytes: Vec<u8> = (0..1_000_003_u32).map(|i| (i * 7 % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut digest = Digest::default();
        bytes.chunks(4097).for_each(|chunk| digest.update(chunk));
        assert_eq!(tag(digest.sum()), of_bytes(&bytes));
        assert_eq!(Digests::of(Path::new("nowhere")).tagged(&mut file).unwrap().0, of_bytes(&bytes));
    }

    #[test]
    fn a_fresh_file_is_not_remembered_and_a_settled_one_is() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one").unwrap();
        let meta = file.metadata().unwrap();
        let clock = Arc::new(ManualClock::new(modified(&meta)));
        let digests = Digests::timed(Path::new("nowhere"), Arc::clone(&clock) as Arc<dyn Clock>);
        digests.tagged(&mut file).unwrap();
        assert_eq!(digests.known(Identity::of(&meta)), None, "a second write may still leave the same time");
        clock.advance(TICK + Duration::from_millis(1));
        digests.tagged(&mut file).unwrap();
        assert_eq!(digests.known(Identity::of(&meta)), Some(of_bytes(b"one")));
    }

    #[test]
    fn a_change_with_its_time_put_back_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "one").unwrap();
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let set = |path: &std::path::Path| File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
        set(&path);
        let digests = Digests::of(Path::new("nowhere"));
        let mut file = File::open(&path).unwrap();
        while !Identity::of(&file.metadata().unwrap()).settled(SystemClock.now()) {
            std::thread::yield_now();
        }
        assert_eq!(digests.tagged(&mut file).unwrap().0, of_bytes(b"one"));
        fs::write(&path, "two").unwrap();
        set(&path);
        assert_eq!(digests.tagged(&mut file).unwrap().0, of_bytes(b"two"));
    }
}
