//! Charts as SVG. They say nothing that the tables beside them do not say, and are as wide as there is room:
//! words stand beside them, in HTML, for letters within them would shrink with the page.

use std::fmt::Write;

use super::escape::Text;
use super::tally::Cost;

/// The height of the chart over time, in its own units.
const HEIGHT: u64 = 100;
/// The width of a bar and of the gap behind it.
const BAR: u64 = 10;
const GAP: u64 = 3;

/// Calls over time: failed ones below, the others above.
pub(crate) fn over_time(times: &[(String, Cost)], caption: &str) -> String {
    let most = times.iter().map(|(_, cost)| cost.calls).max().unwrap_or_default().max(1);
    let width = (times.len() as u64).max(1) * (BAR + GAP) - GAP;
    let height = |count: u64| count * HEIGHT / most;
    let mut svg = format!(
        "<svg class=\"times\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">",
        Text(caption)
    );
    for (at, (date, cost)) in times.iter().enumerate() {
        let x = at as u64 * (BAR + GAP);
        let failed = cost.failed.min(cost.calls);
        let (all, bad) = (height(cost.calls).max(u64::from(cost.calls > 0)), height(failed));
        let _ = write!(
            svg,
            "<g><title>{}: {} calls, {} failed</title>\
             <rect class=\"good\" x=\"{x}\" y=\"{}\" width=\"{BAR}\" height=\"{}\"/>\
             <rect class=\"bad\" x=\"{x}\" y=\"{}\" width=\"{BAR}\" height=\"{bad}\"/></g>",
            Text(date),
            cost.calls,
            cost.failed,
            HEIGHT - all,
            all - bad.min(all),
            HEIGHT - bad,
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A bar of a row: what part of the longest one it is; where it counts two things, the first is told apart.
pub(crate) fn bar(first: u64, second: Option<u64>, most: u64) -> String {
    let part = |count: u64| count.saturating_mul(1_000).checked_div(most).unwrap_or_default().min(1_000);
    let all = part(first.saturating_add(second.unwrap_or_default()));
    let told = if second.is_some() { part(first) } else { 0 };
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"ground\" width=\"1000\" height=\"10\"/>\
         <rect class=\"good\" width=\"{all}\" height=\"10\"/><rect class=\"bad\" width=\"{told}\" height=\"10\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_part_of_the_longest() {
        assert!(bar(5, None, 10).contains("class=\"good\" width=\"500\""));
        assert!(bar(5, None, 10).contains("class=\"bad\" width=\"0\""));
        assert!(bar(5, Some(5), 10).contains("class=\"good\" width=\"1000\""));
        assert!(bar(5, Some(5), 10).contains("class=\"bad\" width=\"500\""));
        assert!(bar(u64::MAX, Some(u64::MAX), 1).contains("width=\"1000\""), "never wider than its ground");
        assert!(bar(1, None, 0).contains("width=\"0\""));
    }

    #[test]
    fn times_of_nothing_and_of_much_are_drawn_within_their_frame() {
        assert!(over_time(&[], "none").contains("viewBox=\"0 0 10 100\""));
        let cost = |calls, failed| Cost { calls, failed, ..Cost::default() };
        let times = [("2026-11-01".to_owned(), cost(4, 9)), ("<b>".to_owned(), cost(0, 0))];
        let svg = over_time(&times, "\"x\"");
        assert!(svg.contains("&lt;b&gt;: 0 calls") && svg.contains("aria-label=\"&quot;x&quot;\""), "{svg}");
        assert!(svg.contains("class=\"bad\" x=\"0\" y=\"0\" width=\"10\" height=\"100\""), "{svg}");
    }
}
