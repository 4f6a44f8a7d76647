//! Skillify: mining of the sessions table. Pure but for the LLM calls.
/// TEMP
#[derive(Debug, Clone)]
pub struct Config { /// .
 pub min_sessions: usize, /// .
 pub min_people: usize }
