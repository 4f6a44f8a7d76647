//! `processors:` what happens to events before they are stored.

use regex::Regex;

use crate::dialects::project_of;
use crate::processors::attributes::{self, Action, Keys};
use crate::processors::select::{Attribute, Pattern, Selection, Test, Workspaces};
use crate::processors::{Attributes, Filter};
use crate::redact;

use super::raw::{self, Kind, MatchType, Pipeline, Processor};
use super::resolver::{ResolveError, Resolver};
use super::settings::ProcessorSettings;

impl Resolver<'_> {
    pub(super) fn processors(
        &mut self,
        name: &str,
        pipeline: &Pipeline,
    ) -> Result<Vec<ProcessorSettings>, ResolveError> {
        let at = ["service", "pipelines", name, "processors"];
        let naming = self.naming(pipeline);
        let mut processors = Vec::new();
        for (index, id) in pipeline.processors.iter().enumerate() {
            let Some(processor) = self.raw.processors.0.get(id) else {
                return Err(self.no_such(&at, index, id, "processors", self.raw.processors.0.keys()));
            };
            let samples =
                |settings: &ProcessorSettings| matches!(settings, ProcessorSettings::Sampling { .. });
            if matches!(processor, Processor::Sampling(_)) && processors.iter().any(samples) {
                let index = index.to_string();
                let at = [at.as_slice(), &[index.as_str()]].concat();
                return Err(self.invalid(&at, "a pipeline samples once"));
            }
            processors.push(match processor {
                Processor::Mappings(_) => continue,
                Processor::Redact(redact) => self.redact(id, redact)?,
                Processor::Workspace(workspace) => {
                    ProcessorSettings::Workspace { from: workspace.from.clone() }
                }
                Processor::Limits(limits) => ProcessorSettings::Limits { attribute: limits.attribute.0 },
                Processor::Filter(filter) => ProcessorSettings::Filter(self.filter(id, filter, &naming)?),
                Processor::Attributes(attributes) => {
                    ProcessorSettings::Attributes(self.attributes(id, attributes, &naming)?)
                }
                Processor::Sampling(sampling) => {
                    ProcessorSettings::Sampling { percent: sampling.percent.0, seed: sampling.hash_seed }
                }
            });
            self.used.insert(format!("processors.{id}"));
        }
        Ok(processors)
    }

    /// How the `workspace` processor of the pipeline names workspaces.
    fn naming(&self, pipeline: &Pipeline) -> Workspaces {
        let mut processors = pipeline.processors.iter().filter_map(|id| self.raw.processors.0.get(id));
        let named = processors.find_map(|processor| match processor {
            Processor::Workspace(workspace) => Some(workspace),
            _ => None,
        });
        match named {
            Some(workspace) => {
                Workspaces { from: Some(workspace.from.clone()), default: workspace.default.clone() }
            }
            None => Workspaces { from: None, default: raw::Workspace::default().default },
        }
    }

    /// The redaction of this id; of one that nobody writes, the rules that are built in.
    pub(super) fn redact_called(&mut self, id: &str) -> Result<ProcessorSettings, ResolveError> {
        let Some(Processor::Redact(raw)) = self.raw.processors.0.get(id) else {
            return Ok(Self::unwritten_redaction());
        };
        let settings = self.redact(id, raw)?;
        self.used.insert(format!("processors.{id}"));
        Ok(settings)
    }

    fn redact(&self, id: &str, raw: &raw::Redact) -> Result<ProcessorSettings, ResolveError> {
        let options = redact::Options {
            rules: raw.rules.clone(),
            emails: raw.emails,
            home_directories: raw.home_directories,
        };
        if let Err(error) = redact::Redactor::new(&options, redact::Key::random()) {
            return Err(self.invalid(&["processors", id, "rules"], &error.to_string()));
        }
        if let Some(Err(error)) = raw.key.as_ref().map(|key| redact::Key::new(key.reveal().as_bytes())) {
            return Err(self.invalid(&["processors", id, "key"], &error.to_string()));
        }
        Ok(ProcessorSettings::Redact {
            drop_attributes: raw.drop_attributes.clone(),
            options,
            key: raw.key.clone(),
        })
    }

    fn filter(&self, id: &str, raw: &raw::Filter, naming: &Workspaces) -> Result<Filter, ResolveError> {
        let at = ["processors", id];
        if raw.include.is_none() && raw.exclude.0.is_empty() {
            return Err(self.invalid(&at, "say what is stored or what is not: include, exclude or both"));
        }
        Ok(Filter {
            include: self.include(&at, raw.include.as_ref())?,
            exclude: self.exclude(&at, &raw.exclude)?,
            naming: naming.clone(),
        })
    }

    fn attributes(
        &self,
        id: &str,
        raw: &raw::Attributes,
        naming: &Workspaces,
    ) -> Result<Attributes, ResolveError> {
        let at = ["processors", id];
        let mut actions = Vec::new();
        for (index, action) in raw.actions.iter().enumerate() {
            let index = index.to_string();
            let at = [at.as_slice(), &["actions", &index]].concat();
            actions.push(self.action(&at, action)?);
        }
        if actions.is_empty() {
            return Err(self.invalid(
                &["processors", id, "actions"],
                "say what is done, such as { key: team, action: delete }",
            ));
        }
        Ok(Attributes {
            actions,
            include: self.include(&at, raw.include.as_ref())?,
            exclude: self.exclude(&at, &raw.exclude)?,
            naming: naming.clone(),
        })
    }

    fn action(&self, at: &[&str], raw: &raw::Action) -> Result<Action, ResolveError> {
        let refused = |message: &str| self.invalid(at, message);
        let key = raw.key.clone().filter(|key| !key.is_empty());
        let keys = || match (&key, &raw.pattern) {
            (Some(key), None) => Ok(Keys::One(key.clone())),
            (None, Some(pattern)) => self.pattern(&[at, &["pattern"]].concat(), pattern).map(Keys::Like),
            _ => Err(refused("name the attribute: key, or pattern for all whose names are like it")),
        };
        let name = || match (&key, &raw.pattern) {
            (Some(key), None) => Ok(key.clone()),
            (None, Some(_)) => {
                Err(refused("pattern goes with delete and hash; name one attribute here: key"))
            }
            _ => Err(refused("name the attribute here: key")),
        };
        let given = raw.value.is_some() || raw.from_attribute.is_some();
        if given && matches!(raw.action, Kind::Delete | Kind::Hash | Kind::Rename) {
            return Err(refused("value and from_attribute go with insert, update and upsert"));
        }
        if raw.to.is_some() && raw.action != Kind::Rename {
            return Err(refused("`to` goes with rename"));
        }
        let value = || match (&raw.value, &raw.from_attribute) {
            (Some(value), None) => Ok(attributes::Origin::Value(value.clone())),
            (None, Some(from)) => Ok(attributes::Origin::Attribute(from.clone())),
            _ => Err(refused("say what it gets: value or from_attribute")),
        };
        Ok(match raw.action {
            Kind::Insert => Action::Insert(name()?, value()?),
            Kind::Update => Action::Update(name()?, value()?),
            Kind::Upsert => Action::Upsert(name()?, value()?),
            Kind::Delete => Action::Delete(keys()?),
            Kind::Hash => Action::Hash(keys()?),
            Kind::Rename => {
                let (from, to) = (name()?, raw.to.clone().filter(|to| !to.is_empty()));
                let to = to.ok_or_else(|| refused("name what it is called then: to"))?;
                if [&from, &to].into_iter().any(|name| attributes::COLUMNS.contains(&name.as_str())) {
                    return Err(refused(
                        "a column keeps its name; copy an attribute to it with upsert and from_attribute",
                    ));
                }
                Action::Rename { from, to }
            }
        })
    }

    fn include(&self, at: &[&str], raw: Option<&raw::Selection>) -> Result<Option<Selection>, ResolveError> {
        raw.map(|selection| self.selection(&[at, &["include"]].concat(), selection)).transpose()
    }

    fn exclude(&self, at: &[&str], raw: &raw::Selections) -> Result<Vec<Selection>, ResolveError> {
        let at = [at, &["exclude"]].concat();
        let selections = raw.0.iter().map(|selection| {
            let selection = self.selection(&at, selection)?;
            if selection == Selection::default() {
                return Err(self.invalid(&at, "this names nothing, and would leave everything out"));
            }
            Ok(selection)
        });
        selections.collect()
    }

    fn selection(&self, at: &[&str], raw: &raw::Selection) -> Result<Selection, ResolveError> {
        let test = |name: &str, text: &str| match raw.match_type {
            MatchType::Strict => Ok(Test::Exactly(text.to_owned())),
            MatchType::Regexp => self.pattern(&[at, &[name]].concat(), text).map(Test::Like),
        };
        let tests = |name: &str, texts: &[String]| {
            texts.iter().map(|text| test(name, text)).collect::<Result<Vec<_>, _>>()
        };
        let attributes = raw.attributes.iter().map(|raw::Attribute { key, value }| {
            let value = value.as_ref().map(|value| test("attributes", value)).transpose()?;
            Ok(Attribute { key: key.clone(), value })
        });
        let projects: Vec<String> = match raw.match_type {
            MatchType::Strict => raw.projects.iter().map(|project| project_of(project)).collect(),
            MatchType::Regexp => raw.projects.clone(),
        };
        Ok(Selection {
            attributes: attributes.collect::<Result<_, ResolveError>>()?,
            services: tests("services", &raw.services)?,
            assistants: tests("assistants", &raw.assistants)?,
            workspaces: tests("workspaces", &raw.workspaces)?,
            projects: tests("projects", &projects)?,
            users: tests("users", &raw.users)?,
        })
    }

    fn pattern(&self, at: &[&str], text: &str) -> Result<Pattern, ResolveError> {
        let reason = |error: regex::Error| {
            let text = error.to_string();
            // The rest shows the pattern over several lines.
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        };
        let compiled = Regex::new(text).map(Pattern);
        compiled.map_err(|error| self.invalid(at, &format!("no pattern: {}", reason(error))))
    }
}
