//! The tree of a predicate, and its text: what prints is what [`super::parse`] reads.

use std::fmt;

use super::super::speech::Want;

/// Situation, action and expected result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Predicate {
    pub(in super::super) relation: Relation,
    pub(in super::super) situation: Event,
    /// `None`: what is expected is expected of the situation.
    pub(in super::super) action: Option<Action>,
    pub(in super::super) scope: Scope,
    /// `None`: that the action is taken is all that is said.
    pub(in super::super) expected: Option<Expected>,
}

/// Where the action stands, seen from the situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Relation {
    After,
    Before,
    /// Anywhere.
    With,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Action {
    /// These events, in order; at least one.
    Steps(Vec<Event>),
    /// Nothing like it.
    No(Event),
}

/// How far the action may be from the situation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Scope {
    /// One prompt and what was done for it.
    Turn,
    /// One piece of work: a prompt, and those that correct or continue it.
    Work,
    #[default]
    Session,
}

/// Something that happens in a session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Event {
    /// An edit of a file, an attempt that failed, or one that was refused; `saying` is in the new text or in the
    /// result.
    Edit { ending: Ending, path: String, saying: Saying },
    /// A path is looked for, read or searched.
    Look { found: Look, path: String },
    /// The declaration of a name is searched for and found somewhere.
    Search { name: String },
    /// A command is run; `saying` is in its output.
    Run { ending: Ending, command: Pattern, saying: Saying },
    /// A person speaks.
    Prompt { class: Option<Class>, saying: Saying },
    /// A person says what holds from then on, as [`super::super::speech`] understands it.
    Want { want: Want, act: String, name: Option<String> },
}

/// How a look ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Look {
    Any,
    Found,
    Missed,
}

/// How a run ends, or an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Ending {
    Any,
    Pass,
    Fail,
    /// A person does not allow it.
    Refuse,
}

/// What a prompt is to the work before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Class {
    /// It starts something new.
    Request,
    /// It says that the work before was not right.
    Correction,
    /// It goes on with the work.
    Continuation,
    /// Its last sentence asks.
    Question,
    /// The person stops the assistant.
    Interrupt,
}

/// Texts of which one must be there; none: anything is.
pub(in super::super) type Saying = Vec<String>;

/// A command with parameters, and whether more words may follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Pattern {
    /// As it is written, without the dots.
    pub(in super::super) text: String,
    /// Whether `...` stands behind it.
    pub(in super::super) more: bool,
}

/// The expected result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Expected {
    /// A command passes or fails: the named one at its next run, else the command of the action.
    Ends {
        passes: bool,
        /// Nothing else changed the work tree until then.
        clean: bool,
        command: Option<Pattern>,
        saying: Saying,
    },
    /// People are content, or let it be done.
    Accept,
    /// A person does not allow it, or says that it was wrong.
    Refuse,
    /// What is searched for is found in this file.
    Found(String),
    /// What is looked for is not there.
    Missing,
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.relation.as_str(), self.situation)?;
        match &self.action {
            None => {}
            Some(Action::No(event)) => write!(f, " no {event}")?,
            Some(Action::Steps(steps)) => {
                for (at, step) in steps.iter().enumerate() {
                    write!(f, "{} {step}", if at == 0 { "" } else { " then" })?;
                }
            }
        }
        match self.scope {
            Scope::Session => {}
            scope => write!(f, " within {}", scope.as_str())?,
        }
        self.expected.iter().try_for_each(|expected| write!(f, " expect {expected}"))
    }
}

impl Relation {
    pub(in super::super) const ALL: [Self; 3] = [Self::After, Self::Before, Self::With];

    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::Before => "before",
            Self::With => "with",
        }
    }
}

impl Scope {
    pub(in super::super) const ALL: [Self; 3] = [Self::Turn, Self::Work, Self::Session];

    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Work => "work",
            Self::Session => "session",
        }
    }
}

impl Class {
    pub(in super::super) const ALL: [Self; 5] =
        [Self::Request, Self::Correction, Self::Continuation, Self::Question, Self::Interrupt];

    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Correction => "correction",
            Self::Continuation => "continuation",
            Self::Question => "question",
            Self::Interrupt => "interrupt",
        }
    }
}

impl Look {
    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "look",
            Self::Found => "read",
            Self::Missed => "miss",
        }
    }
}

impl Ending {
    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "run",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Refuse => "refuse",
        }
    }
}

/// The words of [`Want`].
pub(in super::super) const fn want_word(want: Want) -> &'static str {
    match want {
        Want::Do => "do",
        Want::Not => "not",
        Want::Ask => "ask",
        Want::Free => "free",
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saying = match self {
            Self::Edit { ending, path, saying } => {
                match ending {
                    Ending::Any | Ending::Pass => write!(f, "edit {}", Quoted(path))?,
                    Ending::Fail | Ending::Refuse => write!(f, "{} edit {}", ending.as_str(), Quoted(path))?,
                }
                saying
            }
            Self::Look { found, path } => return write!(f, "{} {}", found.as_str(), Quoted(path)),
            Self::Search { name } => return write!(f, "search {}", Quoted(name)),
            Self::Run { ending, command, saying } => {
                write!(f, "{} {command}", ending.as_str())?;
                saying
            }
            Self::Prompt { class, saying } => {
                f.write_str("prompt")?;
                class.iter().try_for_each(|class| write!(f, " {}", class.as_str()))?;
                saying
            }
            Self::Want { want, act, name } => {
                write!(f, "want {} {}", want_word(*want), Quoted(act))?;
                return name.iter().try_for_each(|name| write!(f, " about {}", Quoted(name)));
            }
        };
        write_saying(f, saying)
    }
}

fn write_saying(f: &mut fmt::Formatter<'_>, saying: &[String]) -> fmt::Result {
    let texts = saying.iter().enumerate();
    for (at, text) in texts {
        write!(f, " {} {}", if at == 0 { "saying" } else { "or" }, Quoted(text))?;
    }
    Ok(())
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.more {
            return Quoted(&format!("{} ...", self.text)).fmt(f);
        }
        Quoted(&self.text).fmt(f)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ends { passes, clean, command, saying } => {
                let clean = if *clean { "clean " } else { "" };
                write!(f, "{clean}{}", if *passes { "pass" } else { "fail" })?;
                command.iter().try_for_each(|command| write!(f, " {command}"))?;
                write_saying(f, saying)
            }
            Self::Accept => f.write_str("accept"),
            Self::Refuse => f.write_str("refuse"),
            Self::Found(path) => write!(f, "found {}", Quoted(path)),
            Self::Missing => f.write_str("missing"),
        }
    }
}

/// A text between quotation marks.
struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for char in self.0.chars() {
            if matches!(char, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{char}")?;
        }
        f.write_str("\"")
    }
}
