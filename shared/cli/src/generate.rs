//! `headgate gen` → records or events, on stdout or in files.
//!
//! Only the pace looks at the clock; what is written follows from the command line alone.

mod options;
mod output;
mod pace;

use std::{
    io::{self, ErrorKind, Write},
    thread,
    time::Instant,
};

pub use self::options::Arguments;
use self::{output::Output, pace::Pace};
use crate::{
    Failure,
    progress::Bar,
    table::{bytes, count},
    traffic::{Event, Events, Traffic},
};

/// What was written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Written {
    records: u64,
    bytes: u64,
}

/// Generates what `arguments` ask for. A reader that has enough ends it, and that is no failure.
///
/// # Errors
/// [`Failure::Usage`] for options that do not go together or a place that is taken; [`Failure::Failed`] where it cannot
/// be written.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    arguments.check()?;
    let mut output = Output::open(&arguments.output, arguments.format, arguments.gzip)?;
    let mut pace = arguments.rate.map(|rate| Pace::begin(rate, Instant::now()));
    let paced = Traffic::new(arguments.kind, arguments.seed, arguments.options()).inspect(|_| {
        if let Some(pace) = &mut pace {
            thread::sleep(pace.next(Instant::now()));
        }
    });
    let total = arguments.total(&output);
    let events = Events::new(paced, arguments.wrapping(&output)).take(usize::try_from(total).unwrap_or(usize::MAX));
    // Drawn among lines that people see as they come, it would be in their way.
    let bar = if output.is_seen() { Bar::hidden() } else { Bar::counting("gen", "events", total) };
    ended(write(events, &mut output, arguments.rate.is_some(), &bar))
}

fn write(events: impl Iterator<Item = Event>, output: &mut Output, at_once: bool, bar: &Bar) -> io::Result<Written> {
    let mut written = Written::default();
    for Event { bytes, records } in events {
        output.write(&bytes, at_once)?;
        written.records += records as u64;
        written.bytes += bytes.len() as u64;
        bar.advance();
    }
    output.flush()?;
    Ok(written)
}

fn ended(written: io::Result<Written>) -> Result<(), Failure> {
    match written {
        Ok(Written { records, bytes: size }) => {
            writeln!(io::stderr(), "{} records, {}", count(records), bytes(size))?;
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
