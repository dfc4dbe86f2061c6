//! A crash or a failure at every call of the store: what readers see is whole, and the next merge completes it.

use std::collections::BTreeSet;

use bytes::Bytes;
use headgate::{
    Class,
    store::{Store, StoreError},
};
use headgate_columnar::merge::{Options, Outcome};

use super::{
    file::File,
    lake::{Lake, PREFIX, Setup, at},
    replay::Table,
};

/// What is there before a merge, and what it finds.
struct Scene {
    before: Vec<File>,
    new: Vec<File>,
    /// A bad file that the merge is asked to set aside.
    bad: Option<&'static str>,
    /// The new files are a full load that was repeated, and its changes.
    reload: bool,
    options: Options,
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Unanswered,
    Unheard,
    Contended,
    Crash,
}

const FAULTS: [Fault; 4] = [Fault::Unanswered, Fault::Unheard, Fault::Contended, Fault::Crash];

fn load(number: u8, lines: &[&str]) -> File {
    File::of(&format!("LOAD0000000{number}"), "id note", lines)
}

fn changes(minute: u8, lines: &[&str]) -> File {
    File::of(&format!("20240115-10{minute:02}00000"), "id note", lines)
}

fn first() -> Scene {
    let new = vec![
        load(1, &["I 1 a", "I 2 a"]),
        load(2, &["I 3 a"]),
        changes(1, &["U 1 b", "D 2 -"]),
        changes(2, &["I 2 c", "U 3 c"]),
    ];
    Scene { before: Vec::new(), new, bad: None, reload: false, options: Options::default() }
}

/// A late file, a new one, and a publish for each.
fn onward() -> Scene {
    let before = vec![load(1, &["I 1 a", "I 2 a", "I 3 a"]), changes(1, &["U 1 b"]), changes(3, &["U 2 d"])];
    let new = vec![changes(2, &["U 1 c", "U 2 c", "I 4 c"]), changes(4, &["D 1 -", "I 5 e"]), changes(5, &["U 5 f"])];
    Scene { before, new, bad: None, reload: false, options: Options { memory: 1, ..Options::default() } }
}

fn aside() -> Scene {
    let bad = "20240115-100200000";
    let options = Options { quarantine: vec![format!("{PREFIX}{bad}.parquet")], ..Options::default() };
    let before = vec![load(1, &["I 1 a", "I 2 a"])];
    let new = vec![changes(1, &["U 1 b"]), changes(3, &["U 2 d", "I 3 d"])];
    Scene { before, new, bad: Some(bad), reload: false, options }
}

fn reload() -> Scene {
    let before = vec![load(1, &["I 1 a", "I 2 a"]), load(2, &["I 3 a"]), changes(1, &["U 1 b"])];
    let new = vec![load(1, &["I 1 x", "I 4 x"]), load(2, &["I 5 x"]), changes(59, &["U 4 y"])];
    Scene { before, new, bad: None, reload: true, options: Options::default() }
}

impl Scene {
    async fn lake(&self, versioned: bool) -> Lake {
        let lake = Lake::new(Setup { versioned, ..Setup::default() });
        if !self.before.is_empty() {
            lake.put_all(&self.before);
            lake.converges(&self.before).await;
        }
        for file in &self.new {
            if self.reload {
                lake.put_at(file, at("20240115-105800000"))
            } else {
                lake.put(file)
            };
        }
        if let Some(bad) = self.bad {
            lake.store.put_at(&format!("{PREFIX}{bad}.parquet"), BAD, at(bad));
        }
        lake
    }

    /// Every table that readers may see meanwhile.
    fn prefixes(&self, lake: &Lake) -> Vec<Table> {
        let before = lake.replay(&self.before);
        let then = (1..=self.new.len()).map(|count| lake.replay(self.kept().iter().chain(&self.new[..count])));
        std::iter::once(before).chain(then).collect()
    }

    /// What of the old files is still of the table.
    fn kept(&self) -> &[File] {
        if self.reload { &[] } else { &self.before }
    }

    async fn check(&self, versioned: bool, fault: Fault, call: u64) {
        let what = format!("{fault:?} at call {call}, versioned {versioned}");
        let lake = self.lake(versioned).await;
        let faults = lake.store.faults();
        let number = faults.total() + call;
        let unavailable = StoreError::Unavailable { key: String::new(), reason: "planned".to_owned() };
        match fault {
            Fault::Unanswered => faults.fail_before(number, unavailable),
            Fault::Unheard => faults.fail_after(number),
            Fault::Contended => faults.fail_before(number, StoreError::Changed { key: "another".to_owned() }),
            Fault::Crash => faults.crash_from(number),
        }
        let report = lake.merge_with(&self.options).await;
        faults.revive();
        let class = report.error.as_ref().map(|error| error.class);
        assert!(
            matches!((report.outcome, class), (Outcome::Merged, None) | (Outcome::Stopped, Some(Class::Retry))),
            "{what}: {report:#?}"
        );
        assert!(self.prefixes(&lake).contains(&lake.table().await), "{what}: {:#?}", lake.table().await);
        self.bad_is_somewhere(&lake, &what).await;
        self.completes(&lake, &what).await;
    }

    async fn completes(&self, lake: &Lake, what: &str) {
        let report = lake.merge_with(&self.options).await;
        assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{what}: {report:#?}");
        assert_eq!(lake.table().await, lake.replay(self.kept().iter().chain(&self.new)), "{what}");
        lake.rests().await;
        if let Some(bad) = self.bad {
            assert_eq!(lake.store.head(&format!("{PREFIX}{bad}.parquet")).await, Ok(None), "{what}");
        }
        self.bad_is_somewhere(lake, what).await;
    }

    async fn bad_is_somewhere(&self, lake: &Lake, what: &str) {
        let Some(bad) = self.bad else { return };
        let mut found = BTreeSet::new();
        for key in [format!("{PREFIX}{bad}.parquet"), format!("quarantine/orders/{bad}.parquet")] {
            found.extend(lake.store.get(&key).await.expect("an answer").map(|(_, body)| body));
        }
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [BAD], "{what}");
    }

    async fn everywhere(&self) {
        for versioned in [false, true] {
            let lake = self.lake(versioned).await;
            let before = lake.store.faults().total();
            let report = lake.merge_with(&self.options).await;
            assert_eq!(report.outcome, Outcome::Merged, "{report:#?}");
            let calls = lake.store.faults().total() - before;
            for fault in FAULTS {
                for call in 1..=calls {
                    self.check(versioned, fault, call).await;
                }
            }
        }
    }
}

const BAD: Bytes = Bytes::from_static(b"no table");

#[tokio::test]
async fn the_first_merge_fails_anywhere() {
    first().everywhere().await;
}

#[tokio::test]
async fn a_later_merge_fails_anywhere() {
    onward().everywhere().await;
}

#[tokio::test]
async fn a_merge_that_sets_a_file_aside_fails_anywhere() {
    aside().everywhere().await;
}

#[tokio::test]
async fn a_merge_of_a_repeated_load_fails_anywhere() {
    reload().everywhere().await;
}
