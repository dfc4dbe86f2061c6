//! Headers as lists of numbers → bytes.

use std::{borrow::Cow, fmt};

use bytes::Bytes;

use crate::{
    error::Error,
    event::{invalid, wire::Members},
};

/// A header of a record.
///
/// Its `Debug` leaves the value out, so that it may be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value; Kafka allows none.
    pub value: Option<Bytes>,
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} bytes", self.name, self.value.as_ref().map(Bytes::len))
    }
}

/// Reads a list of objects of one header each, `[{"name": [104, -61]}]`. The numbers are Java's bytes, -128 to 127;
/// 128 to 255 mean the same bytes to everyone else.
pub(super) fn read(lists: Vec<Members<'_, Option<Vec<i16>>>>) -> Result<Vec<Header<'_>>, Error> {
    let header = |(name, numbers): (_, Option<Vec<i16>>)| {
        let value = numbers.map(|numbers| numbers.into_iter().map(byte).collect::<Option<Vec<u8>>>().map(Bytes::from));
        match value {
            Some(None) => Err(invalid("a header has a number that is no byte")),
            value => Ok(Header { name, value: value.flatten() }),
        }
    };
    lists.into_iter().flat_map(|Members(members)| members).map(header).collect()
}

fn byte(number: i16) -> Option<u8> {
    let signed = i8::try_from(number).map(i8::cast_unsigned);
    signed.or_else(|_| u8::try_from(number)).ok()
}
