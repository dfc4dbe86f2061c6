//! An object of lines → one line after the other, never much more than one in memory.

use bytes::{Bytes, BytesMut};
use headgate::{
    Error,
    store::{ObjectMeta, Store},
};
use memchr::memchr;

/// Bytes read at once.
const CHUNK: u64 = 4 << 20;
/// The longest line: a record that unpacked to all it may, in base64, and what is said of it.
const LONGEST: usize = 64 << 20;

/// The lines of an object, from its first on.
pub(super) struct Lines<'a> {
    store: &'a dyn Store,
    object: &'a ObjectMeta,
    /// How many bytes of the object were read.
    read: u64,
    unread: BytesMut,
    /// How many bytes of `unread` are known to have no line's end.
    searched: usize,
    number: u64,
    longest: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(store: &'a dyn Store, object: &'a ObjectMeta) -> Self {
        Self { store, object, read: 0, unread: BytesMut::new(), searched: 0, number: 0, longest: LONGEST }
    }

    /// The next line with its number, the first being 1; `None` in place of one that is too long.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Option<Bytes>)>, Error> {
        let mut too_long = false;
        loop {
            if let Some(end) = memchr(b'\n', &self.unread[self.searched..]) {
                let line = self.unread.split_to(self.searched + end + 1).freeze();
                return Ok(Some(self.ended(line.slice(..line.len() - 1), too_long)));
            }
            self.searched = self.unread.len();
            if self.unread.len() > self.longest {
                too_long = true;
                self.unread.clear();
                self.searched = 0;
            }
            if self.read == self.object.size {
                let rest = self.unread.split().freeze();
                return Ok((too_long || !rest.is_empty()).then(|| self.ended(rest, too_long)));
            }
            let to = self.object.size.min(self.read + CHUNK);
            let chunk = self.store.get_range(&self.object.key, self.read..to, &self.object.etag).await?;
            self.unread.extend_from_slice(&chunk);
            self.read = to;
        }
    }

    fn ended(&mut self, line: Bytes, too_long: bool) -> (u64, Option<Bytes>) {
        self.searched = 0;
        self.number += 1;
        (self.number, (!too_long && line.len() <= self.longest).then_some(line))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headgate::{
        clock::SystemClock,
        store::{Condition, memory::MemoryStore},
    };

    use super::*;

    async fn check(body: &[u8], expected: &[Option<&[u8]>]) {
        let store = MemoryStore::new(Arc::new(SystemClock));
        store.put("a", Bytes::copy_from_slice(body), Condition::Always).await.unwrap();
        let object = store.head("a").await.unwrap().unwrap();
        let mut lines = Lines { longest: 5_000_000, ..Lines::of(&store, &object) };
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next().await.unwrap() {
            found.push(line);
            assert_eq!(number, found.len() as u64);
        }
        let found: Vec<_> = found.iter().map(|line| line.as_deref()).collect();
        assert!(found == expected, "{:?}", found.iter().map(|line| line.map(<[u8]>::len)).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn every_line_is_numbered_the_last_without_an_end_too() {
        check(b"", &[]).await;
        check(b"a", &[Some(b"a")]).await;
        check(b"a\n\nb\r\n", &[Some(b"a"), Some(b""), Some(b"b\r")]).await;
    }

    #[tokio::test]
    async fn a_line_over_several_reads_is_whole_and_one_without_end_costs_itself() {
        let (long, longer) = (vec![b'x'; 4_999_999], vec![b'y'; 9_000_000]);
        check(&[&long[..], b"\na\n"].concat(), &[Some(&long), Some(b"a")]).await;
        check(&[b"a\n", &longer[..], b"\n", &long, b"\nb"].concat(), &[Some(b"a"), None, Some(&long), Some(b"b")])
            .await;
        check(&longer, &[None]).await;
        check(&[&longer[..], &longer].concat(), &[None]).await;
    }
}
