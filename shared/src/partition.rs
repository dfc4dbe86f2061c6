//! A row's time and column values → the partition it belongs to, as Hive spells it, in UTC.
//!
//! Pure: the same row is in the same partition, whenever and with whichever others it comes.

use std::{collections::HashMap, fmt::Write};

use time::{Date, Month, OffsetDateTime};

use crate::clock::Timestamp;
use crate::dataset::stream::{Granularity, PartitionBy};

/// What Hive calls the partition of null, and of the empty text.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The longest text of a column's value in a key, for a name of a file system ends at 255 bytes.
const LONGEST: usize = 200;
/// The longest path: S3's keys end at 1,024 bytes, the dataset's prefix and the file's name included.
const LONGEST_PATH: usize = 440;

/// The partitions that rows turned out to belong to.
#[derive(Debug)]
pub struct Partitions {
    by: PartitionBy,
    most: usize,
    paths: Vec<String>,
    known: HashMap<String, usize>,
    /// The time, cut down to the granularity, and the values of the last row: most rows are as the one before.
    last: Option<(i64, Vec<Option<String>>, usize)>,
}

/// Why a row has no partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPartition {
    /// Its time has no year of four digits.
    #[error("the event time is not in the years 1970 to 9999")]
    Time,
    /// A value is too long for a key.
    #[error("the partition columns' values are too long for a key: {LONGEST} bytes each, {LONGEST_PATH} in all")]
    Value,
    /// There are too many others.
    #[error("the batch has more than {0} partitions; partition by columns of fewer values")]
    TooMany(usize),
}

impl Partitions {
    /// No partitions yet, and never more than `most`.
    #[must_use]
    pub fn new(by: PartitionBy, most: usize) -> Self {
        Self { by, most, paths: Vec::new(), known: HashMap::new(), last: None }
    }

    /// The number of the row's partition; `at` is its time in milliseconds since 1970.
    ///
    /// # Errors
    /// Why it has none.
    pub fn of(&mut self, at: i64, values: &[Option<String>]) -> Result<usize, NoPartition> {
        let bucket = self.bucket(at);
        if let Some((last, known, number)) = &self.last
            && *last == bucket
            && known == values
        {
            return Ok(*number);
        }
        let path = self.path(at, values)?;
        let number = match self.known.get(&path) {
            Some(number) => *number,
            None if self.paths.len() == self.most => return Err(NoPartition::TooMany(self.most)),
            None => {
                self.paths.push(path.clone());
                self.known.insert(path, self.paths.len() - 1);
                self.paths.len() - 1
            }
        };
        self.last = Some((bucket, values.to_vec(), number));
        Ok(number)
    }

    /// The paths, by number: `year=2026/month=11/day=25/hour=08/country=KR/`; empty where nothing partitions.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Equal where the time is of one partition: hours, for all are made of them.
    fn bucket(&self, at: i64) -> i64 {
        self.by.time.map_or(0, |_| at.div_euclid(3_600_000))
    }

    fn path(&self, at: i64, values: &[Option<String>]) -> Result<String, NoPartition> {
        let mut path = match self.by.time {
            Some(granularity) => time_path(at, granularity).ok_or(NoPartition::Time)?,
            None => String::new(),
        };
        for (name, value) in self.by.columns.iter().zip(values) {
            escape(name, &mut path);
            path.push('=');
            let start = path.len();
            match value.as_deref() {
                None | Some("") => path.push_str(NULL),
                Some(value) => escape(value, &mut path),
            }
            if path.len() - start > LONGEST {
                return Err(NoPartition::Value);
            }
            path.push('/');
        }
        if path.len() > LONGEST_PATH {
            return Err(NoPartition::Value);
        }
        Ok(path)
    }
}

/// `year=/month=/day=/hour=/` of a moment, in UTC; `None` outside of the years 1970 to 9999.
#[must_use]
pub fn time_path(at: i64, granularity: Granularity) -> Option<String> {
    let moment = OffsetDateTime::from_unix_timestamp(at.div_euclid(1_000)).ok()?;
    if !(1970..=9999).contains(&moment.year()) {
        return None;
    }
    let mut path = format!("year={:04}/", moment.year());
    let parts = [
        (Granularity::Month, "month", u8::from(moment.month())),
        (Granularity::Day, "day", moment.day()),
        (Granularity::Hour, "hour", moment.hour()),
    ];
    for (_, name, value) in parts.iter().filter(|(part, ..)| *part <= granularity) {
        // Writing to a string cannot fail.
        let _ = write!(path, "{name}={value:02}/");
    }
    Some(path)
}

/// The moment from which on no time is in the partition of this path, where it begins as [`time_path`] says.
#[must_use]
pub fn time_end(path: &str, granularity: Granularity) -> Option<Timestamp> {
    let mut segments = path.split('/');
    let mut part = |name: &str| -> Option<u16> {
        let digits = segments.next()?.strip_prefix(name)?.strip_prefix('=')?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let year = part("year")?;
    let month = if granularity >= Granularity::Month { u8::try_from(part("month")?).ok()? } else { 12 };
    let first = Date::from_calendar_date(year.into(), Month::try_from(month).ok()?, 1).ok()?;
    let days = first.month().length(first.year());
    let day = if granularity >= Granularity::Day { u8::try_from(part("day")?).ok()? } else { days };
    let date = first.replace_day(day).ok()?.midnight().assume_utc();
    let hour = if granularity >= Granularity::Hour { u8::try_from(part("hour")?).ok()? } else { 23 };
    let last = date.replace_hour(hour).ok()?;
    Some(Timestamp((last.unix_timestamp() + 3_600) * 1_000))
}

/// As Hive escapes what a path may not hold; beyond that what S3 keys handle badly.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~ ".contains(&byte) || byte >= 0x80 {
            continue;
        }
        return escape_all(text, out);
    }
    out.push_str(text);
}

fn escape_all(text: &str, out: &mut String) {
    for sign in text.chars() {
        if sign.is_ascii_alphanumeric() || "-_.~ ".contains(sign) || !sign.is_ascii() {
            out.push(sign);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{:02X}", sign as u32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_700_000_000_000;

    fn check(
        time: Option<Granularity>,
        columns: &[&str],
        at: i64,
        values: &[Option<&str>],
    ) -> Result<String, NoPartition> {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut partitions = Partitions::new(PartitionBy { time, columns }, 10);
        let values: Vec<_> = values.iter().map(|value| value.map(str::to_owned)).collect();
        let number = partitions.of(at, &values)?;
        Ok(partitions.paths()[number].clone())
    }

    #[test]
    fn paths_are_as_hive_has_them() {
        let hour = Some(Granularity::Hour);
        assert_eq!(check(hour, &[], AT, &[]).unwrap(), "year=2023/month=11/day=14/hour=22/");
        assert_eq!(check(Some(Granularity::Year), &[], AT, &[]).unwrap(), "year=2023/");
        assert_eq!(check(None, &[], AT, &[]).unwrap(), "");
        let values = [Some("a/b=c"), None, Some(""), Some("ü %")];
        let path = "w=a%2Fb%3Dc/x=__HIVE_DEFAULT_PARTITION__/y=__HIVE_DEFAULT_PARTITION__/z=ü %25/";
        assert_eq!(check(None, &["w", "x", "y", "z"], AT, &values).unwrap(), path);
        assert_eq!(check(hour, &[], -1, &[]), Err(NoPartition::Time));
        assert_eq!(check(hour, &[], i64::MAX, &[]), Err(NoPartition::Time));
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(check(None, &["w"], AT, &[Some(&long)]), Err(NoPartition::Value));
        let half = "x".repeat(LONGEST);
        assert_eq!(check(None, &["w", "x", "y"], AT, &[Some(half.as_str()); 3]), Err(NoPartition::Value));
    }

    #[test]
    fn a_path_tells_where_its_time_ends() {
        for granularity in [Granularity::Year, Granularity::Month, Granularity::Day, Granularity::Hour] {
            for at in [0, AT, 1_709_164_800_000, 1_735_689_599_999, 951_782_400_000] {
                let path = time_path(at, granularity).unwrap() + "country=DE/";
                let end = time_end(&path, granularity).unwrap().0;
                assert!(at < end, "{path} ends at {end}");
                assert_eq!(time_path(end - 1, granularity).unwrap() + "country=DE/", path);
                assert_ne!(time_path(end, granularity).unwrap() + "country=DE/", path);
            }
        }
        for wrong in [
            "",
            "year=2026/",
            "year=2026/month=13/day=01/hour=00/",
            "year=2026/month=02/day=30/hour=00/",
            "year=x/month=01/day=01/hour=00/",
            "a/",
        ] {
            assert_eq!(time_end(wrong, Granularity::Hour), None, "{wrong}");
        }
    }

    #[test]
    fn there_is_an_end_to_them() {
        let by = PartitionBy { time: None, columns: vec!["k".to_owned()] };
        let mut partitions = Partitions::new(by, 3);
        let mut of = |text: &str| partitions.of(AT, &[Some(text.to_owned())]);
        assert_eq!([of("a"), of("b"), of("a"), of("c")], [Ok(0), Ok(1), Ok(0), Ok(2)]);
        assert_eq!([of("d"), of("b")], [Err(NoPartition::TooMany(3)), Ok(1)]);
    }

    #[test]
    fn rows_of_an_hour_are_together() {
        let by = PartitionBy { time: Some(Granularity::Hour), columns: Vec::new() };
        let mut partitions = Partitions::new(by, 3);
        let hour = AT - AT % 3_600_000;
        for (at, number) in [(hour, 0), (hour + 3_599_999, 0), (hour + 3_600_000, 1), (hour - 1, 2), (hour, 0)] {
            assert_eq!(partitions.of(at, &[]), Ok(number));
        }
    }
}
