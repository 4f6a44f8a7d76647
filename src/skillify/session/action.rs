//! Actions: what the assistant did, the same for every assistant.
//!
//! A tool call, its result and its decision are joined by the call's id. A shell tool is told by its
//! name and by an argument that holds a command line; the line is split into commands.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::prompt;
use super::checkout::Checkout;
use super::code::{Code, Scripts};
use super::edits::{LOOKING, edited_path, is_written, redirected, within, written};
use super::endings::Endings;
use super::event_ids::EventIds;
use super::exposure;
use super::interner::SharedCommand;
use super::lines::Line;
use super::outcome::Outcome;
use super::outputs::{rules_of, signature_of};
use super::printed_scripts;
use super::removal::{self, Failed};
use super::search::{self, Asked, Look};
use super::search_result::Found;
use super::tree::{self, Tree};
use crate::event::{Decision, Kind, SessionEvent, Status};
use crate::shell::command::Command;
use crate::shell::refusal::{persons_words, refusal};
use crate::shell::rule_code::silenced;
use crate::shell::shown::Exit;
use crate::shell::status::{as_written, is_poll};
use crate::shell::tool::name_words;
use crate::table::Fact;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::skillify) struct Action {
    /// What.
    pub(in crate::skillify) what: What,
    /// How it ended.
    #[serde(with = "super::status_name")]
    pub(in crate::skillify) status: Status,
    /// A person or a policy did not allow it; it was not done.
    pub(in crate::skillify) refused: bool,
    /// A person's words name it and speak against it, and not for the moment alone.
    pub(in crate::skillify) against: bool,
    /// The words of the person who refused it. A digest keeps no words.
    #[serde(skip)]
    pub(in crate::skillify) said: Option<String>,
    /// The same of a call that ran all the same: it was refused at first, and asked for again.
    #[serde(skip)]
    pub(in crate::skillify) said_first: Option<String>,
    /// `""` for the main agent, else the sub-agent.
    pub(in crate::skillify) agent: String,
    /// The events that show it, ascending.
    pub(in crate::skillify) events: EventIds,
    /// What its failure looked like.
    pub(in crate::skillify) signature: Option<String>,
    /// The rules that its failure says were broken, by name; of an edit those that it silences.
    pub(in crate::skillify) rules: Box<[String]>,
    /// It speaks of a file that the session itself made: of no use to any other session.
    pub(in crate::skillify) scratch: bool,
    /// The names that a script of the session's own calls; empty of anything else.
    pub(in crate::skillify) calls: Box<[String]>,
    /// Hashes of the scripts that a check or a commit printed.
    pub(in crate::skillify) scripts: Box<[String]>,
    /// A filter stands behind it, whose exit status the call has: `make lint | tail`.
    pub(in crate::skillify) piped: bool,
    /// The filter's program, `""` if it is no well-known one.
    pub(in crate::skillify) filter: Box<str>,
    /// It failed, and its call reports that all went well.
    pub(in crate::skillify) hid: bool,
    /// The prompt that it was run for names it.
    pub(in crate::skillify) asked: bool,
    /// Its outcome; unknown until the whole segment is read.
    pub(in crate::skillify) outcome: Outcome,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::skillify) enum What {
    /// A command was run.
    Command(SharedCommand),
    /// A command was run that no claim can speak of, and that is the session's own; its token.
    Opaque(String),
    /// A command was run that no claim can speak of, and that others may have to run as well; its token.
    Unsaid(String),
    /// A file was changed; its path, `""` if none is told. Of a digest from the root of the repository,
    /// where that is known.
    Edit(String),
    /// A skill was loaded.
    Skill,
    /// Something that changes nothing: reading, searching, asking.
    Look,
    /// Any other tool, as a command of its name alone.
    Tool(SharedCommand),
}

/// The facts of one tool call.
#[derive(Default)]
struct Call<'a> {
    call: Option<&'a SessionEvent>,
    result: Option<&'a SessionEvent>,
    decision: Option<&'a SessionEvent>,
    line: OnceCell<Option<Arc<Line>>>,
    fields: OnceCell<Option<Value>>,
}

/// The facts of a session joined into calls.
pub(in crate::skillify) struct Calls<'a> {
    by_id: BTreeMap<&'a str, Call<'a>>,
    /// The names of files that the session made, and whether a command made them.
    made: BTreeMap<String, bool>,
    /// What the scripts and patches call and write that a call ran.
    code: BTreeMap<&'a str, Code>,
    /// Of the calls that remove something, the checks that failed before.
    removals: BTreeMap<&'a str, Failed<'a>>,
    /// Where the session began, `""` if unknown.
    folder: &'a str,
}

impl<'a> Calls<'a> {
    /// Joins the facts of one session, which began in `folder`.
    pub(in crate::skillify) fn join(facts: &[&'a Fact], folder: &'a str) -> Self {
        let mut by_id: BTreeMap<&str, Call<'a>> = BTreeMap::new();
        // A person who stopped the assistant decided about no call.
        let about_no_call = |event: &SessionEvent| {
            event.kind == Kind::Decision && event.tool_call_id.is_empty() && event.tool.is_empty()
        };
        for fact in facts.iter().filter(|fact| !about_no_call(&fact.event)) {
            let event = &fact.event;
            let call = by_id.entry(call_id(event)).or_default();
            match event.kind {
                Kind::ToolCall => call.call = Some(call.call.unwrap_or(event)),
                Kind::ToolResult => call.result = Some(call.result.unwrap_or(event)),
                Kind::Decision => call.decision = Some(event),
                _ => {}
            }
        }
        let made = by_id.values().flat_map(Call::made).collect();
        let mut scripts = Scripts::default();
        let opened = || {
            facts.iter().filter_map(|fact| {
                let id = call_id(&fact.event);
                by_id.get(id).filter(|call| call.is_opened_by(&fact.event)).map(|call| (id, call))
            })
        };
        let code = opened().filter_map(|(id, call)| Some((id, call.code(&mut scripts)?))).collect();
        let removals = removal::removals(opened().filter_map(|(id, call)| {
            let output = call.first_text(|event| &event.output);
            Some((id, call.line()?, call.status(), output))
        }));
        Self { by_id, made, code, removals, folder }
    }

    /// What the call that this fact is the first observation of tells of where things are.
    pub(super) fn looks_at(&self, fact: &'a Fact, checkout: &Checkout<'_>) -> Vec<Look> {
        let event = &fact.event;
        let call = self.by_id.get(call_id(event)).filter(|call| call.is_opened_by(event));
        let Some(call) = call else { return Vec::new() };
        let mut looks = call.looks(checkout);
        if let Some((failed, line)) = self.removals.get(call_id(event)).zip(call.line()) {
            let removed = failed.removed(line, |path| checkout.within(path).to_owned()).into_iter();
            let found = removed.filter_map(|path| Found::LeftOver(path).within(checkout));
            looks.extend(found.map(|found| Look { found, events: call.event_ids() }));
        }
        looks
    }

    /// The changed files that the call shows that this fact is the first observation of.
    pub(super) fn tree_at(&self, fact: &'a Fact, checkout: &Checkout<'_>) -> Option<Tree> {
        let event = &fact.event;
        let call = self.by_id.get(call_id(event)).filter(|call| call.is_opened_by(event))?;
        let (files, is_whole) = tree::seen(call.line()?, call.first_text(|event| &event.output), checkout)?;
        Some(Tree { at: 0, files, is_whole, events: call.event_ids() })
    }

    /// The actions of the call that this fact is the first observation of; none for any other fact.
    pub(super) fn actions_at(&self, fact: &'a Fact, endings: &mut Endings<'a>) -> Vec<Action> {
        let event = &fact.event;
        if event.kind == Kind::SkillUse {
            return vec![Action::new(What::Skill, event, vec![event.event_id.clone()].into())];
        }
        if event.kind == Kind::Decision && event.tool_call_id.is_empty() && event.tool.is_empty() {
            return Vec::new();
        }
        let Some(call) = self.by_id.get(call_id(event)) else { return Vec::new() };
        if !call.is_opened_by(event) {
            return Vec::new();
        }
        let mut actions = call.actions(self.folder, endings);
        let commands: Vec<Option<&Command>> = actions.iter().map(Action::command).collect();
        let printed = printed_scripts::printed(&commands, call.first_text(|event| &event.output));
        if let Some((action, scripts)) =
            printed.and_then(|(at, scripts)| Some((actions.get_mut(at)?, scripts)))
        {
            action.scripts = scripts;
        }
        let code = self.code.get(call_id(event));
        let names = code.into_iter().flat_map(|code| &code.names);
        actions.iter_mut().zip(names).for_each(|(action, names)| action.calls.clone_from(names));
        for action in &mut actions {
            let Some(command) = action.command() else { continue };
            let made = command.words().iter().filter_map(|word| self.made.get(file_name(&word.value)));
            let made: Vec<&bool> = made.collect();
            let of_commands = !made.is_empty() && made.iter().all(|by_command| **by_command);
            if of_commands && command.may_be_a_step() {
                // What came before it cannot be said: that it was written to a file.
                action.what = What::Unsaid(command.token().to_owned());
            }
            action.scratch = !made.is_empty();
        }
        let files = code.into_iter().flat_map(|code| &code.files);
        let edits = files.filter_map(|(place, file)| actions.get(*place).map(|by| by.edit_of(file, event)));
        let edits: Vec<Action> = edits.collect();
        actions.extend(edits);
        actions
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What joins the facts of a call: its id, else the span that reported it, else nothing.
fn call_id(event: &SessionEvent) -> &str {
    let ids = [&event.tool_call_id, &event.span_id, &event.event_id];
    ids.into_iter().find(|id| !id.is_empty()).map_or("", String::as_str)
}

impl Action {
    fn new(what: What, event: &SessionEvent, events: EventIds) -> Self {
        let agent = event.agent.clone();
        Self {
            what,
            status: Status::Unknown,
            refused: false,
            against: false,
            said: None,
            said_first: None,
            agent,
            events,
            signature: None,
            rules: Box::default(),
            scratch: false,
            calls: Box::default(),
            scripts: Box::default(),
            piped: false,
            filter: Box::default(),
            hid: false,
            asked: false,
            outcome: Outcome::Unknown,
        }
    }

    /// The edit of a file by a script or a patch that this command ran.
    fn edit_of(&self, file: &str, event: &SessionEvent) -> Self {
        let edit = Self::new(What::Edit(file.to_owned()), event, self.events.clone());
        Self { status: self.status, refused: self.refused, said: self.said.clone(), ..edit }
    }

    /// The command, if one was run; of a digest one that a claim can speak of.
    pub(in crate::skillify) fn command(&self) -> Option<&Command> {
        match &self.what {
            What::Command(command) => Some(command),
            _ => None,
        }
    }

    /// The command that ran, or a tool of the assistant's own such as `run_tests`.
    pub(in crate::skillify) fn run(&self) -> Option<&Command> {
        match &self.what {
            What::Command(command) | What::Tool(command) => Some(command),
            _ => None,
        }
    }

    /// The file of an edit, whether or not the edit succeeded.
    pub(in crate::skillify) fn edits(&self) -> Option<&str> {
        match &self.what {
            What::Edit(path) if !path.is_empty() => Some(path),
            _ => None,
        }
    }

    /// The file that was edited, if one was and it can be named.
    pub(in crate::skillify) fn edited(&self) -> Option<&str> {
        self.edits().filter(|_| !self.refused && self.status != Status::Error)
    }
}

impl<'a> Call<'a> {
    /// Whether the event is the first observation of the call.
    fn is_opened_by(&self, event: &SessionEvent) -> bool {
        self.call.or(self.result).or(self.decision).is_some_and(|first| std::ptr::eq(first, event))
    }

    fn status(&self) -> Status {
        let told = [self.result, self.call].into_iter().flatten().map(|event| event.status);
        told.into_iter().find(|status| *status != Status::Unknown).unwrap_or_default()
    }

    fn event_ids(&self) -> EventIds {
        let mut events: Vec<String> = self.observations().map(|event| event.event_id.clone()).collect();
        events.sort();
        events.dedup();
        EventIds::from(events)
    }

    fn looks(&self, checkout: &Checkout<'_>) -> Vec<Look> {
        let output = self.first_text(|event| &event.output);
        let asked = match self.line() {
            Some(line) => Asked::Line(line),
            None => Asked::Tool { words: name_words(self.tool()), fields: &|| self.fields() },
        };
        let found = search::found(&asked, output, self.status(), checkout);
        found.into_iter().map(|found| Look { found, events: self.event_ids() }).collect()
    }

    fn observations(&self) -> impl Iterator<Item = &'a SessionEvent> {
        [self.call, self.result, self.decision].into_iter().flatten()
    }

    fn tool(&self) -> &'a str {
        self.first_text(|event| &event.tool)
    }

    fn input(&self) -> &'a str {
        self.first_text(|event| &event.input)
    }

    /// The command line that it ran, if it is a shell's.
    fn line(&self) -> Option<&Arc<Line>> {
        self.line.get_or_init(|| Line::of_call(self.tool(), self.input())).as_ref()
    }

    /// Its input, if that is JSON.
    fn fields(&self) -> Option<&Value> {
        self.fields.get_or_init(|| serde_json::from_str(self.input()).ok()).as_ref()
    }

    fn first_text(&self, field: impl Fn(&'a SessionEvent) -> &'a String) -> &'a str {
        self.observations().map(field).find(|text| !text.is_empty()).map_or("", String::as_str)
    }

    /// The names of the files that the call made, by redirection or by a tool that writes, and whether it
    /// was a command's output that was written. What it adds to (`>>`) was there.
    fn made(&self) -> Vec<(String, bool)> {
        if let Some(line) = self.line() {
            let text = line.text();
            let targets = redirected(text);
            let by_command =
                !targets.is_empty() && line.listed().iter().any(|listed| listed.command.may_be_a_step());
            return targets.into_iter().map(|target| (file_name(target).to_owned(), by_command)).collect();
        }
        let words = name_words(self.tool());
        let writes = words.iter().any(|word| word == "write" || word == "create");
        let path = if writes { self.edited_path() } else { String::new() };
        if path.is_empty() { Vec::new() } else { vec![(file_name(&path).to_owned(), false)] }
    }

    /// The calls and files of the scripts that it runs; it also remembers the scripts that it writes.
    fn code(&self, scripts: &mut Scripts) -> Option<Code> {
        if let Some(line) = self.line() {
            return scripts.run(line.text(), line.listed());
        }
        let fields = self.fields()?;
        let text = |keys: &[&str]| keys.iter().find_map(|key| fields.get(*key)?.as_str()).unwrap_or_default();
        let path = edited_path(Some(fields), self.input());
        match text(&["old_string", "old_str", "oldString"]) {
            "" => scripts.wrote(&path, &written(Some(fields), self.input())),
            old => scripts.replaced(&path, old, text(&["new_string", "new_str", "newString"])),
        }
        None
    }

    /// The file that it edits, `""` if none is named.
    fn edited_path(&self) -> String {
        edited_path(self.fields(), self.input())
    }

    fn actions(&self, folder: &str, endings: &mut Endings<'a>) -> Vec<Action> {
        let Some(first) = self.observations().next() else { return Vec::new() };
        let (events, status) = (self.event_ids(), self.status());
        let output = self.first_text(|event| &event.output);
        let refusal = refusal(output).filter(|_| status != Status::Ok);
        let rejected = self.observations().any(|event| event.decision == Decision::Reject);
        let refused = refusal.is_some() || (rejected && status != Status::Ok);
        let decided = self.decision.filter(|_| rejected).and_then(|decision| persons_words(&decision.text));
        let said = refusal.and_then(|refusal| refusal.words).or(decided).map(str::to_owned);
        let mut actions: Vec<Action> = match self.line() {
            Some(line) if line.text().contains("*** Begin Patch") => {
                let action = Action::new(What::Edit(edited_path(None, line.text())), first, events);
                vec![Action { status, ..action }]
            }
            Some(line) => {
                let line = match within(line.text(), folder) {
                    Cow::Borrowed(_) => Arc::clone(line),
                    Cow::Owned(below) => Line::read(&below),
                };
                let statuses = endings.of(&line, status, output);
                commands(&line, &statuses, (status, output), first, &events)
            }
            None => {
                let action = Action::new(self.classify(), first, events);
                let is_run = action.run().is_some() && status == Status::Error;
                let signature = is_run.then(|| signature_of(output)).flatten();
                let is_edit = matches!(action.what, What::Edit(_));
                let rules =
                    if is_edit { silenced(&written(self.fields(), self.input())) } else { Vec::new() };
                vec![Action { status, signature, rules: rules.into(), ..action }]
            }
        };
        for action in &mut actions {
            action.refused = refused;
            action.said_first = said.clone().filter(|_| !refused);
            if refused {
                action.status = Status::Unknown;
                action.signature = None;
                action.rules = Box::default();
                action.hid = false;
                action.said.clone_from(&said);
                let command = action.command();
                action.against =
                    said.as_ref().zip(command).is_some_and(|(said, command)| prompt::forbids(said, command));
            }
        }
        actions
    }

    /// What a call did that is no shell's.
    fn classify(&self) -> What {
        let tool = self.tool();
        // Such a call has the outcome of the command that it waits for.
        let words = name_words(tool);
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if is_poll(tool) {
            return What::Look;
        }
        if has(&["skill"]) || exposure::is_ours(tool) {
            return What::Skill;
        }
        if has(&["memory", "plan", "planning", "todo", "todos", "todowrite", "todoread"]) {
            return What::Look;
        }
        if has(&["edit", "write", "replace", "patch", "create", "insert", "multiedit", "notebookedit"]) {
            return What::Edit(self.edited_path());
        }
        if has(LOOKING) || words.is_empty() { What::Look } else { What::Tool(Command::of_tool(tool).into()) }
    }
}

/// The actions of a line's commands, each with its status from `statuses`.
fn commands(
    line: &Line,
    statuses: &[Status],
    (reported, output): (Status, &str),
    first: &SessionEvent,
    events: &EventIds,
) -> Vec<Action> {
    let signature = OnceCell::new();
    let rules = OnceCell::new();
    let seems_well = as_written(reported, output) == Status::Ok;
    let listed = line.listed().iter().zip(line.commands()).zip(statuses);
    listed
        .map(|((listed, command), status)| {
            let written = listed.writes.iter().find(|path| is_written(path) && listed.command.is_trivial());
            let edited = listed.command.edited_in_place().or(written.map(String::as_str));
            let what =
                edited.map_or_else(|| What::Command(command.clone()), |path| What::Edit(path.to_owned()));
            let mut action = Action::new(what, first, events.clone());
            action.status = *status;
            if let Exit::Filtered { by, .. } = listed.view.exit {
                action.piped = true;
                action.filter = by.into();
            }
            action.hid = *status == Status::Error && seems_well;
            if *status == Status::Error {
                action.signature = signature.get_or_init(|| signature_of(output)).clone();
                if action.command().is_some_and(Command::is_check) {
                    action.rules = rules.get_or_init(|| rules_of(output)).as_ref().into();
                }
            }
            action
        })
        .collect()
}
