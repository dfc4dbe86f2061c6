//! Where the state is, as a person writes it → which one it is.
//!
//! Nothing is asked of the place here: that it exists shows at the first call.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use headgate::{
    Code, Error,
    clock::Clock,
    state::{State, file::FileState},
};

use crate::{Aws, DynamoState, Endpoint};

/// Where the state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A `DynamoDB` table.
    Table(String),
    /// Files under a local directory.
    Directory(PathBuf),
}

impl FromStr for Place {
    type Err = Error;

    /// Reads `dynamodb://table`, `file:///path` or a path.
    ///
    /// # Errors
    /// [`Code::InvalidConfig`] for another scheme, or where the table or path is missing.
    fn from_str(written: &str) -> Result<Self, Error> {
        let wrong = |why: &str| {
            let message = format!("state {written:?}: {why}; write dynamodb://table, file:///path or a path");
            Err(Error::misconfigured(Code::InvalidConfig, message))
        };
        match written.split_once("://") {
            Some(("dynamodb", "")) => wrong("no table"),
            Some(("dynamodb", table)) => Ok(Self::Table(table.to_owned())),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Directory(path.into())),
            Some(("file", _)) => wrong("no absolute path"),
            Some(_) => wrong("an unknown scheme"),
            None if written.is_empty() => wrong("empty"),
            None => Ok(Self::Directory(written.into())),
        }
    }
}

impl Place {
    /// The state there; its items end by `clock`.
    pub async fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn State> {
        match self {
            Self::Table(table) => Arc::new(DynamoState::new(&Aws::connect(Endpoint::Environment).await, table, clock)),
            Self::Directory(root) => Arc::new(FileState::new(root.clone(), clock)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        for (written, place) in [
            ("dynamodb://state", Place::Table("state".to_owned())),
            ("file:///var/state", Place::Directory("/var/state".into())),
            ("target/state", Place::Directory("target/state".into())),
        ] {
            assert_eq!(written.parse(), Ok(place));
        }
        for written in ["", "dynamodb://", "file://state", "redis://state"] {
            assert_eq!(written.parse::<Place>().map_err(|error| error.code), Err(Code::InvalidConfig), "{written}");
        }
    }
}
