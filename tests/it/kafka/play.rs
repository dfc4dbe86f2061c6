//! A table's changes through Kafka, both functions and every kind of trouble → the table, as it is.

use std::ops::Range;

use headgate::{
    clock::{Clock, Timestamp},
    faults::Unavailable,
    state::StateError,
};
use headgate_columnar::merge::Outcome;
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use crate::faults::{Plan, plans, revive};

use super::{
    changes::Changes,
    table::{Form, PARTITIONS, Table},
};

const FORMS: [Form; 3] = [Form::Bare, Form::Wrapped, Form::Avro];

/// A lake, its topic, and how far each partition is acknowledged.
struct Scene {
    lake: Changes,
    table: Table,
    done: [usize; PARTITIONS],
}

impl Scene {
    fn new(form: Form, statements: &[(u8, u8, u8, u8)]) -> Self {
        let mut table = Table::new(form);
        for (what, id, other, value) in statements {
            table.happen(*what, *id, *other, *value);
        }
        Self { lake: Changes::new(form == Form::Bare), table, done: [0; PARTITIONS] }
    }

    fn revive(&self) {
        revive(&self.lake.store, &self.lake.state);
    }

    /// The checkpoint of the next delivery does not move.
    fn stay_unfinished(&self) {
        let faults = self.lake.state.faults();
        faults.fail_before(faults.total() + 3, StateError::unavailable("the call"));
    }

    /// Delivers from `back` records before what is acknowledged, to so many after it.
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

    /// Merges what is there, finished or not: it never stops.
    async fn merge(&self) {
        let report = self.lake.merge().await;
        assert!(matches!(report.outcome, Outcome::Merged | Outcome::UpToDate), "{report:#?}");
        assert!(report.refused.is_empty() && report.unrecognized.is_empty(), "{report:#?}");
    }

    /// Delivers and merges the rest; then the table is what it is in the database.
    async fn ends(&mut self, what: &str) {
        self.revive();
        self.deliver(2, [usize::MAX >> 1; PARTITIONS]).await;
        assert_eq!(self.done, self.table.topic.each_ref().map(Vec::len), "{what}");
        self.merge().await;
        assert_eq!(self.lake.table().await, self.table.truth(), "{what}");
        assert_eq!(self.lake.refused().await.len(), self.table.bad, "{what}");
        assert_eq!(self.lake.merge().await.outcome, Outcome::UpToDate, "{what}");
    }
}

/// Statements of every kind.
fn statements() -> Vec<(u8, u8, u8, u8)> {
    let some = (0..40_u8).map(|at| (at % 7, at.wrapping_mul(11) % 8, at.wrapping_mul(5) % 8, at.wrapping_mul(37)));
    some.collect()
}

#[tokio::test]
async fn a_failure_anywhere_is_cured_by_redelivery() {
    for form in FORMS {
        for plan in plans(12) {
            let mut scene = Scene::new(form, &statements());
            scene.deliver(0, [2, 3, 1]).await;
            plan.set(&scene.lake.store, &scene.lake.state);
            scene.deliver(1, [6, 5, 7]).await;
            scene.revive();
            scene.merge().await;
            scene.lake.clock.set(Timestamp(scene.lake.clock.now().0 + 1_500));
            // The next attempt ends earlier.
            scene.deliver(1, [4, 4, 9]).await;
            scene.merge().await;
            scene.ends(&format!("{form:?}: {plan:?}")).await;
        }
    }
}

#[tokio::test]
async fn columns_have_their_types() {
    for form in FORMS {
        let mut scene = Scene::new(form, &statements());
        scene.ends(&format!("{form:?}")).await;
        let types = ["Decimal128(9, 2)", "Date32", "Int64", "Utf8"].map(str::to_owned);
        assert_eq!(scene.lake.columns().await.into_values().collect::<Vec<_>>(), types, "{form:?}");
    }
}

#[tokio::test]
async fn names_never_go_back_and_a_repeat_keeps_its_name() {
    let mut scene = Scene::new(Form::Bare, &statements());
    let names = async |scene: &Scene| {
        let names = scene.lake.files().await.into_keys();
        let shown =
            names.map(|name| name.replace("shop.public.orders--0--000000000000000000", "").replace(".jsonl.gz", ""));
        shown.filter(|name| !name.contains("--")).collect::<Vec<_>>()
    };
    scene.deliver(0, [2, 0, 0]).await;
    let first = "2026/11/22/20261122-120000000.05";
    assert_eq!(names(&scene).await, [first]);
    // A clock that is behind; the attempt is not finished.
    scene.lake.clock.set(Timestamp(scene.lake.clock.now().0 - 60_000));
    scene.stay_unfinished();
    scene.deliver(0, [2, 0, 0]).await;
    let second = names(&scene).await[1].clone();
    assert!(second.starts_with("2026/11/22/20261122-120000000."), "{second}");
    scene.revive();
    // Half of the 72 hours may pass.
    scene.lake.clock.set(Timestamp(scene.lake.clock.now().0 + 35 * 3_600_000));
    scene.stay_unfinished();
    scene.deliver(0, [3, 0, 0]).await;
    scene.revive();
    assert_eq!(names(&scene).await, [first, &second]);
    scene.merge().await;
    // After that the object gets a name that a merge has not settled, and the old one is gone.
    scene.lake.clock.set(Timestamp(scene.lake.clock.now().0 + 2 * 3_600_000));
    scene.deliver(0, [3, 0, 0]).await;
    let third = second.replace("2026/11/22/20261122-120000000", "2026/11/24/20261124-005900000");
    assert_eq!(names(&scene).await, [first, &third]);
    scene.ends("a new name").await;
}

#[tokio::test]
async fn a_partition_that_is_behind_drops_no_column() {
    let mut scene = Scene::new(Form::Wrapped, &[]);
    let event = |id: i64, columns: &[&str]| {
        let fields: Vec<_> = columns.iter().map(|name| json!({"field": name, "type": "int64"})).collect();
        let row: serde_json::Map<_, _> = columns.iter().map(|name| ((*name).to_owned(), json!(id))).collect();
        let after = json!({"field": "after", "type": "struct", "fields": fields});
        json!({"schema": {"type": "struct", "fields": [after]}, "payload": {"op": "c", "after": row}}).to_string()
    };
    scene.table.topic[0].push((1, Some(event(3, &["id", "note"]).into_bytes())));
    scene.table.topic[1].push((1, Some(event(4, &["id"]).into_bytes())));
    for ahead in [[1, 0, 0], [0, 1, 0]] {
        scene.lake.clock.set(Timestamp(scene.lake.clock.now().0 + 1_000));
        scene.deliver(0, ahead).await;
        scene.merge().await;
    }
    assert_eq!(scene.lake.columns().await.into_keys().collect::<Vec<_>>(), ["id", "note"]);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_cut_short() {
    for form in FORMS {
        let mut scene = Scene::new(form, &statements());
        scene.lake.ports.most = 600;
        let mut deliveries = 0;
        while scene.done != scene.table.topic.each_ref().map(Vec::len) {
            scene.deliver(0, [usize::MAX >> 1; PARTITIONS]).await;
            deliveries += 1;
            assert!(deliveries < 100, "{form:?}: no end");
        }
        assert!(deliveries > 2, "{form:?}: {deliveries}");
        scene.ends(&format!("{form:?}, cut short")).await;
    }
}

/// Records of every partition, some of them again; a fault; a merge; the clock's step.
type Delivery = (usize, [usize; PARTITIONS], Option<Plan>, bool, i64);

fn delivery() -> impl Strategy<Value = Delivery> {
    let fault = prop::option::of(prop::sample::select(plans(12)));
    (0..4_usize, [0..7_usize, 0..7, 0..7], fault, any::<bool>(), prop::sample::select(vec![-2_000, 0, 1, 90_000]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_table_is_what_it_is_in_the_database(
        form in prop::sample::select(FORMS.to_vec()),
        statements in vec(any::<(u8, u8, u8, u8)>(), 1..60),
        deliveries in vec(delivery(), 0..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut scene = Scene::new(form, &statements);
            for (back, ahead, fault, merges, step) in &deliveries {
                scene.lake.clock.set(Timestamp(scene.lake.clock.now().0 + step));
                if let Some(plan) = fault {
                    plan.set(&scene.lake.store, &scene.lake.state);
                }
                scene.deliver(*back, *ahead).await;
                scene.revive();
                if *merges {
                    scene.merge().await;
                }
            }
            scene.ends("in the end").await;
        });
    }
}
