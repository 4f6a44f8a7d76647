//! Hooks' objects and the spool they wait in, whatever they hold. The entry points are those of `fuzz/`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use skillspan::dialects::{Dialects, HOOKS, Hooks, Outcome};
use skillspan::event::{Owner, SessionEvent, Timestamp};
use skillspan::receivers::hooks::{Entry, Form, HookBody, Spool, SpoolError, erase, waiting};
use skillspan::receivers::otlp::Coding;
use skillspan::receivers::{MemoryLimit, Refusal, Source, Tally};

/// Names that some dialect reads.
const NAMES: &[&str] = &[
    "hook_event_name",
    "hookName",
    "event",
    "session_id",
    "sessionId",
    "conversation_id",
    "taskId",
    "timestamp",
    "cwd",
    "workspaceRoots",
    "workspace_roots",
    "prompt",
    "text",
    "tool_name",
    "toolName",
    "tool_input",
    "toolArgs",
    "toolResult",
    "tool_use_id",
    "tool_response",
    "tool_output",
    "tool_call",
    "tool_result",
    "extra",
    "payload",
    "data",
    "message",
    "content",
    "role",
    "result",
    "output",
    "input",
    "id",
    "turn",
    "outputText",
    "error",
    "reason",
    "status",
    "choice",
    "traceparent",
    "skillspan.observed_at",
    "skillspan.capture",
    "userPromptSubmit",
    "taskStart",
    "sessionContext",
    "parent_agent_id",
    "agent_id",
    "usage",
    "duration",
];
/// Texts that some dialect looks for.
const WORDS: &[&str] = &[
    "",
    "PostToolUse",
    "postToolUse",
    "post_tool_call",
    "post_llm_call",
    "pre_llm_call",
    "tool_result",
    "input",
    "message_end",
    "assistant",
    "UserPromptSubmit",
    "beforeSubmitPrompt",
    "agent_end",
    "blocked",
    "denied",
    "success",
    "deny",
    "false",
    "{\"exit_code\":1}",
    "00-b093ea9237fec2cd45689a1d8a083f3a-84b844b161b23fae-01",
    "2026-11-22T09:45:58.934123Z",
    "9999999999999",
    "\u{0}",
    "日本語",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("a number", |number| number.is_finite()).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = prop_oneof![3 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => ".{0,9}"];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![4 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => ".{0,9}"];
    vec((name, any_json()), 0..10).prop_map(|fields| fields.into_iter().collect())
}

/// What becomes of a body, and what was kept as it is of each object.
fn read(hooks: &'static Hooks, form: Form, body: &[u8]) -> Result<(Vec<Outcome>, Tally), Refusal> {
    let dialects = Dialects::built_in();
    let body = HookBody {
        hooks,
        form,
        coding: Coding::Identity,
        body: Bytes::copy_from_slice(body),
        limit: usize::MAX,
    };
    let mut outcomes = Vec::new();
    let tally = body.read(&mut MemoryLimit::new(usize::MAX).lease(), &mut |record| {
        outcomes.push(dialects.map(record, &Owner::default(), Timestamp::from_micros(1)));
    })?;
    Ok((outcomes, tally))
}

fn events(outcomes: &[Outcome]) -> Vec<SessionEvent> {
    let events = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Mapped(events) => Some(events.clone()),
        Outcome::Dropped { .. } | Outcome::Unrecognised => None,
    });
    events.flatten().collect()
}

proptest! {
    #[test]
    fn any_object_is_understood_or_known_to_be_nothing(object in any_object()) {
        for hooks in &HOOKS {
            let body = Value::Object(object.clone()).to_string();
            let (outcomes, tally) = read(hooks, Form::Object, body.as_bytes()).unwrap();
            prop_assert_eq!((outcomes.len(), tally.records), (1, 1));
            prop_assert!(!matches!(outcomes[0], Outcome::Unrecognised));
            for event in events(&outcomes) {
                prop_assert!(event.dialect.ends_with("-hooks") && event.event_id.len() == 32);
                prop_assert!(!event.timestamp.is_unset());
                prop_assert!(!event.attributes.contains_key("skillspan.observed_at")
                    || event.timestamp == Timestamp::from_micros(1) || object.contains_key("timestamp"));
            }
        }
    }

    #[test]
    fn an_object_a_line_is_the_same_as_one_after_the_other(objects in vec(any_object(), 0..5)) {
        let lines: Vec<String> = objects.into_iter().map(|object| Value::Object(object).to_string()).collect();
        let (together, _) = read(&HOOKS[0], Form::Lines, lines.join("\n").as_bytes()).unwrap();
        let alone = lines.iter().flat_map(|line| read(&HOOKS[0], Form::Object, line.as_bytes()).unwrap().0);
        prop_assert_eq!(together, alone.collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        for form in [Form::Object, Form::Lines] {
            if let Err(refusal) = read(&HOOKS[1], form, &bytes) {
                prop_assert!(matches!(refusal, Refusal::Malformed(_)), "{:?}", refusal);
            }
        }
    }

    #[test]
    fn nearly_an_object_is_read_or_refused(object in any_object(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = Value::Object(object).to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Err(refusal) = read(&HOOKS[2], Form::Object, &bytes) {
            prop_assert!(matches!(refusal, Refusal::Malformed(_)), "{:?}", refusal);
        }
    }

    #[test]
    fn what_is_added_to_a_spool_is_taken_out_once(objects in vec((0..HOOKS.len(), any_object()), 0..12)) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of(folder.path(), "http://127.0.0.1:4318", "");
        spool.create("http://127.0.0.1:4318").unwrap();
        let mut added: Vec<String> = Vec::new();
        for (hooks, object) in objects {
            let json = Value::Object(object).to_string();
            let entry = Entry { assistant: HOOKS[hooks].assistant.to_owned(), json: json.clone() };
            spool.add(&entry, Instant::now() + Duration::from_secs(5)).unwrap();
            added.push(format!("{} {json}", entry.assistant));
        }
        let mut taken: Vec<String> = Vec::new();
        // Every batch under a new right to take out, as if every process had been killed after one.
        loop {
            let seen = spool.outlet().unwrap().unwrap().next_batch().unwrap();
            let Some(batch) = seen else { break };
            let mut outlet = spool.outlet().unwrap().unwrap();
            let again = outlet.next_batch().unwrap().unwrap();
            prop_assert_eq!(&batch, &again, "what was not acknowledged is there again");
            taken.extend(again.lines.lines().map(|line| format!("{} {line}", again.assistant)));
            outlet.done(&again).unwrap();
        }
        added.sort();
        taken.sort();
        prop_assert_eq!(added, taken);
    }

    #[test]
    fn any_bytes_in_a_spool_cost_no_whole_entry(garbage in vec(any::<u8>(), 0..80), cut in 0..60_usize) {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::of(folder.path(), "x", "");
        spool.create("x").unwrap();
        let entry = Entry { assistant: "pi".to_owned(), json: json!({ "event": "input" }).to_string() };
        let deadline = || Instant::now() + Duration::from_secs(5);
        spool.add(&entry, deadline()).unwrap();
        let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path().join("pending");
        let whole = std::fs::read(&file).unwrap();
        let line = &whole[whole.iter().position(|byte| *byte == b'\n').unwrap() + 1..];
        let torn = &line[..cut.min(line.len() - 2)];
        std::fs::write(&file, [&whole, garbage.as_slice(), b"\n", torn].concat()).unwrap();
        spool.add(&entry, deadline()).unwrap();
        let mut outlet = spool.outlet().unwrap().unwrap();
        let mut entries = 0;
        while let Some(batch) = outlet.next_batch().unwrap() {
            entries += batch.entries;
            outlet.done(&batch).unwrap();
        }
        prop_assert_eq!(entries, 2);
    }
}

/// Those that add do not wait for one another, and the one that takes out waits only for those that had
/// begun: whatever their order, each entry comes out once.
#[test]
fn entries_that_are_added_while_others_are_taken_out_come_out_once() {
    const ADDING: usize = 8;
    const EACH: usize = 250;
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::of(folder.path(), "x", "");
    spool.create("x").unwrap();
    let mut taken: Vec<String> = Vec::new();
    let mut take = || {
        let mut outlet = spool.outlet().unwrap().unwrap();
        loop {
            match outlet.next_batch() {
                Ok(Some(batch)) => {
                    taken.extend(batch.lines.lines().map(str::to_owned));
                    outlet.done(&batch).unwrap();
                }
                // One that had begun to add has no processor: the next call finds what it adds.
                Ok(None) | Err(SpoolError::Locked { .. }) => return,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let add = |adder: usize| {
        for number in 0..EACH {
            // Some larger than a page, so that a write that is not whole would show.
            let text = "x".repeat(number % 7 * 1_000);
            let json = json!({ "adder": adder, "number": number, "text": text }).to_string();
            let entry = Entry { assistant: "pi".to_owned(), json };
            spool.add(&entry, Instant::now() + Duration::from_secs(30)).unwrap();
        }
    };
    std::thread::scope(|scope| {
        let adding: Vec<_> = (0..ADDING).map(|adder| scope.spawn(move || add(adder))).collect();
        while adding.iter().any(|adder| !adder.is_finished()) {
            take();
        }
    });
    take();
    assert_eq!(taken.len(), ADDING * EACH);
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), ADDING * EACH);
}

/// A person may be forgotten while hooks are called.
#[test]
fn entries_that_are_added_while_some_are_erased_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::of(folder.path(), "x", "");
    spool.create("x").unwrap();
    let deadline = || Instant::now() + Duration::from_secs(30);
    let add = |session: &str| {
        let entry = Entry { assistant: "pi".to_owned(), json: json!({ "session_id": session }).to_string() };
        spool.add(&entry, deadline()).unwrap();
    };
    std::thread::scope(|scope| {
        let adding = scope.spawn(|| (0..500).for_each(|_| add("kept")));
        while !adding.is_finished() {
            add("forgotten");
            erase(folder.path(), &["forgotten".to_owned()].into(), None).unwrap();
        }
    });
    assert_eq!(waiting(folder.path()).unwrap()[0].entries, 500);
}

/// What waits names a person as the client wrote them.
#[test]
fn a_persons_entries_are_erased_however_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::of(folder.path(), "x", "");
    spool.create("x").unwrap();
    let add = |person: &str| {
        let json = json!({ "session_id": "s", "user": { "email": person } }).to_string();
        let entry = Entry { assistant: "pi".to_owned(), json };
        spool.add(&entry, Instant::now() + Duration::from_secs(30)).unwrap();
    };
    for hers in ["ana@example.com", "Ana+pi@Example.com", "Ana <ana@example.com>", "\u{430}na@example.com"] {
        add(hers);
    }
    for other in ["ana", "hana@example.com", "ana@example.org"] {
        add(other);
    }
    assert_eq!(erase(folder.path(), &BTreeSet::new(), Some("ana+codex@example.com")).unwrap(), 4);
    assert_eq!(waiting(folder.path()).unwrap()[0].entries, 3);
}
