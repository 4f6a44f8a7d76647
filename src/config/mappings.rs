//! The mappings of a sessions pipeline.

use std::collections::BTreeSet;

use crate::dialects::UserMapping;

use super::raw::{Pipeline, Processor};
use super::resolve::{ResolveError, Resolver};

impl Resolver<'_> {
    /// The mappings that a pipeline names, in order. They stand before the other processors, which work
    /// on what comes of them.
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
}
