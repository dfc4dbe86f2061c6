//! Small files → one file that nobody sees yet.
//!
//! Every byte is read under its object's tag. Nothing becomes visible here, so whatever fails leaves no trace but the
//! parts of an upload, which end with it or with the bucket's rule for unfinished ones.

use std::{sync::Arc, time::Instant};

use arrow::error::ArrowError;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use headgate::{
    Code, Error,
    dataset::Compression,
    store::{ObjectMeta, Store, StoreError, Upload},
};

use super::{
    input::{Inputs, Unit},
    rows::Order,
    runs::{Merge, Picked},
    sort::Sorter,
    write::{Shape, Writer},
};
use crate::changes::Refusal;

/// The share of the memory that rows may take which are not sorted yet; more are on their way to the disk.
const SHARE: u64 = 8;
/// The share that a row group may take.
const GROUP_SHARE: u64 = 12;
/// The most bytes of a row group.
const GROUP: u64 = 64 << 20;

/// Why a file was not built.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This input is bad.
    Bad(String, Refusal),
    Failed(Error),
    /// The time is over.
    Late,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<ArrowError> for Trouble {
    fn from(error: ArrowError) -> Self {
        Self::Failed(match error {
            ArrowError::IoError(told, _) => Error::retry(
                Code::Unavailable,
                format!(
                    "the local disk: {told}; give it more room (the function's ephemeral storage), or let compact.target_mb be smaller"
                ),
            ),
            other => internal(&other),
        })
    }
}

pub(super) fn internal(error: &dyn std::fmt::Display) -> Error {
    Error::retry(Code::Internal, error.to_string())
}

/// What a file is built of, and how.
#[derive(Debug, Clone)]
pub(super) struct Recipe {
    /// At most [`headgate::store::PAGE`], in the order of their keys.
    pub(super) inputs: Vec<ObjectMeta>,
    pub(super) order: Vec<String>,
    pub(super) output: String,
    pub(super) dataset: String,
    pub(super) compression: Compression,
    pub(super) threads: usize,
    /// Bytes of memory.
    pub(super) memory: u64,
    pub(super) end: Option<Instant>,
}

/// A file that is whole but for its last call.
pub(super) struct Built {
    pub(super) upload: Box<dyn Upload>,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Builds the file of a recipe.
pub(super) async fn build(store: &Arc<dyn Store>, recipe: &Recipe) -> Result<Built, Trouble> {
    let inputs = Inputs::read(store, &recipe.inputs).await?;
    let order = Arc::new(Order::new(&inputs.schema, &recipe.order)?);
    let units = inputs.units(&order)?;
    let mut upload = store.upload(&recipe.output).await?;
    match fill(store, recipe, (inputs, units, order), upload.as_mut()).await {
        Ok((rows, bytes)) => Ok(Built { upload, rows, bytes }),
        Err(trouble) => {
            abandon(upload).await;
            Err(trouble)
        }
    }
}

/// Gives an upload up.
pub(super) async fn abandon(upload: Box<dyn Upload>) {
    if let Err(error) = upload.abort().await {
        tracing::warn!(%error, "an unfinished file could not be removed; the lifecycle rule will");
    }
}

struct Making {
    sorter: Sorter,
    writer: Writer,
}

async fn fill(
    store: &Arc<dyn Store>,
    recipe: &Recipe,
    (inputs, units, order): (Inputs, Vec<Unit>, Arc<Order>),
    upload: &mut dyn Upload,
) -> Result<(u64, u64), Trouble> {
    let expected = inputs.rows;
    let shape = Shape {
        schema: Arc::clone(&inputs.schema),
        order: order.columns().to_vec(),
        compression: recipe.compression,
        texts: vec![
            ("headgate.dataset", recipe.dataset.clone()),
            ("headgate.compacted_files", recipe.inputs.len().to_string()),
        ],
        threads: recipe.threads.max(1),
        most: usize::try_from(GROUP.min(recipe.memory / GROUP_SHARE)).unwrap_or(usize::MAX),
    };
    let most = usize::try_from(recipe.memory / SHARE).unwrap_or(usize::MAX);
    let sorter = Sorter::new(Arc::clone(&order), Arc::clone(&inputs.schema), most);
    let mut making = Making { sorter, writer: Writer::new(shape) };
    let inputs = Arc::new(inputs);
    let mut floors: Vec<u128> = units.iter().map(|unit| unit.floor).collect();
    floors.push(u128::MAX);
    let read = |unit: Unit| {
        let (inputs, order, store) = (Arc::clone(&inputs), Arc::clone(&order), Arc::clone(store));
        async move { inputs.decode(&store, &unit, order).await }
    };
    let mut decoded = stream::iter(units).map(read).buffered(recipe.threads.max(1) + 1);
    let (mut at, mut bytes) = (0, 0);
    while let Some(chunks) = decoded.try_next().await? {
        in_time(recipe)?;
        let floors = (floors[at], floors[at + 1]);
        making = blocking(move || {
            let last = chunks.len().saturating_sub(1);
            for (number, chunk) in chunks.into_iter().enumerate() {
                let floor = if number == last { floors.1 } else { floors.0 };
                making.sorter.add(chunk, Some(floor), &mut making.writer)?;
            }
            Ok(making)
        })
        .await?;
        at += 1;
        bytes += send(&mut making.writer, upload).await?;
    }
    let Making { sorter, mut writer } = making;
    let rest;
    (rest, writer) = blocking(move || Ok((sorter.finish(&mut writer)?, writer))).await?;
    if let Some(merge) = rest {
        let (mut merge, mut next) = advance(merge).await?;
        while let Some(rows) = next {
            bytes += send(&mut writer, upload).await?;
            in_time(recipe)?;
            // What comes after is merged while this is encoded.
            let encode = blocking(move || {
                rows.give(&mut writer)?;
                Ok(writer)
            });
            ((merge, next), writer) = tokio::try_join!(advance(merge), encode)?;
        }
    }
    writer = blocking(move || {
        writer.finish().map_err(ArrowError::from)?;
        Ok(writer)
    })
    .await?;
    bytes += send(&mut writer, upload).await?;
    if writer.rows != expected {
        let told = format!("{}: {} rows were read, and {expected} were there", recipe.output, writer.rows);
        return Err(Trouble::Failed(Error::retry(Code::Internal, told)));
    }
    Ok((writer.rows, bytes))
}

async fn advance(mut merge: Merge) -> Result<(Merge, Option<Picked>), Trouble> {
    blocking(move || {
        let rows = merge.next()?;
        Ok((merge, rows))
    })
    .await
}

fn in_time(recipe: &Recipe) -> Result<(), Trouble> {
    if recipe.end.is_some_and(|end| Instant::now() >= end) { Err(Trouble::Late) } else { Ok(()) }
}

async fn send(writer: &mut Writer, upload: &mut dyn Upload) -> Result<u64, StoreError> {
    let bytes = writer.written();
    let length = bytes.len() as u64;
    if length > 0 {
        upload.append(Bytes::from(bytes)).await?;
    }
    Ok(length)
}

/// Runs work where it does not hold up the other tasks.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Trouble::Failed(Error::retry(Code::Unavailable, "the runtime is stopping"))),
        },
    }
}
