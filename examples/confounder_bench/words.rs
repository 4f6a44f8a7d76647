//! Invented words: products, files, requests and what people say.

use crate::random::Random;

/// What areas, services and tools are named after.
pub(crate) const NOUNS: [&str; 36] = [
    "kelp", "ferry", "orchard", "beacon", "quarry", "harbor", "loom", "anvil", "thicket", "granary",
    "turbine", "lagoon", "pelican", "walnut", "trellis", "gantry", "parcel", "meadow", "sextant", "foundry",
    "barge", "lantern", "pasture", "cobalt", "drover", "estuary", "furlong", "hazel", "juniper", "kiosk",
    "millrace", "ochre", "plover", "rampart", "saffron", "tannery",
];

/// Stems of files.
pub(crate) const STEMS: [&str; 18] = [
    "intake", "router", "rates", "digest", "layout", "courier", "tally", "window", "cursor", "spool",
    "gauge", "ballot", "hopper", "sorter", "shelf", "ticket", "voucher", "weigher",
];

const FEATURES: [&str; 14] = [
    "The {a} {b} should round half up, please change it",
    "Add a limit to the {b} of {a}",
    "{a}: the {b} forgets the last entry, can you look into it?",
    "Let the {b} in {a} accept an empty list",
    "Please split the {b} of the {a} part, it grew too long",
    "We need the {a} {b} to log what it skips",
    "Rename the second argument in the {a} {b}",
    "There is a wrong total in {a}, I think the {b} is to blame",
    "make the {b} for {a} configurable",
    "{a} {b} is slow with many rows, speed it up",
    "Support time zones in the {a} {b}",
    "Remove the old {b} from {a}",
    "Can the {a} {b} return a typed error?",
    "the {b} of {a} needs a default of 30",
];

const ENDINGS: [&str; 8] = [
    "Thanks, that works.",
    "Great, looks good.",
    "Perfect, thank you!",
    "ok good",
    "Nice. That is all for now.",
    "Thank you, merged.",
    "Works for me.",
    "Good, thanks.",
];

/// Words that go with a refusal or an interrupt and hold for the moment alone.
pub(crate) const MOMENT: [&str; 16] = [
    "wait, what does this change?",
    "first show me the diff",
    "why this file and not the other one?",
    "hold on, I want to read it before",
    "is this still needed after the last change?",
    "not now, let me answer the mail first",
    "which branch are we on?",
    "can we keep the old name for today?",
    "I already did this by hand a minute ago",
    "what happens to the existing rows?",
    "let us talk about the names first",
    "hmm, does the other team know?",
    "give me a summary before you go on",
    "the second variant looks better here",
    "should this not live in the other module?",
    "my disk is full, one moment",
];

/// Prompts that correct what was done, and hold for the moment alone.
pub(crate) const CORRECTIONS: [&str; 8] = [
    "No, I meant the other function.",
    "Not quite, the total should include the fee.",
    "That's wrong, the label belongs on the left.",
    "Hmm, the name is misleading, think of a better one.",
    "Don't touch the header in this change.",
    "Actually keep the old signature for now.",
    "No, the list is sorted by date already.",
    "Wait, the default was right before.",
];

impl Random {
    /// One of several phrases, its `{a}` and `{b}` filled.
    pub(crate) fn phrase(&mut self, phrases: &[&str], a: &str, b: &str) -> String {
        self.pick(phrases).replace("{a}", a).replace("{b}", b)
    }
}

/// A request of everyday work.
pub(crate) fn feature(random: &mut Random, area: &str, stem: &str) -> String {
    random.phrase(&FEATURES, area, stem)
}

pub(crate) fn ending(random: &mut Random) -> &'static str {
    random.pick::<&str>(&ENDINGS)
}

/// A word that is unlike others: a stem and a noun.
pub(crate) fn identifier(random: &mut Random) -> String {
    format!("{}_{}", random.pick::<&str>(&NOUNS), random.pick::<&str>(&STEMS))
}

/// A form with its holes filled: `{version}`, `{number}`, `{name}`.
pub(crate) fn fill(random: &mut Random, form: &str) -> String {
    let version = format!("{}.{}.{}", random.below(9), random.below(20), random.below(30));
    let number = random.between(1000, 9999).to_string();
    let name = identifier(random);
    form.replace("{version}", &version).replace("{number}", &number).replace("{name}", &name)
}
