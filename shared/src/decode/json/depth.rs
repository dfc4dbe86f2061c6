//! A JSON value → whether its readers can follow it down.

/// `serde_json` refuses to go down to level 128, or a bomb of brackets would overflow the stack.
const DEEPEST: usize = 127;

/// Whether arrays and objects nest deeper in `value`, which is well-formed, than `serde_json` reads.
pub(super) fn is_too_deep(value: &[u8]) -> bool {
    // Few values have that many brackets at all, and counting is much faster than looking for strings.
    let brackets = value.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    brackets > DEEPEST && deepest(value) > DEEPEST
}

fn deepest(value: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    deepest
}

/// Steps over the rest of a string, of which the first quote is behind.
fn skip_string<'a>(bytes: &mut impl Iterator<Item = &'a u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn check(value: &str, want: bool) {
        assert_eq!(is_too_deep(value.as_bytes()), want);
        assert_eq!(serde_json::from_str::<Value>(value).is_err(), want, "serde_json is of another mind");
    }

    #[test]
    fn it_is_where_serde_json_gives_up() {
        for depth in [1, 126, 127, 128, 129] {
            check(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)), depth > 127);
            check(&format!("{}0{}", r#"{"a":"#.repeat(depth), "}".repeat(depth)), depth > 127);
        }
        let wide = format!("[{}{{}}]", "{},[],".repeat(200));
        check(&wide, false);
        let in_text = format!(r#"[{{}},"{}\"{}",{{}}]"#, "[".repeat(200), "{".repeat(200));
        check(&in_text, false);
        check(&format!(r#"["\\",{}{}]"#, "[".repeat(127), "]".repeat(127)), true);
    }
}
