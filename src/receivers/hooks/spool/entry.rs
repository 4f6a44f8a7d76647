//! One hook's object as a line of a spool.

/// One hook's object, redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose hook, as the door's path names it.
    pub assistant: String,
    /// The object as JSON without line breaks, as serialisers write it.
    pub json: String,
}

impl Entry {
    /// With its line break. A raw line break within JSON is white space and becomes a space.
    pub(super) fn to_line(&self) -> String {
        let body = format!("{} {}", self.assistant, self.json.replace(['\n', '\r'], " "));
        format!("{:08x} {body}\n", crc32c::crc32c(body.as_bytes()))
    }

    /// The entry of a line without its line break; `None` if the line is not whole.
    pub(super) fn of_line(line: &[u8]) -> Option<Self> {
        let (sum, body) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        if sum.len() != 8 || u32::from_str_radix(sum, 16).ok()? != crc32c::crc32c(body.as_bytes()) {
            return None;
        }
        let (assistant, json) = body.split_once(' ')?;
        Some(Self { assistant: assistant.to_owned(), json: json.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_entry_or_nothing() {
        let entry = Entry { assistant: "pi".to_owned(), json: "{\"a\":\n \"ü b\"}".to_owned() };
        let line = entry.to_line();
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        let whole = line.trim_end_matches('\n').as_bytes();
        let read = Entry::of_line(whole).unwrap();
        assert_eq!((read.assistant.as_str(), read.json.as_str()), ("pi", "{\"a\":  \"ü b\"}"));
        for cut in 0..whole.len() {
            assert_eq!(Entry::of_line(&whole[..cut]), None, "cut at {cut}");
        }
    }
}
