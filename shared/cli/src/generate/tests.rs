//! Command lines → files, and what is refused.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use headgate::event::kinesis;

use super::*;

fn gen_with(options: &str, output: &Path) -> bool {
    let arguments = ["headgate", "gen"].into_iter().chain(options.split_whitespace()).chain(["-o"]);
    let arguments = arguments.map(OsString::from).chain([output.as_os_str().to_owned()]);
    format!("{:?}", crate::run(arguments, |_| None)) == format!("{:?}", ExitCode::SUCCESS)
}

/// What `headgate gen` with `options` writes to a file.
fn check(options: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out");
    assert!(gen_with(options, &file), "{options}");
    fs::read(file).unwrap()
}

fn refused(options: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out");
    assert!(!gen_with(options, &file) && !file.exists(), "{options}");
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').collect()
}

#[test]
fn the_same_command_line_writes_the_same_bytes() {
    for format in ["ndjson", "kinesis --aggregate 5", "firehose", "firehose-kinesis --shards 2", "kafka --partitions 3"]
    {
        let line = format!("clickstream --format {format} --events 3 --records 20 --bad 0.2 --duplicate 0.1 --gzip");
        assert_eq!(check(&line), check(&line), "{line}");
        assert_ne!(check(&line), check(&format!("{line} --seed 2")), "{line}");
        assert_ne!(check(&line), check(&format!("{line} --start 2026-02-01T00:00:00+01:00")), "{line}");
    }
}

#[test]
fn a_file_has_a_line_an_event() {
    let text = check("orders --format kinesis --records 7 --events 4 --stream changes");
    let events = lines(&text);
    assert_eq!(events.len(), 4);
    for event in events {
        let records = kinesis::read(event).unwrap();
        assert_eq!(records.len(), 7);
        assert!(records.into_iter().all(|record| record.unwrap().stream == "changes"));
    }
    assert_eq!(lines(&check("sensors --records 7 --events 4")).len(), 28);
}

#[test]
fn a_folder_has_a_file_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let names = |folder: &Path| {
        let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names
    };
    let made = PathBuf::from(format!("{}/", dir.path().join("made").display()));
    assert!(gen_with("sensors --format kinesis --events 2 --records 3", &made));
    assert_eq!(names(&made), [made.join("event-00000.json"), made.join("event-00001.json")]);
    assert_eq!(kinesis::read(&fs::read(made.join("event-00001.json")).unwrap()).unwrap().len(), 3);
    assert!(!gen_with("sensors --format kinesis", &made), "events are there");

    let there = tempfile::tempdir().unwrap();
    assert!(gen_with("sensors --records 3", there.path()));
    assert_eq!(lines(&fs::read(there.path().join("event-00000.ndjson")).unwrap()).len(), 3);
}

#[test]
fn what_does_not_go_together_is_refused() {
    for options in [
        "",
        "bees",
        "sensors --bad 1.1",
        "sensors --bad NaN",
        "sensors --bad 0.6 --late 0.5",
        "sensors --skew -1",
        "sensors --rate 0",
        "sensors --records 0",
        "sensors --events 0",
        "sensors --max-bytes 100",
        "sensors --start yesterday",
        "sensors --format kinesis --shards 65",
        "sensors --format kinesis --stream a/b",
        "sensors --format kinesis --tombstones 0.1",
        "sensors --format kafka --aggregate 2",
        "sensors --format firehose --shards 2",
        "sensors --stream lines-have-none",
    ] {
        refused(options);
    }
}

#[test]
fn paced_records_are_apart_by_the_rate() {
    let began = Instant::now();
    let text = check("sensors --records 6 --rate 100 --skew 0");
    assert!(began.elapsed().as_millis() >= 50);
    assert_eq!(lines(&text).len(), 6);
}

/// A reader that has had enough, or a disk that is full.
struct Failing(ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let events = || std::iter::once(Event { bytes: b"{}".to_vec(), records: 1 });
    let run = |kind| {
        let mut output = Output::Stream { out: Box::new(Failing(kind)), line_break: "\n", seen: false };
        ended(write(events(), &mut output, false, &Bar::hidden()))
    };
    assert_eq!(run(ErrorKind::BrokenPipe), Ok(()));
    assert!(matches!(run(ErrorKind::StorageFull), Err(Failure::Failed(_))));
}
