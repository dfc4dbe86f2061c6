//! Headers, whole and cut → schema and payload.

use std::io::Write;

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::*;

const CAP: usize = 1 << 20;
const UUID: [u8; 16] = [0xb7, 0xb4, 0xa7, 0xf0, 0x9c, 0x96, 0x4e, 0x4a, 0xa6, 0x87, 0xfb, 0x5d, 0xe9, 0xef, 0x0c, 0x63];

fn glue(packing: u8, payload: &[u8]) -> Vec<u8> {
    [&[0x03, packing], UUID.as_slice(), payload].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn check(value: &[u8], want: Result<(SchemaId, &[u8]), &str>) {
    let got = unframe(&Bytes::copy_from_slice(value), CAP);
    let got = got.map(|framed| (framed.schema, framed.payload)).map_err(|refusal| refusal.to_string());
    assert_eq!(got, want.map(|(schema, payload)| (schema, payload.to_vec().into())).map_err(str::to_owned));
}

#[test]
fn takes_the_header_off() {
    check(b"\0\0\0\x01\x02abc", Ok((SchemaId::Confluent(258), b"abc")));
    check(b"\0\xff\xff\xff\xff", Ok((SchemaId::Confluent(u32::MAX), b"")));
    check(&glue(0, b"abc"), Ok((SchemaId::Glue(UUID), b"abc")));
    check(&glue(0, b""), Ok((SchemaId::Glue(UUID), b"")));
    check(&glue(5, &zlib(b"abc")), Ok((SchemaId::Glue(UUID), b"abc")));
    let value = Bytes::from(glue(0, b"abc"));
    assert!(value.as_ptr_range().contains(&unframe(&value, CAP).unwrap().payload.as_ptr()), "it is not copied");
}

#[test]
fn says_what_is_wrong_with_a_header() {
    check(b"", Err("the value is empty: no header of a schema registry"));
    check(b"{\"a\":1}", Err("the value begins with no header of a schema registry (00 or 03)"));
    for end in 1..5 {
        check(&b"\0\0\0\0"[..end.min(4)], Err("the value ends within the Confluent header of 5 bytes"));
    }
    for end in 1..18 {
        check(&glue(0, b"")[..end], Err("the value ends within the Glue header of 18 bytes"));
    }
    check(&glue(1, b"abc"), Err("the value has a Glue header with an unknown compression (neither 00 nor 05)"));
    check(&glue(5, b"abc"), Err("zlib: corrupt"));
    check(&glue(5, &zlib(b"abc")[..5]), Err("zlib: truncated"));
    check(&glue(5, &zlib(&vec![0; CAP + 1])), Err("zlib: unpacks to more than 1048576 bytes"));
}

#[test]
fn a_schema_reads_as_its_registry_writes_it() {
    assert_eq!(SchemaId::Confluent(17).to_string(), "17");
    assert_eq!(SchemaId::Glue(UUID).to_string(), "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63");
}

#[test]
fn a_header_alone_names_the_schema() {
    let packed = [&[GLUE, 5], UUID.as_slice(), b"not zlib"].concat();
    assert_eq!(schema(&packed), Some(SchemaId::Glue(UUID)));
    assert_eq!(schema(&[0, 0, 0, 1, 2]), Some(SchemaId::Confluent(258)));
    for cut in [&packed[..17], &[0, 0, 0, 1], &[1, 0, 0, 0, 1], &[]] {
        assert_eq!(schema(cut), None, "{cut:?}");
    }
}

#[test]
fn a_schema_is_read_as_it_is_written() {
    for schema in [SchemaId::Confluent(0), SchemaId::Confluent(u32::MAX), SchemaId::Glue(UUID)] {
        assert_eq!(SchemaId::parse(&schema.to_string()), Some(schema));
    }
    let upper = SchemaId::Glue(UUID).to_string().to_uppercase();
    assert_eq!(SchemaId::parse(&upper), Some(SchemaId::Glue(UUID)));
    for text in
        ["", "+1", "-1", "4294967296", "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c6", "b7b4a7f09-c96-4e4a-a687-fb5de9ef0c63"]
    {
        assert_eq!(SchemaId::parse(text), None, "{text}");
    }
}

fn check_path(payload: &[u8], want: Result<(&[u32], &[u8]), &str>) {
    let got = protobuf(&Bytes::copy_from_slice(payload));
    let got = got.map(|found| (found.path, found.message)).map_err(|refusal| refusal.to_string());
    assert_eq!(got, want.map(|(path, message)| (path.to_vec(), message.to_vec().into())).map_err(str::to_owned));
}

#[test]
fn takes_the_message_path_off() {
    check_path(b"\x00abc", Ok((&[0], b"abc")));
    check_path(b"\x02\x00abc", Ok((&[0], b"abc")));
    // The documentation's example: 2 steps, 1 and 0.
    check_path(b"\x04\x02\x00", Ok((&[1, 0], b"")));
    check_path(b"\x02\xfe\xff\xff\xff\x0f", Ok((&[(1 << 31) - 1], b"")));
    let longest = [&[0xc8, 0x01], [0x02].repeat(100).as_slice()].concat();
    check_path(&longest, Ok((&[1; 100], b"")));

    check_path(b"", Err("the value ends within the protobuf message path"));
    check_path(b"\x04\x02", Err("the value ends within the protobuf message path"));
    check_path(b"\x80", Err("the value ends within the protobuf message path"));
    check_path(b"\x01", Err("the value has a negative protobuf message path"));
    check_path(b"\x02\x01", Err("the value has a negative protobuf message path"));
    check_path(b"\xca\x01", Err("the value has a protobuf message path of more than 100 steps"));
    let long = "the value has a protobuf message path with a number of more than 5 bytes";
    check_path(b"\x80\x80\x80\x80\x80\x00", Err(long));
    check_path(b"\x02\xfe\xff\xff\xff\x7f", Err("the value has a protobuf message path with a step beyond 32 bits"));
}

proptest! {
    #[test]
    fn ends_on_any_bytes(first in 0..4_u8, rest: Vec<u8>) {
        let value = Bytes::from([&[first], rest.as_slice()].concat());
        let _ = unframe(&value, CAP);
        let _ = protobuf(&value);
    }

    #[test]
    fn a_payload_comes_out_as_it_went_in(id: u32, payload: Vec<u8>) {
        check(&[&[0], id.to_be_bytes().as_slice(), &payload].concat(), Ok((SchemaId::Confluent(id), &payload)));
        check(&glue(0, &payload), Ok((SchemaId::Glue(UUID), &payload)));
        check(&glue(5, &zlib(&payload)), Ok((SchemaId::Glue(UUID), &payload)));
    }
}
