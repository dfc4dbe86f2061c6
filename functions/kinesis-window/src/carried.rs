//! What Lambda hands from one invocation of a window to the next → what is known of it, and back.
//!
//! The state of a window is a JSON object whose groups are JSON in zstd in base64, for Lambda keeps at most 1 MB.

use base64::{Engine, prelude::BASE64_STANDARD};
use headgate::{Code, Error, decode::compression, landing::Mark};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    groups::{Group, Known},
    plan::Plan,
    scalar::Key,
};

/// The most bytes that groups unpack to.
const UNPACKED: usize = 64 << 20;
const FORMAT: u32 = 1;

/// A window of a shard as it is so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// By what it is counted.
    pub plan: Plan,
    /// Where its records begin, and the last that is counted; `None` before the first.
    pub span: Option<Span>,
    /// The items of the state that hold keys which did not fit, the oldest first.
    pub spilled: Vec<String>,
    /// What is known of the keys that are here.
    pub known: Known,
}

/// The first and the last record that are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first.
    pub first: Mark,
    /// The last.
    pub last: Mark,
}

#[derive(Serialize, Deserialize)]
struct Carried {
    format: u32,
    plan: Plan,
    #[serde(flatten)]
    span: Span,
    spilled: Vec<String>,
    groups: String,
}

impl Open {
    /// A window that begins.
    pub fn new(plan: Plan) -> Self {
        Self { plan, span: None, spilled: Vec::new(), known: Known::new() }
    }

    /// The window that an answer's state is of; one that begins, by `plan`, where there is none.
    ///
    /// # Errors
    /// Poison, [`Code::InvalidEvent`]: the state is none of ours.
    pub fn read(state: Option<&RawValue>, plan: &Plan) -> Result<Self, Error> {
        let foreign = |what: &str| {
            let told = "the window's state was not written by this function; the next window begins without one";
            Error::poison(Code::InvalidEvent, format!("state: {told}: {what}"))
        };
        let Some(state) = state.filter(|state| !is_empty(state)) else { return Ok(Self::new(plan.clone())) };
        let carried: Carried = serde_json::from_str(state.get()).map_err(|error| foreign(&error.to_string()))?;
        let Carried { format: FORMAT, plan, span, spilled, groups } = carried else {
            return Err(foreign("of another format"));
        };
        let known = unpacked(&groups).map_err(|what| foreign(&what))?;
        if known.values().any(|group| group.tallies.len() != plan.measures.len())
            || known.keys().any(|key| key.len() != plan.key.len())
        {
            return Err(foreign("groups of another plan"));
        }
        Ok(Self { plan, span: Some(span), spilled, known })
    }

    /// Whether the record at this place is counted already.
    pub fn has(&self, mark: &Mark) -> bool {
        self.span.as_ref().is_some_and(|span| *mark <= span.last)
    }

    /// Notes that the record at this place is counted.
    pub fn count(&mut self, mark: &Mark) {
        match &mut self.span {
            Some(span) => span.last = span.last.clone().max(mark.clone()),
            None => self.span = Some(Span { first: mark.clone(), last: mark.clone() }),
        }
    }

    /// The state that says all of it.
    ///
    /// # Errors
    /// Retry, [`Code::Internal`]: it cannot be written.
    pub fn write(&self) -> Result<Box<RawValue>, Error> {
        let Some(span) = self.span.clone() else { return nothing() };
        let carried = Carried {
            format: FORMAT,
            plan: self.plan.clone(),
            span,
            spilled: self.spilled.clone(),
            groups: packed(self.known.iter())?,
        };
        to_raw_value(&carried).map_err(|error| internal(&error))
    }
}

/// The state of a window that has nothing to hand on.
///
/// # Errors
/// As [`Open::write`].
pub fn nothing() -> Result<Box<RawValue>, Error> {
    RawValue::from_string("{}".to_owned()).map_err(|error| internal(&error))
}

fn is_empty(state: &RawValue) -> bool {
    state.get().bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}")
}

fn internal(error: &impl ToString) -> Error {
    Error::retry(Code::Internal, error.to_string())
}

/// Groups as a text.
///
/// # Errors
/// Retry, [`Code::Internal`]: they cannot be written.
pub fn packed<'a>(groups: impl Iterator<Item = (&'a Key, &'a Group)>) -> Result<String, Error> {
    let groups: Vec<_> = groups.collect();
    let text = serde_json::to_vec(&groups).map_err(|error| internal(&error))?;
    let packed = zstd::bulk::compress(&text, 1).map_err(|error| internal(&error))?;
    Ok(BASE64_STANDARD.encode(packed))
}

/// The groups that a text is of, or what is wrong with it.
pub fn unpacked(text: &str) -> Result<Known, String> {
    let packed = BASE64_STANDARD.decode(text).map_err(|error| error.to_string())?;
    let text = compression::unpack(&packed.into(), UNPACKED).map_err(|refusal| refusal.reason.to_string())?;
    let groups: Vec<(Key, Group)> = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    Ok(groups.into_iter().collect())
}
