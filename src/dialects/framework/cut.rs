//! JSON that a length limit cut: what is left of it.

use serde_json::Value;

use super::super::json;

/// How often to give up the last element in order to close what is left.
const MAX_STEPS_BACK: usize = 4;

/// The value of a JSON text that was cut at its end, as far as it goes; `None` if nothing of it can
/// be read.
pub(super) fn salvage(text: &str) -> Option<Value> {
    let mut rest = text;
    for _ in 0..MAX_STEPS_BACK {
        let (closed, last_break) = close(rest)?;
        if let Ok(value) = json::parse(&closed) {
            return Some(value);
        }
        rest = rest.get(..last_break)?;
    }
    None
}

/// `text` with its open string, lists and objects closed, and where its last element begins.
fn close(text: &str) -> Option<(String, usize)> {
    let mut open = vec![];
    let (mut in_string, mut escape_from, mut last_break) = (false, None, None);
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escape_from.is_some_and(|from| position <= from + 1) => {}
            b'\\' if in_string => escape_from = Some(position),
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => open.push(b'}'),
            b'[' => open.push(b']'),
            b'}' | b']' if open.pop() != Some(byte) => return None,
            b',' => last_break = Some(position),
            _ => {}
        }
    }
    let mut closed = text.to_owned();
    if in_string {
        closed.truncate(escape_from.filter(|from| text.len() - from < 6).unwrap_or(text.len()));
        closed.push('"');
    }
    closed.extend(open.iter().rev().map(|byte| char::from(*byte)));
    Some((closed, last_break.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_of_a_cut_list_can_be_read() {
        for (cut, left) in [
            (
                r#"[{"role": "user", "content": "fix the bu"#,
                json!([{"role": "user", "content": "fix the bu"}]),
            ),
            (r#"[{"role": "user", "content": "a\"#, json!([{"role": "user", "content": "a"}])),
            (r#"[{"role": "user", "content": "a\u00"#, json!([{"role": "user", "content": "a"}])),
            (r#"[{"role": "user", "con"#, json!([{"role": "user"}])),
            (r#"[{"role": "user", "content": "#, json!([{"role": "user"}])),
            (r#"[{"n": 1}, "#, json!([{"n": 1}])),
        ] {
            assert_eq!(salvage(cut), Some(left), "{cut}");
        }
        for nothing in ["", "{]", "nonsense"] {
            assert_eq!(salvage(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn no_prefix_of_a_list_makes_it_panic() {
        let text = r#"[{"role":"user","parts":[{"type":"text","content":"ünï \"q\" \\ \u00e9"}],"n":[1,2.5,null,true]}]"#;
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            salvage(&text[..end]);
        }
    }
}
