//! Sessions that commit: what a commit runs by itself, and what only looks as if it did.

use crate::outputs;
use crate::play::Play;
use crate::style::Check;
use crate::tools::{Bait, HOOKED, Lure};

/// What the commits of the lures run, beside [`HOOKED`].
const SCRIPTS: [&str; 5] =
    ["seal-check src", "spell-check --words 3", "note-check", "icon-check", "run-all style units"];

impl Play<'_> {
    /// Runs a check by hand: its runner prints its script, and those of the checks that it starts.
    fn by_hand(&mut self, check: &Check, script: &str, starts: &[(&Check, &str)]) {
        let mut output = self.plan.style.echo(&check.line, script);
        for (started, script) in starts {
            output += &self.plan.style.echo(&started.line, script);
        }
        output += &outputs::pass(self.random, check.runner);
        let line = if self.random.chance(0.5) { format!("{} 2>&1", check.line) } else { check.line.clone() };
        self.record.run(&line, true, &output);
    }

    /// Commits; a hook runs these checks, and the last of them may fail.
    fn commits(&mut self, line: &str, runs: &[(&Check, &str)], passes: bool) {
        let message = self.random.pick(&["Round totals", "Limit the list", "Split it"]).to_owned();
        let mut output = String::new();
        for (at, (check, script)) in runs.iter().enumerate() {
            let ok = passes || at + 1 < runs.len();
            output += &self.plan.style.echo(&check.line, script);
            output += &match ok {
                true => outputs::pass(self.random, check.runner),
                false => outputs::fail(self.random, check.runner, "src/intake"),
            };
            output.push('\n');
        }
        output += match passes {
            true => "[main 3f2a1c0] work\n 2 files changed, 9 insertions(+)",
            false => "husky - pre-commit script failed (code 1)",
        };
        self.record.run(&format!("{line} -m '{message}'"), passes, &output);
        for (at, (check, _)) in runs.iter().enumerate() {
            self.record.ran_within(&check.line, passes || at + 1 < runs.len());
        }
    }

    /// Commits in a repository whose hook runs a check.
    pub(crate) fn hooked(&mut self, check: &Check, script: &str, number: usize) {
        let area = *self.random.pick(&self.plan.plain_areas);
        let paths = self.edit_area(area);
        if number.is_multiple_of(2) {
            self.by_hand(check, script, &[]);
            self.pause();
        }
        let line = *self.random.pick(&["git commit", "git add -A && git commit"]);
        match number {
            3 => {
                self.commits(line, &[(check, script)], false);
                self.record.edit(&paths[0]);
                self.commits(line, &[(check, script)], true);
            }
            // Past the hook.
            5 => self.commits("git commit --no-verify", &[], true),
            _ => self.commits(line, &[(check, script)], true),
        }
    }

    /// The hook of the workspace runs in these commits, too; what they seem to show beside it is none.
    pub(crate) fn committed(&mut self, lure: Lure, bait: &Bait) {
        let hook = (&bait.hooked, HOOKED);
        let [chained, spelled, private, rare, all] = SCRIPTS;
        match lure {
            Lure::ChainedCommit => {
                self.by_hand(&bait.chained, chained, &[]);
                self.commits(
                    &format!("{} && git commit", bait.chained.line),
                    &[(&bait.chained, chained)],
                    true,
                );
            }
            Lure::OtherScript => {
                self.by_hand(&bait.spelled, spelled, &[]);
                let staged = Check { line: format!("{}-staged", bait.spelled.line), ..bait.spelled.clone() };
                self.commits("git commit", &[hook, (&staged, "spell-check --staged")], true);
            }
            Lure::OneCommitter => {
                self.by_hand(&bait.private, private, &[]);
                self.commits("git commit", &[hook, (&bait.private, private)], true);
            }
            Lure::RareHook => {
                self.by_hand(&bait.rare, rare, &[]);
                self.commits("git commit", &[hook, (&bait.rare, rare)], true);
            }
            _ => {
                self.by_hand(&bait.wider, all, &[hook]);
                self.commits("git commit", &[hook], true);
            }
        }
    }
}
