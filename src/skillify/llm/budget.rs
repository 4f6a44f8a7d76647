//! What a run and a day may cost.

/// Limits; what is absent is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Limits of one run.
    pub run: Allowance,
    /// Limits of one UTC day.
    pub day: Allowance,
}

/// Limits of a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Allowance {
    /// Requests, retries included.
    pub calls: Option<u64>,
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// Micro-dollars.
    pub micros: Option<u64>,
}

/// What was spent in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Spent {
    /// Requests.
    pub calls: u64,
    /// Tokens.
    pub tokens: u64,
    /// Micro-dollars.
    pub micros: u64,
}

impl Spent {
    /// Adds what one call cost.
    pub fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.micros = self.micros.saturating_add(other.micros);
    }

    /// The larger of each.
    #[must_use]
    pub fn max_of(self, other: Self) -> Self {
        Self {
            calls: self.calls.max(other.calls),
            tokens: self.tokens.max(other.tokens),
            micros: self.micros.max(other.micros),
        }
    }
}

impl Allowance {
    /// Whether one more call, which may cost up to `worst`, stays within the allowance.
    pub fn permits(&self, spent: Spent, worst: Spent) -> bool {
        let within = |limit: Option<u64>, spent: u64, more: u64| {
            limit.is_none_or(|limit| spent.saturating_add(more) <= limit)
        };
        within(self.calls, spent.calls, worst.calls)
            && within(self.tokens, spent.tokens, worst.tokens)
            && within(self.micros, spent.micros, worst.micros)
    }
}

impl Budget {
    /// Whether one more call, which may cost up to `worst`, stays within the budget.
    pub fn permits(&self, run: Spent, day: Spent, worst: Spent) -> bool {
        self.run.permits(run, worst) && self.day.permits(day, worst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_could_go_over_is_not_made() {
        let budget = Budget {
            run: Allowance { calls: Some(2), ..Allowance::default() },
            day: Allowance { tokens: Some(1_000), ..Allowance::default() },
        };
        let worst = Spent { calls: 1, tokens: 600, micros: 0 };
        let one = Spent { calls: 1, tokens: 400, micros: 0 };
        assert!(budget.permits(Spent::default(), Spent::default(), worst));
        assert!(budget.permits(one, one, worst));
        assert!(!budget.permits(Spent { calls: 2, ..one }, one, worst), "calls of the run");
        assert!(!budget.permits(one, Spent { tokens: 401, ..one }, worst), "tokens of the day");
    }
}
