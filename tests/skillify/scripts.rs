//! Scripts that sessions write themselves, and checks that change their minds. Each beside what looks like it.

use serde_json::json;
use skillspan::event::Status;
use skillspan::skillify::Digest;
use skillspan::table::Session;

use super::causes::PROJECT;
use super::sessions::{SessionBuilder, session};
use super::tools::{holds, said, says};

/// Sessions of two people in turn.
fn days(many: usize, work: impl Fn(usize, SessionBuilder) -> SessionBuilder) -> Vec<Session> {
    let of = |day: usize| {
        let person = if day.is_multiple_of(2) { "alice" } else { "bob" };
        let at = i64::try_from(day).unwrap();
        let one = session(&format!("day{day}")).by(person).project(PROJECT).on(at);
        work(day, one.prompt(&format!("Look at matter {day}"))).build()
    };
    (0..many).map(of).collect()
}

const NO_TABLE: &str = "Traceback (most recent call last):\n  File \"try.py\", line 4\nOperationalError: no such table: shop_cart\n";
const BODY: &str = "import shop\nshop.configure()\ncart = shop.Cart(total=3)\ncart.save_all()\n";
const MENDED: &str = "import shop\nshop.configure()\nshop.schema.create_model(shop.Cart)\ncart = shop.Cart(total=3)\ncart.save_all()\n";

fn write(one: SessionBuilder, path: &str, code: &str) -> SessionBuilder {
    let input = json!({ "file_path": path, "content": code }).to_string();
    one.tool("Write", &input, Status::Ok, "File created successfully")
}

fn fails(one: SessionBuilder, code: &str) -> SessionBuilder {
    write(one, "/work/try.py", code).run_with_output("python try.py", Status::Error, NO_TABLE)
}

fn passes(one: SessionBuilder, code: &str) -> SessionBuilder {
    write(one, "/work/try.py", code).run_with_output("python try.py", Status::Ok, "3")
}

const CREATE: &str = "If a `python` script that you wrote fails with \"OperationalError\", call `shop.schema.create_model` in it.";

#[test]
fn what_makes_scripts_pass_is_told() {
    let by_tool = days(8, |_, one| passes(fails(one, BODY), MENDED));
    assert!(said(by_tool.clone()).contains(&CREATE.to_owned()), "{:?}", said(by_tool));
    let behind = |code: &str| format!("cat > try.py <<'EOF'\n{code}EOF\npython3 try.py");
    let by_shell = days(8, |_, one| {
        let one = one.run_with_output(&behind(BODY), Status::Error, NO_TABLE);
        one.run_with_output(&behind(MENDED), Status::Ok, "3")
    });
    assert!(said(by_shell.clone()).contains(&CREATE.to_owned()), "{:?}", said(by_shell));
    let by_edit = days(8, |_, one| {
        let one = fails(one, BODY);
        let edit = json!({
            "file_path": "/work/try.py",
            "old_string": "shop.configure()\n",
            "new_string": "shop.configure()\nshop.schema.create_model(shop.Cart)\n",
        });
        let one = one.tool("Edit", &edit.to_string(), Status::Ok, "updated");
        one.run_with_output("python try.py", Status::Ok, "3")
    });
    assert!(says(by_edit, "call `shop.schema.create_model`"));
    let mut many = days(10, |_, one| passes(fails(one, BODY), MENDED));
    many.extend((0..10).map(|number| {
        let one = session(&format!("fine{number}")).by("carol").project(PROJECT).prompt("Any news?");
        passes(one, "import shop\nshop.configure()\nshop.report_all()\n").build()
    }));
    holds(many, "snippet");
}

#[test]
fn what_does_not_make_scripts_pass_is_not_told() {
    let few = days(3, |_, one| passes(fails(one, BODY), MENDED));
    // The table is there now, whatever the script says.
    let passes_without =
        days(8, |day, one| passes(fails(one, BODY), if day.is_multiple_of(2) { MENDED } else { BODY }));
    let fails_with = days(8, |day, one| {
        let one = fails(one, if day.is_multiple_of(2) { MENDED } else { BODY });
        passes(one, MENDED)
    });
    // It helped once, and does not any more.
    let not_later = days(9, |day, one| {
        let one = fails(one, BODY);
        if day < 6 { passes(one, MENDED) } else { fails(one, MENDED) }
    });
    let another_script = days(8, |_, one| {
        let other = "import till\ntill.open_all()\ntill.show_all()\ntill.schema.create_model(till.Till)\n";
        passes(fails(one, BODY), other)
    });
    let alone = days(8, |_, one| passes(fails(one.by("alice"), BODY), MENDED));
    let of_the_repository = days(8, |_, one| {
        let one = one.run_with_output("python src/try.py", Status::Error, NO_TABLE);
        one.edit("src/try.py").run_with_output("python src/try.py", Status::Ok, "3")
    });
    for (name, sessions) in [
        ("few", few),
        ("passes without", passes_without),
        ("fails with", fails_with),
        ("not later", not_later),
        ("another script", another_script),
        ("alone", alone),
        ("of the repository", of_the_repository),
    ] {
        assert!(!says(sessions, "script that you wrote"), "{name}");
    }
}

#[test]
fn no_text_of_a_script_is_kept() {
    let code = "import shop\n# tell_nobody()\nshop.configure()\nlog('key_of_house(1)')\n";
    let one = passes(fails(session("a").by("alice").project(PROJECT).prompt("Go"), code), MENDED).build();
    let kept = serde_json::to_string(&Digest::of(&one)).unwrap();
    let has = |text: &str| kept.contains(text);
    assert!(has("shop.configure") && !has("tell_nobody") && !has("key_of_house"));
}

const FLAKY: &str =
    "`make e2e` fails and passes on the same files: run it again before you look for a cause.";

#[test]
fn a_check_that_changes_its_mind_is_told() {
    let flips = |day: usize, one: SessionBuilder| {
        let one = one.edit("src/till.py");
        if day.is_multiple_of(2) {
            one.fails("make e2e").ok("cat e2e.log").ok("make e2e")
        } else {
            one.ok("make e2e").fails("make e2e")
        }
    };
    assert!(said(days(4, flips)).contains(&FLAKY.to_owned()), "{:?}", said(days(4, flips)));
    let mut many = days(8, flips);
    many.extend((0..20).map(|number| {
        let one = session(&format!("sure{number}")).by("carol").project(PROJECT).prompt("Any news?");
        one.edit("src/sum.py").ok("make unit").ok("make unit").build()
    }));
    holds(many, "flaky");
}

#[test]
fn a_check_for_whose_change_there_is_a_cause_is_not_flaky() {
    let edited = days(6, |_, one| one.fails("make e2e").edit("src/till.py").ok("make e2e"));
    let repaired = days(6, |_, one| one.fails("make e2e").ok("make db-up").ok("make e2e"));
    let checked = days(6, |_, one| one.fails("make e2e").ok("make lint").ok("make e2e"));
    let scripted = days(6, |_, one| one.fails("make e2e").ok("python3 -c 'mend()'").ok("make e2e"));
    let another_part = days(6, |_, one| one.fails("go test ./till -run Cart").ok("go test ./till -run Sum"));
    let said_by_a_person =
        days(6, |_, one| one.fails("make e2e").prompt("I mended it, again").ok("make e2e"));
    let steady = days(9, |day, one| {
        let one = one.fails("make e2e");
        if day < 2 { one.ok("make e2e") } else { one.fails("make e2e") }
    });
    for (name, sessions) in [
        ("edited", edited),
        ("repaired", repaired),
        ("checked", checked),
        ("scripted", scripted),
        ("another part", another_part),
        ("said by a person", said_by_a_person),
        ("steady", steady),
    ] {
        assert!(!says(sessions, "on the same files"), "{name}");
    }
}

const SCRIPT: &str = "$ bun test src/\nbun test v1.3.5\n\n 12 pass\n 0 fail\nRan 12 tests across 3 files.\n";

fn commits(one: SessionBuilder, line: &str, script: &str) -> SessionBuilder {
    let one = one.edit("src/till.ts").run_with_output("bun run test", Status::Ok, SCRIPT);
    one.run_with_output(line, Status::Ok, &format!("[main f59e610] Till\n 1 file changed\n{script}"))
}

#[test]
fn a_check_that_a_commit_runs_is_told() {
    let sessions = days(6, |_, one| commits(one, "git add src/till.ts && git commit -m 'Till'", SCRIPT));
    let line = "`git commit` runs `bun run test` by itself.";
    assert!(said(sessions.clone()).contains(&line.to_owned()), "{:?}", said(sessions));
    let mut many = days(12, |_, one| commits(one, "git commit -m 'Till'", SCRIPT));
    many.extend((0..8).map(|number| {
        let one = session(&format!("lint{number}")).by("carol").project(PROJECT).prompt("Any news?");
        let one = one.edit("src/sum.ts").run_with_output("bun run lint", Status::Ok, "$ biome check\nok");
        one.run_with_output("bun run types", Status::Ok, "$ tsc --noEmit\n").build()
    }));
    holds(many, "hook");
}

#[test]
fn a_check_that_no_commit_runs_is_not_told() {
    let nothing = days(6, |_, one| commits(one, "git commit -m 'Till'", ""));
    let another = days(6, |_, one| commits(one, "git commit -m 'Till'", "$ biome check\nok\n"));
    let bypassed = days(6, |_, one| commits(one, "git commit --no-verify -m 'Till'", SCRIPT));
    let by_hand = days(6, |_, one| commits(one, "bun run test && git commit -m 'Till'", SCRIPT));
    let seldom = days(12, |day, one| {
        commits(one, "git commit -m 'Till'", if day < 2 { SCRIPT } else { "$ biome check\nok\n" })
    });
    let alone = days(6, |_, one| commits(one.by("alice"), "git commit -m 'Till'", SCRIPT));
    // The commits run a part of it, which has a name of its own and is run by hand less often.
    let part = days(9, |day, one| {
        let all = format!("$ bun run types && bun test src/\n$ tsc --noEmit\n{SCRIPT}");
        let one = one.edit("src/till.ts").run_with_output("bun run test", Status::Ok, &all);
        let by_hand = "$ tsc --noEmit\n";
        let one = if day < 4 { one.run_with_output("bun run types", Status::Ok, by_hand) } else { one };
        one.run_with_output("git commit -m 'Till'", Status::Ok, &format!("{by_hand}[main f59e610] Till"))
    });
    assert!(says(part.clone(), "`git commit` runs `bun run types` by itself"), "{:?}", said(part));
    for (name, sessions) in [
        ("nothing", nothing),
        ("another", another),
        ("bypassed", bypassed),
        ("by hand", by_hand),
        ("seldom", seldom),
        ("alone", alone),
        ("part", part),
    ] {
        assert!(!says(sessions, "runs `bun run test` by itself"), "{name}");
    }
}
