//! An open file → the tag of its content.
//!
//! A tag never comes from a path or a time alone: a time only says whether a content that was hashed before is
//! still the one in the file.

use std::{
    collections::HashMap,
    fs::{File, Metadata},
    io::{self, Read, Seek},
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use xxhash_rust::xxh3::Xxh3Default;

use crate::{
    clock::{Clock, SystemClock, Timestamp},
    store::ETag,
};

/// Large enough to make the calls cheap, small enough to stay in the processor's cache between read and hash.
const CHUNK: usize = 256 << 10;

/// File systems stamp a change with the last clock tick, up to 10 ms ago: until then a second change may leave
/// the same time.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// Beyond this many remembered files the memory starts anew; a year of one file a minute fits.
const REMEMBERED: usize = 1 << 20;

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

    /// Whether any later change must show in the identity.
    pub(super) fn settled(&self, now: Timestamp) -> bool {
        let (seconds, nanos) = self.changed;
        seconds * 1000 + nanos / 1_000_000 < now.minus(TICK).0
    }
}

/// The tags of the contents this process has already read or written.
#[derive(Debug)]
pub(super) struct Digests {
    known: Mutex<HashMap<Identity, ETag>>,
    /// The one the file system stamps changes by.
    clock: Arc<dyn Clock>,
}

impl Default for Digests {
    fn default() -> Self {
        Self { known: Mutex::default(), clock: Arc::new(SystemClock) }
    }
}

impl Digests {
    /// The tag, if the content is known.
    pub(super) fn known(&self, meta: &Metadata) -> Option<ETag> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&Identity::of(meta)).cloned()
    }

    /// Keeps the tag of a content that only this process can have touched.
    pub(super) fn remember(&self, meta: &Metadata, etag: &ETag) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(Identity::of(meta), etag.clone());
    }

    /// The file's tag and metadata that belong together, reading the content only if it is not known.
    pub(super) fn of(&self, file: &mut File) -> io::Result<(ETag, Metadata)> {
        loop {
            let meta = file.metadata()?;
            if let Some(etag) = self.known(&meta) {
                return Ok((etag, meta));
            }
            let now = self.clock.now();
            file.rewind()?;
            let etag = of_content(file)?;
            // Someone else may write into the file in place while we read: then what we hashed never existed.
            if Identity::of(&file.metadata()?) == Identity::of(&meta) {
                if Identity::of(&meta).settled(now) {
                    self.remember(&meta, &etag);
                }
                return Ok((etag, meta));
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

    pub(super) fn etag(&self) -> ETag {
        ETag(format!("{:032x}", self.0.digest128()))
    }
}

/// The tag of these bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> ETag {
    ETag(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(bytes)))
}

fn of_content(file: &mut File) -> io::Result<ETag> {
    let mut digest = Digest::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(digest.etag()),
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
        assert_eq!(digest.etag(), of_bytes(&bytes));
        assert_eq!(Digests::default().of(&mut file).unwrap().0, of_bytes(&bytes));
    }

    #[test]
    fn a_fresh_file_is_not_remembered_and_a_settled_one_is() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"one").unwrap();
        let meta = file.metadata().unwrap();
        let clock = Arc::new(ManualClock::new(modified(&meta)));
        let digests = Digests { known: Mutex::default(), clock: Arc::clone(&clock) as Arc<dyn Clock> };
        digests.of(&mut file).unwrap();
        assert_eq!(digests.known(&meta), None, "a second write may still leave the same time");
        clock.advance(TICK + Duration::from_millis(1));
        digests.of(&mut file).unwrap();
        assert_eq!(digests.known(&meta), Some(of_bytes(b"one")));
    }

    #[test]
    fn a_change_with_its_time_put_back_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "one").unwrap();
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let set = |path: &std::path::Path| File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
        set(&path);
        let digests = Digests::default();
        let mut file = File::open(&path).unwrap();
        while !Identity::of(&file.metadata().unwrap()).settled(SystemClock.now()) {
            std::thread::yield_now();
        }
        assert_eq!(digests.of(&mut file).unwrap().0, of_bytes(b"one"));
        fs::write(&path, "two").unwrap();
        set(&path);
        assert_eq!(digests.of(&mut file).unwrap().0, of_bytes(b"two"));
    }
}
