//! Key columns → values that compare, hash and sort as the keys do.
//!
//! Keys compare byte by byte (text) or by value (numbers): never trimmed, normalised or case-folded.

use std::{cmp::Ordering, fmt::Debug, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Int64Type, UInt64Type},
    row::{RowConverter, Rows, SortField},
};
use headgate::Code;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::{
    changes::Refusal,
    schema::{canonical, cast},
};

/// How the keys of one table are held. One integer column is by far the commonest key and gets its own kind.
pub trait KeyKind: Send + Sync + Sized + 'static {
    /// A key by itself.
    type Owned: Eq + Ord + Clone + Debug + Send + Sync + 'static;
    /// The keys of a batch.
    type Column: Send + Sync + 'static;
    /// A key within a batch.
    type Ref<'a>: Ord + Copy;

    /// For key columns of these types.
    ///
    /// # Errors
    /// Where a type cannot be a key.
    fn new(types: &[DataType]) -> Result<Self, Refusal>;

    /// The keys of a batch; the columns are cast to the kind's types. A NULL gives an unspecified key.
    ///
    /// # Errors
    /// Where a value does not fit the kind's types.
    fn encode(&self, columns: &[ArrayRef]) -> Result<Self::Column, Refusal>;

    /// The key in a row.
    fn at(column: &Self::Column, row: usize) -> Self::Ref<'_>;

    /// The key by itself.
    fn own(key: Self::Ref<'_>) -> Self::Owned;

    /// The key within its batch, as if it stood in one.
    fn borrow(key: &Self::Owned) -> Self::Ref<'_>;

    /// How two keys compare, wherever they are.
    fn compare(a: Self::Ref<'_>, b: Self::Ref<'_>) -> Ordering;

    /// Whether they are the same key.
    fn same(a: Self::Ref<'_>, b: Self::Ref<'_>) -> bool {
        Self::compare(a, b) == Ordering::Equal
    }

    /// A hash for tables.
    fn hash(key: Self::Ref<'_>) -> u64;

    /// A digest that stands for the key itself: exact for integers, else 128 keyed bits.
    fn digest(key: Self::Ref<'_>, seed: u64) -> u128;

    /// The bytes that an owned key takes beyond its own size.
    fn heap(key: &Self::Owned) -> usize;

    /// Least and greatest values of the first key column → bounds of whole keys, for [`KeyKind::beyond`].
    fn bounds(&self, low: &ArrayRef, high: &ArrayRef) -> Option<Bounds<Self>>;

    /// Whether a key comes after every key that begins with the bound's first column.
    fn beyond(key: &Self::Owned, bound: &Self::Owned) -> bool;
}

/// For each row group the bounds of its keys, where they are known.
pub type Bounds<K> = Vec<Option<(<K as KeyKind>::Owned, <K as KeyKind>::Owned)>>;

/// Whether the table's key is a single column of integers.
#[must_use]
pub fn is_integer(types: &[DataType]) -> bool {
    matches!(types, [t] if t.is_integer())
}

/// A single column of integers, as 64 bits that sort as the numbers do.
#[derive(Debug)]
pub struct Integer {
    key_type: DataType,
}

impl KeyKind for Integer {
    type Owned = u64;
    type Column = Vec<u64>;
    type Ref<'a> = u64;

    fn new(types: &[DataType]) -> Result<Self, Refusal> {
        match types {
            [t] if t.is_integer() => Ok(Self { key_type: t.clone() }),
            _ => Err(unfit(types)),
        }
    }

    fn encode(&self, columns: &[ArrayRef]) -> Result<Vec<u64>, Refusal> {
        let [column] = columns else { return Err(unfit(&[])) };
        // Cast to the table's type first: a key that left its range is refused, not wrapped.
        let column = cast(column, &self.key_type).map_err(misfit)?;
        if self.key_type.is_unsigned_integer() {
            let wide = cast(&column, &DataType::UInt64).map_err(misfit)?;
            Ok(wide.as_primitive::<UInt64Type>().values().to_vec())
        } else {
            let wide = cast(&column, &DataType::Int64).map_err(misfit)?;
            Ok(wide.as_primitive::<Int64Type>().values().iter().map(|v| v.cast_unsigned() ^ (1 << 63)).collect())
        }
    }

    fn at(column: &Vec<u64>, row: usize) -> u64 {
        column[row]
    }

    fn own(key: u64) -> u64 {
        key
    }

    fn borrow(key: &u64) -> u64 {
        *key
    }

    fn compare(a: u64, b: u64) -> Ordering {
        a.cmp(&b)
    }

    fn hash(key: u64) -> u64 {
        // Fibonacci hashing with the high bits folded down: tables use the low bits for the bucket.
        let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        mixed ^ (mixed >> 32)
    }

    fn digest(key: u64, _seed: u64) -> u128 {
        u128::from(key)
    }

    fn heap(_key: &u64) -> usize {
        0
    }

    fn bounds(&self, low: &ArrayRef, high: &ArrayRef) -> Option<Bounds<Self>> {
        let known = |row: usize| low.is_valid(row) && high.is_valid(row);
        let (lows, highs) = (self.encode(&[Arc::clone(low)]).ok()?, self.encode(&[Arc::clone(high)]).ok()?);
        Some((0..low.len()).map(|row| known(row).then(|| (lows[row], highs[row]))).collect())
    }

    fn beyond(key: &u64, bound: &u64) -> bool {
        key > bound
    }
}

/// Any other key: bytes that compare as the columns do, one after the other.
#[derive(Debug)]
pub struct Composite {
    types: Vec<DataType>,
    converter: RowConverter,
}

impl KeyKind for Composite {
    type Owned = Box<[u8]>;
    type Column = Rows;
    type Ref<'a> = &'a [u8];

    fn new(types: &[DataType]) -> Result<Self, Refusal> {
        let canonical: Option<Vec<_>> = types.iter().map(canonical).collect();
        let types = canonical.ok_or_else(|| unfit(types))?;
        let fields = types.iter().cloned().map(SortField::new).collect();
        let converter = RowConverter::new(fields).map_err(|_| unfit(&types))?;
        Ok(Self { types, converter })
    }

    fn encode(&self, columns: &[ArrayRef]) -> Result<Rows, Refusal> {
        let cast_all: Result<Vec<_>, _> = columns.iter().zip(&self.types).map(|(c, t)| cast(c, t)).collect();
        self.converter.convert_columns(&cast_all.map_err(misfit)?).map_err(misfit)
    }

    fn at(column: &Rows, row: usize) -> &[u8] {
        column.row(row).data()
    }

    fn own(key: &[u8]) -> Box<[u8]> {
        key.into()
    }

    fn borrow(key: &Box<[u8]>) -> &[u8] {
        key
    }

    fn compare(a: &[u8], b: &[u8]) -> Ordering {
        a.cmp(b)
    }

    fn same(a: &[u8], b: &[u8]) -> bool {
        a == b
    }

    fn hash(key: &[u8]) -> u64 {
        xxh3_64(key)
    }

    fn digest(key: &[u8], seed: u64) -> u128 {
        xxh3_128_with_seed(key, seed)
    }

    fn heap(key: &Box<[u8]>) -> usize {
        key.len()
    }

    fn bounds(&self, low: &ArrayRef, high: &ArrayRef) -> Option<Bounds<Self>> {
        // The bytes of a whole key begin with those of its first column.
        let first = Self::new(&self.types[..1]).ok()?;
        let known = |row: usize| low.is_valid(row) && high.is_valid(row);
        let (lows, highs) = (first.encode(&[Arc::clone(low)]).ok()?, first.encode(&[Arc::clone(high)]).ok()?);
        let own = |row: usize| (Self::own(Self::at(&lows, row)), Self::own(Self::at(&highs, row)));
        Some((0..low.len()).map(|row| known(row).then(|| own(row))).collect())
    }

    fn beyond(key: &Box<[u8]>, bound: &Box<[u8]>) -> bool {
        key[..] > bound[..] && !key.starts_with(bound)
    }
}

/// The first row in which a key column is NULL, with the column's position.
#[must_use]
pub fn first_null(columns: &[ArrayRef], mut counts: impl FnMut(usize) -> bool) -> Option<(usize, usize)> {
    columns
        .iter()
        .enumerate()
        .filter(|(_, c)| c.null_count() > 0)
        .find_map(|(at, column)| (0..column.len()).find(|&row| column.is_null(row) && counts(row)).map(|row| (row, at)))
}

fn unfit(types: &[DataType]) -> Refusal {
    let column = None::<Arc<str>>;
    Refusal { code: Code::IncompatibleType, column, reason: format!("a key cannot be made of {types:?}") }
}

fn misfit(error: impl std::fmt::Display) -> Refusal {
    Refusal { code: Code::IncompatibleType, column: None, reason: format!("a key does not fit the table's: {error}") }
}
