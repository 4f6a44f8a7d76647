//! The statements that clients may send, parsed strictly: anything else is refused.

use serde_json::Value;

/// A parsed statement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Statement {
    CreateTable { table: String, columns: Vec<(String, String)> },
    CreateIndex { table: String },
    AddColumn { table: String, column: String, kind: String },
    Columns { table: String, schema: String },
    Insert { table: String, columns: Vec<String>, rows: Vec<Vec<Value>> },
    Select { table: String, columns: Vec<String>, filter: Filter, order: Vec<(String, bool)>, limit: usize },
    Delete { table: String, filter: Filter },
}

/// A WHERE clause.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    All,
    OneOf {
        column: String,
        values: Vec<Value>,
    },
    /// Our rows of some sessions.
    Ours {
        sessions: Vec<Value>,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Name(String),
    Text(String),
    Number(i64),
    Symbol(char),
}

pub(super) fn parse(sql: &str) -> Result<Statement, String> {
    if sql.contains('\0') {
        return Err("invalid byte sequence for encoding UTF8: 0x00".to_owned());
    }
    let mut parser = Parser { tokens: tokens(sql)?, at: 0 };
    let statement = parser.statement()?;
    match parser.tokens.get(parser.at) {
        None => Ok(statement),
        Some(token) => Err(format!("syntax error at or near {token:?}")),
    }
}

fn tokens(sql: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\n' => {}
            // standard_conforming_strings: only the quote is doubled.
            '\'' | '"' => {
                let mut text = String::new();
                loop {
                    match chars.next() {
                        Some(next) if next == char && chars.peek() == Some(&char) => {
                            chars.next();
                            text.push(char);
                        }
                        Some(next) if next == char => break,
                        Some(next) => text.push(next),
                        None => return Err("unterminated quoted string".to_owned()),
                    }
                }
                tokens.push(if char == '"' { Token::Name(text) } else { Token::Text(text) });
            }
            '0'..='9' => {
                let mut digits = String::from(char);
                while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                tokens.push(Token::Number(digits.parse().map_err(|_| "bigint out of range".to_owned())?));
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let mut word = String::from(char);
                while let Some(next) = chars.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            '(' | ')' | ',' | ':' | '.' | '=' | '[' | ']' | '-' | '>' => tokens.push(Token::Symbol(char)),
            other => return Err(format!("syntax error at or near {other:?}")),
        }
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn statement(&mut self) -> Result<Statement, String> {
        if self.words("CREATE TABLE IF NOT EXISTS") {
            return self.create_table();
        }
        if self.words("CREATE INDEX IF NOT EXISTS") {
            self.name()?;
            self.expect("ON")?;
            let table = self.name()?;
            self.list(Self::name)?;
            return Ok(Statement::CreateIndex { table });
        }
        if self.words("ALTER TABLE") {
            let table = self.name()?;
            self.expect("ADD COLUMN")?;
            let (column, kind) = self.column()?;
            return Ok(Statement::AddColumn { table, column, kind });
        }
        if self.words("INSERT INTO") {
            return self.insert();
        }
        if self.words("DELETE FROM") {
            let table = self.name()?;
            return Ok(Statement::Delete { table, filter: self.filter()? });
        }
        self.expect("SELECT")?;
        self.select()
    }

    fn create_table(&mut self) -> Result<Statement, String> {
        let table = self.name()?;
        let columns = self.list(Self::column)?;
        self.expect("USING deeplake")?;
        Ok(Statement::CreateTable { table, columns })
    }

    /// `name TYPE [NOT NULL DEFAULT value]`
    fn column(&mut self) -> Result<(String, String), String> {
        let name = self.word()?;
        let kind = self.word()?;
        if !["TEXT", "JSONB", "BIGINT", "FLOAT4"].contains(&kind.as_str()) {
            return Err(format!("type \"{kind}\" does not exist"));
        }
        if self.symbol('[') && !self.symbol(']') {
            return Err("syntax error after [".to_owned());
        }
        if self.words("NOT NULL DEFAULT") {
            self.value()?;
        }
        Ok((name, kind))
    }

    fn insert(&mut self) -> Result<Statement, String> {
        let table = self.name()?;
        let columns = self.list(Self::word)?;
        self.expect("SELECT")?;
        let is_batch = matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word == "v");
        let rows = if is_batch { self.batch(&table, &columns)? } else { vec![self.single(&table)?] };
        match rows.iter().find(|row| row.len() != columns.len()) {
            Some(row) => Err(format!("{} values for {} columns", row.len(), columns.len())),
            None => Ok(Statement::Insert { table, columns, rows }),
        }
    }

    /// `v.a, v.b FROM (VALUES (…), (…)) AS v(a, b) WHERE NOT EXISTS (…)`
    fn batch(&mut self, table: &str, columns: &[String]) -> Result<Vec<Vec<Value>>, String> {
        for (index, column) in columns.iter().enumerate() {
            if index > 0 && !self.symbol(',') {
                return Err("expected a comma".to_owned());
            }
            self.expect("v")?;
            if !self.symbol('.') || self.word()? != *column {
                return Err(format!("expected v.{column}"));
            }
        }
        self.expect("FROM")?;
        self.open()?;
        self.expect("VALUES")?;
        let mut rows = vec![self.list(Self::value)?];
        while self.symbol(',') {
            rows.push(self.list(Self::value)?);
        }
        self.close()?;
        self.expect("AS v")?;
        if self.list(Self::word)? != columns {
            return Err("the columns of v differ".to_owned());
        }
        self.expect("WHERE NOT EXISTS")?;
        self.open()?;
        self.expect("SELECT")?;
        self.value()?;
        self.expect("FROM")?;
        if self.name()? != table {
            return Err("another table is asked".to_owned());
        }
        self.expect("AS t WHERE t")?;
        if !(self.symbol('.')
            && self.words("id")
            && self.symbol('=')
            && self.words("v")
            && self.symbol('.')
            && self.words("id"))
        {
            return Err("expected t.id = v.id".to_owned());
        }
        self.close()?;
        Ok(rows)
    }

    /// `value, value WHERE NOT EXISTS (SELECT 1 FROM "t" WHERE id = 'x')`
    fn single(&mut self, table: &str) -> Result<Vec<Value>, String> {
        let mut row = vec![self.value()?];
        while self.symbol(',') {
            row.push(self.value()?);
        }
        self.expect("WHERE NOT EXISTS")?;
        self.open()?;
        self.expect("SELECT")?;
        self.value()?;
        self.expect("FROM")?;
        if self.name()? != table {
            return Err("another table is asked".to_owned());
        }
        self.expect("WHERE id")?;
        if !self.symbol('=') || self.value()? != row[0] {
            return Err("another id is asked for".to_owned());
        }
        self.close()?;
        Ok(row)
    }

    fn select(&mut self) -> Result<Statement, String> {
        let mut columns = vec![self.word()?];
        while self.symbol(',') {
            columns.push(self.word()?);
        }
        self.expect("FROM")?;
        if self.words("information_schema") {
            if !self.symbol('.') {
                return Err("expected a dot".to_owned());
            }
            self.expect("columns WHERE table_name")?;
            let table = self.equal()?;
            self.expect("AND table_schema")?;
            return Ok(Statement::Columns { table, schema: self.equal()? });
        }
        let table = self.name()?;
        let filter = self.filter()?;
        let mut order = Vec::new();
        if self.words("ORDER BY") {
            loop {
                let column = self.word()?;
                let descends = self.words("DESC");
                if !descends {
                    self.expect("ASC")?;
                }
                order.push((column, descends));
                if !self.symbol(',') {
                    break;
                }
            }
        }
        let limit = if self.words("LIMIT") { self.value()?.as_u64().ok_or("no limit")? } else { u64::MAX };
        Ok(Statement::Select {
            table,
            columns,
            filter,
            order,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }

    fn filter(&mut self) -> Result<Filter, String> {
        if !self.words("WHERE") {
            return Ok(Filter::All);
        }
        if self.words("plugin_version LIKE") {
            if self.value()? != "skillspan %" {
                return Err("another pattern".to_owned());
            }
            self.expect("AND message")?;
            if !(self.symbol('-') && self.symbol('>') && self.symbol('>')) || self.value()? != "session_id" {
                return Err("expected message->>'session_id'".to_owned());
            }
            self.expect("IN")?;
            return Ok(Filter::Ours { sessions: self.list(Self::value)? });
        }
        let column = self.word()?;
        let values = if self.symbol('=') {
            vec![self.value()?]
        } else {
            self.expect("IN")?;
            self.list(Self::value)?
        };
        Ok(Filter::OneOf { column, values })
    }

    /// A literal with its cast.
    fn value(&mut self) -> Result<Value, String> {
        if self.words("NULL") {
            return Ok(Value::Null);
        }
        let value = match self.next()? {
            Token::Text(text) => Value::from(text),
            Token::Number(number) => Value::from(number),
            other => return Err(format!("syntax error at or near {other:?}")),
        };
        if !self.symbol(':') {
            return Ok(value);
        }
        if !self.symbol(':') {
            return Err("expected a cast".to_owned());
        }
        match (self.word()?.as_str(), value) {
            ("jsonb", Value::String(text)) => jsonb(&text),
            ("bigint", value @ Value::Number(_)) => Ok(value),
            (kind, _) => Err(format!("cannot cast to {kind}")),
        }
    }

    fn equal(&mut self) -> Result<String, String> {
        match (self.symbol('='), self.value()?) {
            (true, Value::String(text)) => Ok(text),
            _ => Err("expected = 'text'".to_owned()),
        }
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.open()?;
        let mut items = vec![item(self)?];
        while self.symbol(',') {
            items.push(item(self)?);
        }
        self.close()?;
        Ok(items)
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("syntax error at end of input")?;
        self.at += 1;
        Ok(token)
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(format!("syntax error at or near {other:?}")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            other => Err(format!("syntax error at or near {other:?}")),
        }
    }

    fn symbol(&mut self, wanted: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Symbol(wanted));
        self.at += usize::from(found);
        found
    }

    fn open(&mut self) -> Result<(), String> {
        if self.symbol('(') { Ok(()) } else { Err("expected (".to_owned()) }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.symbol(')') { Ok(()) } else { Err("expected )".to_owned()) }
    }

    /// Takes these words if they stand here.
    fn words(&mut self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        let here = self.tokens.iter().skip(self.at).take(words.len());
        let stand = here
            .zip(&words)
            .filter(|(token, word)| matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word)))
            .count();
        let found = stand == words.len();
        self.at += if found { words.len() } else { 0 };
        found
    }

    fn expect(&mut self, words: &str) -> Result<(), String> {
        if self.words(words) {
            return Ok(());
        }
        Err(format!("expected {words}, found {:?}", self.tokens.get(self.at)))
    }
}

/// As PostgreSQL casts: no NUL, no lone surrogate.
fn jsonb(text: &str) -> Result<Value, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("invalid input syntax for type json: {error}"))?;
    if value.to_string().contains("\\u0000") && has_nul(&value) {
        return Err("unsupported Unicode escape sequence: \\u0000 cannot be converted to text".to_owned());
    }
    Ok(value)
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}
