//! Refused changes → the table as it is in the database, whatever was merged before.

use std::{ops::Range, sync::Arc};

use headgate::{
    clock::{Clock, SystemClock, Timestamp},
    dataset::Dataset,
    faults::Unavailable,
    state::memory::MemoryState,
    store::Store,
};
use headgate_columnar::{
    merge::Outcome,
    replay::{Options, Report, replay},
};
use headgate_kafka::{Target, replay::Changes as Kind, schemas::Schemas};
use proptest::{collection::vec, prelude::*};

use super::trouble::{self, Scene, ports};
use crate::{
    faults::{Plan, plans, revive},
    kafka::{
        changes::{Changes, Known, dataset},
        table::{Form, PARTITIONS, Table},
    },
    landed::Landed,
    replay::scene::{adds_up, apply, target},
};

/// Replays under this dataset, with a registry that has all schemas.
pub async fn replays(lake: &Changes, dataset: &Dataset, options: &Options, behind: bool) -> Report {
    let schemas = Schemas::new(vec![Arc::new(Known { all: true })], Arc::new(SystemClock));
    let kind = Kind::open(&lake.port(), dataset, &schemas, behind).await.unwrap();
    replay(target(&kind, &lake.store, &lake.state), options, &|_, _| {}).await
}

/// A lake, its topic, how far each partition is acknowledged, and the dataset that replays go by.
pub struct Play {
    pub lake: Changes,
    pub table: Table,
    done: [usize; PARTITIONS],
    pub corrected: Dataset,
}

impl Play {
    /// Events of which those that `odd` picks are refused: in Avro for want of a schema, in JSON for a type too narrow.
    pub fn new(form: Form, statements: &[(u8, u8, u8, u8)], odd: impl Fn(usize, usize) -> bool) -> Self {
        let mut table = Table::new(form);
        for (what, id, other, value) in statements {
            table.happen(*what, *id, *other, *value);
        }
        table.renumber(odd);
        let (before, corrected) = match form {
            Form::Avro => (dataset(None), dataset(None)),
            _ => (dataset(Some("decimal(4,2)")), dataset(Some("decimal(9,2)"))),
        };
        let mut lake = Changes::of(corrected.clone());
        lake.ports.target = Target::Changes(before);
        Self { lake, table, done: [0; PARTITIONS], corrected }
    }

    async fn deliver(&mut self, back: usize, ahead: [usize; PARTITIONS]) {
        let ranges: [Range<usize>; PARTITIONS] = std::array::from_fn(|at| {
            let done = self.done[at];
            done.saturating_sub(back)..(done + ahead[at]).min(self.table.topic[at].len())
        });
        let answer = self.lake.deliver(&self.table.event(&ranges)).await.unwrap();
        let failed = answer["batchItemFailures"].as_array().unwrap();
        for (at, range) in ranges.into_iter().enumerate() {
            let name = format!("shop.public.orders-{at}");
            if !failed.iter().any(|failure| failure["itemIdentifier"]["partition"] == name) {
                self.done[at] = self.done[at].max(range.end);
            }
        }
    }

    pub async fn merge(&self) {
        let report = self.lake.merge().await;
        assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{report:#?}");
        assert!(report.refused.is_empty() && report.unrecognized.is_empty(), "{report:#?}");
    }

    pub async fn replay(&self, options: &Options) -> Report {
        replays(&self.lake, &self.corrected, options, false).await
    }

    /// Delivers, replays and merges the rest; then the table is what it is in the database.
    async fn ends(&mut self, what: &str) {
        revive(&self.lake.store, &self.lake.state);
        self.deliver(2, [usize::MAX >> 1; PARTITIONS]).await;
        assert_eq!(self.done, self.table.topic.each_ref().map(Vec::len), "{what}");
        adds_up(&self.replay(&apply()).await);
        self.merge().await;
        assert_eq!(self.lake.table().await, self.table.truth(), "{what}");
        let before = self.lake.objects("").await;
        let again = self.replay(&apply()).await;
        adds_up(&again);
        assert_eq!((again.replayed, again.written), (0, 0), "{what}");
        assert!(self.lake.objects("").await == before, "{what}: nothing is left to do");
        assert_eq!(self.lake.merge().await.outcome, Outcome::UpToDate, "{what}");
    }
}

fn statements() -> Vec<(u8, u8, u8, u8)> {
    let some = (0..60_u8)
        .map(|at| (at % 7, at.wrapping_mul(11) % 8, at.wrapping_mul(5) % 8, at.wrapping_mul(53).wrapping_add(110)));
    some.collect()
}

const FORMS: [Form; 2] = [Form::Bare, Form::Avro];

#[tokio::test]
async fn the_table_is_right_whether_it_was_merged_before_or_not() {
    for form in FORMS {
        for merges in [[false, false], [true, false], [false, true], [true, true]] {
            for ahead in [1, 4, 60] {
                let mut play = Play::new(form, &statements(), |at, number| (at + number) % 3 > 0);
                for _ in 0..60_usize.div_ceil(ahead) {
                    play.deliver(0, [ahead; PARTITIONS]).await;
                    play.lake.clock.set(Timestamp(play.lake.clock.now().0 + 700));
                    if merges[0] {
                        play.merge().await;
                    }
                    if merges[1] {
                        adds_up(&play.replay(&apply()).await);
                    }
                }
                let refused = play.lake.refused().await.len();
                assert!(refused > play.table.bad, "{form:?}: {refused}");
                play.ends(&format!("{form:?}, {ahead} at once, {merges:?}")).await;
            }
        }
    }
}

#[tokio::test]
async fn a_later_change_of_the_same_batch_is_not_undone() {
    let statement = |value: u8| (0, 3, 0, value);
    // One key, in one batch: the last but one change is refused.
    let mut play = Play::new(Form::Avro, &[2, 4, 6].map(statement), |_, number| number == 1);
    play.deliver(0, [9; PARTITIONS]).await;
    play.merge().await;
    let report = play.replay(&apply()).await;
    adds_up(&report);
    assert_eq!((report.replayed, report.superseded, report.written), (1, 1, 0));
    play.ends("superseded").await;
    // The last one is.
    let mut play = Play::new(Form::Avro, &[2, 4, 6].map(statement), |_, number| number == 2);
    play.deliver(0, [9; PARTITIONS]).await;
    play.merge().await;
    assert_ne!(play.lake.table().await, play.table.truth());
    let report = play.replay(&apply()).await;
    assert_eq!((report.replayed, report.superseded, report.written), (1, 0, 1));
    play.ends("the last").await;
}

#[tokio::test]
async fn a_failed_attempt_does_not_move_what_it_refused() {
    for plan in plans(8) {
        let mut play = Play::new(Form::Avro, &statements(), |at, number| (at + number) % 2 > 0);
        plan.set(&play.lake.store, &play.lake.state);
        play.deliver(0, [4; PARTITIONS]).await;
        revive(&play.lake.store, &play.lake.state);
        adds_up(&play.replay(&apply()).await);
        play.lake.clock.set(Timestamp(play.lake.clock.now().0 + 1_500));
        play.deliver(0, [3; PARTITIONS]).await;
        play.merge().await;
        play.ends(&format!("{plan:?}")).await;
    }
}

/// Changes of all partitions, some refused.
struct Refused(Play);

impl Scene for Refused {
    async fn new() -> Self {
        let some: Vec<_> = statements().into_iter().take(14).collect();
        let mut play = Play::new(Form::Avro, &some, |at, number| (at + number) % 2 > 0);
        for _ in 0..4 {
            play.deliver(0, [3; PARTITIONS]).await;
            play.lake.clock.set(Timestamp(play.lake.clock.now().0 + 700));
        }
        play.merge().await;
        Self(play)
    }

    fn landed(&self) -> &Landed {
        &self.0.lake
    }

    fn state(&self) -> &MemoryState {
        &self.0.lake.state
    }

    fn replayer(&self) -> impl AsyncFnOnce(&Options) -> Report + Send + use<> + 'static {
        let ((store, state), dataset) = (ports(self), self.0.corrected.clone());
        async move |options: &Options| {
            let schemas = Schemas::new(vec![Arc::new(Known { all: true })], Arc::new(SystemClock));
            let port: Arc<dyn Store> = Arc::new(store.clone());
            match Kind::open(&port, &dataset, &schemas, false).await {
                Ok(kind) => replay(target(&kind, &store, &state), options, &|_, _| {}).await,
                Err(error) => Report { error: Some(error), ..Report::default() },
            }
        }
    }

    async fn check(&self, told: &str) {
        self.0.merge().await;
        assert_eq!(self.0.lake.table().await, self.0.table.truth(), "{told}");
    }
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_another_replay() {
    Box::pin(trouble::fails_anywhere::<Refused>()).await;
}

#[tokio::test]
async fn two_replays_at_once_store_nothing_twice() {
    trouble::races::<Refused>().await;
}

#[tokio::test]
async fn looking_changes_nothing_and_tells_the_same() {
    trouble::looks::<Refused>().await;
}

#[tokio::test]
async fn a_batch_without_a_file_leaves_the_unfinished_one_its_place() {
    let statements = [(40, 58, 0, 146), (19, 146, 0, 0), (72, 76, 0, 0), (0, 63, 0, 0), (40, 3, 0, 0)];
    let mut play = Play::new(Form::Bare, &statements, |_, _| false);
    // The last partition's file is written, and not noted.
    let faults = play.lake.state.faults();
    faults.fail_before(faults.total() + 9, Unavailable::unavailable("the call"));
    play.deliver(0, [1, 1, 2]).await;
    assert_eq!(play.done, [1, 1, 0]);
    play.lake.clock.set(Timestamp(play.lake.clock.now().0 + 1));
    // The first of its records is refused.
    play.deliver(0, [0, 0, 1]).await;
    play.merge().await;
    play.lake.clock.set(Timestamp(play.lake.clock.now().0 - 2_000));
    play.ends("in the end").await;
}

/// Records of every partition, some of them again; a fault; a merge; a replay, which may fail too; the clock's step.
type Delivery = (usize, [usize; PARTITIONS], Option<Plan>, bool, Option<Option<Plan>>, i64);

fn delivery() -> impl Strategy<Value = Delivery> {
    let fault = || prop::option::of(prop::sample::select(plans(12)));
    let step = prop::sample::select(vec![-2_000, 0, 1, 90_000]);
    (0..4_usize, [0..7_usize, 0..7, 0..7], fault(), any::<bool>(), prop::option::of(fault()), step)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_table_is_what_it_is_in_the_database(
        form in prop::sample::select(FORMS.to_vec()),
        statements in vec(any::<(u8, u8, u8, u8)>(), 1..60),
        odd in vec(any::<bool>(), 1..20),
        deliveries in vec(delivery(), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play::new(form, &statements, |at, number| odd[(at * 7 + number) % odd.len()]);
            for (back, ahead, fault, merges, replays, step) in &deliveries {
                play.lake.clock.set(Timestamp(play.lake.clock.now().0 + step));
                if let Some(plan) = fault {
                    plan.set(&play.lake.store, &play.lake.state);
                }
                play.deliver(*back, *ahead).await;
                revive(&play.lake.store, &play.lake.state);
                if let Some(fault) = replays {
                    let options = Options { most: 300 * usize::from(*merges), ..apply() };
                    let schemas = Schemas::new(vec![Arc::new(Known { all: true })], Arc::new(SystemClock));
                    let kind = Kind::open(&play.lake.port(), &play.corrected, &schemas, false).await.unwrap();
                    if let Some(plan) = fault {
                        plan.set(&play.lake.store, &play.lake.state);
                    }
                    replay(target(&kind, &play.lake.store, &play.lake.state), &options, &|_, _| {}).await;
                    revive(&play.lake.store, &play.lake.state);
                }
                if *merges {
                    play.merge().await;
                }
            }
            play.ends("in the end").await;
        });
    }
}
