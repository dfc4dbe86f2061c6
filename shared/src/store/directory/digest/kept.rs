//! The tags that earlier processes found → a file in the directory's own folder, and back.
//!
//! Only a memory: what it lacks is hashed again, and a file that is torn or foreign counts as empty.

use std::{collections::HashMap, fs, io::Write, path::Path};

use xxhash_rust::xxh3::xxh3_64;

use super::Identity;
use crate::store::directory::{paths::CONTROL, publish::Draft};

const NAME: &str = "digests";
/// The format, then a checksum of all that follows.
const MAGIC: [u8; 8] = *b"digests1";
const HEADER: usize = 16;
const IDENTITY: usize = 48;
const RECORD: usize = IDENTITY + 16;
/// The most records: 1 MiB. The lateness horizon of a file a minute is a quarter of it.
const MOST: usize = 16 << 10;
/// Files from this size on are large.
const LARGE: u64 = 1 << 20;

/// Records of an identity and the digest of its content, sorted.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<u8>);

impl Kept {
    /// What earlier processes kept under this root.
    pub(super) fn load(root: &Path) -> Self {
        let Ok(mut file) = fs::read(root.join(CONTROL).join(NAME)) else { return Self::default() };
        let whole = file.len() >= HEADER
            && (file.len() - HEADER).is_multiple_of(RECORD)
            && file[..8] == MAGIC
            && file[8..HEADER] == xxh3_64(&file[HEADER..]).to_be_bytes();
        if !whole {
            return Self::default();
        }
        file.drain(..HEADER);
        Self(file)
    }

    /// The digest of the content with this identity, if it is kept.
    pub(super) fn get(&self, identity: &Identity) -> Option<u128> {
        let wanted = bytes(identity);
        let (records, _) = self.0.as_chunks::<RECORD>();
        let at = records.binary_search_by(|record| record[..IDENTITY].cmp(&wanted)).ok()?;
        Some(u128::from_be_bytes(records[at][IDENTITY..].try_into().ok()?))
    }

    /// Keeps these as well, for the processes to come, beside what others have kept meanwhile. Where that fails, they
    /// hash again.
    pub(super) fn save(root: &Path, known: &HashMap<Identity, u128>) {
        // A draft creates our folder where there is none: a directory that was only looked at stays as it is.
        if !root.join(CONTROL).is_dir() {
            return;
        }
        let mut records: Vec<[u8; RECORD]> = Self::load(root).0.as_chunks().0.to_vec();
        records.extend(known.iter().filter(|(identity, _)| identity.is_fine()).map(|(identity, digest)| {
            let mut record = [0; RECORD];
            record[..IDENTITY].copy_from_slice(&bytes(identity));
            record[IDENTITY..].copy_from_slice(&digest.to_be_bytes());
            record
        }));
        records.sort_unstable();
        records.dedup();
        if records.len() > MOST {
            records = newest(records);
            records.sort_unstable();
        }
        let body = records.as_flattened();
        let file = [&MAGIC[..], &xxh3_64(body).to_be_bytes(), body].concat();
        let written = Draft::create(root).and_then(|mut draft| {
            draft.file.write_all(&file)?;
            draft.rename(&root.join(CONTROL).join(NAME))
        });
        if let Err(error) = written {
            tracing::debug!(%error, "the digests are not kept");
        }
    }
}

/// The newest ones that there is room for. Large contents are slow to hash: half the room is theirs where they need it.
fn newest(mut records: Vec<[u8; RECORD]>) -> Vec<[u8; RECORD]> {
    let number = |record: &[u8; RECORD], from: usize| {
        record[from..from + 8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    records.sort_unstable_by_key(|record| std::cmp::Reverse(number(record, 36).cast_signed()));
    let (large, small): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| number(record, 16) >= LARGE);
    let of_large = large.len().min((MOST / 2).max(MOST.saturating_sub(small.len())));
    large.into_iter().take(of_large).chain(small).take(MOST).collect()
}

fn bytes(identity: &Identity) -> [u8; IDENTITY] {
    let Identity { device, inode, size, modified, changed } = identity;
    let mut bytes = [0; IDENTITY];
    let fields = [*device, *inode, *size, modified.0.cast_unsigned(), changed.0.cast_unsigned()];
    for (at, field) in [0, 8, 16, 24, 36].into_iter().zip(fields) {
        bytes[at..at + 8].copy_from_slice(&field.to_be_bytes());
    }
    for (at, nanos) in [(32, modified.1), (44, changed.1)] {
        bytes[at..at + 4].copy_from_slice(&(nanos as i32).to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(inode: u64, size: u64, changed: i64) -> Identity {
        Identity { device: 1, inode, size, modified: (-5, 999_999_999), changed: (changed, 7) }
    }

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(CONTROL)).unwrap();
        root
    }

    #[test]
    fn what_is_kept_comes_back_and_more_is_added() {
        let root = root();
        let (one, two) = (identity(1, 5, 10), identity(2, 5, 11));
        Kept::save(root.path(), &HashMap::from([(one, 1)]));
        Kept::save(root.path(), &HashMap::from([(two, u128::MAX)]));
        let kept = Kept::load(root.path());
        assert_eq!((kept.get(&one), kept.get(&two)), (Some(1), Some(u128::MAX)));
        for other in [identity(3, 5, 10), identity(1, 6, 10), identity(1, 5, 12)] {
            assert_eq!(kept.get(&other), None, "{other:?}");
        }
    }

    #[test]
    fn a_torn_file_counts_as_empty() {
        let root = root();
        Kept::save(root.path(), &HashMap::from([(identity(1, 5, 10), 1)]));
        let path = root.path().join(CONTROL).join(NAME);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(Kept::load(root.path()).get(&identity(1, 5, 10)), None, "{length} bytes");
        }
        let mut flipped = whole.clone();
        flipped[HEADER + RECORD - 1] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert_eq!(Kept::load(root.path()).get(&identity(1, 5, 10)), None);
        fs::write(&path, whole).unwrap();
        assert_eq!(Kept::load(root.path()).get(&identity(1, 5, 10)), Some(1));
    }

    #[test]
    fn large_and_new_contents_are_remembered_longest() {
        let (root, most) = (root(), MOST as u64);
        let small = (1..=most).map(|inode| (identity(inode, 5, inode.cast_signed()), 1));
        let old = identity(most + 1, LARGE, 0);
        Kept::save(root.path(), &small.chain([(old, 2)]).collect());
        let kept = Kept::load(root.path());
        assert_eq!(kept.0.len(), MOST * RECORD);
        assert_eq!(kept.get(&old), Some(2));
        assert_eq!((kept.get(&identity(1, 5, 1)), kept.get(&identity(2, 5, 2))), (None, Some(1)));

        // However many large ones come and go, small ones have half the room.
        let large = (1..=most).map(|inode| (identity(2 * most + inode, LARGE, 1 << 40 | inode.cast_signed()), 3));
        Kept::save(root.path(), &large.collect());
        let kept = Kept::load(root.path());
        assert_eq!(kept.0.len(), MOST * RECORD);
        let (newest, oldest) = (identity(most, 5, most.cast_signed()), identity(2 * most + 1, LARGE, 1 << 40 | 1));
        assert_eq!((kept.get(&newest), kept.get(&oldest)), (Some(1), None));
    }

    #[test]
    fn times_in_whole_seconds_are_not_trusted_by_others() {
        let (root, coarse) = (root(), Identity { changed: (10, 0), ..identity(1, 5, 10) });
        Kept::save(root.path(), &HashMap::from([(coarse, 1)]));
        assert_eq!(Kept::load(root.path()).get(&coarse), None);
    }

    #[test]
    fn a_directory_that_is_only_looked_at_stays_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        Kept::save(root.path(), &HashMap::from([(identity(1, 5, 10), 1)]));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
