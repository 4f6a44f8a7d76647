//! What the sessions cost and why: summed, and in the tables that a terminal, a page and JSON show.
//!
//! | file | holds |
//! |---|---|
//! | `tally.rs` | what is summed over sessions |
//! | `names.rs` | persons' names, taken out of what is shown |
//! | `view.rs` | what is shown, in whatever form |
//! | `make.rs` | the report as a whole |
//! | `sections.rs` | its tables |
//! | `json.rs` | the same as JSON |
//! | `chart.rs` | its charts, as SVG |
//! | `escape.rs` | texts in HTML |

pub(crate) mod chart;
mod escape;
mod json;
mod make;
mod names;
mod sections;
mod tally;
mod view;

use std::time::Duration;

use crate::config::Settings;
use crate::library::{Library, WatchedSkill};

pub(crate) use escape::{Coded, Text};
pub(crate) use json::{json, value};
pub(crate) use names::{Names, of_home, without_homes};
pub(crate) use tally::{Cost, Tally, add_to_skills};
pub(crate) use view::{Cell, Heading, Section, View, grouped, plain, shown, tenths};

/// What is looked at where nobody says since when.
pub(crate) const USUAL: Duration = Duration::from_secs(30 * 24 * 3600);

/// The skills of one library.
pub(crate) struct Published {
    pub(crate) library: Library,
    pub(crate) skills: Vec<WatchedSkill>,
}

/// The skills at the targets. A target that cannot be read is named and does not hide the others.
pub(crate) fn published(settings: &Settings, left_out: impl Fn(String)) -> Vec<Published> {
    let targets = settings.skills.iter().flat_map(|pipeline| &pipeline.targets);
    let mut all: Vec<Published> = Vec::new();
    for target in targets {
        match target.load() {
            Ok(library) => {
                let skills = library.watched();
                // Several targets may hold the same skills.
                let is_known = |known: &Published| known.skills == skills;
                if !all.iter().any(is_known) {
                    all.push(Published { library, skills });
                }
            }
            Err(error) => left_out(format!("the skills at {target} are left out: {error}")),
        }
    }
    all
}
