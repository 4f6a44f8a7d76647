//! Claims read from text: as older libraries wrote them, and as states give them back.

use serde::Deserialize as _;

use super::super::speech::acts;
use super::super::template::Template;
use super::Claim;

impl Claim {
    /// The claim that a library of format 4 or older printed as this line.
    pub fn parse(line: &str) -> Option<Self> {
        let command = Template::parse;
        let only = |before: &str| line.strip_prefix(before)?.strip_suffix('`');
        let two = |between: &str| only("run `")?.split_once(between);
        if let Some((repair, failing)) = two("` before `") {
            return Some(Self::Repair { command: command(failing)?, repair: command(repair)? });
        }
        if let Some((run, failed)) = two("` instead of `") {
            return Some(Self::Instead { run: command(run)?, failed: command(failed)? });
        }
        if let Some((prefer, over)) = two("`, not `") {
            return Some(Self::Prefer { prefer: command(prefer)?, over: command(over)? });
        }
        let alone = |before: &str| only(before).filter(|text| !text.is_empty() && !text.contains('`'));
        if let Some(file) = alone("edit `") {
            return Some(Self::Edit(Template::parse_path(file)));
        }
        let run = alone("run `").and_then(command).map(Self::Run);
        run.or_else(|| alone("do not run `").and_then(command).map(Self::Avoid))
    }

    /// The claim as a state gives it back, which it equals but for how a word is kept in memory; `None` where a
    /// state could not hold it.
    pub(crate) fn read_back(&self) -> Option<Self> {
        if let Self::Rule { want, act, .. } = self {
            acts::saying(*want, act)?;
        }
        let written = serde_json::to_value(self).ok()?;
        let read = Self::deserialize(&written).ok()?;
        (serde_json::to_value(&read).ok()? == written).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Want;
    use super::*;

    #[test]
    fn a_claim_of_an_older_library_is_read() {
        for line in [
            "run `git tag v{version}`",
            "run `make db-up` before `make itest`",
            "edit `migrations/{name}.sql`",
            "do not run `git push --force`",
            "run `python3 -m pytest {path}` instead of `python -m pytest {path}`",
            "run `pnpm add {name}`, not `npm install {name}`",
            "run `git commit -m \"{text}\"`",
        ] {
            assert!(Claim::parse(line).is_some(), "{line}");
        }
        let repair = Claim::parse("run `make db-up` before `make itest`").unwrap();
        assert_eq!(repair.to_string(), "if `make itest` fails, run `make db-up`");
        for line in
            ["", "run", "run ``", "edit ``", "run `a` after `b`", "walk `a`", "run `a && b`", "run `a"]
        {
            assert_eq!(Claim::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_claim_is_kept_as_the_text_of_its_templates() {
        let command = |text: &str| Template::parse(text).unwrap();
        let file = Template::parse_path;
        let (make, seed) = (command("cd api && make itest"), command("git commit -m \"{text}\""));
        for (claim, text) in [
            (Claim::Run(seed.clone()), r#"{"run":"git commit -m \"{text}\""}"#),
            (Claim::Edit(file("db/{name}.sql")), r#"{"edit":"db/{name}.sql"}"#),
            (Claim::Avoid(seed.clone()), r#"{"avoid":"git commit -m \"{text}\""}"#),
            (
                Claim::Repair { command: make.clone(), repair: command("make db-up") },
                r#"{"repair":{"command":"cd api && make itest","repair":"make db-up"}}"#,
            ),
            (
                Claim::Prevent { command: make.clone(), first: command("make db-up") },
                r#"{"prevent":{"command":"cd api && make itest","first":"make db-up"}}"#,
            ),
            (
                Claim::Instead { run: command("bin/test {path}"), failed: command("pytest {path}") },
                r#"{"instead":{"run":"bin/test {path}","failed":"pytest {path}"}}"#,
            ),
            (
                Claim::Prefer { prefer: command("pnpm add {name}"), over: command("npm install {name}") },
                r#"{"prefer":{"prefer":"pnpm add {name}","over":"npm install {name}"}}"#,
            ),
            (
                Claim::Check { edited: file("src/{name}.py"), run: command("pytest tests/test_{name}.py") },
                r#"{"check":{"edited":"src/{name}.py","run":"pytest tests/test_{name}.py"}}"#,
            ),
            (
                Claim::Together { edited: file("a.ts"), also: file("b.ts") },
                r#"{"together":{"edited":"a.ts","also":"b.ts"}}"#,
            ),
            (
                Claim::Declared { name: "CartState".to_owned(), file: file("src/cart.ts") },
                r#"{"declared":{"name":"CartState","file":"src/cart.ts"}}"#,
            ),
            (
                Claim::Missing { path: file("src/commands"), instead: Some(file("src/cli")) },
                r#"{"missing":{"path":"src/commands","instead":"src/cli"}}"#,
            ),
            (
                Claim::Missing { path: file("src/commands"), instead: None },
                r#"{"missing":{"path":"src/commands"}}"#,
            ),
            (
                Claim::Rule { want: Want::Do, act: "tests".to_owned(), name: None },
                r#"{"rule":{"want":"do","act":"tests"}}"#,
            ),
            (
                Claim::Rule { want: Want::Not, act: "edit".to_owned(), name: Some(file("vendor/")) },
                r#"{"rule":{"want":"not","act":"edit","name":"vendor/"}}"#,
            ),
            (
                Claim::Rejects { run: command("make lint"), rule: "errcheck".to_owned() },
                r#"{"rejects":{"run":"make lint","rule":"errcheck"}}"#,
            ),
            (Claim::Changes { run: command("make lint") }, r#"{"changes":{"run":"make lint"}}"#),
            (Claim::Piped { run: command("make lint") }, r#"{"piped":{"run":"make lint"}}"#),
            (
                Claim::NoFlag { run: command("cat -A"), instead: Some(command("cat -v")) },
                r#"{"noflag":{"run":"cat -A","instead":"cat -v"}}"#,
            ),
            (
                Claim::NoSkill { name: "commit".to_owned(), instead: Some(command("git commit")) },
                r#"{"noskill":{"name":"commit","instead":"git commit"}}"#,
            ),
            (
                Claim::Leftover { folder: file("tmp/clones"), remove: command("rm -rf tmp/clones/{name}") },
                r#"{"leftover":{"folder":"tmp/clones","remove":"rm -rf tmp/clones/{name}"}}"#,
            ),
            (Claim::NoFlag { run: command("cat -A"), instead: None }, r#"{"noflag":{"run":"cat -A"}}"#),
            (
                Claim::Asked { edited: file("src/*.go"), run: command("make e2e") },
                r#"{"asked":{"edited":"src/*.go","run":"make e2e"}}"#,
            ),
            (Claim::Slow { run: command("make e2e"), instead: None }, r#"{"slow":{"run":"make e2e"}}"#),
        ] {
            assert_eq!(serde_json::to_string(&claim).unwrap(), text);
            assert_eq!(serde_json::from_str::<Claim>(text).unwrap(), claim);
            assert_eq!(claim.read_back().as_ref(), Some(&claim));
        }
        for wrong in [r#"{"run":"make a && make b"}"#, r#"{"run":""}"#, r#"{"walk":"make"}"#, r#""run""#] {
            assert!(serde_json::from_str::<Claim>(wrong).is_err(), "{wrong}");
        }
    }
}
