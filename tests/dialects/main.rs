//! What the dialects make of what real clients sent.
//!
//! | file | holds |
//! |---|---|
//! | `arrival.rs` | the same sessions however their records arrive |
//! | `both_ways.rs` | sessions by telemetry and hooks at once, and in the order in which they happened |
//! | `captures.rs` | recorded request bodies, and their replay through the dialects |
//! | `sessions.rs` | sessions as readers put them together, cut into turns |
//! | `truth.rs` | every recorded session of an assistant against what happened in it |
//! | `assistants.rs` | what the assistants' recorded sessions show besides |
//! | `from_documentation.rs` | dialects without recorded sessions, against records built by hand |
//! | `claude_code.rs` | Claude Code against its recorded sessions |
//! | `costs.rs` | what sessions cost, as their clients count |
//! | `genai.rs` | the GenAI conventions, record by record |
//! | `frameworks.rs` | every framework against the same recorded sessions |
//! | `feedback.rs` | scores, in the forms that frameworks give them |
//! | `langfuse.rs` | Langfuse's ingestion, event by event |
//! | `hard_cases.rs` | what recorded sessions seldom show |
//! | `mappings.rs` | agents that a configuration describes |
//! | `spans.rs` | spans written by hand |
//! | `sub_agents.rs` | agents that are tools of other agents |
//! | `transcripts.rs` | what the files of assistants tell |
//! | `stopped.rs` | calls that were refused or stopped, as files tell them |
//! | `databases.rs` | what the rows of assistants' databases tell |
//! | `identity.rs` | one call is one fact, whatever its ids and spans |
//! | `lost_skills.rs` | skills that sessions show only if their calls are read right |
//! | `found.rs` | faults that made-up sessions have shown |
//! | `people.rs` | who said what, and what no person said |
//! | `hooks.rs` | hooks against recorded sessions, and from documentation |
//! | `records.rs` | what holds for every dialect and every record, hostile ones included |

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test's helpers fail the test; clippy's own exemption covers test functions alone"
)]

mod arrival;
mod assistants;
mod both_ways;
mod captures;
mod claude_code;
mod costs;
mod databases;
mod feedback;
mod found;
mod frameworks;
mod from_documentation;
mod genai;
mod hard_cases;
mod hooks;
mod identity;
mod langfuse;
mod lost_skills;
mod mappings;
mod names;
mod people;
mod records;
mod sessions;
mod spans;
mod stopped;
mod sub_agents;
mod transcripts;
mod truth;
