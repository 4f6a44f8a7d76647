//! Which shards a worker takes and gives back.

use super::shard::Shard;
use super::{Holder, View};

/// What a worker does after a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) take: Vec<Shard>,
    pub(super) give: Vec<Shard>,
}

/// Every worker holds as many shards as all others, or one fewer. What is more goes back; what is free is taken from
/// `first` on.
pub(super) fn share(view: &View, first: Shard) -> Share {
    let fair = usize::from(view.shards).div_ceil(view.workers.max(1));
    let held: Vec<Shard> = view.held().into_keys().collect();
    if held.len() > fair {
        return Share { take: Vec::new(), give: held.into_iter().skip(fair).collect() };
    }
    let is_free = |shard: &Shard| view.claims.get(shard).is_none_or(|claim| claim.holder == Holder::Nobody);
    let first = first.checked_rem(view.shards).unwrap_or_default();
    let in_turn = (first..view.shards).chain(0..first);
    Share { take: in_turn.filter(is_free).take(fair - held.len()).collect(), give: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::Claim;

    fn view(shards: Shard, workers: usize, holders: &[(Shard, Holder)]) -> View {
        let claims = holders.iter().map(|(shard, holder)| (*shard, Claim { number: 7, holder: *holder }));
        View { shards, workers, now: 1, claims: claims.collect() }
    }

    #[test]
    fn one_worker_takes_everything_and_gives_back_what_others_are_due() {
        assert_eq!(share(&view(4, 1, &[]), 2).take, [2, 3, 0, 1]);
        let all: Vec<_> = (0..4).map(|shard| (shard, Holder::This)).collect();
        assert_eq!(share(&view(4, 1, &all), 0), Share::default());
        assert_eq!(share(&view(4, 2, &all), 0), Share { take: Vec::new(), give: vec![2, 3] });
        assert_eq!(share(&view(4, 3, &all), 0), Share { take: Vec::new(), give: vec![2, 3] });
    }

    #[test]
    fn what_another_holds_is_left_and_what_a_dead_one_held_is_taken() {
        let some = [(0, Holder::Other), (1, Holder::Nobody), (2, Holder::This)];
        assert_eq!(share(&view(4, 2, &some), 0), Share { take: vec![1], give: Vec::new() });
        assert_eq!(share(&view(4, 9, &some), 0), Share::default());
    }
}
