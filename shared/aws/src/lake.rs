//! Where a lake is, as a person writes it → which store it is.
//!
//! Nothing is asked of the place here: that it exists shows at the first call.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use headgate::{
    Code, Error,
    store::{LONGEST_ROOT, Store, directory::DirectoryStore},
};

use crate::{Aws, Endpoint, S3Store};

/// Where a lake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// Objects of an S3 bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// What all keys start with; may be empty.
        prefix: String,
    },
    /// Files under a local directory.
    Directory(PathBuf),
}

impl FromStr for Location {
    type Err = Error;

    /// Reads `s3://bucket[/prefix]`, `file:///path` or a path.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`] for another scheme, where the bucket or path is missing, or where the prefix leaves too
    /// little room for keys.
    fn from_str(written: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let message = format!("lake {written:?}: {why}; write s3://bucket[/prefix], file:///path or a path");
            Err(Error::misconfigured(Code::InvalidConfig, message))
        };
        match written.split_once("://") {
            Some(("s3", rest)) => match rest.split_once('/').unwrap_or((rest, "")) {
                ("", _) => wrong("no bucket"),
                (_, prefix) if prefix.trim_matches('/').len() > LONGEST_ROOT => wrong(&format!(
                    "its prefix has more than {LONGEST_ROOT} bytes, and keys end at 1,024: choose a shorter one"
                )),
                (bucket, prefix) => {
                    Ok(Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
                }
            },
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Directory(path.into())),
            Some(("file", _)) => wrong("no absolute path"),
            Some(_) => wrong("an unknown scheme"),
            None if written.is_empty() => wrong("empty"),
            None => Ok(Self::Directory(written.into())),
        }
    }
}

impl Location {
    /// The store there.
    pub async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Bucket { bucket, prefix } => {
                Arc::new(S3Store::new(&Aws::connect(Endpoint::Environment).await, bucket, prefix))
            }
            Self::Directory(root) => Arc::new(DirectoryStore::new(root.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(bucket: &str, prefix: &str) -> Location {
        Location::Bucket { bucket: bucket.into(), prefix: prefix.into() }
    }

    #[track_caller]
    fn check(written: &str, expected: &Location) {
        assert_eq!(written.parse::<Location>().as_ref(), Ok(expected));
    }

    #[test]
    fn places_are_read() {
        check("s3://lake", &bucket("lake", ""));
        check("s3://lake/", &bucket("lake", ""));
        check("s3://lake/a/b/", &bucket("lake", "a/b"));
        let longest = "x".repeat(LONGEST_ROOT);
        check(&format!("s3://lake/{longest}/"), &bucket("lake", &longest));
        check("file:///var/lake", &Location::Directory("/var/lake".into()));
        check("target/lake", &Location::Directory("target/lake".into()));
    }

    #[test]
    fn other_places_are_refused() {
        let too_long = format!("s3://lake/{}", "x".repeat(LONGEST_ROOT + 1));
        for written in ["", "s3://", "s3:///a", &too_long, "file://lake", "gs://lake"] {
            assert_eq!(written.parse::<Location>().map_err(|error| error.code), Err(Code::InvalidConfig), "{written}");
        }
    }
}
