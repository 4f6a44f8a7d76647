//! Words without a model: a sentence for each claim, from templates.

use super::super::claim::Claim;
use super::super::claim::topic::Topic;
use super::name::{self, Named};
use super::propose::{Material, Proposer};
use super::sentences::{joined, sentence};
use super::wording::{Line, Wording};

/// Words claims by fixed sentences.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

impl Proposer for Offline {
    fn word(&self, material: &Material) -> Wording {
        let Named { name, title, description, when_to_use } = name::of(material);
        let mut wording = Wording { name, title, description, when_to_use, ..Wording::default() };
        for (at, claim) in material.claims.iter().enumerate() {
            let line = Line { text: sentence(claim), claims: vec![at] };
            match &claim.claim {
                Claim::Run(_) | Claim::Edit(_) => wording.steps.push(line),
                Claim::Avoid(_) => wording.avoid.push(line),
                _ => wording.lessons.push(line),
            }
        }
        wording.lessons = joined(wording.lessons, &material.claims);
        if material.topic != Topic::Work {
            wording.lessons.append(&mut wording.avoid);
        }
        wording
    }
}
