//! The mappings of a sessions pipeline.

use std::collections::BTreeSet;

use crate::dialects::UserMapping;

use super::raw::{Pipeline, Processor};
use super::resolver::{ResolveError, Resolver};
use super::settings::{ReceiverSettings, SessionsPipeline};

impl Resolver<'_> {
    /// The mappings that a pipeline names, in order. They run before the other processors, which see the mapped events.
    pub(super) fn mappings(
        &mut self,
        name: &str,
        pipeline: &Pipeline,
    ) -> Result<Vec<UserMapping>, ResolveError> {
        let mut mappings: Vec<UserMapping> = Vec::new();
        let mut names = BTreeSet::new();
        let mut follows_another = false;
        for (index, id) in pipeline.processors.iter().enumerate() {
            let Some(Processor::Mappings(written)) = self.raw.processors.0.get(id) else {
                follows_another = true;
                continue;
            };
            if follows_another {
                let at = ["service", "pipelines", name, "processors", &index.to_string()];
                return Err(self.invalid(&at, &format!("`{id}` makes the events: write it first")));
            }
            for (place, mapping) in written.iter().enumerate() {
                if !names.insert(mapping.name.clone()) {
                    let at = ["processors", id, &place.to_string(), "name"];
                    let message = format!("a second mapping is named `{}`", mapping.name.as_str());
                    return Err(self.invalid(&at, &message));
                }
            }
            mappings.extend(written.iter().cloned());
            self.used.insert(format!("processors.{id}"));
        }
        Ok(mappings)
    }

    /// A receiver maps a record once, for all of its pipelines.
    pub(super) fn check_that_mappings_agree(
        &self,
        receivers: &[ReceiverSettings],
        sessions: &[SessionsPipeline],
    ) -> Result<(), ResolveError> {
        for receiver in receivers {
            let mut fed = sessions.iter().filter(|pipeline| receiver.feeds(pipeline));
            let Some(first) = fed.next() else { continue };
            if let Some(other) = fed.find(|pipeline| pipeline.mappings != first.mappings) {
                let at = ["service", "pipelines", &other.name, "processors"];
                let message = format!(
                    "`{}` feeds `{}` too, with other mappings, and maps each record once; write the same",
                    receiver.id, first.name
                );
                return Err(self.invalid(&at, &message));
            }
        }
        Ok(())
    }
}
