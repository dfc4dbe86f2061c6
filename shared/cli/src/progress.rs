//! How far a merge is → a bar on a terminal's stderr; elsewhere nothing is drawn.

use headgate_columnar::merge::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar for a merge.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that says `name` and the step under way.
    pub fn new(name: &str) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} row groups  {msg}  {elapsed}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(0).with_prefix(name.to_owned()).with_style(style))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn row_groups(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    fn step(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }
}
