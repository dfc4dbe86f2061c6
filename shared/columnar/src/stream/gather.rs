//! What a reader says of records → something that grows, and can give its last row back.

use headgate::contract::Sink;

/// Where the rows of a batch go.
pub trait Gather: Sink {
    /// Takes the last row back.
    fn take_back(&mut self);

    /// Bytes of what there is, about.
    fn bytes(&self) -> usize;

    /// Why the last row cannot stay, although it keeps the contract.
    fn objection(&self) -> Option<&'static str> {
        None
    }
}
