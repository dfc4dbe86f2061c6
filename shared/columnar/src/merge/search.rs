//! The base's pieces → where the changed keys are in them.
//!
//! Only key columns are read, and of the old snapshot only the row groups that a changed key may be in.

use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    apply::{Trouble, Work, text_keys},
    base::{self, Content, Piece, Wanted},
    keys::{Bounds, KeyKind},
    order::{self, Version},
    probe::{self, Probe},
    route::Found,
    shape,
};

impl<K: KeyKind> Work<'_, K> {
    /// Searches every piece, where `aim` rows make a piece of a full load.
    ///
    /// # Errors
    /// Where a base file is bad or the store fails.
    pub(super) async fn search(&self, aim: usize) -> Result<(Vec<Piece>, Vec<Found<K>>), Trouble> {
        let mut all: (Vec<Piece>, Vec<Found<K>>) = (Vec::new(), Vec::new());
        for (at, file) in self.base.iter().enumerate() {
            let found = match &file.content {
                Content::Text => self.probe_text(at).await?,
                content => {
                    let pieces = base::pieces(at, content, aim);
                    let bounds = self.bounds(content);
                    let probes = stream::iter(pieces.into_iter().enumerate()).map(|(piece_at, piece)| {
                        let bound = bounds.get(piece_at).cloned().flatten();
                        async move { self.probe_piece(piece, bound).await }
                    });
                    probes.buffered(self.threads * 2).try_collect().await?
                }
            };
            for (piece, found) in found {
                all.0.push(piece);
                all.1.push(found);
            }
        }
        Ok(all)
    }

    fn bounds(&self, content: &Content) -> Bounds<K> {
        let Content::Snapshot(snapshot) = content else { return Vec::new() };
        let first = self.dataset.primary_key.first().and_then(|name| self.fold.column(name));
        first.map_or_else(Vec::new, |key| probe::bounds(&self.delta.kind, snapshot, &key.name, &key.data_type))
    }

    async fn probe_piece(
        &self,
        piece: Piece,
        bound: Option<(K::Owned, K::Owned)>,
    ) -> Result<(Piece, Found<K>), Trouble> {
        let (rows, old) = (piece.rows, matches!(self.base[piece.file].content, Content::Snapshot(_)));
        let misses = bound.as_ref().is_some_and(|bound| !probe::any_within(&self.delta, bound));
        let probe = if old && (misses || self.delta.keys.is_empty()) {
            Probe::missed(self.old_sorted, bound)
        } else {
            let (keys, delta) = (self.keys(&piece).await?, Arc::clone(&self.delta));
            let mut probe = Self::on_thread(move || Ok(Probe::new(&keys, rows, &delta))).await?;
            if let (true, Some(changes)) = (old && !probe.hits.is_empty(), &self.delta.versions) {
                // On the heap: the future of a merge without an order stays as small as it is.
                probe.compare(&Box::pin(self.versions(&piece)).await?, changes);
            }
            probe
        };
        Ok((piece, Found { probe, rows, old }))
    }

    /// The versions of the rows of a piece of the old snapshot; none where it does not have the order column yet.
    async fn versions(&self, piece: &Piece) -> Result<Vec<Version>, Trouble> {
        let file = &self.base[piece.file];
        let (Some(column), Content::Snapshot(snapshot)) = (&self.dataset.order_by, &file.content) else {
            return Ok(Vec::new());
        };
        if snapshot.schema().field_with_name(column).is_err() {
            return Ok(Vec::new());
        }
        let wanted = vec![column.clone()];
        let parts = base::fetch(self.store, file, piece, &Wanted::Keys(wanted.clone())).await?;
        let (base, piece) = (Arc::clone(&self.base), piece.clone());
        let read = move || {
            let columns = base::keys(&base[piece.file], &piece, parts, &wanted)?;
            columns.first().map_or(Ok(Vec::new()), order::of)
        };
        Ok(Self::on_thread(read).await?)
    }

    async fn probe_text(&self, file: usize) -> Result<Vec<(Piece, Found<K>)>, Trouble> {
        let mut found = Vec::new();
        let (mut rows, mut start) = (self.open_text(file).await?, 0);
        loop {
            let (rest, batches) = self.read_text(file, rows, |_, bytes| bytes >= shape::AIM_BYTES as u64).await?;
            if batches.is_empty() {
                return Ok(found);
            }
            rows = rest;
            let piece = Piece {
                file,
                part: start..start + batches.len(),
                rows: batches.iter().map(RecordBatch::num_rows).sum(),
                bytes: batches.iter().map(|batch| batch.get_array_memory_size() as u64).sum(),
            };
            start = piece.part.end;
            let keys = text_keys(&self.delta.kind, &batches, &self.dataset.primary_key)
                .map_err(|refusal| self.blame(file, refusal))?;
            let probe = Probe::new(&keys, piece.rows, &self.delta);
            let rows = piece.rows;
            found.push((piece, Found { probe, rows, old: false }));
        }
    }
}
