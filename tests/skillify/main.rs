//! Mining: what becomes a skill and what must not.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../support/model_server.rs"]
mod model_server;
#[path = "../support/sessions.rs"]
mod sessions;

mod absent;
mod account;
mod belongs;
mod causes;
mod claims;
mod database;
mod digest_files;
mod embedder;
mod guard;
mod increments;
mod later;
mod llm;
mod news;
mod noise;
mod own;
mod places;
mod predicates;
mod procedures;
mod repairs;
mod rule_deeds;
mod rule_injections;
mod rules;
mod runs;
mod safety;
mod scripts;
mod settings;
mod stability;
mod tools;
mod varying;
mod vectors;
mod verified;
mod windows;
