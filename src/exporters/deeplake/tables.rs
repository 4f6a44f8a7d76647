//! Creates tables and columns that are missing.

use super::client::{Client, Failure};
use super::sql::{self, Schema};

/// Creates the table where there is none, and adds the columns that it lacks. Doing it again changes
/// nothing.
pub(super) async fn ensure(
    client: &Client,
    workspace: &str,
    table: &str,
    schema: &Schema,
) -> Result<(), Failure> {
    let columns: Vec<String> =
        client.query(&sql::columns_of(table, workspace)).await?.first_column().collect();
    if columns.is_empty() {
        tolerate_existing(client.query(&sql::create_table(table, schema)).await)?;
        // Without an index everything works, slower.
        if let Err(failure) = client.query(&sql::create_index(table, schema)).await {
            tracing::info!(table, %failure, "the table's index was not created");
        }
        return Ok(());
    }
    for (name, kind) in schema.columns {
        if !columns.iter().any(|column| column == name) {
            tracing::info!(table, column = name, "a column is added");
            tolerate_existing(client.query(&sql::add_column(table, name, kind)).await)?;
        }
    }
    Ok(())
}

/// Another writer was faster, or an attempt whose answer was lost.
fn tolerate_existing<T>(done: Result<T, Failure>) -> Result<(), Failure> {
    match done {
        Err(failure) if failure.is_there_already() => Ok(()),
        done => done.map(drop),
    }
}
