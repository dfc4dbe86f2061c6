//! The [`Store`] → a local directory, for the laptop and for tests.
//!
//! A tag is a hash of the content, a write is one link or rename under a lock that dies with its process: it
//! holds among threads and processes as S3's conditional writes do. The directory's own files are in `.headgate`.

use std::{
    fs::{self, File, Metadata},
    io,
    ops::Range,
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    clock::Timestamp,
    store::{Condition, ETag, Keys, ObjectMeta, PAGE, Page, Result, Store, StoreError, Upload},
};

use self::digest::Identity;

mod digest;
mod names;
mod paths;
mod publish;
mod upload;
mod walk;

#[cfg(test)]
mod tests;

/// A [`Store`] over a local directory. Clones share what they know of its contents.
#[derive(Debug, Clone)]
pub struct DirectoryStore(Arc<Directory>);

#[derive(Debug)]
struct Directory {
    root: PathBuf,
    digests: digest::Digests,
    folders: names::Folders,
}

impl DirectoryStore {
    /// The store of the objects under `root`, which need not exist yet; the first write creates it.
    /// Removes what processes that died more than a day ago left half written.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        let root = std::path::absolute(&root).unwrap_or(root);
        publish::sweep(&root);
        let digests = digest::Digests::of(&root);
        Self(Arc::new(Directory { root, digests, folders: names::Folders::default() }))
    }

    async fn run<T, F>(&self, key: &str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Directory, &str) -> Result<T> + Send + 'static,
    {
        let (directory, owned) = (Arc::clone(&self.0), key.to_owned());
        blocking(key, move || work(&directory, &owned)).await
    }
}

#[async_trait]
impl Store for DirectoryStore {
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.run(key, Directory::head).await
    }

    async fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>> {
        self.run(key, Directory::get).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>, etag: &ETag) -> Result<Bytes> {
        let etag = etag.clone();
        self.run(key, move |directory, key| directory.get_range(key, &range, &etag)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Page> {
        let after = start_after.map(str::to_owned);
        self.run(prefix, move |directory, prefix| directory.list(prefix, after)).await
    }

    async fn list_keys(&self, prefix: &str, start_after: Option<&str>) -> Result<Keys> {
        let after = start_after.map(str::to_owned);
        self.run(prefix, move |directory, prefix| directory.list_keys(prefix, after.as_deref())).await
    }

    async fn put(&self, key: &str, body: Bytes, condition: Condition) -> Result<ETag> {
        self.run(key, move |directory, key| {
            paths::of_key(&directory.root, key)?;
            let whole = upload::Pieces::begin(directory).and_then(|mut pieces| {
                pieces.write(&body)?;
                Ok(pieces)
            });
            whole.map_err(|error| failure(key, &error))?.publish(directory, key, &condition)
        })
        .await
    }

    async fn upload(&self, key: &str) -> Result<Box<dyn Upload>> {
        let directory = Arc::clone(&self.0);
        let owned = key.to_owned();
        let upload = blocking(key, move || upload::DirectoryUpload::begin(directory, &owned)).await?;
        Ok(Box::new(upload))
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.run(key, Directory::remove).await
    }

    fn uri(&self, key: &str) -> String {
        format!("file://{}", self.0.root.join(key).display())
    }
}

impl Directory {
    /// The object's file with the tag and metadata of its content; `None` where there is no object.
    fn open(&self, key: &str, path: &Path) -> Result<Option<(File, ETag, Metadata)>> {
        let opened = match File::open(path) {
            Err(error) if publish::absent(&error) => return Ok(None),
            other => other.and_then(|file| Ok((file.metadata()?.is_file(), file))),
        };
        let (is_file, mut file) = opened.map_err(|error| failure(key, &error))?;
        if !is_file {
            return Ok(None);
        }
        let (etag, meta) = self.digests.tagged(&mut file).map_err(|error| failure(key, &error))?;
        Ok(Some((file, etag, meta)))
    }

    fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        let path = paths::of_key(&self.root, key)?;
        // A known content needs no open file.
        match fs::metadata(&path) {
            Err(error) if publish::absent(&error) => return Ok(None),
            Ok(meta) if meta.is_file() => {
                let identity = Identity::of(&meta);
                if let Some(etag) = self.digests.known(identity) {
                    return Ok(Some(identity.object(key, etag)));
                }
            }
            _ => {}
        }
        Ok(self.open(key, &path)?.map(|(_, etag, meta)| Identity::of(&meta).object(key, etag)))
    }

    fn get(&self, key: &str) -> Result<Option<(ETag, Bytes)>> {
        let path = paths::of_key(&self.root, key)?;
        match fs::metadata(&path).and_then(|meta| if meta.is_file() { fs::read(&path).map(Some) } else { Ok(None) }) {
            Err(error) if publish::absent(&error) => Ok(None),
            Err(error) => Err(failure(key, &error)),
            Ok(body) => Ok(body.map(|body| (digest::of_bytes(&body), Bytes::from(body)))),
        }
    }

    /// The object's file if it has the tag and the range. An open file keeps its content when the object is replaced.
    fn open_range(&self, key: &str, range: &Range<u64>, etag: &ETag) -> Result<File> {
        let path = paths::of_key(&self.root, key)?;
        let Some((file, current, meta)) = self.open(key, &path)? else {
            return Err(StoreError::NotFound { key: key.to_owned() });
        };
        if current != *etag {
            return Err(StoreError::Changed { key: key.to_owned() });
        }
        if range.start > range.end || range.end > meta.size() {
            let reason = format!("the range {range:?} is not within its {} bytes", meta.size());
            return Err(StoreError::Refused { key: key.to_owned(), reason });
        }
        Ok(file)
    }

    fn get_range(&self, key: &str, range: &Range<u64>, etag: &ETag) -> Result<Bytes> {
        let file = self.open_range(key, range, etag)?;
        let mut body = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut body, range.start).map_err(|error| failure(key, &error))?;
        Ok(Bytes::from(body))
    }

    fn list_keys(&self, prefix: &str, after: Option<&str>) -> Result<Keys> {
        let mut keys = walk::keys(&self.folders, &self.root, prefix, after, PAGE + 1)?;
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        Ok(Keys { keys, more })
    }

    fn list(&self, prefix: &str, mut after: Option<String>) -> Result<Page> {
        loop {
            let Keys { mut keys, more } = self.list_keys(prefix, after.as_deref())?;
            let objects = self.describe(&keys)?;
            // Where a whole page vanished since its names were read, there is no last key to go on from.
            match keys.pop() {
                Some(last) if more && objects.is_empty() => after = Some(last),
                _ => return Ok(Page { objects, more }),
            }
        }
    }

    /// The metadata of those that are still there, in order, hashing what is not known on all cores.
    fn describe(&self, keys: &[String]) -> Result<Vec<ObjectMeta>> {
        let (mut objects, mut unknown) = (Vec::with_capacity(keys.len()), Vec::new());
        let folder_of = |key: &str| key.rfind('/').map_or(0, |slash| slash + 1);
        for neighbours in keys.chunk_by(|a, b| a[..folder_of(a)] == b[..folder_of(b)]) {
            let name = folder_of(&neighbours[0]);
            let folder = fs::File::open(self.root.join(&neighbours[0][..name])).map(OwnedFd::from);
            for key in neighbours {
                let identity = folder.as_ref().ok().and_then(|folder| Identity::at(folder, &key[name..]));
                match identity.and_then(|identity| Some((identity, self.digests.known(identity)?))) {
                    Some((identity, etag)) => objects.push(identity.object(key, etag)),
                    None => unknown.push(key),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(objects);
        }
        let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(unknown.len().div_ceil(2));
        let next = AtomicUsize::new(0);
        let work = || -> Result<Vec<ObjectMeta>> {
            let mut described = Vec::new();
            while let Some(key) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                described.extend(self.head(key)?);
            }
            Ok(described)
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            objects.extend(work()?);
            for other in others {
                objects.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok::<_, StoreError>(())
        })?;
        objects.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(objects)
    }
}

fn modified(meta: &Metadata) -> Timestamp {
    Timestamp(meta.mtime() * 1000 + meta.mtime_nsec() / 1_000_000)
}

/// Runs work that waits for the disk or a lock where it does not hold up the other tasks.
async fn blocking<T, F>(key: &str, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                Err(StoreError::Unavailable { key: key.to_owned(), reason: "the runtime is stopping".to_owned() })
            }
        },
    }
}

/// What a failed call on the file system means for the caller.
fn failure(key: &str, error: &io::Error) -> StoreError {
    let (key, reason) = (key.to_owned(), error.to_string());
    match error.kind() {
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::StorageFull
        | io::ErrorKind::QuotaExceeded
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::InvalidInput => StoreError::Refused { key, reason },
        _ => StoreError::Unavailable { key, reason },
    }
}
