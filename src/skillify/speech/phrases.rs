//! Words and phrases by which moods are told, as data; lower case, as `tokens.rs` spells them.

/// What says by itself that something holds from then on.
#[rustfmt::skip]
pub(super) const LASTING: &[&str] = &[
    "from now on", "every time", "each time", "any time", "anytime", "whenever", "going forward", "in future",
    "in the future", "henceforth", "as a rule", "without exception", "at all times", "before every",
    "before each", "after every", "after each", "for every", "for each", "on every", "on each", "in every",
    "in each", "in this repo", "in this repository", "in this project", "in this codebase",
    "in this code base", "in general", "generally", "by default", "ever", "ever again", "no matter what",
    "under no circumstances", "that is how we work here", "keep it that way",
];

/// Phrases that state what to do whenever something is unknown.
#[rustfmt::skip]
pub(super) const UNSURE: &[&str] = &[
    "if you are not sure", "when you are not sure", "if you are unsure", "when you are unsure", "if in doubt",
    "when in doubt", "whenever you are not sure", "whenever you are unsure",
];

/// What things of a kind do by custom: "tests live beside their source, not elsewhere".
#[rustfmt::skip]
pub(super) const CUSTOMARY: &[&str] = &["belong", "come", "follow", "go", "live", "sit", "stay", "start"];

/// What also does where something is forbidden.
#[rustfmt::skip]
pub(super) const LASTING_IF_FORBIDDEN: &[&str] = &[
    "without asking", "unless i", "unless we", "unless you are", "unless told", "unless asked", "at all",
    "anymore", "any more", "without my",
];

/// What holds for now.
#[rustfmt::skip]
pub(super) const FOR_NOW: &[&str] = &[
    "yet", "for now", "right now", "while im", "while we", "give me a minute", "give me a sec", "just now", "this time", "today", "tonight", "tomorrow", "until i",
    "until we", "until it", "until they", "until the", "till", "just this once", "this once", "at the moment",
    "for the moment", "currently", "hold on", "hang on", "so far", "not now", "this week", "this morning",
    "this afternoon", "in a minute", "before i", "before we", "while i", "meanwhile", "in the meantime",
    "temporarily", "for a moment",
];

/// What speaks of something at hand.
#[rustfmt::skip]
pub(super) const MOMENTARY: &[&str] = &[
    "wait", "this one", "that one", "in this pr", "in this commit", "in this branch", "in this session",
    "in this case", "in this change", "in this file", "in this run", "in this ticket", "in this task",
    "in this issue", "in this release", "in this sprint", "in this function", "in this test", "on this branch",
    "to this branch", "for this", "still", "already", "the last", "the first one", "the second", "the other",
    "previous", "next one", "as well now", "again in", "first i", "let me", "not here", "now",
];

/// What may be.
#[rustfmt::skip]
pub(super) const PERHAPS: &[&str] = &[
    "maybe", "perhaps", "might", "wonder", "wondering", "suppose", "imagine", "what if", "probably", "someday",
    "i think we could", "i guess", "not sure", "would be nice", "would be good", "would be great", "consider",
    "thinking about", "would rather", "hypothetically",
];

/// What nobody means.
#[rustfmt::skip]
pub(super) const JEST: &[&str] = &[
    "what could go wrong", "what could possibly go wrong", "who needs", "because who", "lol", "lmao", "rofl",
    "haha", "hahaha", "yeah right", "thanks for nothing", "sure sure", "oh sure", "oh great", "oh wonderful",
    "oh brilliant", "oh yes", "oh yeah", "oh perfect", "as if", "because that always works",
    "always works out", "works every time", "genius", "why not just", "good luck with that",
    "just what i needed", "how hard can it be", "because obviously", "because clearly", "my favourite",
    "my favorite", "said nobody", "said no one", "just kidding", "kidding", "joking", "irony", "sarcasm",
    "living dangerously", "yolo", "because why not", "why not", "nothing says",
];

/// What opens a jest if the rest says always or never.
#[rustfmt::skip]
pub(super) const JEST_OPENS: &[&str] = &[
    "sure", "of course", "great", "brilliant", "wonderful", "fantastic", "awesome", "excellent", "amazing",
    "lovely", "perfect", "clearly", "obviously", "right", "yeah", "nice", "super", "bravo", "well done",
    "congratulations", "naturally", "splendid", "marvellous", "cool", "sweet", "neat", "terrific", "magnificent",
    "ha", "yay", "yes please", "wow", "love it", "love that", "love this", "love how", "oh", "ah yes", "impressive",
    "outstanding", "incredible", "genius", "good job", "great job", "nice job", "nice one", "good one", "thanks a lot",
    "slow clap", "hats off", "big brain", "classic", "stellar", "superb", "beautiful", "delightful", "thrilling",
];

/// What opens a jest however long the clause is, and for the sentence behind it as well, if that says always or never.
#[rustfmt::skip]
pub(super) const SCORN: &[&str] = &[
    "wow", "wonderful", "brilliant", "fantastic", "lovely", "genius", "bravo", "slow clap", "love it", "love that",
    "love how", "oh", "splendid", "marvellous", "terrific", "magnificent", "delightful", "stellar", "thrilling",
    "incredible", "impressive", "hats off", "big brain", "thanks a lot", "so helpful", "how nice", "how lovely",
    "what a", "truly", "honestly impressive", "another", "amazing",
];

/// Words that tell what others said.
#[rustfmt::skip]
pub(super) const TELLS: &[&str] = &[
    "says", "said", "say", "wrote", "writes", "states", "stated", "reads", "told", "tells", "commented",
    "suggests", "suggested", "claims", "claimed", "mentions", "mentioned", "warns", "warned", "complains",
    "saying", "recommends", "recommended", "insists", "argues", "argued", "demands", "requires", "asks",
    "preaches", "quote", "quoting", "according", "titled", "called", "labelled", "labeled", "insisted",
    "advises", "believes", "thinks",
];

/// Words that may stand before a clause.
#[rustfmt::skip]
pub(super) const FILLERS: &[&str] = &[
    "please", "ok", "okay", "and", "so", "also", "then", "just", "hey", "no", "nope", "hmm", "hm", "well",
    "again", "actually", "oh", "right", "but", "yes", "yep", "still", "generally", "remember", "note",
    "reminder", "btw", "to", "wait", "kindly", "pls", "thanks", "sorry", "plus", "finally", "instead", "rule",
    "important", "really", "henceforth", "whenever", "claude", "codex", "ideally", "additionally",
];

/// What may open a clause and says for how long, or that it was said before.
#[rustfmt::skip]
pub(super) const INTROS: &[&str] = &[
    "from now on", "going forward", "in general", "as a rule", "in this repo", "in this repository",
    "in this project", "in this codebase", "in future", "in the future", "for future reference",
    "one more thing", "as always", "by default", "at all times", "under no circumstances", "as i said",
    "i said", "i told you", "like i said", "once and for all", "for the record", "here", "in our repo",
    "in our codebase", "in our project", "when in doubt", "let us agree that", "we agreed that", "we agree that",
];

/// Words that open a question.
#[rustfmt::skip]
pub(super) const QUESTIONS: &[&str] = &[
    "why", "what", "how", "who", "which", "whose", "where",
];

/// Verbs that open a question.
#[rustfmt::skip]
pub(super) const INVERTED: &[&str] = &[
    "do i", "do we", "do you", "do they", "does", "did", "is", "are", "was", "were", "should", "would it",
    "would this", "would that", "have you", "have we", "has", "could it", "could this", "could that",
    "could there", "may i", "am", "when do", "when does", "when did", "when is", "when are", "when should",
    "when can", "when will", "will it", "will this", "can it", "can this", "can i", "shall", "do not we",
    "do not you", "would we", "would i", "had",
];

/// Verbs that also say what happens to somebody.
#[rustfmt::skip]
pub(super) const HAPPENING: &[&str] = &[
    "get", "see", "have", "hit", "fail", "lose", "receive", "end", "find", "forget", "know", "think", "want",
    "need", "like", "run into", "expect", "hear", "notice", "wait", "seem", "feel", "understand", "remember",
    "experience", "encounter", "is", "was", "be", "got", "had", "made", "did", "miss",
];

/// Verbs that open an imperative, beside those that open prompts.
#[rustfmt::skip]
pub(super) const VERBS: &[&str] = &[
    "align", "analyse", "analyze", "answer", "apply", "ask", "assert", "assess", "avoid", "be", "branch", "break", "bump", "call", "check", "choose", "comment",
    "commit", "compare", "confirm", "consolidate", "cover", "craft", "create", "cut", "declare", "decide", "deduplicate", "delete", "deploy",
    "describe", "discuss", "draft",
    "document", "do", "edit", "eliminate", "ensure", "eval", "evaluate", "explain", "export", "extract", "file", "follow", "format", "give", "go", "group",
    "handle", "ignore", "import", "include", "indent", "install", "investigate", "judge", "keep", "leave", "link", "lint", "log",
    "look", "make", "mark", "mention", "merge", "minimise", "minimize", "mock", "name", "open", "pass", "pick", "pin", "place", "plan",
    "post", "prefer", "prefix", "present", "propose", "pull", "push", "put", "quote", "read", "rebase",
    "record", "reduce", "refactor", "refer", "reference", "replace", "remember", "remove", "rename", "reply", "report", "respond", "respect",
    "return", "reuse", "review", "round", "run", "save", "say", "set", "setup", "share", "show", "sign", "sort", "squash",
    "start", "stage", "stash", "stay", "stick", "stop", "store", "submit", "summarise", "summarize", "support", "sweep", "switch",
    "tag", "take", "talk", "tell", "test", "throw", "touch", "track", "treat", "triage", "try", "type", "update", "use",
    "validate", "verify", "walk", "work", "wrap", "write",
];

/// What "this" may stand before without speaking of one thing at hand.
#[rustfmt::skip]
pub(super) const PLACES: &[&str] = &[
    "repo", "repository", "project", "codebase", "code", "workspace", "monorepo", "team", "package", "company",
    "is", "rule",
];

/// How people ask politely.
#[rustfmt::skip]
pub(super) const POLITE: &[&str] = &[
    "can you", "could you", "would you", "will you", "can we", "could we", "can you please", "would you mind",
    "could i ask you to", "may i ask you to",
];

/// What asks to be asked.
#[rustfmt::skip]
pub(super) const ASKED_FIRST: &[&str] = &[
    "ask me before", "ask before", "ask me first before", "ask for permission before",
    "ask for confirmation before", "get my ok before", "get my okay before", "get my approval before",
    "check with me before", "confirm with me before", "tell me before", "always ask before",
    "wait for my ok before",
];

/// What begins like a ban and is none.
#[rustfmt::skip]
pub(super) const NO_BANS: &[&str] = &[
    "never mind", "do not worry", "do not bother", "do not know", "do not think", "do not see",
    "do not get me wrong", "do not be", "do not understand",
];

/// Words that forbid what follows.
#[rustfmt::skip]
pub(super) const BANS: &[&str] = &[
    "do not", "please do not", "i do not want you to", "i did not want you to", "you do not get to",
    "try not to", "make sure not to", "make sure you do not", "make sure to not", "make sure to never",
    "be sure not to", "not to",
];

/// What was done though nobody wanted it.
#[rustfmt::skip]
pub(super) const NOT_ASKED: &[&str] = &[
    "i did not say", "i did not ask you to", "i did not tell you to", "i did not ask for", "i never said to",
    "i never asked you to", "i never told you to", "i did not say to", "nobody asked you to",
    "no one asked you to",
];

/// What nobody may do.
#[rustfmt::skip]
pub(super) const MUST_NOT: &[&str] = &[
    "you must not", "we must not", "you should not", "we should not", "you may not", "you can not",
    "you are not allowed to", "you are not supposed to", "you shall not", "we do not want to",
    "you ought not to", "agents must not", "agents may not", "agents should not", "nobody should",
    "no one should", "you must never", "you should never", "we should never", "we must never", "nobody may",
    "you are never to", "you are never allowed to", "you need to stop", "you have to stop", "please stop",
    "we need to stop",
];

/// What somebody has to do.
#[rustfmt::skip]
pub(super) const MUST: &[&str] = &[
    "you must", "we must", "you should", "we should", "you have to", "we have to", "you need to", "we need to",
    "you ought to", "you are supposed to", "you are expected to", "agents must", "agents should",
    "everyone must", "everybody must", "you shall", "you are to",
];

/// What somebody has to think of.
#[rustfmt::skip]
pub(super) const MAKE_SURE: &[&str] = &[
    "make sure that you", "make sure that we", "make sure you", "make sure we", "make sure to", "be sure to",
    "always make sure to", "always make sure you", "remember to", "always remember to", "try to",
    "please ensure that you", "ensure that you", "ensure you", "ensure that we", "ensure we", "i want you to", "i would like you to",
    "i expect you to", "i need you to", "it is important to", "i always want you to", "i prefer that you",
    "i prefer you to",
];

/// What somebody would like to be done.
#[rustfmt::skip]
pub(super) const WISHES: &[&str] = &[
    "i would like to", "we would like to", "i want to", "we want to", "i would prefer to", "i would rather", "i would love to", "i prefer to",
    "i think we should", "i think you should", "i think we must", "i think you must",
];

/// What somebody may do, or need not.
#[rustfmt::skip]
pub(super) const MAY: &[&str] = &[
    "you can now", "you may now", "you can again", "you may again", "you can", "you may", "you are allowed to",
    "feel free to", "it is fine to", "it is ok to", "it is okay to", "no need to", "there is no need to",
    "you do not have to", "you do not need to", "we do not need to", "we no longer need to",
    "you no longer need to", "you no longer have to", "you need not", "we can again", "it is fine now to",
    "do not bother to", "never mind about", "forget about",
];

/// Subjects that stand for everybody.
#[rustfmt::skip]
pub(super) const ALL: &[&str] = &[
    "we", "i", "in this team we", "our team", "this team", "here we", "everyone here", "everybody here",
    "this repo", "this project", "this repository", "this codebase",
];

/// Phrases that state what all things of a kind have or do.
#[rustfmt::skip]
pub(super) const MODALS: &[&str] = &[
    "must", "should", "need", "needs", "have", "has", "get", "gets", "may", "can", "are", "is", "go", "goes",
    "belong", "belongs", "never", "always", "requires", "require",
];

/// What says that something is not to be touched.
#[rustfmt::skip]
pub(super) const OFF_LIMITS: &[&str] = &[
    "are off limits", "is off limits", "are forbidden", "is forbidden", "are not allowed", "is not allowed",
    "are banned", "is banned", "are a no go", "is a no go", "are taboo", "is taboo", "are not to be touched",
    "must not be touched", "must not be edited", "should not be edited", "must never be edited",
    "may not be edited", "must not be changed", "is not accepted", "are not accepted", "is not permitted",
    "are not permitted",
];
