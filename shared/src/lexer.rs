//! JSON text → its tokens, strictly by RFC 8259.
//!
//! The text is UTF-8 already. Nothing is copied; a string with escapes is handed over as it is written, checked.

use memchr::{memchr, memchr2};

mod number;

/// What reading a part of a text gives.
pub(crate) type Result<T> = std::result::Result<T, Broken>;

/// Why a text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    /// What is wrong.
    pub(crate) what: &'static str,
    /// The byte of the text at which it is.
    pub(crate) at: usize,
}

/// How deep a record may nest: as deep as `serde_json` reads, so that what is kept of it can be read again.
const DEEPEST: usize = 127;

/// A place in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    pub(crate) at: usize,
    /// How many objects and arrays are open.
    depth: usize,
}

/// A string as it is written, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    pub(crate) escaped: bool,
}

/// The start of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token<'a> {
    Null,
    Boolean(bool),
    Number(&'a str),
    Text(Raw<'a>),
    /// After its `{`.
    Object,
    /// After its `[`.
    Array,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0 }
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no white space; 0 at the end, which is none of JSON's.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    /// Whether nothing but white space comes.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.peek();
        self.at == self.text.len()
    }

    /// Goes past this byte, white space before it aside; `missing` says that it is not there.
    #[inline]
    pub(crate) fn expect(&mut self, wanted: u8, missing: &'static str) -> Result<()> {
        if self.peek() == wanted {
            self.at += 1;
            return Ok(());
        }
        Err(self.broken(missing))
    }

    /// Goes into the object or array whose bracket is the next byte.
    pub(crate) fn enter(&mut self) -> Result<()> {
        if self.depth == DEEPEST {
            return Err(self.broken("nested too deep"));
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    /// Whether another element follows, before `end`; the first one has no comma.
    #[inline]
    pub(crate) fn more(&mut self, first: bool, end: u8) -> Result<bool> {
        match self.peek() {
            byte if byte == end => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            _ if first => Ok(true),
            b',' => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.broken("neither `,` nor an end")),
        }
    }

    /// An object's next name, and the `:` after it.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<Raw<'a>> {
        self.expect(b'"', "a name is missing")?;
        let name = self.string()?;
        self.expect(b':', "`:` is missing")?;
        Ok(name)
    }

    /// Goes past the name that [`written`] wrote, where just this comes.
    #[inline]
    pub(crate) fn passes(&mut self, written: &str) -> bool {
        self.peek();
        let passes = self.bytes()[self.at..].starts_with(written.as_bytes());
        self.at += if passes { written.len() } else { 0 };
        passes
    }

    /// The value's start.
    #[inline]
    pub(crate) fn token(&mut self) -> Result<Token<'a>> {
        match self.peek() {
            b'"' => {
                self.at += 1;
                self.string().map(Token::Text)
            }
            b'{' => self.enter().map(|()| Token::Object),
            b'[' => self.enter().map(|()| Token::Array),
            b'n' => self.word("null", Token::Null),
            b't' => self.word("true", Token::Boolean(true)),
            b'f' => self.word("false", Token::Boolean(false)),
            b'-' | b'0'..=b'9' => self.number().map(Token::Number),
            _ => Err(self.broken("no value")),
        }
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>> {
        if !self.bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.broken("no value"));
        }
        self.at += word.len();
        Ok(token)
    }

    /// What was passed since.
    #[inline]
    pub(crate) fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// A string, after its opening quote.
    #[inline]
    fn string(&mut self) -> Result<Raw<'a>> {
        let (bytes, start) = (self.bytes(), self.at);
        let mut escaped = false;
        loop {
            self.at = plain(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    let text = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Raw { text, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.broken("a control character in a string")),
                None => return Err(self.broken("a string is cut off")),
            }
        }
    }

    /// A string that goes to the next quote; whoever takes it checks that nothing in it is escaped.
    pub(crate) fn unescaped(&mut self) -> Result<&'a str> {
        self.expect(b'"', "a text is missing")?;
        let rest = &self.text[self.at..];
        let end = memchr(b'"', rest.as_bytes()).ok_or_else(|| self.broken("a string is cut off"))?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    fn escape(&mut self) -> Result<()> {
        let rest = &self.bytes()[self.at + 1..];
        let low = || rest.get(5..)?.strip_prefix(b"\\u").and_then(code_unit);
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') => match code_unit(&rest[1..]) {
                Some(0xd800..0xdc00) if matches!(low(), Some(0xdc00..0xe000)) => 12,
                Some(0xd800..0xe000) => return Err(self.broken("an escape is half a surrogate pair")),
                Some(_) => 6,
                None => return Err(self.broken("an unknown escape")),
            },
            _ => return Err(self.broken("an unknown escape")),
        };
        self.at += length;
        Ok(())
    }

    /// A whole value, checked and left as it is.
    pub(crate) fn skip(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.skip_nested()?;
        Ok(&self.text[start..self.at])
    }

    fn skip_nested(&mut self) -> Result<()> {
        let (object, end) = match self.token()? {
            Token::Object => (true, b'}'),
            Token::Array => (false, b']'),
            _ => return Ok(()),
        };
        let mut first = true;
        while self.more(first, end)? {
            first = false;
            if object {
                self.name()?;
            }
            self.skip_nested()?;
        }
        Ok(())
    }

    #[cold]
    fn broken(&self, what: &'static str) -> Broken {
        Broken { what, at: self.at }
    }
}

/// A name and its `:` as most texts have them.
pub(crate) fn written(name: &str) -> String {
    format!("{}:", serde_json::Value::from(name))
}

/// The name without quotes and `:`, as [`Raw`] has it.
pub(crate) fn inner(written: &str) -> &str {
    &written[1..written.len() - 2]
}

/// The first place from `at` on where a string ends or is not plain. Eight bytes at a time: most strings are short.
#[inline]
pub(crate) fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & TOPS;
    let long = at + 64;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        // A byte below 0x20, a quote or a backslash leaves its top bit set; the lowest one is exact.
        let control = word.wrapping_sub(ONES * 0x20) & !word & TOPS;
        let found = control | zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
        if at == long {
            return plain_rest(bytes, at);
        }
    }
    while bytes.get(at).is_some_and(|byte| *byte >= 0x20 && !matches!(byte, b'"' | b'\\')) {
        at += 1;
    }
    at
}

/// The same for the rest of a long string. Block by block: whoever goes on after what is found here does not see all of
/// the rest again.
fn plain_rest(bytes: &[u8], mut at: usize) -> usize {
    for block in bytes[at..].chunks(4096) {
        let length = memchr2(b'"', b'\\', block).unwrap_or(block.len());
        // Without a branch for each byte, the compiler compares many at once.
        let lowest = block[..length].iter().copied().fold(u8::MAX, u8::min);
        let control = if lowest < 0x20 { block.iter().position(|byte| *byte < 0x20) } else { None };
        at += control.unwrap_or(length);
        if control.is_some() || length < block.len() {
            break;
        }
    }
    at
}

/// What a string says that the lexer has passed; one with escapes goes through `room`.
#[inline]
pub(crate) fn said<'r>(raw: Raw<'r>, room: &'r mut String) -> &'r str {
    if !raw.escaped {
        return raw.text;
    }
    room.clear();
    let mut rest = raw.text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        room.push_str(plain);
        let (sign, length) = unescape(escape.as_bytes());
        room.push(sign);
        rest = &escape[length..];
    }
    room.push_str(rest);
    room
}

/// The sign that an escape stands for, and the escape's length, both without its backslash.
fn unescape(escape: &[u8]) -> (char, usize) {
    let sign = match escape.first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let unit = |from: usize| escape.get(from..).and_then(code_unit).unwrap_or_default();
            let (value, length) = match unit(1) {
                high @ 0xd800..0xdc00 => (0x1_0000 + ((high - 0xd800) << 10) + unit(7).saturating_sub(0xdc00), 11),
                value => (value, 5),
            };
            return (char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), length);
        }
        Some(other) => char::from(*other),
        None => return (char::REPLACEMENT_CHARACTER, 0),
    };
    (sign, 1)
}

/// Four hexadecimal digits.
fn code_unit(digits: &[u8]) -> Option<u32> {
    let digits = digits.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests;
