//! A file's bytes, packed or not → a window that slides over its text.
//!
//! Memory follows the longest record, not the file, and a record has a limit.

use std::{
    fmt,
    io::{self, BufReader, Cursor, ErrorKind, Read},
};

use flate2::bufread::MultiGzDecoder;
use headgate::Code;

use super::{Open, refuse};
use crate::changes::Refusal;

const FIRST_WINDOW: usize = 256 << 10;
/// The longest record: a file that has a longer one is no file of this format.
const LONGEST_RECORD: usize = 64 << 20;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// A window over the text: what is in it and not yet consumed can be looked at again.
pub(super) struct Input {
    source: Box<dyn Read + Send>,
    window: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("unread", &(self.end - self.start))
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Unpacks gzip, told by its first two bytes, and steps over a byte order mark.
    pub(super) fn open(open: Open<'_>) -> Result<Self, Refusal> {
        let mut file = open().map_err(|error| unreadable(&error))?;
        let mut head = Vec::with_capacity(GZIP.len());
        file.by_ref().take(GZIP.len() as u64).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
        if head.is_empty() {
            return Err(refuse(Code::UnreadableFile, "the file is empty (0 bytes)"));
        }
        let packed = head == GZIP;
        let whole = BufReader::with_capacity(64 << 10, Cursor::new(head).chain(file));
        let source: Box<dyn Read + Send> = if packed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        let mut input = Self { source, window: vec![0; FIRST_WINDOW], start: 0, end: 0, ended: false };
        input.more()?;
        if input.unread().starts_with(&BYTE_ORDER_MARK) {
            input.consume(BYTE_ORDER_MARK.len());
        }
        Ok(input)
    }

    /// What is in the window.
    pub(super) fn unread(&self) -> &[u8] {
        &self.window[self.start..self.end]
    }

    /// Whether nothing follows what is in the window.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Steps over the first `bytes` of the window.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }

    /// Shows more than the window does now, unless [`ended`](Self::ended). A window that is more than half full of one
    /// record doubles, so that looking again from the record's start costs a constant share.
    pub(super) fn more(&mut self) -> Result<(), Refusal> {
        self.window.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end * 2 > self.window.len() && self.window.len() < LONGEST_RECORD {
            self.window.resize(self.window.len() * 2, 0);
        }
        if self.end == self.window.len() {
            return Err(refuse(Code::UnreadableFile, "a record is longer than 64 MiB"));
        }
        while self.end < self.window.len() && !self.ended {
            match self.source.read(&mut self.window[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Ok(())
    }
}

/// A decoder says that its bytes are wrong with these kinds; anything else is the store's.
fn unreadable(error: &io::Error) -> Refusal {
    let code = match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => Code::UnreadableFile,
        _ => Code::Unavailable,
    };
    refuse(code, format!("the file cannot be read on: {error}"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    /// Gives at most `step` bytes at a time.
    pub(crate) struct Dribble {
        bytes: Cursor<Vec<u8>>,
        step: usize,
    }

    impl Read for Dribble {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let most = self.step.max(1).min(out.len());
            self.bytes.read(&mut out[..most])
        }
    }

    pub(crate) fn dribble(bytes: &[u8], step: usize) -> impl Fn() -> io::Result<Box<dyn Read + Send>> {
        let bytes = bytes.to_vec();
        move || Ok(Box::new(Dribble { bytes: Cursor::new(bytes.clone()), step }))
    }

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn drain(bytes: &[u8]) -> Result<Vec<u8>, Code> {
        let mut input = Input::open(&dribble(bytes, 7)).map_err(|refusal| refusal.code)?;
        let mut all = input.unread().to_vec();
        while !input.ended() {
            input.consume(usize::MAX >> 1);
            input.more().map_err(|refusal| refusal.code)?;
            all.extend_from_slice(input.unread());
        }
        Ok(all)
    }

    fn check(bytes: &[u8], want: Result<&[u8], Code>) {
        assert_eq!(drain(bytes), want.map(<[u8]>::to_vec));
    }

    #[test]
    fn unpacks_by_the_first_bytes() {
        check(b"", Err(Code::UnreadableFile));
        check(b"a", Ok(b"a"));
        check(b"\xef\xbb\xbfabc", Ok(b"abc"));
        check(&gzip(b"abc"), Ok(b"abc"));
        check(&gzip(b""), Ok(b""));
        let members = [gzip(b"abc"), gzip(b"def")].concat();
        check(&members, Ok(b"abcdef"));
        let long = b"0123456789".repeat(100_000);
        check(&gzip(&long), Ok(&long));
    }

    #[test]
    fn refuses_damage() {
        let packed = gzip(&b"0123456789".repeat(1000));
        check(&packed[..packed.len() - 9], Err(Code::UnreadableFile));
        check(&[packed.as_slice(), b"rest"].concat(), Err(Code::UnreadableFile));
        check(&packed[..2], Err(Code::UnreadableFile));
        let failing = || -> io::Result<Box<dyn Read + Send>> { Err(io::Error::other("reset")) };
        assert_eq!(Input::open(&failing).unwrap_err().code, Code::Unavailable);
    }

    #[test]
    fn a_record_has_a_limit() {
        let endless = || -> io::Result<Box<dyn Read + Send>> { Ok(Box::new(io::repeat(b'a'))) };
        let mut input = Input::open(&endless).unwrap();
        let refusal = std::iter::repeat_with(|| input.more()).find_map(Result::err).unwrap();
        assert_eq!(refusal.code, Code::UnreadableFile);
    }
}
