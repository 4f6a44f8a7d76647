//! What a model call cost, counted in one way whatever the client.
//!
//! `input_tokens` are all that the model read, what came from a cache or was put into one included;
//! `output_tokens` all that it wrote, reasoning included. What is known of their parts stands among the attributes
//! under the names below.

use super::SessionEvent;

/// Tokens read from a cache, a part of the input.
pub const CACHE_READ: &str = "tokens.cache_read";
/// Tokens written to a cache, a part of the input.
pub const CACHE_WRITE: &str = "tokens.cache_write";
/// Tokens of reasoning, a part of the output.
pub const REASONING: &str = "tokens.reasoning";

/// The tokens of one model call, or the sum of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// All that was read.
    pub input: i64,
    /// All that was written.
    pub output: i64,
    /// Of what was read: from a cache.
    pub cache_read: i64,
    /// Of what was read: into a cache.
    pub cache_write: i64,
    /// Of what was written: reasoning.
    pub reasoning: i64,
}

/// Counts as a client gives them, each 0 where it gives none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// What the client calls input.
    pub input: i64,
    /// What the client calls output.
    pub output: i64,
    /// From a cache.
    pub cache_read: i64,
    /// Into a cache.
    pub cache_write: i64,
    /// Reasoning.
    pub reasoning: i64,
    /// Prompts of tools, where they are counted apart from the input.
    pub of_tools: i64,
    /// The client's own sum.
    pub total: i64,
    /// The client counts what is cached apart from the input.
    pub cache_is_apart: bool,
}

impl Counts {
    /// The same in our way of counting. The client's own sum tells what it counts apart; where it gives none, what
    /// is cached is apart if there is more of it than of the input.
    pub fn whole(self) -> Tokens {
        let Self { input, output, cache_read, cache_write, reasoning, of_tools, total, cache_is_apart } =
            self;
        let cached = cache_read.saturating_add(cache_write);
        let mut tokens = Tokens { input, output, cache_read, cache_write, reasoning };
        let missing = total.saturating_sub(input).saturating_sub(output);
        let by_sum = || apart_by_sum([cached, reasoning, of_tools], missing).filter(|_| total > 0);
        let [adds_cached, adds_reasoning, adds_tools] = match cache_is_apart {
            true => [true, false, false],
            false => by_sum().unwrap_or([cached > input, false, false]),
        };
        if adds_cached {
            tokens.input = tokens.input.saturating_add(cached);
        }
        if adds_tools {
            tokens.input = tokens.input.saturating_add(of_tools);
        }
        if adds_reasoning {
            tokens.output = tokens.output.saturating_add(reasoning);
        }
        tokens
    }
}

/// Which of the parts together make what is missing of a client's sum, the first ones only where it takes them.
fn apart_by_sum(parts: [i64; 3], missing: i64) -> Option<[bool; 3]> {
    let choices = (0..8_u8).map(|bits| [bits & 4 != 0, bits & 2 != 0, bits & 1 != 0]);
    let sum = |choice: &[bool; 3]| {
        let chosen = choice.iter().zip(parts).filter(|(is_chosen, _)| **is_chosen);
        chosen.fold(0_i64, |sum, (_, part)| sum.saturating_add(part))
    };
    choices.into_iter().find(|choice| sum(choice) == missing)
}

impl Tokens {
    /// What an event says.
    pub fn of(event: &SessionEvent) -> Self {
        let part =
            |name: &str| event.attributes.get(name).and_then(serde_json::Value::as_i64).unwrap_or_default();
        Self {
            input: event.input_tokens,
            output: event.output_tokens,
            cache_read: part(CACHE_READ),
            cache_write: part(CACHE_WRITE),
            reasoning: part(REASONING),
        }
    }

    /// Whether there is nothing to tell.
    pub const fn is_nothing(&self) -> bool {
        self.input == 0 && self.output == 0
    }

    /// All that was read and written.
    pub const fn all(&self) -> i64 {
        self.input.saturating_add(self.output)
    }

    /// Says so in an event.
    pub fn put(self, event: &mut SessionEvent) {
        (event.input_tokens, event.output_tokens) = (self.input, self.output);
        for (name, count) in
            [(CACHE_READ, self.cache_read), (CACHE_WRITE, self.cache_write), (REASONING, self.reasoning)]
        {
            if count > 0 {
                event.attributes.insert(name.to_owned(), count.into());
            }
        }
    }

    /// An event that says so.
    #[must_use]
    pub fn in_event(self, mut event: SessionEvent) -> SessionEvent {
        self.put(&mut event);
        event
    }

    /// The greater of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.with(other, i64::max)
    }

    /// The sum of each.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, i64::saturating_add)
    }

    fn with(self, other: Self, both: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            input: both(self.input, other.input),
            output: both(self.output, other.output),
            cache_read: both(self.cache_read, other.cache_read),
            cache_write: both(self.cache_write, other.cache_write),
            reasoning: both(self.reasoning, other.reasoning),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_counting_comes_to_one() {
        let of = |input, output, cache_read, cache_write, reasoning, of_tools, total, cache_is_apart| {
            let counts =
                Counts { input, output, cache_read, cache_write, reasoning, of_tools, total, cache_is_apart };
            let tokens = counts.whole();
            (tokens.input, tokens.output)
        };
        // Claude Code and pi count what is cached apart, and give no sum.
        assert_eq!(of(1200, 49, 8000, 300, 0, 0, 0, true), (9500, 49));
        // Codex, OpenAI: parts are within.
        assert_eq!(of(1500, 64, 1000, 0, 12, 0, 1564, false), (1500, 64));
        // Gemini: reasoning and prompts of tools are apart.
        assert_eq!(of(1000, 20, 800, 0, 30, 0, 1050, false), (1000, 50));
        assert_eq!(of(1000, 20, 800, 0, 30, 7, 1057, false), (1007, 50));
        // Bedrock: what is cached is apart, as the sum tells.
        assert_eq!(of(10, 20, 800, 100, 0, 0, 930, false), (910, 20));
        // No sum: more is cached than was read, so it is apart.
        assert_eq!(of(10, 20, 800, 0, 0, 0, 0, false), (810, 20));
        assert_eq!(of(1000, 20, 800, 0, 15, 0, 0, false), (1000, 20));
        // A sum that no parts make changes nothing.
        assert_eq!(of(1000, 20, 0, 0, 0, 0, 5000, false), (1000, 20));
        assert_eq!(of(i64::MAX, 1, i64::MAX, 1, 1, 1, 0, true).1, 1);
        assert_eq!(of(1, 1, i64::MAX, 1, i64::MAX, 1, 9, false), (i64::MAX, 1));
    }
}
