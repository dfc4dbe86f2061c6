//! Files of random columns → one file with the rows of all, in order, and nothing to do after that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema},
};
use bytes::Bytes;
use headgate::{clock::Timestamp, store::Store};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::properties::WriterProperties,
};
use proptest::{collection::vec, prelude::*, sample::subsequence};
use serde_json::json;

use super::{
    super::Outcome,
    cells::{Cell, cell, present},
    columns::{Kind, array, kinds, moments},
    scene::{FOLDER, HOUR, Scene, THEN, stream},
};

/// The columns that files may have, beside the event time.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
/// A column of the dataset that no file has.
const NOWHERE: &str = "nowhere";

type Row = BTreeMap<String, Cell>;

/// A file's rows, and how many are in a row group.
#[derive(Debug, Clone)]
struct File {
    rows: RecordBatch,
    group: usize,
}

impl File {
    fn body(&self) -> Bytes {
        let shape = WriterProperties::builder().set_max_row_group_row_count(Some(self.group)).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), self.rows.schema(), Some(shape)).unwrap();
        writer.write(&self.rows).unwrap();
        writer.into_inner().unwrap().into()
    }
}

fn rows(batch: &RecordBatch) -> Vec<Row> {
    let (schema, columns) = (batch.schema(), batch.columns());
    let row =
        |row| present(columns.iter().enumerate().map(|(at, of)| (schema.field(at).name().clone(), cell(of, row))));
    (0..batch.num_rows()).map(row).collect()
}

/// Any of the columns, in any order, each of one of its types.
fn file(columns: &[(String, Kind)]) -> BoxedStrategy<File> {
    let columns = subsequence(columns.to_vec(), 1..=columns.len()).prop_shuffle();
    let columns = (columns, 0..24_usize, 1..12_usize);
    let files = columns.prop_flat_map(|(columns, rows, group)| {
        let column = |(name, kind): &(String, Kind)| {
            let name = name.clone();
            (kind.types(), any::<bool>())
                .prop_flat_map(move |(of, nulls)| {
                    let field = Field::new(name.clone(), of.clone(), nulls);
                    array(&of, rows, nulls).prop_map(move |array| (field.clone(), array))
                })
                .boxed()
        };
        let columns: Vec<_> = columns.iter().map(column).collect();
        columns.prop_map(move |columns| {
            let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
            File { rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap(), group }
        })
    });
    files.boxed()
}

/// Files, and the columns to sort them by: any that is not nested, and one that is nowhere.
fn tables() -> BoxedStrategy<(Vec<File>, Vec<String>)> {
    let tables = vec(kinds(), 1..=NAMES.len()).prop_flat_map(|kinds| {
        let columns = NAMES.iter().map(|name| (*name).to_owned()).zip(kinds);
        let columns: Vec<_> = columns.chain([("at".to_owned(), moments())]).collect();
        let sortable = columns.iter().filter(|(_, kind)| !kind.is_nested()).map(|(name, _)| name.clone());
        let sortable: Vec<String> = sortable.chain([NOWHERE.to_owned()]).collect();
        let order = subsequence(sortable.clone(), 0..=sortable.len().min(4)).prop_shuffle();
        (vec(file(&columns), 4..8), order)
    });
    tables.boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rows_of_any_columns_stay_and_sort(
        (files, order) in tables(),
        memory in prop::sample::select(vec![8_u64 << 10, 64 << 10, 512 << 20]),
        threads in 1..4_usize,
    ) {
        let mut scene = Scene::new();
        scene.stream = stream(|document| {
            let columns = document["columns"].as_array_mut().unwrap();
            columns.extend(NAMES.iter().chain([&NOWHERE]).map(|name| json!({"name": name, "type": "string"})));
            document["source"] = json!({"type": "firehose"});
            document["compact"] = json!({"order_by": order});
        });
        (scene.options.memory, scene.options.threads) = (memory, threads);
        for (number, file) in files.iter().enumerate() {
            let key = format!("{FOLDER}clicks-1-2023-11-14-22-13-{number}-uuid.parquet");
            scene.store.put_at(&key, file.body(), Timestamp(THEN));
        }
        scene.clock.advance(HOUR * 30);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let report = runtime.block_on(scene.compact());
        prop_assert_eq!((report.outcome, report.files_out), (Outcome::Compacted, 1), "{:?}", report);

        // The files one after the other, and a sort that leaves equals as they are. Without columns it is by the time.
        let mut expected: Vec<Row> = files.iter().flat_map(|file| rows(&file.rows)).collect();
        let by = if order.is_empty() { vec!["at".to_owned()] } else { order };
        expected.sort_by_cached_key(|row| by.iter().map(|name| row.get(name).cloned()).collect::<Vec<_>>());
        prop_assert_eq!(report.rows, expected.len() as u64);
        let objects = runtime.block_on(scene.store.list("raw/", None)).unwrap().objects;
        prop_assert_eq!(objects.len(), 1);
        let (_, body) = runtime.block_on(scene.store.get(&objects[0].key)).unwrap().unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(body).unwrap();
        let names = |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<BTreeSet<_>>();
        let all: BTreeSet<_> = files.iter().flat_map(|file| names(&file.rows.schema())).collect();
        prop_assert_eq!(names(reader.schema()), all);
        let there: Vec<Row> = reader.build().unwrap().flat_map(|batch| rows(&batch.unwrap())).collect();
        prop_assert_eq!(there, expected);

        scene.clock.advance(HOUR * 2);
        let again = runtime.block_on(scene.compact());
        prop_assert_eq!((again.outcome, again.files_in), (Outcome::UpToDate, 0), "{:?}", again);
        let left = runtime.block_on(scene.store.list("raw/", None)).unwrap().objects;
        prop_assert_eq!(left, objects);
    }
}
