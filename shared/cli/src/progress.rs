//! How far a long run is → a bar on a terminal's stderr; elsewhere nothing is drawn.

use headgate_columnar::merge::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that says `name` and the step under way.
    pub fn new(name: &str) -> Self {
        Self::counting(name, "row groups", 0)
    }

    /// A bar that says `name` and how many of `total` `things` are done.
    pub fn counting(name: &str, things: &str, total: u64) -> Self {
        let style = ProgressStyle::with_template(&format!(
            "{{prefix}} {{bar:30}} {{pos}}/{{len}} {things}  {{msg}}  {{elapsed}}"
        ));
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(total).with_prefix(name.to_owned()).with_style(style))
    }

    /// A bar that is not drawn.
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// So many of `total` are done.
    pub fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// So many are done, of nobody knows how many, and what else there is to say.
    pub fn counted(&self, done: u64, more: &str) {
        self.at(done, done);
        self.0.set_message(more.to_owned());
    }

    /// One more is done.
    pub fn advance(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn row_groups(&self, done: u64, total: u64) {
        self.at(done, total);
    }

    fn step(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }
}
