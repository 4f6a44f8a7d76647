//! Who gets the next turn of a history.
//!
//! Where everybody goes on by chance, nobody is left behind for long, and most mistakes of a protocol need
//! just that: one who stands still at the wrong moment while another one does all of its work. So in most
//! histories the processes have ranks, the first that can go on does, and at a few changes whoever is about to
//! make one becomes the last.

use std::collections::{BTreeMap, BTreeSet};

/// On average a process does so many operations before another one gets its turn.
const LONGEST_RUN: usize = 12;
const RANKS: usize = 1_000;
/// Whoever is left behind stays so while others only pause, for as many moments as this.
const HELD: usize = 150;

/// A small generator, so that a history is its seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

pub(crate) enum Order {
    /// By chance, and whoever had the last turn goes on for a while.
    ByChance {
        last: usize,
    },
    ByRank(Ranks),
}

/// What an operation that waits does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Reads,
    /// It changes which rows there are.
    ChangesRows,
    /// It changes what is written down of them: what is erased, and what stands for what.
    ChangesRecords,
}

/// Who may be left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Anybody,
    /// Who write files of what was received.
    Exporters,
    /// Who replace files by others.
    Rewriters,
}

/// The changes before which a process becomes the last.
enum Delays {
    Before(BTreeSet<usize>),
    /// So many at most.
    ByChance(usize, Who),
}

pub(crate) struct Ranks {
    of: BTreeMap<usize, isize>,
    exporters: BTreeSet<usize>,
    lowest: isize,
    delays: Delays,
    changes: usize,
    /// Somebody has just been left behind.
    delayed: bool,
    /// How many moments whoever is left behind is still held.
    held: usize,
}

impl Order {
    pub(crate) fn by_chance() -> Self {
        Self::ByChance { last: 0 }
    }

    /// With at most so many delays.
    pub(crate) fn by_rank(delays: usize, who: Who) -> Self {
        Self::ByRank(Ranks::new(Delays::ByChance(delays, who)))
    }

    /// With one delay, before the change of this number.
    pub(crate) fn by_rank_but_before(change: usize) -> Self {
        Self::ByRank(Ranks::new(Delays::Before(BTreeSet::from([change]))))
    }

    /// Which of the operations that wait is next, if one is. Of each is known whose it is, and what it does;
    /// `pausing` is whether others are about to go on or to begin.
    pub(crate) fn next(
        &mut self,
        waiting: &[(usize, Deed)],
        pausing: bool,
        random: &mut Random,
    ) -> Option<usize> {
        if waiting.is_empty() {
            return None;
        }
        match self {
            Self::ByChance { last } => {
                let mut next = random.below(waiting.len());
                match waiting.iter().position(|(process, _)| process == last) {
                    Some(own) if !random.chance(LONGEST_RUN) => next = own,
                    _ => {}
                }
                *last = waiting[next].0;
                Some(next)
            }
            Self::ByRank(ranks) => ranks.next(waiting, pausing, random),
        }
    }

    /// A process that writes files of what was received begins.
    pub(crate) fn meet_exporter(&mut self, process: usize) {
        if let Self::ByRank(ranks) = self {
            ranks.exporters.insert(process);
        }
    }

    /// Whether somebody has been left behind since this was asked last: the moment for others to begin. By
    /// chance where nobody ever is.
    pub(crate) fn has_delayed(&mut self, random: &mut Random) -> bool {
        match self {
            Self::ByChance { .. } => random.chance(20),
            Self::ByRank(ranks) => std::mem::take(&mut ranks.delayed),
        }
    }

    /// How many changes there were beside which somebody else was at work.
    pub(crate) fn changes(&self) -> usize {
        match self {
            Self::ByChance { .. } => 0,
            Self::ByRank(ranks) => ranks.changes,
        }
    }
}

impl Ranks {
    fn new(delays: Delays) -> Self {
        Self {
            of: BTreeMap::new(),
            exporters: BTreeSet::new(),
            lowest: 0,
            delays,
            changes: 0,
            delayed: false,
            held: 0,
        }
    }

    fn next(&mut self, waiting: &[(usize, Deed)], pausing: bool, random: &mut Random) -> Option<usize> {
        for (process, _) in waiting {
            self.of.entry(*process).or_insert_with(|| random.below(RANKS).cast_signed());
        }
        loop {
            let mut next = 0;
            for (place, (process, _)) in waiting.iter().enumerate() {
                if self.of[process] > self.of[&waiting[next].0] {
                    next = place;
                }
            }
            let (process, deed) = waiting[next];
            if self.of[&process] < 0 && pausing && self.held > 0 {
                self.held -= 1;
                return None;
            }
            if deed == Deed::Reads {
                return Some(next);
            }
            let alone = !pausing && waiting.iter().all(|(other, _)| *other == process);
            if alone {
                return Some(next);
            }
            self.changes += 1;
            if !self.is_delayed(process, deed, random) {
                return Some(next);
            }
            (self.delayed, self.held) = (true, HELD);
            self.lowest -= 1;
            self.of.insert(process, self.lowest);
        }
    }

    fn is_delayed(&mut self, process: usize, deed: Deed, random: &mut Random) -> bool {
        let is_exporter = self.exporters.contains(&process);
        match &mut self.delays {
            Delays::Before(changes) => changes.remove(&(self.changes - 1)),
            Delays::ByChance(0, _) => false,
            Delays::ByChance(_, Who::Exporters) if !is_exporter => false,
            Delays::ByChance(_, Who::Rewriters) if is_exporter => false,
            Delays::ByChance(left, _) => {
                let delayed = random.chance(if deed == Deed::ChangesRows { 3 } else { 9 });
                *left -= usize::from(delayed);
                delayed
            }
        }
    }
}
