//! A shard and a position → the name of the object that begins there.
//!
//! Two places never have the same name, and the name says nothing else: not the batch, not the time, not the attempt.

use std::fmt::Write;

use super::Mark;

/// The digits of the largest offset.
const OFFSET: usize = 20;
/// The digits of a Kinesis sequence number.
const SEQUENCE: usize = 56;

/// The last part of an object's key: `<source>--<shard>--<first>.<extension>`, such as
/// `clicks--shardId-000000000003--49590338271490256608559692538361571095921575989136588898.parquet`.
///
/// `source` is the stream or topic, `shard` the shard or partition, `first` the place of the first record of the
/// object, and `extension` comes without its dot. `first` has 20 digits where it fits an offset, else 56 or more, with
/// leading zeros: within a shard names sort as places do, for the numbers of one shard have one length.
///
/// The name holds ASCII letters, digits, `.`, `-`, `_` alone, which need no escape in S3, Hive and shells; another
/// byte becomes `!` and its two hexadecimal digits. It never begins with `.` or `_`, which Hive, Athena and Spark take
/// for a hidden file.
#[must_use]
pub fn object_name(source: &str, shard: &str, first: &Mark, extension: &str) -> String {
    let first = first.as_str();
    let width = if first.len() <= OFFSET { OFFSET } else { SEQUENCE };
    format!("{}--{}--{first:0>width$}.{extension}", part(source), part(shard))
}

/// Whether `text` is an [`object_name`] without its extension.
#[must_use]
pub fn is_object_stem(text: &str) -> bool {
    let parts: Vec<&str> = text.split("--").collect();
    let [source, shard, first] = parts[..] else { return false };
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b".-_!".contains(&byte);
    let is_part = |part: &str| part.bytes().all(is_safe) && !part.starts_with(['.', '_', '-']) && !part.ends_with('-');
    is_part(source)
        && is_part(shard)
        && (first.len() == OFFSET || first.len() >= SEQUENCE)
        && first.bytes().all(|byte| byte.is_ascii_digit())
}

/// The source, shard and first place that the last part of a key names, where it is an [`object_name`].
#[must_use]
pub fn object_place(name: &str) -> Option<(String, String, Mark)> {
    // What follows the place is the extension; a source may have dots of its own.
    let (source, rest) = name.split_once("--")?;
    let (shard, rest) = rest.split_once("--")?;
    let (first, _) = rest.split_once('.')?;
    is_object_stem(&name[..name.len() - rest.len() + first.len()]).then_some(())?;
    Some((whole(source)?, whole(shard)?, Mark::new(first)?))
}

/// The text that [`part`] made safe.
fn whole(part: &str) -> Option<String> {
    let mut pieces = part.split('!');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

/// The text without what is unsafe, and without a `-` that could be taken for one of a separator.
fn part(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut safe = String::with_capacity(text.len());
    for (at, byte) in bytes.iter().copied().enumerate() {
        let inner = at > 0 && at + 1 < bytes.len();
        let keeps = match byte {
            b'-' => inner && bytes[at - 1] != b'-',
            b'.' | b'_' => at > 0,
            _ => byte.is_ascii_alphanumeric(),
        };
        if keeps {
            safe.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(safe, "!{byte:02X}");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(source: &str, shard: &str, first: &str, name: &str) {
        assert_eq!(object_name(source, shard, &Mark::new(first).unwrap(), "parquet"), name);
    }

    #[test]
    fn it_reads_as_a_place() {
        check("clicks", "shardId-000000000003", &"4".repeat(56), &{
            format!("clicks--shardId-000000000003--{}.parquet", "4".repeat(56))
        });
        check("eu.orders_v2", "7", "1234", "eu.orders_v2--7--00000000000000001234.parquet");
        check("a/b=c", "é", "0", "a!2Fb!3Dc--!C3!A9--00000000000000000000.parquet");
        check("_a", ".b", "18446744073709551615", "!5Fa--!2Eb--18446744073709551615.parquet");
        check(
            "a-",
            "-b--c",
            &"1".repeat(21),
            &format!("a!2D--!2Db-!2Dc--{}{}.parquet", "0".repeat(35), "1".repeat(21)),
        );
    }

    #[test]
    fn a_stem_is_told_from_other_text() {
        for other in [
            "",
            "tmp",
            "a--7--1",
            "a--00000000000000000001",
            "a--b--c--00000000000000000001",
            "a-7-00000000000000000001",
        ] {
            assert!(!is_object_stem(other), "{other}");
        }
        for hidden in ["_a--7", ".a--7", "a b--7", "a---7", "a--7x/"] {
            assert!(!is_object_stem(&format!("{hidden}--{:020}", 1)), "{hidden}");
        }
    }

    proptest! {
        #[test]
        fn no_two_places_share_a_name(
            left in ("[a!-]{0,4}", "[a!-]{0,4}", 0..3_u64),
            right in ("[a!-]{0,4}", "[a!-]{0,4}", 0..3_u64),
        ) {
            let name = |(source, shard, first): &(String, String, u64)| object_name(source, shard, &Mark::from(*first), "x");
            prop_assert_eq!(name(&left) == name(&right), left == right);
        }

        #[test]
        fn a_name_tells_its_place(source: String, shard: String, first: u64) {
            let first = Mark::from(first);
            prop_assume!(!source.is_empty() && !shard.is_empty());
            prop_assert_eq!(object_place(&object_name(&source, &shard, &first, "jsonl.gz")), Some((source, shard, first)));
        }

        #[test]
        fn every_name_is_safe_and_sorts(source: String, shard: String, left: u64, right: u64) {
            let name = |first: u64| object_name(&source, &shard, &Mark::from(first), "x");
            prop_assert!(!name(left).starts_with(['.', '_']));
            prop_assert!(is_object_stem(name(left).strip_suffix(".x").unwrap()));
            prop_assert!(name(left).bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_!".contains(&byte)));
            prop_assert_eq!(name(left).cmp(&name(right)), left.cmp(&right));
        }
    }
}
