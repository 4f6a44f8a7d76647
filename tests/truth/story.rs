//! A session as it happened: what people and agents said and did, and when. It knows no client.

use std::collections::BTreeMap;

/// How the ids begin of sessions from which others were forked.
pub(crate) const OF_ORIGINALS: &str = "parent-";

/// What may happen in a client's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// Several calls of one reply.
    Parallel,
    /// Calls of one reply that are equal in all but their ids.
    Twins,
    /// Agents that are tools of the agent.
    Agents,
    /// Tools of servers of the Model Context Protocol.
    Servers,
    /// Calls that a person or a policy does not allow.
    Refusals,
    /// Commands that go on after their call is over.
    Background,
    /// Calls that are executed again under their id.
    Again,
    /// A person types while a tool runs.
    Steering,
    /// The conversation is replaced by a summary.
    Compaction,
    /// The session goes on from a copy of another one.
    Forks,
    /// The client ends and is started again for the same session.
    Resumption,
    /// The client or framework writes in the person's place.
    MachineText,
}

#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) id: String,
    /// Turns of the session that this one was forked from come first; nobody sends them again.
    pub(crate) earlier: usize,
    pub(crate) turns: Vec<Turn>,
    /// How commands ended that went on, by the names of their tasks.
    pub(crate) ends: BTreeMap<String, Ended>,
}

#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) id: String,
    pub(crate) trace: String,
    pub(crate) span: String,
    pub(crate) at: i64,
    pub(crate) until: i64,
    pub(crate) prompt: String,
    /// The client was started again before it.
    pub(crate) resumed: bool,
    /// The conversation before it was replaced by a summary.
    pub(crate) compacted: bool,
    /// It was typed while the last calls of the turn before it ran.
    pub(crate) steers: bool,
    pub(crate) steps: Vec<Step>,
}

/// A reply of the model and the calls that it makes.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) span: String,
    pub(crate) at: i64,
    pub(crate) until: i64,
    /// What the client wrote in the person's place before the reply.
    pub(crate) asides: Vec<Aside>,
    /// `""` if the reply has calls alone.
    pub(crate) words: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) read: i64,
    pub(crate) wrote: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) span: String,
    pub(crate) at: i64,
    pub(crate) until: i64,
    pub(crate) what: What,
    pub(crate) end: End,
    /// Executions under the same id that failed before the last.
    pub(crate) failed_before: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Command {
        line: String,
        background: bool,
    },
    Read {
        path: String,
    },
    Server {
        server: String,
        tool: String,
        query: String,
    },
    Agent {
        name: String,
        task: String,
    },
    /// Looks after a command that goes on.
    Poll {
        task: String,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum End {
    Worked {
        output: String,
    },
    Failed {
        code: i64,
        output: String,
    },
    Refused {
        by: Who,
        words: String,
    },
    /// It goes on, and has printed this so far.
    Handed {
        task: String,
        output: String,
    },
    /// A look at a command that goes on still, or has ended.
    Seen {
        task: String,
        ended: bool,
    },
    /// What an agent did until it answered; the last step has its answer.
    Agent {
        steps: Vec<Step>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Person,
    Policy,
}

#[derive(Debug, Clone)]
pub(crate) struct Ended {
    pub(crate) code: i64,
    pub(crate) output: String,
    pub(crate) call: String,
    pub(crate) line: String,
}

#[derive(Debug, Clone)]
pub(crate) enum Aside {
    Reminder(String),
    /// A command that went on has ended.
    Notice {
        task: String,
    },
    /// An answer did not fit.
    Feedback(String),
}

impl Story {
    /// The turns of the session itself.
    pub(crate) fn own(&self) -> &[Turn] {
        &self.turns[self.earlier..]
    }

    /// The session that this one was forked from, as a file has it.
    pub(crate) fn original(&self) -> Option<Self> {
        let turns = self.turns[..self.earlier].to_vec();
        let id = format!("{OF_ORIGINALS}{}", self.id);
        (self.earlier > 0).then(|| Self { id, earlier: 0, turns, ends: self.ends.clone() })
    }

    pub(crate) fn end_of(&self, task: &str) -> Option<&Ended> {
        self.ends.get(task)
    }
}

impl Turn {
    /// The answer that ends the turn; `None` where the person went on before there was one.
    pub(crate) fn answer(&self) -> Option<&Step> {
        self.steps.last().filter(|step| step.calls.is_empty())
    }
}

impl Call {
    /// What a sub-agent did.
    pub(crate) fn steps(&self) -> &[Step] {
        match &self.end {
            End::Agent { steps } => steps,
            _ => &[],
        }
    }

    /// The answer of a sub-agent.
    pub(crate) fn answer(&self) -> &str {
        self.steps().last().map_or("", |step| step.words.as_str())
    }

    pub(crate) fn agent(&self) -> Option<(&str, &str)> {
        match &self.what {
            What::Agent { name, task } => Some((name, task)),
            _ => None,
        }
    }

    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.end, End::Refused { .. })
    }

    /// What the tool gave back, in words that no client added; `""` for what was refused.
    pub(crate) fn output(&self) -> &str {
        match &self.end {
            End::Worked { output } | End::Failed { output, .. } | End::Handed { output, .. } => output,
            End::Agent { .. } => self.answer(),
            End::Refused { .. } | End::Seen { .. } => "",
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.end, End::Failed { .. })
    }

    pub(crate) fn milliseconds(&self) -> i64 {
        self.until - self.at
    }
}

/// Calls `visit` with every step of an agent and of the agents that it calls, each with the call of its agent.
pub(crate) fn for_each_step<'s>(
    steps: &'s [Step],
    of: Option<&'s Call>,
    visit: &mut dyn FnMut(&'s Step, Option<&'s Call>),
) {
    for step in steps {
        visit(step, of);
        for call in &step.calls {
            for_each_step(call.steps(), Some(call), visit);
        }
    }
}
