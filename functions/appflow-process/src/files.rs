//! A run → its files in the lake.
//!
//! A file is of the run whose id a part of its key begins with: all that is known of the keys' form.

use headgate::{
    Code, Error,
    dataset::Saas,
    flows::Run,
    store::{ObjectMeta, Store, StoreError},
};

/// The run's files, in the order of their keys.
///
/// # Errors
/// Retry: the store failed, or the run has records and no file is there. Misconfigured: its files cannot be told from
/// those of other runs.
pub async fn of(store: &dyn Store, saas: &Saas, run: &Run) -> Result<Vec<ObjectMeta>, Error> {
    let (mut files, mut others) = (Vec::new(), 0_u64);
    let mut after: Option<String> = None;
    loop {
        let page = store.list(&saas.prefix, after.as_deref()).await.map_err(|error| told(saas, error))?;
        after = page.objects.last().map(|last| last.key.clone());
        for object in page.objects {
            let below = object.key.get(saas.prefix.len()..).unwrap_or_default();
            if below.split('/').any(|part| part.starts_with(&run.id)) {
                files.push(object);
            } else if !below.split('/').any(has_id) {
                others += 1;
            }
        }
        if !page.more {
            break;
        }
    }
    if !files.is_empty() || run.records.unwrap_or_default() == 0 {
        return Ok(files);
    }
    let (prefix, id, records) = (&saas.prefix, &run.id, run.records.unwrap_or_default());
    let message = format!("run {id} has {records} records, and {prefix} has no file with its id in the key");
    if others > 0 {
        let what = "it has files without any run's id: give the flow's destination the path prefix EXECUTION_ID \
                    (prefixConfig.pathPrefixHierarchy), so that the files of a run can be told";
        return Err(Error::misconfigured(Code::InvalidConfig, format!("{message}; {what}")));
    }
    let what = "they may not be listed yet; if this goes on, compare $.source.prefix with the flow's destination";
    Err(Error::retry(Code::Unavailable, format!("{message}; {what}")))
}

fn told(saas: &Saas, error: StoreError) -> Error {
    let error = Error::from(error);
    Error { message: format!("{}: {}", saas.prefix, error.message), ..error }
}

/// Whether a part of a key begins with a UUID, as the ids of runs are.
fn has_id(part: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    part.len() >= 36
        && part
            .bytes()
            .take(36)
            .enumerate()
            .all(|(at, byte)| if DASHES.contains(&at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids() {
        assert!(has_id("2c07e424-0000-4000-8000-000000000001"));
        assert!(has_id("2c07e424-0000-4000-8000-000000000001.parquet"));
        assert!(!has_id("2026-01-01T00:00:00-000000000000000000") && !has_id("part-0"));
    }
}
