//! Which files are taken, and together with which.

use headgate::store::ETag;

use super::*;

const HOUR: i64 = 3_600_000;
/// The end of the partition.
const END: i64 = 1_700_002_800_000;
const PATH: &str = "year=2023/month=11/day=14/hour=22/";

fn file(name: &str, size: u64, at: i64) -> ObjectMeta {
    let key = format!("raw/t/{PATH}{name}");
    ObjectMeta { etag: ETag(key.clone()), key, size, last_modified: Timestamp(at) }
}

fn landed(number: u64, size: u64) -> ObjectMeta {
    file(&object_name("s", "0", &Mark::from(number), "parquet"), size, END + number.cast_signed())
}

fn own(number: u64, size: u64) -> ObjectMeta {
    file(&object_name(SOURCE, &format!("{number:032x}"), &Mark::from(4), "parquet"), size, END)
}

fn rules(now: i64) -> Rules {
    let compact = Compact { target: 1000, ..Compact::default() };
    Rules { compact, time: Some(Granularity::Hour), now: Timestamp(now) }
}

fn candidates(rules: &Rules, path: &str, files: &[ObjectMeta]) -> Result<usize, Skip> {
    rules.candidates(path, files.to_vec()).map(|files| files.len())
}

#[test]
fn a_partition_is_closed_when_its_time_is_over_and_nobody_writes() {
    let files: Vec<_> = (0..3).map(|number| landed(number, 10)).collect();
    assert_eq!(candidates(&rules(END + 24 * HOUR - 1), PATH, &files), Err(Skip::Open));
    assert_eq!(candidates(&rules(END + 24 * HOUR), PATH, &files), Ok(3));
    assert_eq!(candidates(&rules(END + 24 * HOUR), "x/", &files), Err(Skip::Unrecognized));
    let late = [&files[..], &[file("late--0--00000000000000000001.parquet", 10, END + 24 * HOUR)]].concat();
    assert_eq!(candidates(&rules(END + 25 * HOUR - 1), PATH, &late), Err(Skip::StillWritten));
    assert_eq!(candidates(&rules(END + 25 * HOUR), PATH, &late), Ok(4));
    let fresh = ObjectMeta { last_modified: Timestamp(END + 24 * HOUR), ..own(1, 10) };
    assert_eq!(candidates(&rules(END + 24 * HOUR), PATH, &[&files[..], &[fresh]].concat()), Ok(3), "ours waits alone");
}

#[test]
fn without_a_time_files_close_one_by_one() {
    let rules = Rules { time: None, ..rules(END + 24 * HOUR) };
    let files = [landed(0, 10), file("late--0--00000000000000000001.parquet", 10, END + 23 * HOUR)];
    assert_eq!(candidates(&rules, "", &files), Ok(1));
}

fn sizes(files: Vec<ObjectMeta>) -> Vec<Vec<u64>> {
    rules(END).groups(files).into_iter().map(|group| group.into_iter().map(|file| file.size).collect()).collect()
}

#[test]
fn groups_are_about_as_large_as_the_target() {
    assert_eq!(sizes(Vec::new()), [[0; 0]; 0]);
    assert_eq!(sizes((0..3).map(|number| landed(number, 10)).collect()), [[0; 0]; 0], "too few");
    let eleven: Vec<_> = (0..11).map(|number| landed(number, 200)).collect();
    assert_eq!(sizes(eleven), [vec![200; 5], vec![200; 5]], "the last one waits for others");
    assert_eq!(candidates(&rules(END + 48 * HOUR), PATH, &[landed(0, 500), landed(1, 499)]), Ok(1), "large enough");
}

#[test]
fn a_large_file_is_not_written_anew_for_a_few_rows() {
    let with = |late: u64| [vec![own(1, 400)], (0..4).map(|number| landed(number, late)).collect()].concat();
    assert_eq!(sizes(with(24)), [[24; 4]]);
    assert_eq!(sizes(with(25)), [[400, 25, 25, 25, 25]]);
}

#[test]
fn ten_thousand_files_are_planned_in_requests_of_a_thousand() {
    let files: Vec<_> = (0..10_000).map(|number| landed(number, 0)).collect();
    let groups = rules(END).groups(files);
    assert_eq!(groups.iter().map(Vec::len).collect::<Vec<_>>(), [PAGE; 10]);
}

#[test]
fn the_output_is_named_by_its_inputs() {
    let name = output_name(&[landed(0, 1), landed(1, 1)]);
    assert!(is_own(&format!("raw/t/{name}")) && !is_own(&landed(0, 1).key));
    assert_eq!(output_name(&[landed(0, 1), landed(1, 1)]), name);
    let changed = ObjectMeta { etag: ETag("x".to_owned()), ..landed(1, 1) };
    assert_ne!(output_name(&[landed(0, 1), changed]), name);
    assert_ne!(output_name(&[landed(0, 1)]), name);
}
