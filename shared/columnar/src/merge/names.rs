//! Keys of change files → what their names say: full load or changes, and their order.
//!
//! Only the file's own name orders changes; the folders above it may follow another clock.

use std::cmp::Ordering;

use headgate::{clock::Timestamp, landing::is_object_stem};

/// What a key under the source prefix is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// Part of a full load.
    Load(LoadName),
    /// Changes.
    Cdc(CdcName),
}

/// A full-load file: `[folder/][SEGMENT<n>_]LOAD<8 hexadecimal digits>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadName {
    /// The folder and segment: files of one sequence are written one after the other.
    pub sequence: String,
    /// The number in the sequence.
    pub number: u32,
}

/// A file of changes: `yyyyMMdd-HHmmss…`, the time it was written. A consumer that lands the changes of many partitions
/// at once adds where the file begins: `yyyyMMdd-HHmmssSSS.<topic>--<partition>--<offset>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdcName {
    /// The date and time digits, the latter padded with zeros on the right: the order of names of any length.
    digits: [u8; DIGITS],
    /// The key below the prefix: tells files of one name apart.
    pub key: String,
}

impl Ord for CdcName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digits.cmp(&other.digits).then_with(|| self.key.cmp(&other.key))
    }
}

impl PartialOrd for CdcName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `yyyyMMdd` and twelve digits of time.
const DIGITS: usize = 20;
/// In milliseconds.
const DAY: i64 = 86_400_000;

impl CdcName {
    /// What orders names, as text.
    #[must_use]
    pub fn digits(&self) -> &str {
        str::from_utf8(&self.digits).unwrap_or_default()
    }

    /// Whether the file has the changes of one partition among others, which may be behind the others.
    #[must_use]
    pub fn is_of_partition(&self) -> bool {
        parts(file(&self.key)).is_some_and(|(_, place)| place.is_some())
    }

    /// The time in the name, read as UTC.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        moment(self.digits())
    }
}

/// The key without the prefix, read as a change file's; `None` where it is none.
#[must_use]
pub fn parse(key: &str) -> Option<Name> {
    let (folder, file) = key.rsplit_once('/').unwrap_or(("", key));
    let load = match parts(file)? {
        (stem, None) => load(folder, stem),
        (_, Some(_)) => None,
    };
    load.map(Name::Load).or_else(|| cdc(key).map(Name::Cdc))
}

/// The key without the prefix, read as that of a file of changes.
#[must_use]
pub fn cdc(key: &str) -> Option<CdcName> {
    Some(CdcName { digits: order(key)?, key: key.to_owned() })
}

/// The digits that order the file of changes with this key.
#[must_use]
pub fn order(key: &str) -> Option<[u8; DIGITS]> {
    ordering_digits(parts(file(key))?.0)
}

/// The key below the prefix of a file that begins at a place in a partition, as
/// [`object_name`](headgate::landing::object_name) has it, and is named at this moment.
#[must_use]
pub fn of_partition(at: Timestamp, object_name: &str) -> String {
    let digits = digits_of(at);
    let (year, month, day, time) = (&digits[..4], &digits[4..6], &digits[6..8], &digits[8..17]);
    format!("{year}/{month}/{day}/{year}{month}{day}-{time}.{object_name}")
}

/// The moment and the object's name, without its ending, in a key that [`of_partition`] gave; `None` where it gave none
/// such.
#[must_use]
pub fn in_partition(key: &str) -> Option<(Timestamp, &str)> {
    let (stem, place) = parts(file(key))?;
    let digits = ordering_digits(stem)?;
    Some((moment(str::from_utf8(&digits).ok()?), place?))
}

fn file(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, file)| file)
}

/// The digits that order a file name such as `20240115-223043105`, if it is one.
fn ordering_digits(stem: &str) -> Option<[u8; DIGITS]> {
    let (date, time) = stem.split_once('-')?;
    let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if date.len() != 8 || !(6..=12).contains(&time.len()) || !numeric(date) || !numeric(time) {
        return None;
    }
    let mut digits = [b'0'; DIGITS];
    digits[..8].copy_from_slice(date.as_bytes());
    digits[8..8 + time.len()].copy_from_slice(time.as_bytes());
    str::from_utf8(&digits).ok().and_then(days).map(|_| digits)
}

/// The digits of a moment, comparable with those of names.
#[must_use]
pub fn digits_of(at: Timestamp) -> String {
    let (days, in_day) = (at.0.div_euclid(DAY), at.0.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (in_day / 1000, in_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}{millis:03}000")
}

/// The moment that 20 digits name, as UTC.
#[must_use]
pub fn moment(digits: &str) -> Timestamp {
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|d| d.parse::<i64>().ok()).unwrap_or(0);
    let in_day = ((number(8, 10) * 60 + number(10, 12)) * 60 + number(12, 14)) * 1000 + number(14, 17);
    Timestamp(days(digits).unwrap_or(0) * DAY + in_day)
}

/// A stretch of the keys below the prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stretch {
    /// They come after this.
    pub after: Option<String>,
    /// They end with this.
    pub until: Option<String>,
}

/// Where files written from some moment on are, and where those before it end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The stretches, in order, that hold them, as long as all lie in folders of one kind. What is between two stretches
    /// holds none unless folders within these were begun.
    pub stretches: Vec<Stretch>,
    /// No file from before the moment has a key beyond this.
    pub end: String,
}

/// The window of files written from `from` on, if the folders of `sample` (a file of the same source) sort by time.
/// `None`: only a full listing is sure.
#[must_use]
pub fn list_after(sample: &CdcName, from: Timestamp) -> Option<Window> {
    let digits = digits_of(from);
    let name = format!("{}-{}", &digits[..8], &digits[8..14]);
    let Some((folder, _)) = sample.key.rsplit_once('/') else {
        return Some(Window { stretches: vec![Stretch { after: Some(name.clone()), until: None }], end: name });
    };
    let dated: String = folder.bytes().filter(u8::is_ascii_digit).map(char::from).collect();
    let sorted = matches!(dated.len(), 6 | 8 | 10) && folder.bytes().all(|b| b.is_ascii_digit() || b"/-_".contains(&b));
    let near = [-1, 0, 1].iter().any(|day| {
        let shifted = digits_of(Timestamp(sample.time().0 + day * DAY));
        shifted[..dated.len().min(8)] == dated[..dated.len().min(8)]
    });
    if !sorted || !near {
        return None;
    }
    let folder_at = |at: i64| -> String {
        let mut digits = digits_of(Timestamp(at)).into_bytes().into_iter();
        folder.chars().map(|c| if c.is_ascii_digit() { digits.next().map_or(c, char::from) } else { c }).collect()
    };
    // Folders follow the commit, names the writing: a day apart at midnight.
    let (before, folder) = (folder_at(from.0 - DAY), folder_at(from.0));
    let end = format!("{folder}/{name}");
    if dated.len() > 8 {
        return Some(Window { stretches: vec![Stretch { after: Some(before), until: None }], end });
    }
    // What these folders hold of names before `from` is left out.
    let last = Stretch { after: Some(end.clone()), until: None };
    let first = Stretch { after: Some(format!("{before}/{name}")), until: Some(format!("{folder}/")) };
    let stretches = if before == folder { vec![last] } else { vec![first, last] };
    Some(Window { stretches, end })
}

/// A file name's stem, and the place in a partition that stands between it and the ending.
fn parts(file: &str) -> Option<(&str, Option<&str>)> {
    let file = file.strip_suffix(".gz").unwrap_or(file);
    let (name, extension) = file.rsplit_once('.')?;
    let (stem, place) = name.split_once('.').map_or((name, None), |(stem, place)| (stem, Some(place)));
    let is_known = matches!(extension, "parquet" | "csv" | "json" | "jsonl" | "ndjson");
    (is_known && place.is_none_or(is_object_stem)).then_some((stem, place))
}

fn load(folder: &str, stem: &str) -> Option<LoadName> {
    let (segment, rest) = match stem.strip_prefix("SEGMENT").and_then(|s| s.split_once('_')) {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => (number, rest),
        _ => ("", stem),
    };
    let hex = rest.strip_prefix("LOAD").filter(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
    // Numbers of segments order by value: padded, since the sequence compares as text.
    Some(LoadName { sequence: format!("{folder}#{segment:0>10}"), number: u32::from_str_radix(hex, 16).ok()? })
}

/// Days since 1970-01-01 of the `yyyyMMdd` that the digits begin with.
fn days(digits: &str) -> Option<i64> {
    debug_assert_eq!(digits.len(), DIGITS);
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// Year, month and day of a day since 1970-01-01, in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use headgate::landing::{Mark, object_name};

    use super::*;

    fn cdc_name(key: &str) -> CdcName {
        cdc(key).unwrap_or_else(|| panic!("{key}"))
    }

    #[test]
    fn names_are_told_apart() {
        let number = |key: &str| match parse(key) {
            Some(Name::Load(name)) => Some((name.sequence, name.number)),
            _ => None,
        };
        assert_eq!(number("LOAD0000000A.parquet"), Some(("#0000000000".into(), 10)));
        assert_eq!(number("p0/SEGMENT12_LOAD00000010.csv.gz"), Some(("p0#0000000012".into(), 16)));
        for none in [
            "LOAD1.parquet",
            "LOAD0000000G.csv",
            "20241315-000000000.parquet",
            "notes.parquet",
            "_SUCCESS",
            "2024/01/15/",
            "20240115-223043105.txt",
            "20240115.parquet",
            "CDC_TXN-20201117153046033.csv",
            "20240115-223043105.tmp.parquet",
            "20240115-223043105..parquet",
            "20240115-223043105.orders--7--12.jsonl",
            "LOAD00000001.orders--7--00000000000000000012.jsonl",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
        assert_eq!(cdc_name("2024/01/15/20240115-223043105.jsonl").time(), Timestamp(1_705_357_843_105));
    }

    #[test]
    fn names_of_nine_and_ten_digits_sort_by_time_and_folders_do_not_count() {
        assert!(cdc_name("20141029-1134010000.csv") < cdc_name("20141029-113401001.csv"));
        assert!(cdc_name("2024/01/16/20240115-235959999.csv") < cdc_name("2024/01/15/20240116-000000001.csv"));
    }

    #[test]
    fn a_name_may_say_a_place_in_a_partition() {
        let name = |partition: &str, first: u64| {
            let name = object_name("eu.orders", partition, &Mark::from(first), "jsonl.gz");
            cdc_name(&of_partition(Timestamp(1_705_357_843_105), &name))
        };
        let key = "2024/01/15/20240115-223043105.eu.orders--7--00000000000000000012.jsonl.gz";
        assert_eq!(name("7", 12), cdc_name(key));
        assert_eq!((name("7", 12).time(), name("7", 12).is_of_partition()), (Timestamp(1_705_357_843_105), true));
        assert_eq!(in_partition(key), Some((Timestamp(1_705_357_843_105), "eu.orders--7--00000000000000000012")));
        assert_eq!(in_partition("2024/01/15/20240115-223043106.csv"), None);
        assert!(name("7", 9) < name("7", 12) && name("7", 99) < name("7", 100));
        assert!(name("7", 12) < cdc_name("2024/01/15/20240115-223043106.csv"));
        assert!(!cdc_name("2024/01/15/20240115-223043106.csv").is_of_partition());
    }

    #[test]
    fn digits_and_moments_agree() {
        for millis in [0, 1_705_357_843_105, 951_782_400_000, 4_102_444_799_999] {
            assert_eq!(moment(&digits_of(Timestamp(millis))), Timestamp(millis));
        }
    }

    #[test]
    fn listing_starts_early_enough_in_every_layout_that_sorts() {
        let from = moment("20240301120000000000");
        let check = |sample: &str| {
            let stretches = list_after(&cdc_name(sample), from)?.stretches;
            let told = stretches.into_iter().map(|s| format!("{}..{}", s.after.unwrap(), s.until.unwrap_or_default()));
            Some(told.collect::<Vec<_>>().join(" "))
        };
        let expected = [
            ("20240305-101500123.parquet", "20240301-120000.."),
            (
                "2024/03/05/20240305-101500123.parquet",
                "2024/02/29/20240301-120000..2024/03/01/ 2024/03/01/20240301-120000..",
            ),
            ("2024/03/05/10/20240305-101500123.parquet", "2024/02/29/12.."),
            (
                "2024/03/05/20240305-101500123.orders--7--00000000000000000012.jsonl",
                "2024/02/29/20240301-120000..2024/03/01/ 2024/03/01/20240301-120000..",
            ),
            (
                "2024-03-05/20240305-101500123.parquet",
                "2024-02-29/20240301-120000..2024-03-01/ 2024-03-01/20240301-120000..",
            ),
            ("202403/20240305-101500123.parquet", "202402/20240301-120000..202403/ 202403/20240301-120000.."),
        ];
        for (sample, stretches) in expected {
            assert_eq!(check(sample).as_deref(), Some(stretches));
        }
        assert_eq!(check("05/03/2024/20240305-101500123.parquet"), None);
        assert_eq!(check("east/20240305-101500123.parquet"), None);
    }
}
