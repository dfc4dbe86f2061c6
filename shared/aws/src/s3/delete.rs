//! Objects to be removed at once → one request, and what it left.
//!
//! Each goes by its tag: S3 leaves an object that was written anew since (conditional deletes).

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use headgate::store::{ETag, Result, StoreError};

use super::{S3Store, write::quoted};
use crate::failure::Failure;

/// S3's codes for an object that has another tag now, or is just being written.
const CHANGED: [&str; 2] = ["PreconditionFailed", "ConditionalRequestConflict"];

/// Removes them; the answer names only those that were not removed.
pub(super) async fn all(store: &S3Store, objects: &[(String, ETag)]) -> Result<Vec<String>> {
    let Some((first, _)) = objects.first() else { return Ok(Vec::new()) };
    let invalid = |told: String| store.error(first, Failure::Refused(told));
    let named = objects.iter().map(|(key, etag)| {
        ObjectIdentifier::builder()
            .key(store.full(key))
            .e_tag(quoted(etag))
            .build()
            .map_err(|error| invalid(error.to_string()))
    });
    let named = named.collect::<Result<Vec<_>>>()?;
    let delete =
        Delete::builder().set_objects(Some(named)).quiet(true).build().map_err(|error| invalid(error.to_string()))?;
    let request = store.client.delete_objects().bucket(&store.bucket).delete(delete);
    let answer = request.send().await.map_err(|error| store.error(first, Failure::of(&error)))?;
    let mut left = Vec::new();
    for error in answer.errors() {
        let key = error.key().and_then(|key| key.strip_prefix(&store.prefix)).unwrap_or_default();
        let code = error.code().unwrap_or_default();
        let told = format!("{code}: {}", error.message().unwrap_or_default());
        match code {
            "NoSuchKey" => {}
            _ if CHANGED.contains(&code) => left.push(key.to_owned()),
            "AccessDenied" => return Err(store.error(key, Failure::Refused(told))),
            _ => return Err(StoreError::Unavailable { key: key.to_owned(), reason: told }),
        }
    }
    Ok(left)
}
