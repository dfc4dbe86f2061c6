//! Settings of the environment → what a merge may use.
//!
//! One reading for every program that merges, so that `HEADGATE_THREADS` means the same everywhere.

use headgate::config::Settings;

/// What a merge may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Threads that decode and encode.
    pub threads: usize,
    /// Memory in bytes.
    pub memory: u64,
}

/// Lambda tells a function's memory by this name.
const LAMBDA_MEMORY: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
const THREADS: &str = "HEADGATE_THREADS";
const MEMORY: &str = "HEADGATE_MEMORY_MB";
const DEFAULT_MEMORY_MB: u64 = 1024;

impl Bounds {
    /// Reads `HEADGATE_THREADS` (default: all cores) and `HEADGATE_MEMORY_MB` (default: the function's memory, else
    /// 1024).
    pub fn read<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>) -> Self {
        let threads = settings.or(THREADS, std::thread::available_parallelism().map_or(1, usize::from));
        let lambda = settings.or(LAMBDA_MEMORY, DEFAULT_MEMORY_MB);
        let memory_mb = settings.or(MEMORY, lambda);
        if threads == 0 {
            settings.problem(THREADS, "must be at least 1");
        }
        if memory_mb < 128 {
            settings.problem(MEMORY, "must be at least 128");
        }
        Self { threads, memory: memory_mb << 20 }
    }
}

#[cfg(test)]
mod tests {
    use headgate::{Error, config::Settings};

    use super::Bounds;

    fn check(given: &[(&str, &str)]) -> Result<(usize, u64), Error> {
        let lookup = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, text)| (*text).to_owned());
        let mut settings = Settings::new(lookup);
        let bounds = Bounds::read(&mut settings);
        settings.finish(Some((bounds.threads, bounds.memory >> 20)))
    }

    #[test]
    fn a_merge_is_bounded_by_settings_then_by_lambda() {
        let cores = std::thread::available_parallelism().unwrap().get();
        assert_eq!(check(&[]), Ok((cores, 1024)));
        assert_eq!(check(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048"), ("HEADGATE_THREADS", "3")]), Ok((3, 2048)));
        assert_eq!(
            check(&[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048"), ("HEADGATE_MEMORY_MB", "512")]),
            Ok((cores, 512))
        );
        let error = check(&[("HEADGATE_THREADS", "0"), ("HEADGATE_MEMORY_MB", "64")]).unwrap_err();
        let expected = "settings: HEADGATE_THREADS: must be at least 1; HEADGATE_MEMORY_MB: must be at least 128";
        assert_eq!(error.message, expected);
    }
}
