//! A full load whose keys are in no order → its rows that a later row of the same key makes moot.
//!
//! Memory is bounded: the keys' digests are looked at in as many passes as the budget asks for.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use futures::{StreamExt, stream};
use hashbrown::HashMap as Table;

use super::{
    apply::{Trouble, Work, text_keys},
    base::{Content, Piece},
    keys::KeyKind,
};

/// What the table takes for one key: digest, place and slack.
const PER_KEY: usize = 64;

/// For each piece the rows that are superseded, in order.
///
/// # Errors
/// Where a base file is bad or the store fails.
pub async fn superseded<K: KeyKind>(work: &Work<'_, K>, pieces: &[Piece]) -> Result<HashMap<usize, Vec<u32>>, Trouble> {
    let rows: usize = pieces.iter().map(|piece| piece.rows).sum();
    let passes = (rows.saturating_mul(PER_KEY) / work.memory.max(1) + 1) as u64;
    // A seed that no input can know: digests collide only by accident, once in 2¹²⁸.
    let seed = RandomState::new().hash_one(rows);
    let mut moot: HashMap<usize, Vec<u32>> = HashMap::new();
    for pass in 0..passes {
        one_pass(work, pieces, seed, |digest| mixed(digest) % passes == pass, &mut moot).await?;
    }
    for rows in moot.values_mut() {
        rows.sort_unstable();
    }
    Ok(moot)
}

async fn one_pass<K: KeyKind>(
    work: &Work<'_, K>,
    pieces: &[Piece],
    seed: u64,
    mine: impl Fn(u128) -> bool,
    moot: &mut HashMap<usize, Vec<u32>>,
) -> Result<(), Trouble> {
    let mut last: Table<u128, (u32, u32)> = Table::new();
    let mut note = |at: usize, keys: &K::Column, rows: usize| {
        for row in 0..rows {
            let digest = K::digest(K::at(keys, row), seed);
            if !mine(digest) {
                continue;
            }
            let place = (u32::try_from(at).unwrap_or(u32::MAX), u32::try_from(row).unwrap_or(u32::MAX));
            if let Some((piece, row)) = last.insert(digest, place) {
                moot.entry(piece as usize).or_default().push(row);
            }
        }
    };
    let mut at = 0;
    while at < pieces.len() {
        let file = pieces[at].file;
        let end = at + pieces[at..].iter().take_while(|piece| piece.file == file).count();
        if matches!(work.base[file].content, Content::Text) {
            let mut rows = work.open_text(file).await?;
            for (offset, piece) in pieces[at..end].iter().enumerate() {
                let wanted = piece.part.len();
                let (rest, batches) = work.read_text(file, rows, move |count, _| count >= wanted).await?;
                rows = rest;
                let keys = text_keys(&work.delta.kind, &batches, &work.dataset.primary_key)?;
                note(at + offset, &keys, piece.rows);
            }
        } else {
            let keys = stream::iter(&pieces[at..end]).map(|piece| work.keys(piece)).buffered(work.threads * 2);
            let mut keys = std::pin::pin!(keys.enumerate());
            while let Some((offset, keys)) = keys.next().await {
                note(at + offset, &keys?, pieces[at + offset].rows);
            }
        }
        at = end;
    }
    Ok(())
}

/// Spreads digests over passes: those of integers are the integers.
fn mixed(digest: u128) -> u64 {
    let folded = (digest ^ (digest >> 64)) as u64;
    folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32
}
