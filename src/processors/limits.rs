//! Texts are cut to a length that a table bears.

use crate::event::SessionEvent;

use super::{Processor, Sent, for_each_text, payload_texts};

/// The processor `limits`.
pub struct Limits {
    attribute: usize,
}

impl Limits {
    /// No text longer than `attribute` bytes; what is cut is marked `truncated`.
    pub fn new(attribute: u64) -> Self {
        Self { attribute: usize::try_from(attribute).unwrap_or(usize::MAX) }
    }

    fn cut(&self, text: &mut String) -> bool {
        let long = text.len() > self.attribute;
        if long {
            text.truncate(text.floor_char_boundary(self.attribute));
        }
        long
    }
}

impl Processor for Limits {
    fn process(&self, events: &mut Vec<SessionEvent>, _sent: &Sent<'_>) {
        for event in events {
            let mut cut = false;
            payload_texts(event).into_iter().for_each(|text| cut |= self.cut(text));
            event
                .attributes
                .values_mut()
                .for_each(|value| for_each_text(value, &mut |text| cut |= self.cut(text)));
            event.truncated |= cut;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_a_character_and_says_so() {
        let event = SessionEvent { text: "日本語".to_owned(), ..SessionEvent::default() };
        let mut events = vec![event, SessionEvent { text: "kurz".to_owned(), ..SessionEvent::default() }];
        Limits::new(4).process(&mut events, &Sent::NOTHING);
        assert_eq!((events[0].text.as_str(), events[0].truncated), ("日", true));
        assert_eq!((events[1].text.as_str(), events[1].truncated), ("kurz", false));
    }
}
