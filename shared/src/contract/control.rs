//! A record of DMS → whether it tells of the transport, and not of a row.
//!
//! Asked only where a record is refused: what a control record has beside its `metadata` follows no contract.

use crate::lexer::{Lexer, Result, said};

/// Where the object at `at` ends, if it is a control record.
pub(super) fn end(text: &str, at: usize) -> Option<usize> {
    let mut lexer = Lexer::new(text, at);
    let mut control = false;
    fields(&mut lexer, |name, lexer| {
        if name != "metadata" || lexer.peek() != b'{' {
            lexer.skip()?;
            return Ok(());
        }
        fields(lexer, |name, lexer| {
            let value = lexer.skip()?;
            control |= name == "record-type" && value == "\"control\"";
            Ok(())
        })
    })
    .ok()?;
    control.then_some(lexer.at)
}

/// Gives each field of the object to `field`, which reads its value.
fn fields<'a>(lexer: &mut Lexer<'a>, mut field: impl FnMut(&str, &mut Lexer<'a>) -> Result<()>) -> Result<()> {
    let (mut room, mut first) = (String::new(), true);
    lexer.peek();
    lexer.enter()?;
    while lexer.more(first, b'}')? {
        first = false;
        let name = lexer.name()?;
        field(said(name, &mut room), lexer)?;
    }
    Ok(())
}
