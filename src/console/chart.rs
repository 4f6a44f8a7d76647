//! Charts as SVG. They say nothing that a table beside them does not say, and are as wide as there is room: words stand
//! beside them, in HTML, for letters within them would shrink with the page.

use std::fmt::Write;

use askama::filters::Escaper;

use super::escape::Visible;

/// The height of a chart over time, in its own units.
const HEIGHT: u64 = 100;
/// The width of a bar and of the gap behind it.
const BAR: u64 = 10;
const GAP: u64 = 3;

/// A part of each bar: its name, and the class of its colour.
pub(super) struct Part<'p> {
    pub(super) name: &'p str,
    pub(super) class: &'p str,
}

/// Bars of several parts, the first at the bottom.
pub(super) fn stacked(bars: &[(&str, Vec<u64>)], parts: &[Part<'_>], caption: &str) -> String {
    let most = bars.iter().map(|(_, counts)| counts.iter().sum::<u64>()).max().unwrap_or_default().max(1);
    let width = (bars.len() as u64).max(1) * (BAR + GAP) - GAP;
    let mut svg = format!(
        "<svg class=\"times\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">",
        escaped(caption)
    );
    for (at, (name, counts)) in bars.iter().enumerate() {
        let x = at as u64 * (BAR + GAP);
        let _ = write!(svg, "<g><title>{}: {}</title>", escaped(name), told(counts, parts));
        let _ = write!(svg, "<rect class=\"hover\" x=\"{x}\" y=\"0\" width=\"{BAR}\" height=\"{HEIGHT}\"/>");
        let mut below = 0;
        for (count, part) in counts.iter().zip(parts).filter(|(count, _)| **count > 0) {
            let (start, end) = (below * HEIGHT / most, (below + count) * HEIGHT / most);
            below += count;
            let height = (end - start).max(1);
            let y = HEIGHT.saturating_sub(start + height);
            let _ = write!(
                svg,
                "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{BAR}\" height=\"{height}\"/>",
                part.class
            );
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    svg
}

fn told(counts: &[u64], parts: &[Part<'_>]) -> String {
    let told: Vec<String> =
        counts.iter().zip(parts).map(|(count, part)| format!("{count} {}", escaped(part.name))).collect();
    told.join(", ")
}

/// A bar of a row: what part of the longest one it is.
pub(super) fn bar(count: u64, most: u64, class: &str) -> String {
    let part = count.saturating_mul(1_000).checked_div(most).unwrap_or_default().min(1_000);
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"ground\" width=\"1000\" height=\"10\"/>\
         <rect class=\"{class}\" width=\"{part}\" height=\"10\"/></svg>"
    )
}

fn escaped(text: &str) -> String {
    let mut shown = String::new();
    // Writing to a String cannot fail.
    let _ = Visible.write_escaped_str(&mut shown, text);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_upon_each_other_within_the_frame() {
        let parts = [Part { name: "a", class: "s1" }, Part { name: "<b>", class: "s2" }];
        let svg = stacked(&[("2026-11-01", vec![1, 3]), ("<i>", vec![0, 0])], &parts, "\"x\"");
        assert!(svg.contains("viewBox=\"0 0 23 100\" "), "{svg}");
        assert!(svg.contains("class=\"s1\" x=\"0\" y=\"75\" width=\"10\" height=\"25\""), "{svg}");
        assert!(svg.contains("class=\"s2\" x=\"0\" y=\"0\" width=\"10\" height=\"75\""), "{svg}");
        assert!(svg.contains("<title>2026-11-01: 1 a, 3 &lt;b&gt;</title>"), "{svg}");
        assert!(svg.contains("&lt;i&gt;: 0 a") && svg.contains("&quot;x&quot;"), "{svg}");
        assert!(stacked(&[], &parts, "none").contains("viewBox=\"0 0 10 100\""));
    }

    #[test]
    fn a_bar_is_a_part_of_the_longest() {
        assert!(bar(5, 10, "s1").contains("class=\"s1\" width=\"500\""));
        assert!(
            bar(u64::MAX, 1, "s1").contains("class=\"s1\" width=\"1000\""),
            "never wider than its ground"
        );
        assert!(bar(1, 0, "s1").contains("class=\"s1\" width=\"0\""));
    }
}
