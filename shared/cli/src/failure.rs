//! What went wrong → an exit status and words for the operator.

use std::process::ExitCode;

use headgate::Error;

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The command line, the settings or the dataset file are wrong: exit 2, as clap does.
    #[error("{0}")]
    Usage(String),
    /// It was tried and failed: exit 1.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// Wrong settings or a wrong dataset file.
    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
    pub fn usage(error: impl ToString) -> Self {
        Self::Usage(error.to_string())
    }

    /// A failure on the way.
    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
    pub fn failed(error: impl ToString) -> Self {
        Self::Failed(error.to_string())
    }

    /// The exit status that programs calling `headgate` rely on.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::from(1),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(format!("{error} ({})", error.code))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(format!("writing the output: {error}"))
    }
}
