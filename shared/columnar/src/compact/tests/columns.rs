//! What a column holds → the types that files have for it, and values of each.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BinaryArray, BooleanArray, ListArray, PrimitiveArray, StringArray, StructArray},
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, FieldRef, Float32Type, Float64Type, Int32Type,
        Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, UInt32Type,
        UInt64Type,
    },
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// What a column holds: any two types of one kind unite without a change of a value.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Plain(Vec<DataType>),
    List(Box<Self>),
    Struct(Vec<(String, Self)>),
}

/// Every kind of column that a dataset may have, nested ones included.
pub(super) fn kinds() -> BoxedStrategy<Kind> {
    let kinds = plain().prop_recursive(2, 6, 3, |inner| {
        let members = vec(inner.clone(), 1..3);
        let named = |(at, kind): (usize, Kind)| (format!("m{at}"), kind);
        prop_oneof![
            inner.prop_map(|item| Kind::List(Box::new(item))),
            members.prop_map(move |members| Kind::Struct(members.into_iter().enumerate().map(named).collect())),
        ]
    });
    kinds.boxed()
}

fn plain() -> BoxedStrategy<Kind> {
    let decimals = [(9, 0), (10, 2), (20, 4)].map(|(digits, scale)| DataType::Decimal128(digits, scale));
    let of = |types: &[DataType]| Kind::Plain(types.to_vec());
    select(vec![
        of(&[DataType::Int32, DataType::Int64, DataType::UInt32, DataType::UInt64]),
        of(&[DataType::Int32, DataType::Float32, DataType::Float64]),
        of(&[&decimals[..], &[DataType::Int32, DataType::Int64]].concat()),
        of(&[DataType::Utf8]),
        of(&[DataType::Boolean]),
        moments(),
        of(&[DataType::Time64(TimeUnit::Microsecond)]),
        of(&[DataType::Binary]),
    ])
    .boxed()
}

/// Days, milliseconds and microseconds.
pub(super) fn moments() -> Kind {
    let of = |unit| DataType::Timestamp(unit, Some("UTC".into()));
    Kind::Plain(vec![DataType::Date32, of(TimeUnit::Millisecond), of(TimeUnit::Microsecond)])
}

impl Kind {
    pub(super) fn is_nested(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }

    /// A type that a file may have for it: of a struct any of the members, in any order.
    pub(super) fn types(&self) -> BoxedStrategy<DataType> {
        match self {
            Self::Plain(types) => select(types.clone()).boxed(),
            Self::List(item) => item.types().prop_map(|item| DataType::new_list(item, true)).boxed(),
            Self::Struct(members) => {
                let some = proptest::sample::subsequence(members.clone(), 1..=members.len()).prop_shuffle();
                let field = |(name, kind): &(String, Self)| {
                    let name = name.clone();
                    kind.types().prop_map(move |of| Arc::new(Field::new(name.clone(), of, true)))
                };
                let fields = some.prop_flat_map(move |some| some.iter().map(field).collect::<Vec<_>>());
                fields.prop_map(|fields: Vec<FieldRef>| DataType::Struct(fields.into())).boxed()
            }
        }
    }
}

/// A column of this type.
pub(super) fn array(of: &DataType, rows: usize, nulls: bool) -> BoxedStrategy<ArrayRef> {
    let day = -100_000..100_000_i64;
    match of {
        DataType::Boolean => {
            cells(any::<bool>(), rows, nulls).prop_map(|all| Arc::new(BooleanArray::from(all)) as ArrayRef).boxed()
        }
        DataType::Int32 => primitive::<Int32Type>(of, rows, nulls, few(any::<i32>(), 0..3)),
        DataType::Int64 => primitive::<Int64Type>(of, rows, nulls, few(any::<i64>(), -1..2_i64)),
        DataType::UInt32 => primitive::<UInt32Type>(of, rows, nulls, few(any::<u32>(), 0..3_u32)),
        DataType::UInt64 => primitive::<UInt64Type>(of, rows, nulls, few(any::<u64>(), 0..3_u64)),
        DataType::Float32 => {
            let odd = select(vec![-0.0, 0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.1, 3.0]);
            primitive::<Float32Type>(of, rows, nulls, prop_oneof![odd, -1e6..1e6_f32])
        }
        DataType::Float64 => {
            let odd = select(vec![-0.0, 0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 0.1, 3.0]);
            primitive::<Float64Type>(of, rows, nulls, prop_oneof![odd, -1e300..1e300_f64])
        }
        DataType::Decimal128(digits, _) => {
            let most = 10_i128.pow((*digits).into()) - 1;
            primitive::<Decimal128Type>(of, rows, nulls, few(-most..=most, -1..2_i128))
        }
        DataType::Date32 => primitive::<Date32Type>(of, rows, nulls, -100_000..100_000_i32),
        DataType::Time64(_) => primitive::<Time64MicrosecondType>(of, rows, nulls, 0..86_400_000_000_i64),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType>(of, rows, nulls, few(day.prop_map(|day| day * 86_400_001), 0..3_i64))
        }
        DataType::Timestamp(..) => primitive::<TimestampMicrosecondType>(
            of,
            rows,
            nulls,
            few(day.prop_map(|day| day * 86_400_000_001), 0..3_i64),
        ),
        DataType::Utf8 => {
            cells(texts(), rows, nulls).prop_map(|all| Arc::new(StringArray::from_iter(all)) as ArrayRef).boxed()
        }
        DataType::Binary => {
            let bytes = prop_oneof![vec(any::<u8>(), 0..4), vec(any::<u8>(), 1_025..1_040)];
            cells(bytes, rows, nulls).prop_map(|all| Arc::new(BinaryArray::from_iter(all)) as ArrayRef).boxed()
        }
        DataType::List(item) => list(Arc::clone(item), rows, nulls),
        DataType::Struct(fields) => {
            let (fields, members) = (fields.clone(), fields.iter().map(|field| array(field.data_type(), rows, true)));
            let whole = (members.collect::<Vec<_>>(), there(rows, nulls));
            let whole = whole.prop_map(move |(members, there)| {
                StructArray::try_new_with_length(fields.clone(), members, Some(there.into()), rows).unwrap()
            });
            whole.prop_map(|all| Arc::new(all) as ArrayRef).boxed()
        }
        other => panic!("no kind has {other}"),
    }
}

/// Some that are equal in many rows, and any.
fn few<T: std::fmt::Debug + 'static>(
    any: impl Strategy<Value = T> + 'static,
    few: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    prop_oneof![any, few].boxed()
}

/// Some end where others go on, some are equal for longer than what is compared at once, and some are long.
fn texts() -> BoxedStrategy<String> {
    let long = (1_025..1_040_usize, "[ab]").prop_map(|(length, last)| "x".repeat(length) + &last);
    prop_oneof![3 => "[ab\u{0}é]{0,3}", 2 => "the same for long [ab]{0,2}", 1 => long].boxed()
}

fn there(rows: usize, nulls: bool) -> BoxedStrategy<Vec<bool>> {
    if nulls { vec(prop::bool::weighted(0.8), rows).boxed() } else { Just(vec![true; rows]).boxed() }
}

fn cells<T: std::fmt::Debug + Clone + 'static>(
    values: impl Strategy<Value = T> + 'static,
    rows: usize,
    nulls: bool,
) -> BoxedStrategy<Vec<Option<T>>> {
    let values = values.boxed();
    if nulls { vec(option::weighted(0.8, values), rows).boxed() } else { vec(values.prop_map(Some), rows).boxed() }
}

fn primitive<T: ArrowPrimitiveType>(
    of: &DataType,
    rows: usize,
    nulls: bool,
    values: impl Strategy<Value = T::Native> + 'static,
) -> BoxedStrategy<ArrayRef> {
    let of = of.clone();
    let array = move |all: Vec<Option<T::Native>>| {
        Arc::new(PrimitiveArray::<T>::from_iter(all).with_data_type(of.clone())) as ArrayRef
    };
    cells(values, rows, nulls).prop_map(array).boxed()
}

fn list(item: FieldRef, rows: usize, nulls: bool) -> BoxedStrategy<ArrayRef> {
    let lengths = (vec(0..3_usize, rows), there(rows, nulls));
    let lists = lengths.prop_flat_map(move |(mut lengths, there)| {
        for (length, _) in lengths.iter_mut().zip(&there).filter(|(_, there)| !**there) {
            *length = 0;
        }
        let items = array(item.data_type(), lengths.iter().sum(), true);
        (Just((Arc::clone(&item), lengths, there)), items)
    });
    let lists = lists.prop_map(|((item, lengths, there), items)| {
        ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), items, Some(NullBuffer::from(there))).unwrap()
    });
    lists.prop_map(|all| Arc::new(all) as ArrayRef).boxed()
}
