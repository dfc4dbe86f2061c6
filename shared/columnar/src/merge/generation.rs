//! Full-load and change files with their times → which of them make the present table.
//!
//! A full load that was repeated leaves the changes of the earlier one behind, perhaps also some of its files.
//! Evidence decides, never the order in which events came; where there is none, a person must say.

use headgate::{Code, Error, clock::Timestamp};

use super::names::{self, CdcName, LoadName};

/// How far a file's own time and the store's may differ while the store's is still believed, in milliseconds.
const AGREE: i64 = 5 * 60 * 1000;

/// A full-load file and its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadFile {
    /// Its key below the prefix.
    pub key: String,
    /// What the name says.
    pub name: LoadName,
    /// When the store got it.
    pub modified: Timestamp,
    /// The earliest and latest transfer time of its rows, where it has them.
    pub transfer: Option<(Timestamp, Timestamp)>,
}

/// A file of changes and when the store got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdcFile {
    /// What the name says.
    pub name: CdcName,
    /// When the store got it.
    pub modified: Timestamp,
}

/// What belongs together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generation {
    /// The keys of the full load, in load order.
    pub loads: Vec<String>,
    /// The keys of full-load files left over from an earlier load.
    pub stale: Vec<String>,
    /// Changes up to these digits belong to an earlier load.
    pub cutoff: Option<String>,
}

/// Tells the present generation's files from an earlier one's.
///
/// # Errors
/// Where full-load files are later than changes, but only by a clock that is known to be wrong.
pub fn decide(
    mut loads: Vec<LoadFile>,
    changes: &[CdcFile],
    cutoff: Option<Timestamp>,
    prefix: &str,
) -> Result<Generation, Error> {
    loads.sort_by(|a, b| a.name.cmp(&b.name));
    let trusted = is_trusted(changes);
    if let Some(cutoff) = cutoff {
        let digits = names::digits_of(cutoff);
        let is_stale = |load: &LoadFile| time(load, trusted).is_some_and(|at| at < cutoff);
        let (stale, current): (Vec<_>, Vec<_>) = loads.into_iter().partition(is_stale);
        // A cutoff after every load says which changes are old, not that there is no load.
        let (stale, current) = if current.is_empty() { (current, stale) } else { (stale, current) };
        return Ok(Generation { loads: keys(current), stale: keys(stale), cutoff: Some(digits) });
    }
    let times: Option<Vec<Timestamp>> = loads.iter().map(|load| time(load, trusted)).collect();
    match times {
        Some(times) => Ok(by_time(&loads, &times, changes)),
        None => without_time(loads, changes, prefix),
    }
}

/// When the store's own times agree with those in the names of changes: then it was the first to get the files.
#[must_use]
pub fn is_trusted(changes: &[CdcFile]) -> bool {
    !changes.is_empty() && changes.iter().all(|file| (file.modified.0 - file.name.time().0).abs() <= AGREE)
}

/// When a full-load file was written, as far as anything tells.
#[must_use]
pub fn time(load: &LoadFile, trusted: bool) -> Option<Timestamp> {
    match load.transfer {
        // One time for all rows may be the task's start, long before a reload.
        Some((first, last)) if first == last && trusted => Some(load.modified),
        Some((_, last)) => Some(last),
        None => trusted.then_some(load.modified),
    }
}

/// No changes are written while the table loads: changes between two full-load files stand between two loads.
fn by_time(loads: &[LoadFile], times: &[Timestamp], changes: &[CdcFile]) -> Generation {
    let Some(latest) = times.iter().max() else { return Generation::default() };
    let before = changes.iter().filter(|file| file.name.time() < *latest).max_by(|a, b| a.name.cmp(&b.name));
    let boundary = before.map(|file| file.name.time());
    let mut newest_of: Option<(&str, Timestamp)> = None;
    let mut generation =
        Generation { cutoff: before.map(|file| file.name.digits().to_owned()), ..Generation::default() };
    for (load, at) in loads.iter().zip(times) {
        let sequence = load.name.sequence.as_str();
        // A sequence is written in order: a file older than the one before it is left over.
        let falls_back = newest_of.is_some_and(|(of, newest)| of == sequence && *at < newest);
        if boundary.is_some_and(|boundary| *at < boundary) || falls_back {
            generation.stale.push(load.key.clone());
        } else {
            newest_of = Some((sequence, *at));
            generation.loads.push(load.key.clone());
        }
    }
    generation
}

fn without_time(loads: Vec<LoadFile>, changes: &[CdcFile], prefix: &str) -> Result<Generation, Error> {
    let last_load = loads.iter().max_by_key(|load| load.modified);
    let first_change = changes.iter().min_by_key(|file| file.modified);
    if let (Some(load), Some(change)) = (last_load, first_change)
        && load.modified > change.modified
    {
        return Err(Error::misconfigured(
            Code::AmbiguousReload,
            format!(
                "{prefix}: {} was stored after {}, but the stored times do not match the names of the change files \
                 (were the files copied?), so it cannot be told whether the full load was repeated. Set \
                 source.reload_cutoff to the time of the newest full load: changes up to it are then left out",
                load.key, change.name.key
            ),
        ));
    }
    Ok(Generation { loads: keys(loads), ..Generation::default() })
}

fn keys(loads: Vec<LoadFile>) -> Vec<String> {
    loads.into_iter().map(|load| load.key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::names::Name;

    const DAY: &str = "20240115-";

    fn at(time: &str) -> Timestamp {
        names::cdc(&format!("{DAY}{time}.csv")).unwrap().time()
    }

    /// `number@stored[/first-last]`
    fn load(text: &str) -> LoadFile {
        let (number, rest) = text.split_once('@').unwrap();
        let (stored, transfer) = rest.split_once('/').map_or((rest, None), |(s, t)| (s, t.split_once('-')));
        let key = format!("LOAD{number:0>8}.parquet");
        let Some(Name::Load(name)) = names::parse(&key) else { panic!("{key}") };
        LoadFile { key, name, modified: at(stored), transfer: transfer.map(|(a, b)| (at(a), at(b))) }
    }

    /// `time@stored`
    fn change(text: &str) -> CdcFile {
        let (time, stored) = text.split_once('@').unwrap();
        let Some(Name::Cdc(name)) = names::parse(&format!("{DAY}{time}.parquet")) else { panic!("{text}") };
        CdcFile { name, modified: at(stored) }
    }

    fn check(loads: &[&str], changes: &[&str], cutoff: Option<&str>) -> String {
        let loads = loads.iter().map(|l| load(l)).collect();
        let changes: Vec<_> = changes.iter().map(|c| change(c)).collect();
        let number = |key: &String| key["LOAD".len()..12].trim_start_matches('0').to_owned();
        match decide(loads, &changes, cutoff.map(at), "p/") {
            Err(error) => error.code.to_string(),
            Ok(g) => format!(
                "{} stale {} cutoff {}",
                g.loads.iter().map(number).collect::<Vec<_>>().join(","),
                g.stale.iter().map(number).collect::<Vec<_>>().join(","),
                g.cutoff.map_or_else(|| "-".to_owned(), |c| c[8..14].to_owned())
            ),
        }
    }

    #[test]
    fn one_load_and_its_changes() {
        assert_eq!(check(&["1@100000", "2@100100"], &["101000@101000"], None), "1,2 stale  cutoff -");
        assert_eq!(check(&["2@100000", "A@100100", "10@100200"], &[], None), "2,A,10 stale  cutoff -");
        assert_eq!(check(&[], &["101000@101000"], None), " stale  cutoff -");
    }

    #[test]
    fn a_repeated_load_cuts_off_the_changes_before_it() {
        let changes = ["101000@101000", "120000@120000"];
        assert_eq!(check(&["1@110000", "2@110100"], &changes, None), "1,2 stale  cutoff 101000");
        // The stored times say nothing after a copy; those of the rows do.
        let copied = ["101000@180000", "120000@180001"];
        assert_eq!(check(&["1@190000/110000-110001"], &copied, None), "1 stale  cutoff 101000");
        assert_eq!(check(&["1@190000/090000-090001"], &copied, None), "1 stale  cutoff -");
    }

    #[test]
    fn a_shorter_repeated_load_leaves_files_over() {
        assert_eq!(check(&["1@110000", "2@100000"], &["101000@101000"], None), "1 stale 2 cutoff 101000");
        assert_eq!(check(&["1@110000/110000-110001", "2@100000/100000-100001"], &[], None), "1 stale 2 cutoff -");
    }

    #[test]
    fn one_time_for_all_rows_may_be_the_start_of_the_task() {
        assert_eq!(check(&["1@110000/090000-090000"], &["101000@101000"], None), "1 stale  cutoff 101000");
    }

    #[test]
    fn without_evidence_a_person_must_say() {
        let copied = ["101000@180000", "120000@180002"];
        assert_eq!(check(&["1@175959"], &copied, None), "1 stale  cutoff -");
        assert_eq!(check(&["1@180001"], &copied, None), "ambiguous_reload");
        assert_eq!(check(&["1@180001"], &copied, Some("110000")), "1 stale  cutoff 110000");
    }
}
