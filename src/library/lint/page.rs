//! A SKILL.md in its parts. Anything is read: what is missing is empty.

/// A SKILL.md.
pub(super) struct Page<'t> {
    pub(super) path: &'t str,
    /// Each with its line, from 1.
    pub(super) name: (usize, &'t str),
    pub(super) description: (usize, String),
    pub(super) title: (usize, &'t str),
    headings: Vec<(usize, &'t str, bool)>,
    /// The items of its lists.
    pub(super) items: Vec<Item<'t>>,
    /// The lines of its blocks of commands.
    pub(super) commands: Vec<(usize, &'t str)>,
}

/// One item of a list.
pub(super) struct Item<'t> {
    pub(super) line: usize,
    /// The heading that it stands under.
    section: &'t str,
    pub(super) text: &'t str,
}

impl<'t> Page<'t> {
    pub(super) fn parse(path: &'t str, text: &'t str) -> Self {
        let mut page = Self {
            path,
            name: (1, ""),
            description: (1, String::new()),
            title: (1, ""),
            headings: Vec::new(),
            items: Vec::new(),
            commands: Vec::new(),
        };
        let mut in_front_matter = false;
        let mut block = None;
        for (number, line) in (1..).zip(text.lines()) {
            match line.trim_end() {
                "---" if number == 1 => in_front_matter = true,
                "---" if in_front_matter => in_front_matter = false,
                line if in_front_matter => page.key(number, line),
                line if line.trim_start().starts_with("```") => {
                    block = match block {
                        Some(_) => None,
                        None => Some(is_of_commands(line)),
                    };
                }
                line => match block {
                    Some(of_commands) => page.command(number, line, of_commands),
                    None => page.line(number, line),
                },
            }
        }
        page
    }

    fn command(&mut self, number: usize, line: &'t str, is_one: bool) {
        let command = line.trim();
        let command = command.strip_prefix("$ ").unwrap_or(command);
        if is_one && !command.is_empty() && !command.starts_with('#') {
            self.commands.push((number, command));
        }
    }

    fn key(&mut self, number: usize, line: &'t str) {
        if let Some(name) = line.strip_prefix("name:") {
            self.name = (number, name.trim().trim_matches('"'));
        } else if let Some(description) = line.strip_prefix("description:") {
            let plain = description.trim();
            // JSON's strings are a part of YAML.
            let read = serde_json::from_str(plain).unwrap_or_else(|_| plain.to_owned());
            self.description = (number, read);
        }
    }

    fn line(&mut self, number: usize, line: &'t str) {
        if let Some(title) = line.strip_prefix("# ") {
            self.title = (number, title.trim());
        } else if let Some(heading) = line.strip_prefix("## ") {
            self.headings.push((number, heading.trim(), false));
        } else if !line.trim().is_empty() {
            let section = self.headings.last_mut().map_or("", |(_, heading, has_text)| {
                *has_text = true;
                heading
            });
            self.items.extend(item(line).map(|text| Item { line: number, section, text }));
        }
    }

    pub(super) fn is_retired(&self) -> bool {
        self.title.1.starts_with("Retired:")
    }

    pub(super) fn empty_sections(&self) -> impl Iterator<Item = (usize, &'t str)> {
        let empty = self.headings.iter().filter(|(.., has_text)| !has_text);
        empty.map(|(line, heading, _)| (*line, *heading))
    }

    /// The items that say what to do, not when.
    pub(super) fn said(&self) -> impl Iterator<Item = &Item<'t>> {
        self.items.iter().filter(|item| !matches!(item.section, "When to use" | "Evidence"))
    }
}

/// Whether a block that such a line opens holds commands.
fn is_of_commands(fence: &str) -> bool {
    let language = fence.trim_start().trim_start_matches('`').trim();
    ["", "bash", "console", "fish", "sh", "shell", "shell-session", "zsh"].contains(&language)
}

/// The text of a list's item.
fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let text = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
    text.or_else(|| {
        let (number, text) = line.split_once(". ")?;
        (!number.is_empty() && number.chars().all(|char| char.is_ascii_digit())).then_some(text)
    })
}
