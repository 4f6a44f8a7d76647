//! Where the values of a line begin and end, while its bytes come in, its long texts cut.

use memchr::memchr3;

/// The longest text in bytes, as written in the file; four times what is stored of one by default.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A line as far as it has been read.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) kept: Vec<u8>,
    /// The parts of it that are values: where each begins and ends, and whether it was cut.
    pub(super) values: Vec<(usize, usize, bool)>,
    pub(super) begin: usize,
    pub(super) depth: u32,
    in_text: bool,
    /// A backslash stands before the next byte.
    escaped: bool,
    /// Hex digits of an escape that follow.
    digits: u8,
    text_length: usize,
    /// The text that is being read was cut.
    is_text_cut: bool,
    /// A text of the value was cut.
    is_cut: bool,
    pub(super) is_too_long: bool,
    pub(super) has_garbage: bool,
    /// A value of a list has come to its end.
    pub(super) has_ended: bool,
}

impl Scan {
    pub(super) fn clear(&mut self) {
        let mut kept = std::mem::take(&mut self.kept);
        kept.clear();
        // One long line must not cost memory for all that follow.
        kept.shrink_to(MAX_TEXT);
        *self = Self { kept, ..Self::default() };
    }

    /// Takes bytes up to the end of the line, or of a value of a list, and says how many.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        breaks_at_line_feeds: bool,
        is_list: bool,
        limit: usize,
    ) -> usize {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if byte == 0 || byte == b'\n' && breaks_at_line_feeds {
                return at;
            }
            if self.in_text {
                at += self.take_text(bytes.get(at..).unwrap_or_default(), breaks_at_line_feeds, limit);
                continue;
            }
            at += 1;
            match byte {
                b'[' | b']' if is_list && self.depth == 0 => {}
                b'{' | b'[' => {
                    if self.depth == 0 {
                        self.begin = self.kept.len();
                        self.is_cut = false;
                    }
                    self.depth += 1;
                    self.keep(&[byte], limit);
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    self.keep(&[byte], limit);
                    if self.depth == 0 && !self.is_too_long {
                        self.values.push((self.begin, self.kept.len(), self.is_cut));
                    }
                    if self.depth == 0 && is_list {
                        self.has_ended = true;
                        return at;
                    }
                }
                b'"' if self.depth > 0 => {
                    self.in_text = true;
                    (self.text_length, self.is_text_cut) = (0, false);
                    self.keep(&[byte], limit);
                }
                _ if self.depth > 0 => self.keep(&[byte], limit),
                // What separates values, and the mark of the byte order.
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf => {}
                _ => self.has_garbage = true,
            }
        }
        at
    }

    /// Takes bytes of a text, one at least, and says how many.
    fn take_text(&mut self, bytes: &[u8], breaks_at_line_feeds: bool, limit: usize) -> usize {
        let Some(first) = bytes.first().copied() else { return 0 };
        if self.escaped || self.digits > 0 {
            self.digits = match (self.escaped, first) {
                (true, b'u') => 4,
                (true, _) => 0,
                (false, _) => self.digits - 1,
            };
            self.escaped = false;
            self.keep_of_text(&[first], limit, true);
            return 1;
        }
        match first {
            b'"' => {
                self.in_text = false;
                self.keep(b"\"", limit);
                1
            }
            b'\\' => {
                // An escape is kept whole or not at all.
                self.escaped = true;
                if self.text_length >= MAX_TEXT {
                    (self.is_text_cut, self.is_cut) = (true, true);
                }
                self.keep_of_text(b"\\", limit, true);
                1
            }
            _ => {
                let end = memchr3(b'"', b'\\', b'\n', bytes).unwrap_or(bytes.len());
                let plain = bytes.get(..end).unwrap_or_default();
                let end = memchr::memchr(0, plain).unwrap_or(end);
                // Where line feeds end nothing, one in a text is as broken as the text.
                let end = if end == 0 && !breaks_at_line_feeds { 1 } else { end };
                self.keep_of_text(bytes.get(..end).unwrap_or_default(), limit, false);
                end
            }
        }
    }

    fn keep_of_text(&mut self, bytes: &[u8], limit: usize, is_escape: bool) {
        let room = MAX_TEXT.saturating_sub(self.text_length);
        self.text_length = self.text_length.saturating_add(bytes.len());
        // The rest of an escape whose beginning was kept is kept as well.
        let room = match () {
            () if self.is_text_cut => 0,
            () if is_escape => bytes.len(),
            () => room,
        };
        if bytes.len() <= room {
            return self.keep(bytes, limit);
        }
        (self.is_text_cut, self.is_cut) = (true, true);
        let mut end = room;
        while end > 0 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        self.keep(bytes.get(..end).unwrap_or_default(), limit);
    }

    fn keep(&mut self, bytes: &[u8], limit: usize) {
        if self.is_too_long || self.kept.len() + bytes.len() > limit {
            self.is_too_long = true;
        } else {
            self.kept.extend_from_slice(bytes);
        }
    }
}
