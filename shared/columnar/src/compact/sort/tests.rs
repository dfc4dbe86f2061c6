//! What goes to the disk, and what does not.

use arrow::{array::Int64Array, row::RowConverter, row::SortField};

use super::{
    super::{rows::head, runs::BATCH},
    *,
};

/// All rows, and the most that came at once.
#[derive(Default)]
struct Seen(Vec<i64>, usize);

impl Sorted for Seen {
    fn take(&mut self, batches: &[&RecordBatch], rows: &[(usize, usize)]) -> Result<(), ArrowError> {
        let value = |(batch, row): &(usize, usize)| {
            batches[*batch].column(0).as_any().downcast_ref::<Int64Array>().unwrap().value(*row)
        };
        self.0.extend(rows.iter().map(value));
        self.1 = self.1.max(rows.len());
        Ok(())
    }
}

/// Sorts chunks of these numbers, each with the least of all after it; whether something went to the disk.
fn check(chunks: &[Vec<i64>], known: bool) -> bool {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
    let order = Arc::new(Order::new(&schema, &["n".to_owned()]).unwrap());
    let keys = RowConverter::new(vec![SortField::new(DataType::Int64)]).unwrap();
    let mut sorter = Sorter::new(Arc::clone(&order), Arc::clone(&schema), 20_000);
    let mut seen = Seen::default();
    for (at, numbers) in chunks.iter().enumerate() {
        let column: ArrayRef = Arc::new(Int64Array::from(numbers.clone()));
        let rows = RecordBatch::try_new(Arc::clone(&schema), vec![column]).unwrap();
        let places = (0..numbers.len() as u64).map(|row| ((at as u64) << 32) + row).collect();
        let floor = chunks[at + 1..].iter().flatten().min().map_or(u128::MAX, |least| {
            let least: ArrayRef = Arc::new(Int64Array::from(vec![*least]));
            head(keys.convert_columns(&[least]).unwrap().row(0).as_ref())
        });
        sorter.add(order.keyed(rows, places).unwrap(), known.then_some(floor), &mut seen).unwrap();
    }
    let spilled = sorter.spilled();
    seen.1 = 0;
    if let Some(mut merge) = sorter.finish(&mut seen).unwrap() {
        while let Some(rows) = merge.next().unwrap() {
            rows.give(&mut seen).unwrap();
        }
    }
    assert!(!spilled || seen.1 <= BATCH + PIECE, "{} rows came at once", seen.1);
    let mut expected: Vec<_> = chunks.concat();
    expected.sort_unstable();
    assert_eq!(seen.0, expected);
    spilled
}

#[test]
fn rows_that_came_about_in_order_never_touch_the_disk() {
    let late = |at: i64| at * 100 - at * 7919 % 500;
    let chunks: Vec<Vec<i64>> = (-20..80).map(|chunk| (0..100).map(|row| late(chunk * 100 + row)).collect()).collect();
    assert!(!check(&chunks, true));
    assert!(check(&chunks, false), "where nothing is known of what comes, they do");
}

#[test]
fn rows_in_any_order_do() {
    let chunks: Vec<Vec<i64>> =
        (0..100).map(|chunk| (0..100).map(|row| (chunk * 100 + row) * 7919 % 10_007).collect()).collect();
    assert!(check(&chunks, true));
}

#[test]
fn what_was_on_the_disk_comes_a_part_at_a_time() {
    let rows = 2 * i64::try_from(BATCH).unwrap();
    let chunks: Vec<Vec<i64>> =
        (0..4).map(|chunk| (0..rows / 2).map(|row| (chunk + row * 4) * 7919 % 1_000_003).collect()).collect();
    assert!(check(&chunks, false));
}
