//! Settings as text → values, with every problem told at once.
//!
//! The process environment is read in [`process_environment`] and nowhere else; everything above takes a lookup.

use std::{fmt::Display, path::PathBuf, str::FromStr};

use crate::error::{Code, Error};

/// Looks a setting up in the environment of this process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the process environment")]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads settings and collects what is wrong with them. A setting that is empty counts as not set.
///
/// Every read gives a value, a stand-in where the setting is wrong, so that reading goes on;
/// [`Settings::finish`] tells whether the values may be used.
pub struct Settings<F> {
    lookup: F,
    problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Settings<F> {
    /// Reads through `lookup`.
    pub fn new(lookup: F) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// The setting, which must be there.
    pub fn required<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let value = self.optional(name);
        if value.is_none() && self.text(name).is_none() {
            self.problems.push(format!("{name}: not set"));
        }
        value
    }

    /// The setting, if it is there.
    pub fn optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// The setting, or `default` where it is not there.
    pub fn or<T>(&mut self, name: &str, default: T) -> T
    where
        T: FromStr<Err: Display>,
    {
        self.optional(name).unwrap_or(default)
    }

    /// The folder of the dataset files: `DATASETS_DIR`, else `datasets` in `LAMBDA_TASK_ROOT` or beside the binary.
    pub fn datasets(&mut self) -> PathBuf {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.to_owned());
        let home = self.optional::<PathBuf>("LAMBDA_TASK_ROOT").or_else(beside).unwrap_or_default();
        self.optional("DATASETS_DIR").unwrap_or_else(|| home.join("datasets"))
    }

    /// Notes a problem that shows only when settings are seen together.
    pub fn problem(&mut self, name: &str, what: impl Display) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// What `resolved` makes of the values, unless a setting was wrong.
    ///
    /// # Errors
    /// Misconfigured, naming every missing or wrong setting; also when `resolved` gives `None`.
    pub fn finish<T>(self, resolved: Option<T>) -> Result<T, Error> {
        match resolved {
            Some(resolved) if self.problems.is_empty() => Ok(resolved),
            _ => Err(Error::misconfigured(Code::InvalidConfig, format!("settings: {}", self.problems.join("; ")))),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    #[derive(Debug, PartialEq)]
    struct Resolved {
        bucket: String,
        threads: usize,
        memory: Option<u64>,
    }

    fn read(given: &[(&str, &str)]) -> Result<Resolved, Error> {
        let lookup = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
        let mut settings = Settings::new(lookup);
        let bucket = settings.required("BUCKET");
        let threads = settings.or("THREADS", 2);
        let memory = settings.optional("MEMORY_MB");
        if threads == 0 {
            settings.problem("THREADS", "must be at least 1");
        }
        settings.finish(bucket.map(|bucket| Resolved { bucket, threads, memory }))
    }

    #[test]
    fn values_are_read_and_defaults_stand_in() {
        let expected = Resolved { bucket: "lake".to_owned(), threads: 2, memory: None };
        assert_eq!(read(&[("BUCKET", "lake"), ("MEMORY_MB", "")]), Ok(expected));
        let expected = Resolved { bucket: "lake".to_owned(), threads: 8, memory: Some(512) };
        assert_eq!(read(&[("BUCKET", "lake"), ("THREADS", "8"), ("MEMORY_MB", "512")]), Ok(expected));
    }

    #[test]
    fn all_problems_are_told_at_once_by_name() {
        let error = read(&[("THREADS", "0"), ("MEMORY_MB", "much")]).unwrap_err();
        assert_eq!((error.class, error.code), (Class::Misconfigured, Code::InvalidConfig));
        let expected =
            "settings: BUCKET: not set; MEMORY_MB: invalid digit found in string; THREADS: must be at least 1";
        assert_eq!(error.message, expected);
    }

    #[test]
    fn dataset_files_have_a_place() {
        let folder = |given: &[(&str, &str)]| {
            let lookup =
                |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
            Settings::new(lookup).datasets()
        };
        assert_eq!(folder(&[("LAMBDA_TASK_ROOT", "/var/task")]), PathBuf::from("/var/task/datasets"));
        assert_eq!(folder(&[("LAMBDA_TASK_ROOT", "/var/task"), ("DATASETS_DIR", "d")]), PathBuf::from("d"));
        assert!(folder(&[]).ends_with("deps/datasets"), "beside the test's binary");
    }

    #[test]
    fn the_environment_is_the_processes() {
        assert!(process_environment("PATH").is_some());
        assert_eq!(process_environment("HEADGATE_NO_SUCH_SETTING"), None);
    }
}
