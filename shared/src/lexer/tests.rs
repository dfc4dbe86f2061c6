//! Strings and numbers, wherever they end.

use proptest::prelude::*;

use super::*;

/// What is read at once is what the token says, and ends where it does.
fn check_numbers(text: &str) -> (Option<i64>, Option<f64>) {
    let digits = match Lexer::new(text, 0).token() {
        Ok(Token::Number(digits)) => digits,
        _ => "",
    };
    let mut lexer = Lexer::new(text, 0);
    let integer = lexer.integer();
    assert_eq!(lexer.since(0), if integer.is_some() { digits } else { "" }, "{text}");
    assert!(integer.is_none_or(|integer| digits.parse() == Ok(integer)), "{text}");
    let mut lexer = Lexer::new(text, 0);
    let float = lexer.float();
    assert_eq!(lexer.since(0), if float.is_some() { digits } else { "" }, "{text}");
    let bits = float.map(f64::to_bits);
    assert!(bits.is_none_or(|bits| digits.parse().map(f64::to_bits) == Ok(bits)), "{text}");
    (integer, float)
}

#[test]
fn short_numbers_are_read_at_once() {
    let longest = 999_999_999_999_999_999;
    assert_eq!(check_numbers("0,"), (Some(0), None));
    assert_eq!(check_numbers("-7}"), (Some(-7), None));
    assert_eq!(check_numbers(&longest.to_string()), (Some(longest), None));
    assert_eq!(check_numbers("-0.5]"), (None, Some(-0.5)));
    assert_eq!(check_numbers("0.1"), (None, Some(0.1)));
    assert_eq!(check_numbers("12345678901234.5"), (None, Some(12_345_678_901_234.5)));
    for others in
        ["", "-", "-0", "00", "01", "1.", ".5", "01.5", "1e3", "1.5e3", "1E3", "1234567890123456.5", "\"1\"", "x"]
    {
        assert_eq!(check_numbers(others), (None, None), "{others}");
    }
    assert_eq!(check_numbers(&(longest + 1).to_string()), (None, None));
}

proptest! {
    #[test]
    fn numbers_are_what_their_digits_say(text in "-?[0-9]{0,20}(\\.[0-9]{0,18})?([eE][+-]?[0-9]{1,3})?[,} ]?") {
        check_numbers(&text);
    }
}

#[test]
fn what_is_not_plain_is_found_wherever_it_is() {
    for length in [0, 1, 7, 8, 63, 64, 65, 71, 4159, 4160, 4161, 9000] {
        let text = "ü".repeat(length);
        assert_eq!(plain(text.as_bytes(), 0), text.len());
        for sign in ["\"", "\\", "\u{0}", "\u{1f}"] {
            let text = format!("{text}{sign}{text}\"\n");
            assert_eq!(plain(text.as_bytes(), 0), 2 * length, "{length} {sign:?}");
        }
    }
}
