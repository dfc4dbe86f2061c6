//! A dataset → its partitions, one by one, and what becomes of each.

use std::time::{Duration, Instant};

use headgate::{
    Code, Error,
    store::{ETag, ObjectMeta},
};

use super::{
    Failed, Options, Outcome, Report, Target, Watch,
    build::{Recipe, Trouble, build},
    passed::{Standing, Writers},
    plan::{Rules, Skip, has_room, output_name},
    swap::{Begun, Swap, Swapped, Swaps, find},
};

pub(super) struct Run<'a> {
    pub(super) target: Target<'a>,
    pub(super) options: &'a Options,
    pub(super) watch: Watch<'a>,
    pub(super) started: Instant,
}

/// The files of a folder.
struct Partition {
    folder: String,
    files: Vec<ObjectMeta>,
}

impl Run<'_> {
    /// Looks at every partition. Errors end it early.
    pub(super) async fn all(&self, report: &mut Report) -> Result<(), Error> {
        if !self.finish_earlier(report).await? {
            return Ok(());
        }
        let Target { store, state, stream, .. } = self.target;
        let mut writers = Writers::new(store.as_ref(), state, stream).await?;
        let (mut after, mut open) = (None::<String>, None::<Partition>);
        loop {
            let page = store.list(&stream.prefix, after.as_deref()).await?;
            after = page.objects.last().map(|object| object.key.clone());
            for object in page.objects {
                let folder = object.key[..=object.key.rfind('/').unwrap_or_default()].to_owned();
                if !is_table(&object.key[stream.prefix.len()..]) {
                    continue;
                }
                match &mut open {
                    Some(partition) if partition.folder == folder => partition.files.push(object),
                    _ => {
                        let done = open.replace(Partition { folder, files: vec![object] });
                        if let Some(done) = done
                            && !self.partition(done, &mut writers, report).await?
                        {
                            return Ok(());
                        }
                    }
                }
            }
            if !page.more {
                break;
            }
        }
        if let Some(last) = open {
            self.partition(last, &mut writers, report).await?;
        }
        Ok(())
    }

    /// Whether the run may go on.
    async fn finish_earlier(&self, report: &mut Report) -> Result<bool, Error> {
        let Some(begun) = self.swaps().unfinished().await? else { return Ok(true) };
        report.finished += 1;
        if !self.options.apply {
            return Ok(true);
        }
        let folder = folder(&begun.swap.output).to_owned();
        match self.finish(begun).await {
            Ok(swapped) => note(report, swapped),
            Err(trouble) => return blame(trouble, &folder, report),
        }
        Ok(true)
    }

    async fn finish(&self, begun: Begun) -> Result<Swapped, Trouble> {
        let (swaps, store) = (self.swaps(), self.target.store);
        if swaps.is_there(&begun.swap).await? {
            return swaps.complete(begun, None).await;
        }
        let inputs = find(store.as_ref(), &begun.swap.inputs).await?;
        if inputs.len() == begun.swap.inputs.len() {
            let built = build(store, &self.recipe(inputs, begun.swap.order.clone(), begun.swap.output.clone())).await;
            return match built {
                Ok(built) => swaps.complete(begun, Some(built)).await,
                Err(trouble) => Err(trouble),
            };
        }
        if swaps.is_there(&begun.swap).await? {
            // Somebody else is at it, and has come further.
            return swaps.complete(begun, None).await;
        }
        Err(Trouble::Failed(swaps.give_up(begun).await?))
    }

    /// Whether the run may go on.
    async fn partition(
        &self,
        Partition { folder, files }: Partition,
        writers: &mut Writers<'_>,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let Target { stream, clock, .. } = self.target;
        report.partitions += 1;
        let compact = stream.compact.clone().unwrap_or_default();
        let rules = Rules { compact, time: stream.partition_by.time, now: clock.now() };
        let candidates = match rules.candidates(&folder[stream.prefix.len()..], files) {
            Ok(_) if !has_room(&folder) => Err(Skip::LongPath),
            judged => judged,
        };
        let candidates = match candidates {
            Ok(candidates) => candidates,
            Err(skip) => {
                *report.skipped.entry(skip).or_default() += 1;
                return Ok(true);
            }
        };
        let mut small = Vec::with_capacity(candidates.len());
        // Fewer are left in any case, whoever wrote them.
        let enough = candidates.len() >= rules.compact.min_files;
        for file in candidates.into_iter().filter(|_| enough) {
            match writers.standing(&file.key).await? {
                Standing::Final => small.push(file),
                Standing::Waiting => report.waiting += 1,
                Standing::Foreign => report.foreign += 1,
            }
        }
        let groups = rules.groups(small);
        if groups.is_empty() {
            *report.skipped.entry(Skip::FewFiles).or_default() += 1;
            return Ok(true);
        }
        let order: Vec<_> = rules.compact.order(stream).into_iter().map(str::to_owned).collect();
        let mut replaced = false;
        let mut longest = Duration::ZERO;
        for group in groups {
            let begun = Instant::now();
            if self.end().is_some_and(|end| begun + longest >= end) {
                report.outcome = Outcome::More;
                return Ok(false);
            }
            let (files, bytes) = (group.len() as u64, group.iter().map(|file| file.size).sum::<u64>());
            if self.options.apply {
                match self.group(&folder, group, &order).await {
                    Ok((rows, bytes, swapped)) => {
                        report.rows += rows;
                        report.bytes_out += bytes;
                        note(report, swapped);
                    }
                    Err(trouble) => return blame(trouble, &folder, report),
                }
            }
            report.files_in += files;
            report.bytes_in += bytes;
            report.files_out += 1;
            if !std::mem::replace(&mut replaced, true) {
                report.compacted += 1;
            }
            longest = longest.max(begun.elapsed());
            (self.watch)(report.partitions, report.files_in);
        }
        (self.watch)(report.partitions, report.files_in);
        Ok(true)
    }

    async fn group(
        &self,
        folder: &str,
        inputs: Vec<ObjectMeta>,
        order: &[String],
    ) -> Result<(u64, u64, Swapped), Trouble> {
        let output = format!("{folder}{}", output_name(&inputs));
        let named: Vec<(String, ETag)> = inputs.iter().map(|file| (file.key.clone(), file.etag.clone())).collect();
        let built = build(self.target.store, &self.recipe(inputs, order.to_vec(), output.clone())).await?;
        let (rows, bytes) = (built.rows, built.bytes);
        let swapped = self.swaps().swap(Swap { output, order: order.to_vec(), inputs: named }, built).await?;
        Ok((rows, bytes, swapped))
    }

    fn recipe(&self, inputs: Vec<ObjectMeta>, order: Vec<String>, output: String) -> Recipe {
        let Target { stream, .. } = self.target;
        Recipe {
            inputs,
            order,
            output,
            dataset: stream.name.clone(),
            compression: stream.compression,
            threads: self.options.threads,
            memory: self.options.memory,
            end: self.end(),
        }
    }

    fn end(&self) -> Option<Instant> {
        self.options.time_left.map(|left| self.started + left)
    }

    fn swaps(&self) -> Swaps<'_> {
        Swaps { store: self.target.store, clock: self.target.clock, dataset: &self.target.stream.name }
    }
}

/// A bad partition holds up no other; whether the run may go on.
fn blame(trouble: Trouble, folder: &str, report: &mut Report) -> Result<bool, Error> {
    let (file, column, error) = match trouble {
        Trouble::Bad(file, refusal) => {
            let error = Error::poison(refusal.code, refusal.reason);
            (Some(file), refusal.column.map(|column| column.to_string()), error)
        }
        Trouble::Failed(error) if error.code == Code::Contended => {
            report.outcome = Outcome::More;
            return Ok(true);
        }
        Trouble::Failed(error) if error.code == Code::FilesGone => (None, None, error),
        Trouble::Failed(error) => return Err(error),
        Trouble::Late => {
            report.outcome = Outcome::More;
            if report.files_out == 0 {
                let told = "no file was finished in time; give the function a longer timeout, or let \
                            compact.target_mb be smaller";
                return Err(Error::retry(Code::Deadline, format!("{folder}: {told}")));
            }
            return Ok(false);
        }
    };
    report.failed.push(Failed { partition: folder.to_owned(), file, column, error });
    Ok(true)
}

fn note(report: &mut Report, swapped: Swapped) {
    report.left.extend(swapped.left);
    report.doubled_seconds = report.doubled_seconds.max(swapped.doubled);
}

fn folder(key: &str) -> &str {
    &key[..key.rfind('/').map_or(0, |slash| slash + 1)]
}

/// Whether a reader of the table takes this for a file of it.
pub(crate) fn is_table(path: &str) -> bool {
    path.ends_with(".parquet") && path.split('/').all(|segment| !segment.starts_with(['_', '.']))
}
