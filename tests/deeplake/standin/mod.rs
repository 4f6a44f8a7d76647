//! The service, as it answers and as it misbehaves, over tables in memory.
//!
//! `statement.rs` parses what may be asked; anything else is a `QUERY_ERROR`. A write is seen by reads,
//! those of an INSERT's own WHERE NOT EXISTS included, only after `staleness`.

#![allow(dead_code, unreachable_pub, reason = "tests and the benchmark use their parts")]

mod statement;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use statement::{Filter, Statement};

pub const TOKEN: &str = "dl-token-THAT-NOBODY-SHOWS";
pub const ORG: &str = "0b7e4c1a-org";
pub const WORKSPACE: &str = "shop";

/// A row: column to value.
pub type Row = BTreeMap<String, Value>;

/// How it misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// How often each happens: 429, 500, 503 before anything is done; `502-after-commit`, `late` (an
    /// answer after the client's patience) and `cut` after it; `403-html`; `slow`.
    pub rates: Vec<(&'static str, f64)>,
    /// What `slow` takes.
    pub slow: Duration,
    /// What `late` takes.
    pub late: Duration,
    /// What every request takes.
    pub latency: Duration,
    /// Reads lack what was written so lately.
    pub staleness: Duration,
    /// Every request is answered so.
    pub always: Option<(u16, &'static str)>,
    /// A statement that contains this is refused.
    pub poison: Option<&'static str>,
}

#[derive(Debug, Default)]
struct Table {
    columns: Vec<(String, String)>,
    rows: Vec<(Instant, Row)>,
    /// When the first row of an id was written.
    ids: BTreeMap<String, Instant>,
}

#[derive(Debug, Default)]
struct Inner {
    tables: BTreeMap<String, Table>,
    faults: Faults,
    dice: u64,
    requests: u64,
    bytes: u64,
    largest: usize,
    injected: BTreeMap<&'static str, u64>,
    statements: Vec<String>,
}

/// A running stand-in.
#[derive(Debug, Clone)]
pub struct StandIn {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl StandIn {
    /// Serves on a free port of this runtime.
    pub async fn start(faults: Faults) -> Self {
        let inner = Arc::new(Mutex::new(Inner { faults, dice: 0x9e37_79b9_7f4a_7c15, ..Inner::default() }));
        let router = Router::new()
            .route("/workspaces/{workspace}/tables/query", post(query))
            .route("/health", get(|| async { "{\"status\":\"ok\"}" }))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.inner().faults);
    }

    /// Every row of a table, seen by reads or not.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let inner = self.inner();
        inner
            .tables
            .get(table)
            .map_or_else(Vec::new, |table| table.rows.iter().map(|(_, row)| row.clone()).collect())
    }

    pub fn rows_count(&self, table: &str) -> usize {
        self.inner().tables.get(table).map_or(0, |table| table.rows.len())
    }

    /// Carries out a statement at once and without faults, as some other client.
    pub fn execute(&self, sql: &str) -> Value {
        self.inner().execute(sql).unwrap()
    }

    /// Lets everything written so far be seen.
    pub fn settle(&self) {
        let long_ago = Instant::now() - Duration::from_secs(3600);
        for table in self.inner().tables.values_mut() {
            table.rows.iter_mut().for_each(|(written, _)| *written = long_ago);
            table.ids.values_mut().for_each(|written| *written = long_ago);
        }
    }

    pub fn drop_table(&self, table: &str) {
        self.inner().tables.remove(table);
    }

    pub fn columns(&self, table: &str) -> Vec<String> {
        self.inner().tables[table].columns.iter().map(|(name, _)| name.clone()).collect()
    }

    /// (requests, bytes of their bodies, the longest body)
    pub fn traffic(&self) -> (u64, u64, usize) {
        let inner = self.inner();
        (inner.requests, inner.bytes, inner.largest)
    }

    pub fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.inner().injected.clone()
    }

    pub fn statements(&self) -> Vec<String> {
        self.inner().statements.clone()
    }
}

async fn query(State(inner): State<Arc<Mutex<Inner>>>, headers: HeaderMap, body: Bytes) -> Response {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (fault, faults) = {
        let mut inner = inner.lock().unwrap();
        inner.requests += 1;
        inner.bytes += body.len() as u64;
        inner.largest = inner.largest.max(body.len());
        (inner.roll(), inner.faults.clone())
    };
    tokio::time::sleep(faults.latency).await;
    if header("authorization") != format!("Bearer {TOKEN}") {
        let echo = format!("unauthorized: {}", header("authorization"));
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({ "error": echo }))).into_response();
    }
    if header("x-activeloop-org-id") != ORG {
        return (StatusCode::FORBIDDEN, axum::Json(json!({ "error": "organization mismatch" })))
            .into_response();
    }
    if let Some((status, body)) = faults.always {
        return (StatusCode::from_u16(status).unwrap(), body).into_response();
    }
    match fault {
        Some("403-html") => return (StatusCode::FORBIDDEN, Html("<html>Forbidden</html>")).into_response(),
        Some("slow") => tokio::time::sleep(faults.slow).await,
        Some(code @ ("429" | "500" | "503")) => {
            let status = StatusCode::from_u16(code.parse().unwrap()).unwrap();
            let retry = [("retry-after", "0")];
            return (status, retry, axum::Json(json!({ "error": "try again" }))).into_response();
        }
        _ => {}
    }
    let request: Value = serde_json::from_slice(&body).unwrap();
    let sql = request["query"].as_str().unwrap();
    let done = inner.lock().unwrap().execute(sql);
    let answer = match done {
        Ok(rows) => axum::Json(rows).into_response(),
        Err(error) => {
            let error = json!({ "error": format!("Database error: {error}"), "code": "QUERY_ERROR" });
            return (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(error)).into_response();
        }
    };
    match fault {
        Some("502-after-commit") => {
            (StatusCode::BAD_GATEWAY, Html("<html>Bad Gateway</html>")).into_response()
        }
        Some("late") => {
            tokio::time::sleep(faults.late).await;
            answer
        }
        // An answer that ends in its middle.
        Some("cut") => (StatusCode::OK, "{\"columns\":[\"id\"],\"ro").into_response(),
        _ => answer,
    }
}

impl Inner {
    fn roll(&mut self) -> Option<&'static str> {
        for (kind, rate) in self.faults.rates.clone() {
            self.dice ^= self.dice << 13;
            self.dice ^= self.dice >> 7;
            self.dice ^= self.dice << 17;
            if (self.dice >> 11) as f64 / (1_u64 << 53) as f64 <= rate {
                *self.injected.entry(kind).or_default() += 1;
                return Some(kind);
            }
        }
        None
    }

    fn execute(&mut self, sql: &str) -> Result<Value, String> {
        self.statements.push(sql.chars().take(400).collect());
        if self.faults.poison.is_some_and(|poison| sql.starts_with("INSERT") && sql.contains(poison)) {
            return Err("Failed to insert tuple: vector::at out of range".to_owned());
        }
        let seen_until = Instant::now().checked_sub(self.faults.staleness).unwrap();
        let statement = statement::parse(sql)?;
        let rows: Vec<Vec<Value>> = match statement {
            Statement::CreateTable { table, columns } => {
                self.tables.entry(table).or_insert(Table { columns, ..Table::default() });
                Vec::new()
            }
            Statement::CreateIndex { table } => self.table(&table).map(|_| Vec::new())?,
            Statement::AddColumn { table, column, kind } => {
                let table = self.table(&table)?;
                if table.columns.iter().any(|(name, _)| *name == column) {
                    return Err(format!("Column '{column}' already exists"));
                }
                table.columns.push((column, kind));
                Vec::new()
            }
            Statement::Columns { table, schema } => {
                let table = self.tables.get(&table).filter(|_| schema == WORKSPACE);
                let columns = table.into_iter().flat_map(|table| &table.columns);
                columns.map(|(name, _)| vec![json!(name)]).collect()
            }
            Statement::Insert { table, columns, rows } => {
                self.table(&table)?.insert(&table, &columns, rows, seen_until)?;
                Vec::new()
            }
            Statement::Select { table, columns, filter, order, limit } => {
                self.table(&table)?.select(&columns, &filter, &order, limit, seen_until)?
            }
            Statement::Delete { table, filter } => {
                self.table(&table)?.delete(&filter, seen_until);
                Vec::new()
            }
        };
        Ok(json!({ "columns": [], "row_count": rows.len(), "rows": rows }))
    }

    fn table(&mut self, name: &str) -> Result<&mut Table, String> {
        self.tables.get_mut(name).ok_or_else(|| format!("relation \"{name}\" does not exist"))
    }
}

impl Table {
    fn insert(
        &mut self,
        name: &str,
        columns: &[String],
        rows: Vec<Vec<Value>>,
        seen_until: Instant,
    ) -> Result<(), String> {
        for column in columns {
            let known = self.columns.iter().find(|(name, _)| name == column);
            known.ok_or_else(|| format!("column \"{column}\" of relation \"{name}\" does not exist"))?;
        }
        let now = Instant::now();
        for row in rows {
            let row: Row = columns.iter().cloned().zip(row).collect();
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            if self.ids.get(&id).is_none_or(|written| *written > seen_until) {
                self.ids.entry(id).or_insert(now);
                self.rows.push((now, row));
            }
        }
        Ok(())
    }

    fn delete(&mut self, filter: &Filter, seen_until: Instant) {
        self.rows.retain(|(written, row)| *written > seen_until || !filter.admits(row));
        let left: std::collections::BTreeSet<&str> =
            self.rows.iter().filter_map(|(_, row)| row["id"].as_str()).collect();
        self.ids.retain(|id, _| left.contains(id.as_str()));
    }

    fn select(
        &self,
        columns: &[String],
        filter: &Filter,
        order: &[(String, bool)],
        limit: usize,
        seen_until: Instant,
    ) -> Result<Vec<Vec<Value>>, String> {
        for column in columns.iter().chain(order.iter().map(|(column, _)| column)) {
            if !self.columns.iter().any(|(name, _)| name == column) {
                return Err(format!("column \"{column}\" does not exist"));
            }
        }
        let wanted = filter.ids();
        let admits = |row: &Row| match &wanted {
            Some(ids) => row["id"].as_str().is_some_and(|id| ids.contains(id)),
            None => filter.admits(row),
        };
        let seen = self.rows.iter().filter(|(written, row)| *written <= seen_until && admits(row));
        let mut rows: Vec<&Row> = seen.map(|(_, row)| row).collect();
        let sortable = |row: &Row, column: &str| match &row[column] {
            Value::Number(number) => format!("{:020}", number.as_i64().unwrap()),
            other => other.to_string(),
        };
        for (column, descends) in order.iter().rev() {
            rows.sort_by_key(|row| sortable(row, column));
            if *descends {
                rows.reverse();
            }
        }
        let value = |row: &Row, column: &String| row.get(column).cloned().unwrap_or_default();
        let rows = rows.into_iter().take(limit);
        Ok(rows.map(|row| columns.iter().map(|column| value(row, column)).collect()).collect())
    }
}

impl Filter {
    /// The ids that are asked for, so that each row need not be compared with each of them.
    fn ids(&self) -> Option<std::collections::BTreeSet<&str>> {
        match self {
            Self::OneOf { column, values } if column == "id" => {
                Some(values.iter().filter_map(Value::as_str).collect())
            }
            _ => None,
        }
    }

    fn admits(&self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::OneOf { column, values } => row.get(column).is_some_and(|value| values.contains(value)),
            Self::Ours { sessions } => {
                row["plugin_version"].as_str().is_some_and(|version| version.starts_with("skillspan "))
                    && sessions.contains(&row["message"]["session_id"])
            }
        }
    }
}
