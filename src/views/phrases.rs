//! What a person would say of a call, an output, a length of time.

use std::time::Duration;

use serde_json::Value;

/// The subject of a call, for people: the one field of an object that tells it, else the whole input.
pub(crate) fn argument(input: &str) -> String {
    const TELLING: [&str; 9] =
        ["command", "cmd", "file_path", "path", "pattern", "query", "url", "prompt", "description"];
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(input) else {
        let whole = TELLING.iter().find_map(|name| field_of_cut(input, name));
        return whole.unwrap_or_else(|| input.to_owned());
    };
    let telling = TELLING.iter().find_map(|name| fields.get(*name));
    match telling {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(words)) => {
            let words =
                words.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
            words.collect::<Vec<_>>().join(" ")
        }
        _ => input.to_owned(),
    }
}

/// An object as its fields, a line each, texts as they read; anything else as it is.
pub(crate) fn fields(input: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(input) else { return input.to_owned() };
    let told = fields.iter().map(|(name, value)| match value {
        Value::String(text) if text.contains('\n') => format!("{name}:\n{}\n", text.trim_end_matches('\n')),
        Value::String(text) => format!("{name}: {text}\n"),
        other => format!("{name}: {other}\n"),
    });
    told.collect()
}

/// A text of an object that is cut at its end.
fn field_of_cut(input: &str, name: &str) -> Option<String> {
    let input = input.trim_start();
    let (_, behind) = input.strip_prefix('{')?.split_once(&format!("\"{name}\":"))?;
    serde_json::Deserializer::from_str(behind).into_iter::<String>().next()?.ok()
}

/// The last line that says something, which is where tools put why they failed.
pub(crate) fn last_words(output: &str) -> &str {
    output.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// A text on one line, no longer than so many characters.
pub(crate) fn first_line(text: &str, most: usize) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(most) {
        words.truncate(end);
        words.push('…');
    }
    words
}

/// `250 ms`, `2.3 s`, `52 s`, `1 min 6 s`, `32 min`, `2 h 42 min`, `3 days 4 h`
pub(crate) fn length(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    let both = |(first, one): (u64, &str), (second, other): (u64, &str)| match second {
        0 => format!("{first} {one}"),
        _ => format!("{first} {one} {second} {other}"),
    };
    match whole {
        _ if seconds < 0.9995 => format!("{:.0} ms", seconds * 1_000.0),
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..600 => both((whole / 60, "min"), (whole % 60, "s")),
        600..3_600 => format!("{} min", whole / 60),
        3_600..172_800 => both((whole / 3_600, "h"), (whole % 3_600 / 60, "min")),
        _ => both((whole / 86_400, "days"), (whole % 86_400 / 3_600, "h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_a_call_was_about() {
        assert_eq!(argument(r#"{"command":"make test","description":"Run it"}"#), "make test");
        assert_eq!(argument(r#"{"command":["bash","-lc","ls"]}"#), "bash -lc ls");
        assert_eq!(argument(r#"{"x":1}"#), r#"{"x":1}"#);
        assert_eq!(argument("plain"), "plain");
        assert_eq!(argument(r#"{"file_path": "src/a.rs", "old_string": "\tfn x() {"#), "src/a.rs");
        assert_eq!(argument(r#"{"x": "cut h"#), r#"{"x": "cut h"#);
    }

    #[test]
    fn an_object_is_read_field_by_field() {
        let edit = r#"{"file_path":"a.go","new_string":"if x {\n\ty()\n}","all":true}"#;
        assert_eq!(fields(edit), "all: true\nfile_path: a.go\nnew_string:\nif x {\n\ty()\n}\n");
        for plain in ["make test", "[1]", r#"{"cut": "he"#] {
            assert_eq!(fields(plain), plain);
        }
    }

    #[test]
    fn gives_lengths_as_people_do() {
        for (milliseconds, told) in [
            (250, "250 ms"),
            (2_300, "2.3 s"),
            (52_040, "52 s"),
            (59_700, "1 min"),
            (66_000, "1 min 6 s"),
            (1_920_000, "32 min"),
            (3_600_000, "1 h"),
            (9_720_000, "2 h 42 min"),
            (234_000_000, "2 days 17 h"),
        ] {
            assert_eq!(length(Duration::from_millis(milliseconds)), told);
        }
    }

    #[test]
    fn the_last_words_are_the_last_line_that_says_something() {
        assert_eq!(last_words("one\n  two \n\n"), "two");
        assert_eq!(last_words(""), "");
    }
}
