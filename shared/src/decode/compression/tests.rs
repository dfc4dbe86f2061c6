//! Packed bytes, whole and damaged → what comes out, and that a bomb stays packed.

use std::{io::Write, time::Instant};

use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use proptest::prelude::*;

use super::*;

const CAP: usize = 1 << 20;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// With the content's size in the header.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// Without it, as a producer that streams writes it.
fn zstd_stream(bytes: &[u8], window_log: u32) -> Vec<u8> {
    let mut packed = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    packed.window_log(window_log).unwrap();
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn unpacked(bytes: &[u8], cap: usize) -> Result<Bytes, Code> {
    unpack(&Bytes::copy_from_slice(bytes), cap).map_err(|refusal| refusal.code)
}

fn check(bytes: &[u8], want: Result<&[u8], Code>) {
    assert_eq!(unpacked(bytes, CAP), want.map(Bytes::copy_from_slice));
}

#[test]
fn unpacks_by_the_first_bytes() {
    let long = b"0123456789".repeat(100_000);
    for plain in [b"".as_slice(), b"{}", b"\x1f", b"\x28\xb5\x2f", b"\x78\x9c\x03\x00"] {
        check(plain, Ok(plain));
    }
    for content in [b"".as_slice(), b"abc", &long] {
        check(&gzip(content), Ok(content));
        check(&zstd(content), Ok(content));
        check(&zstd_stream(content, 20), Ok(content));
        assert_eq!(unpack_zlib(&zlib(content), CAP), Ok(Bytes::copy_from_slice(content)));
    }
    check(&[gzip(b"abc"), gzip(b""), gzip(b"def")].concat(), Ok(b"abcdef"));
    check(&[zstd(b"abc"), zstd(b""), zstd_stream(b"def", 20)].concat(), Ok(b"abcdef"));
}

#[test]
fn what_is_not_packed_is_not_copied() {
    let plain = Bytes::from_static(b"{\"a\":1}");
    assert_eq!(unpack(&plain, 0).unwrap().as_ptr(), plain.as_ptr());
}

#[test]
fn the_cap_is_the_last_size_that_passes() {
    for size in [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
        let content = vec![b'a'; size];
        for packed in [gzip(&content), zstd(&content), zstd_stream(&content, 20)] {
            assert_eq!(unpacked(&packed, size), Ok(content.clone().into()));
            assert_eq!(unpacked(&packed, size - 1), Err(Code::TooLarge));
        }
        assert!(unpack_zlib(&zlib(&content), size).is_ok());
        assert_eq!(unpack_zlib(&zlib(&content), size - 1).unwrap_err().code, Code::TooLarge);
    }
    check(&gzip(b""), Ok(b""));
    assert_eq!(unpacked(&gzip(b""), 0), Ok(Bytes::new()));
    assert_eq!(unpacked(&gzip(b"abc"), usize::MAX), Ok(Bytes::from_static(b"abc")));
}

#[test]
fn refuses_damage() {
    let content: Vec<u8> = (0..300_u32).flat_map(|number| (number * number).to_le_bytes()).collect();
    for (packed, magic) in [(gzip(&content), 2), (zstd(&content), 4), (zstd_stream(&content, 20), 4)] {
        for end in magic..packed.len() {
            check(&packed[..end], Err(Code::InvalidCompression));
        }
        check(&[packed.as_slice(), b"rest"].concat(), Err(Code::InvalidCompression));
    }
    let mut corrupt = gzip(&content);
    let crc = corrupt.len() - 8;
    corrupt[crc] ^= 1;
    check(&corrupt, Err(Code::InvalidCompression));

    let packed = zlib(&content);
    for end in 0..packed.len() {
        assert_eq!(unpack_zlib(&packed[..end], CAP).unwrap_err().code, Code::InvalidCompression);
    }
    let reason = |bytes: &[u8]| unpack_zlib(bytes, CAP).unwrap_err().to_string();
    assert_eq!(reason(&[packed.as_slice(), b"rest"].concat()), "zlib: followed by something else");
    assert_eq!(reason(&packed[..9]), "zlib: truncated");
    assert_eq!(reason(b"{\"a\":1}"), "zlib: corrupt");
}

#[test]
fn a_bomb_stays_packed() {
    // deflate packs a thousandfold at most, zstd beyond ten thousand.
    let few = vec![0; 2 << 20];
    let many = vec![0; 256 << 20];
    let bombs = [gzip(&few).repeat(1000), gzip(&few), zstd(&many), zstd_stream(&many, 20)];
    assert!(few.len() / bombs[1].len() > 900 && many.len() / bombs[2].len() > 10_000, "they are none");
    let packed = zlib(&few);
    let started = Instant::now();
    for bomb in &bombs {
        assert_eq!(unpacked(bomb, CAP), Err(Code::TooLarge));
    }
    assert_eq!(unpack_zlib(&packed, CAP).unwrap_err().code, Code::TooLarge);
    assert!(started.elapsed().as_secs() < 20, "it was followed: {:?}", started.elapsed());
}

#[test]
fn nothing_is_allocated_beyond_the_cap() {
    struct Endless {
        given: usize,
    }
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            out.fill(b'a');
            self.given += out.len();
            Ok(out.len())
        }
    }
    let mut endless = Endless { given: 0 };
    assert_eq!(drain("gzip", &mut endless, 1 << 30, CAP).unwrap_err().code, Code::TooLarge);
    assert_eq!(endless.given, CAP + 1);
}

#[test]
fn a_window_has_a_limit() {
    let content = b"0123456789".repeat(1000);
    check(&zstd_stream(&content, 23), Ok(&content));
    check(&zstd_stream(&content, 24), Err(Code::InvalidCompression));
    assert_eq!(unpacked(&zstd_stream(&content, 24), 9 << 20), Ok(content.into()));
}

proptest! {
    #[test]
    fn ends_on_any_bytes(magic in 0..3_usize, rest: Vec<u8>) {
        let heads: [&[u8]; 3] = [b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"];
        let bytes = [heads[magic], &rest].concat();
        let _ = unpacked(&bytes, CAP);
        let _ = unpack_zlib(&bytes, CAP);
    }

    #[test]
    fn unpacks_what_was_packed(content: Vec<u8>, flip: prop::sample::Index) {
        for packed in [gzip(&content), zstd(&content), zstd_stream(&content, 20)] {
            check(&packed, Ok(&content));
            let mut damaged = packed.clone();
            damaged[flip.index(packed.len())] ^= 1;
            let _ = unpacked(&damaged, CAP);
        }
    }
}
