//! [`Flows`] → files in a directory, one a flow, for the laptop.
//!
//! `<flow>.json` is a list of runs; a flow without a file has none.

use std::{fs, io::ErrorKind, path::PathBuf};

use async_trait::async_trait;

use super::{Flows, FlowsError, Result, Run};
use crate::clock::Timestamp;

/// A [`Flows`] in a directory.
#[derive(Debug, Clone)]
pub struct DirectoryFlows {
    root: PathBuf,
}

impl DirectoryFlows {
    /// The runs that the files under `root` tell.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

#[async_trait]
impl Flows for DirectoryFlows {
    async fn runs(&self, flow: &str, since: Timestamp) -> Result<Vec<Run>> {
        let path = self.root.join(format!("{flow}.json"));
        let wrong = |reason: String| FlowsError::Wrong { flow: flow.to_owned(), reason };
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(format!("{}: {error}", path.display()))),
        };
        let runs: Vec<Run> =
            serde_json::from_slice(&text).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
        Ok(runs.into_iter().filter(|run| run.is_since(since)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::Status;

    #[tokio::test]
    async fn a_file_tells_the_runs_of_a_flow() {
        let folder = tempfile::tempdir().unwrap();
        let flows = DirectoryFlows::new(folder.path().to_owned());
        assert_eq!(flows.runs("deals", Timestamp(0)).await, Ok(Vec::new()));
        let text = r#"[{"id":"a","started":5,"status":"succeeded","records":2},{"id":"b","started":4,"status":"failed","records":null}]"#;
        fs::write(folder.path().join("deals.json"), text).unwrap();
        let id = "a".parse().unwrap();
        let run = Run { id, started: Timestamp(5), ended: None, status: Status::Succeeded, records: Some(2) };
        assert_eq!(flows.runs("deals", Timestamp(5)).await, Ok(vec![run]));
        for bad in ["[{}]", r#"[{"id":"../a","started":5,"status":"succeeded","records":2}]"#] {
            fs::write(folder.path().join("deals.json"), bad).unwrap();
            assert!(matches!(flows.runs("deals", Timestamp(0)).await, Err(FlowsError::Wrong { .. })), "{bad}");
        }
    }
}
