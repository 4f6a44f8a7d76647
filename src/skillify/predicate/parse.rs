//! A line becomes a predicate, or an error that says where, what was expected and what may be meant.

use super::super::speech::Want;
use super::super::template::Template;
use super::Listed;
use super::ast::{
    Action, Class, Ending, Event, Expected, Look, Pattern, Predicate, Relation, Saying, Scope, want_word,
};
use super::lexer::ParseError;
use super::lexer::{Token, TokenKind, tokens};

/// More steps than this are a procedure, not a predicate.
const MOST_STEPS: usize = 8;
/// More texts than this are no choice.
const MOST_TEXTS: usize = 16;

/// The words that begin an event.
const EVENTS: [&str; 11] =
    ["edit", "run", "pass", "fail", "refuse", "look", "read", "miss", "search", "prompt", "want"];
const RESULTS: [&str; 7] = ["pass", "fail", "clean", "accept", "refuse", "found", "missing"];

/// Reads one predicate.
pub(super) fn predicate(line: &str) -> Result<Predicate, ParseError> {
    let tokens = tokens(line)?;
    let end = line.chars().count() + 1;
    let mut parser = Parser { tokens: &tokens, at: 0, end };
    let predicate = parser.predicate()?;
    match parser.peek() {
        None => Ok(predicate),
        Some(token) => {
            let mut known = vec!["within", "expect"];
            if predicate.scope != Scope::Session || predicate.expected.is_some() {
                known.remove(0);
            }
            if predicate.expected.is_some() {
                known.clear();
            }
            Err(unexpected(Some(token), end, "the end of the line", &known))
        }
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
    /// Behind the last character.
    end: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn word(&self) -> Option<&'t str> {
        match self.peek().map(|token| &token.kind) {
            Some(TokenKind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Takes the word, if it comes next.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.word() == Some(word);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes one of the words that comes next.
    fn one_of<T: Copy>(&mut self, all: &[T], name: impl Fn(T) -> &'static str) -> Option<T> {
        let word = self.word()?;
        let found = all.iter().copied().find(|one| name(*one) == word)?;
        self.at += 1;
        Some(found)
    }

    fn fails<T>(&self, expected: &str, known: &[&str]) -> Result<T, ParseError> {
        Err(unexpected(self.peek(), self.end, expected, known))
    }

    /// The text that must come next; `what` names its role in errors.
    fn text(&mut self, what: &str) -> Result<(String, usize), ParseError> {
        match self.peek() {
            Some(Token { kind: TokenKind::Text(text), column }) => {
                self.at += 1;
                if text.trim() != text || text.is_empty() {
                    let message = format!("{what} is empty, or begins or ends with a space");
                    return Err(ParseError::new(*column, message));
                }
                Ok((text.clone(), *column))
            }
            _ => self.fails(&format!("{what} between quotation marks"), &[]),
        }
    }

    fn predicate(&mut self) -> Result<Predicate, ParseError> {
        let Some(relation) = self.one_of(&Relation::ALL, Relation::as_str) else {
            return self.fails("after, before or with", &["after", "before", "with"]);
        };
        let situation = self.event()?;
        let action = self.action()?;
        let mut scope = Scope::default();
        if self.takes("within") {
            match self.one_of(&Scope::ALL, Scope::as_str) {
                Some(found) => scope = found,
                None => return self.fails("turn, work or session", &["turn", "work", "session"]),
            }
        }
        let expected =
            if self.takes("expect") { Some(self.expected(&situation, action.as_ref())?) } else { None };
        if action.is_none() && expected.is_none() {
            let known = [&EVENTS[..], &["no", "expect", "saying", "or", "within"]].concat();
            return self.fails("an action, or expect and a result", &known);
        }
        Ok(Predicate { relation, situation, action, scope, expected })
    }

    fn action(&mut self) -> Result<Option<Action>, ParseError> {
        if self.takes("no") {
            return Ok(Some(Action::No(self.event()?)));
        }
        if self.word().is_none_or(|word| !EVENTS.contains(&word)) {
            return Ok(None);
        }
        let mut steps = vec![self.event()?];
        while self.word() == Some("then") {
            if steps.len() == MOST_STEPS {
                return self.fails(&format!("no more than {MOST_STEPS} steps"), &[]);
            }
            self.at += 1;
            steps.push(self.event()?);
        }
        Ok(Some(Action::Steps(steps)))
    }

    fn event(&mut self) -> Result<Event, ParseError> {
        let word = self.word().filter(|word| EVENTS.contains(word));
        let Some(word) = word else {
            return self.fails(&format!("an event ({})", Listed(&EVENTS)), &EVENTS);
        };
        self.at += 1;
        let ending = match word {
            "run" => Ending::Any,
            "pass" => Ending::Pass,
            "fail" => Ending::Fail,
            "refuse" => Ending::Refuse,
            "edit" => return self.edit(Ending::Any),
            "search" => return Ok(Event::Search { name: self.text("the name")?.0 }),
            "prompt" => {
                let class = self.one_of(&Class::ALL, Class::as_str);
                let is_class = |word: &str| !is_after_a_class(word);
                if class.is_none() && self.word().is_some_and(is_class) {
                    let known: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
                    return self.fails(&format!("a kind of prompt ({}) or saying", Listed(&known)), &known);
                }
                return Ok(Event::Prompt { class, saying: self.saying()? });
            }
            "want" => return self.want(),
            look => {
                let found = match look {
                    "read" => Look::Found,
                    "miss" => Look::Missed,
                    _ => Look::Any,
                };
                return Ok(Event::Look { found, path: self.path()? });
            }
        };
        if matches!(ending, Ending::Fail | Ending::Refuse) && self.takes("edit") {
            return self.edit(ending);
        }
        let command = self.command()?;
        Ok(Event::Run { ending, command, saying: self.saying()? })
    }

    fn edit(&mut self, ending: Ending) -> Result<Event, ParseError> {
        let path = self.path()?;
        Ok(Event::Edit { ending, path, saying: self.saying()? })
    }

    fn want(&mut self) -> Result<Event, ParseError> {
        const WANTS: [Want; 4] = [Want::Do, Want::Not, Want::Ask, Want::Free];
        let Some(want) = self.one_of(&WANTS, want_word) else {
            return self.fails("do, not, ask or free", &["do", "not", "ask", "free"]);
        };
        let act = self.text("the act")?.0;
        let name = if self.takes("about") { Some(self.text("the name")?.0) } else { None };
        Ok(Event::Want { want, act, name })
    }

    fn path(&mut self) -> Result<String, ParseError> {
        let (path, column) = self.text("the path")?;
        let is_plain = |char: char| !char.is_whitespace() && !"\"'`|;&<>".contains(char);
        if !path.chars().all(is_plain) {
            let message = "a path has no white space and no signs of a shell".to_owned();
            return Err(ParseError::new(column, message));
        }
        if path.starts_with(['/', '~']) || path.split('/').any(|part| part == "..") {
            let message = "a path begins at the root of the repository".to_owned();
            return Err(ParseError::new(column, message));
        }
        Ok(path)
    }

    fn command(&mut self) -> Result<Pattern, ParseError> {
        let (text, column) = self.text("the command")?;
        let (words, more) = match text.strip_suffix("...").map(str::trim_end) {
            Some(words) if text.len() > words.len() + 3 => (words.to_owned(), true),
            _ => (text, false),
        };
        match Template::parse(&words).filter(|template| template.program().is_some()) {
            Some(_) => Ok(Pattern { text: words, more }),
            None => {
                let message = "this is no single command: name one, without a chain".to_owned();
                Err(ParseError::new(column, message))
            }
        }
    }

    fn saying(&mut self) -> Result<Saying, ParseError> {
        let mut saying = Saying::new();
        if self.takes("saying") {
            saying.push(self.text("the text")?.0);
            while self.takes("or") {
                if saying.len() == MOST_TEXTS {
                    return self.fails(&format!("no more than {MOST_TEXTS} texts"), &[]);
                }
                saying.push(self.text("the text")?.0);
            }
        }
        Ok(saying)
    }

    fn expected(&mut self, situation: &Event, action: Option<&Action>) -> Result<Expected, ParseError> {
        let column = self.peek().map_or(self.end, |token| token.column);
        let clean = self.takes("clean");
        let told = match action {
            None => Some(situation),
            Some(Action::Steps(steps)) => steps.last(),
            Some(Action::No(_)) => None,
        };
        let passes = match self.word() {
            Some("pass") => true,
            Some("fail") => false,
            _ if clean => return self.fails("pass or fail", &["pass", "fail"]),
            Some(word) if RESULTS.contains(&word) => {
                self.at += 1;
                return self.result(word, told, column);
            }
            _ => return self.fails(&format!("a result ({})", Listed(&RESULTS)), &RESULTS),
        };
        self.at += 1;
        let is_named = matches!(self.peek().map(|token| &token.kind), Some(TokenKind::Text(_)));
        let command = match (is_named, told, situation) {
            (true, ..) => Some(self.command()?),
            // After an edit without a command of its own, the command of the situation is meant.
            (false, Some(Event::Edit { .. }), Event::Run { command, .. }) => Some(command.clone()),
            _ => None,
        };
        if command.is_none() && !matches!(told, Some(Event::Run { .. })) {
            let message = "nothing that is run stands here; name the command that passes or fails".to_owned();
            return Err(ParseError::new(self.peek().map_or(self.end, |token| token.column), message));
        }
        Ok(Expected::Ends { passes, clean, command, saying: self.saying()? })
    }

    fn result(&mut self, word: &str, told: Option<&Event>, column: usize) -> Result<Expected, ParseError> {
        let looks = matches!(told, Some(Event::Look { .. } | Event::Search { .. }));
        Ok(match word {
            "accept" => Expected::Accept,
            "refuse" if matches!(told, Some(Event::Run { .. } | Event::Edit { .. })) => Expected::Refuse,
            "found" if looks => Expected::Found(self.path()?),
            "missing" if matches!(told, Some(Event::Look { .. })) => Expected::Missing,
            "refuse" => {
                let message = "only what is run or edited can be refused; name it before expect".to_owned();
                return Err(ParseError::new(column, message));
            }
            _ => {
                let message =
                    format!("{word} tells of a look: write look, or search, before expect").to_owned();
                return Err(ParseError::new(column, message));
            }
        })
    }
}

/// Whether a word may stand behind `prompt` and is no class.
fn is_after_a_class(word: &str) -> bool {
    EVENTS.contains(&word) || ["saying", "then", "no", "within", "expect"].contains(&word)
}

fn unexpected(token: Option<&Token>, end: usize, expected: &str, known: &[&str]) -> ParseError {
    let Some(token) = token else {
        return ParseError::new(end, format!("expected {expected}, found the end of the line"));
    };
    let message = match &token.kind {
        TokenKind::Text(_) => format!("expected {expected}, found a text"),
        TokenKind::Word(word) => {
            let meant = nearest(word, known).map(|near| format!("; did you mean `{near}`?"));
            format!("expected {expected}, found `{word}`{}", meant.unwrap_or_default())
        }
    };
    ParseError::new(token.column, message)
}

/// The known word that is written nearly so.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, known);
    let nearest = known.iter().copied().min_by_key(|known| distance(known))?;
    (distance(nearest) <= nearest.len().div_ceil(3)).then_some(nearest)
}
