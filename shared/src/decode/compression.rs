//! Packed bytes → what they hold, up to a cap.
//!
//! Raw decompressors come in here and, but for files that are read as a stream, nowhere else: each of them would follow
//! a bomb as far as it goes.

#![expect(clippy::disallowed_types, reason = "the room they are kept in")]

use std::io::{ErrorKind, Read};

use bytes::Bytes;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use super::{Refusal, refuse};
use crate::error::Code;

#[cfg(test)]
mod tests;

/// What is asked of the allocator at least, in bytes.
const CHUNK: usize = 16 << 10;
/// Packed text grows by about this when it is unpacked.
const USUAL_RATIO: usize = 4;
/// Decoders should take windows of 8 MiB (RFC 8878, 3.1.1.1.2), whatever the content's size.
const SMALLEST_WINDOW: usize = 8 << 20;
/// As zstd's own limit: 128 MiB.
const LARGEST_WINDOW: usize = 128 << 20;

/// How bytes are packed, where their beginning says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// One or more gzip members (RFC 1952).
    Gzip,
    /// One or more zstd frames (RFC 8878), the first of which is not a skippable one.
    Zstd,
}

impl Packing {
    /// Tells by the first bytes: `1f 8b` (RFC 1952, 2.3.1), `28 b5 2f fd` (RFC 8878, 3.1.1). zlib's two bytes say too
    /// little to be told from data: where it is expected, there is [`unpack_zlib`].
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return Some(Self::Gzip);
        }
        bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]).then_some(Self::Zstd)
    }
}

/// Unpacks gzip and zstd, told by the first bytes; anything else is handed back as it is, whatever its size.
///
/// At most `cap` bytes come out, and about as many are allocated. zstd's window comes on top: at most 8 MiB, or `cap`
/// rounded up to a power of two where that is more.
///
/// # Errors
/// [`Code::TooLarge`] where the content is larger than `cap` bytes, [`Code::InvalidCompression`] where it is corrupt,
/// truncated, followed by something else, or needs a larger window.
pub fn unpack(bytes: &Bytes, cap: usize) -> Result<Bytes, Refusal> {
    match Packing::sniff(bytes) {
        None => Ok(bytes.clone()),
        Some(Packing::Gzip) => drain("gzip", MultiGzDecoder::new(bytes.as_ref()), bytes.len(), cap),
        Some(Packing::Zstd) => unpack_zstd(bytes, cap),
    }
}

/// Unpacks one zlib stream (RFC 1950), of which at most `cap` bytes come out.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_zlib(bytes: &[u8], cap: usize) -> Result<Bytes, Refusal> {
    let mut decoder = ZlibDecoder::new(bytes);
    let content = drain("zlib", &mut decoder, bytes.len(), cap)?;
    if decoder.into_inner().is_empty() {
        return Ok(content);
    }
    Err(refuse(Code::InvalidCompression, "zlib: followed by something else"))
}

fn unpack_zstd(bytes: &[u8], cap: usize) -> Result<Bytes, Refusal> {
    let said = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
    if said.is_some_and(|said| said > cap as u64) {
        return Err(too_large("zstd", cap));
    }
    let window = cap.clamp(SMALLEST_WINDOW, LARGEST_WINDOW).next_power_of_two();
    let decoder = zstd::stream::read::Decoder::with_buffer(bytes).and_then(|mut decoder| {
        decoder.window_log_max(window.ilog2())?;
        Ok(decoder)
    });
    let decoder = decoder.map_err(|_| refuse(Code::InvalidCompression, "zstd: no decoder"))?;
    drain("zstd", decoder, bytes.len(), cap)
}

/// Reads to the end, never allocating more than one byte beyond `cap`: that byte tells that there is more.
fn drain(name: &'static str, mut content: impl Read, packed: usize, cap: usize) -> Result<Bytes, Refusal> {
    let most = cap.saturating_add(1);
    let mut out = Vec::new();
    let mut room = packed.saturating_mul(USUAL_RATIO).max(CHUNK).min(most);
    loop {
        out.reserve_exact(room);
        // Room for all that may come: `read_to_end` has no reason to grow the vector by its own measure.
        let read =
            content.by_ref().take(room as u64).read_to_end(&mut out).map_err(|error| damaged(name, error.kind()))?;
        if out.len() == most {
            return Err(too_large(name, cap));
        }
        if read < room {
            return Ok(out.into());
        }
        room = out.len().min(most - out.len());
    }
}

fn damaged(name: &str, kind: ErrorKind) -> Refusal {
    let how = if kind == ErrorKind::UnexpectedEof { "truncated" } else { "corrupt" };
    refuse(Code::InvalidCompression, format!("{name}: {how}"))
}

fn too_large(name: &str, cap: usize) -> Refusal {
    refuse(Code::TooLarge, format!("{name}: unpacks to more than {cap} bytes"))
}
