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

/// Bars beside each other, values in tenths; `mark` is a place among the groups and a day in it, after which something
/// changed.
pub(super) fn beside(
    groups: &[(String, Vec<Option<u64>>)],
    parts: &[Part<'_>],
    mark: Option<(usize, u64)>,
    caption: &str,
) -> String {
    let most = groups.iter().flat_map(|(_, values)| values).flatten().max().copied().unwrap_or(0).max(1);
    let slot = BAR * parts.len() as u64 + 2 * GAP;
    let width = (groups.len() as u64).max(1) * slot;
    let mut svg = format!(
        "<svg class=\"times\" viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">",
        escaped(caption)
    );
    for (at, (name, values)) in groups.iter().enumerate() {
        let start = at as u64 * slot;
        let told: Vec<String> = values
            .iter()
            .zip(parts)
            .filter_map(|(value, part)| {
                let value = (*value)?;
                Some(format!("{}.{} {}", value / 10, value % 10, escaped(part.name)))
            })
            .collect();
        let told = if told.is_empty() { "no sessions".to_owned() } else { told.join(", ") };
        let _ = write!(svg, "<g><title>{}: {told}</title>", escaped(name));
        let _ =
            write!(svg, "<rect class=\"hover\" x=\"{start}\" y=\"0\" width=\"{slot}\" height=\"{HEIGHT}\"/>");
        for (place, (value, part)) in values.iter().zip(parts).enumerate() {
            let Some(value) = value else { continue };
            // None is a line upon the ground: there were sessions.
            let height = (value * HEIGHT / most).max(1);
            let (x, y) = (start + GAP + place as u64 * BAR, HEIGHT.saturating_sub(height));
            let _ = write!(
                svg,
                "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{height}\"/>",
                part.class,
                BAR - 1
            );
        }
        svg.push_str("</g>");
    }
    if let Some((at, day)) = mark {
        let x = at as u64 * slot + (day + 1) * slot / 7;
        let _ = write!(svg, "<path class=\"mark\" d=\"M{x} 0V{HEIGHT}\"/>");
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

/// Something with an area: how large it is, the class of its colour, its name, and what it says.
pub(super) struct Area<'a> {
    pub(super) size: u64,
    pub(super) class: &'a str,
    /// Its name, which stands in it where there is room.
    pub(super) label: &'a str,
    /// Its page.
    pub(super) link: &'a str,
    pub(super) says: String,
}

/// The width and height of a map, in its own units.
const MAP: (u64, u64) = (1_600, 400);
/// How wide a letter in it is at most, about, and how high a line of them.
const LETTER: u64 = 14;
const LINE: u64 = 30;

/// An area that is narrower is no link: a finger would miss it. The table below the map has all of them.
const LEAST_LINK: u64 = 34;

/// Areas that fill a map, the largest first and at the left; `areas` are in that order. One without any size has none.
pub(super) fn map(areas: &[Area<'_>], caption: &str) -> String {
    let (width, height) = MAP;
    let mut svg = format!(
        "<svg class=\"map\" viewBox=\"0 0 {width} {height}\" role=\"group\" aria-label=\"{}\">",
        escaped(caption)
    );
    let (mut rest, mut x, mut y) = (areas, 0, 0);
    while !rest.is_empty() && x < width && y < height {
        let (free_width, free_height) = (width - x, height - y);
        let all = sum(rest);
        // A strip along the shorter side, of as many areas as make it the least narrow.
        let (long, short) = (free_width.max(free_height), free_width.min(free_height));
        let count = (1..=rest.len())
            .min_by_key(|count| worst(rest.get(..*count).unwrap_or_default(), all, long, short))
            .unwrap_or(1);
        let (strip, behind) = rest.split_at(count.min(rest.len()));
        let depth = if behind.is_empty() { long } else { (sum(strip) * long / all).max(1) };
        let mut along = 0;
        for (at, area) in strip.iter().enumerate() {
            let is_last = at + 1 == strip.len();
            let length = if is_last { short - along } else { area.size * short / sum(strip).max(1) };
            let (own_x, own_y, own_width, own_height) = if free_width >= free_height {
                (x, y + along, depth, length)
            } else {
                (x + along, y, length, depth)
            };
            along += length;
            let drawn = format!(
                "<title>{}</title><rect class=\"{}\" x=\"{own_x}\" y=\"{own_y}\" width=\"{own_width}\" \
                 height=\"{own_height}\"/>{}",
                escaped(&area.says),
                area.class,
                label(area, (own_x, own_y), (own_width, own_height))
            );
            let _ = if own_width.min(own_height) >= LEAST_LINK {
                // The keyboard finds it in the table: a hundred links more would be in the way.
                write!(svg, "<a href=\"{}\" tabindex=\"-1\">{drawn}</a>", escaped(area.link))
            } else {
                write!(svg, "<g>{drawn}</g>")
            };
        }
        if free_width >= free_height {
            x += depth
        } else {
            y += depth
        }
        rest = behind;
    }
    svg.push_str("</svg>");
    svg
}

/// More lines of a name than these stand in no area.
const MOST_LINES: u64 = 3;

/// The name of an area within it, in a few lines, as much of it as there is room for.
fn label(area: &Area<'_>, (x, y): (u64, u64), (width, height): (u64, u64)) -> String {
    let room = usize::try_from(width.saturating_sub(LETTER) / LETTER).unwrap_or_default();
    let lines = usize::try_from((height / LINE).min(MOST_LINES)).unwrap_or_default();
    if lines == 0 || room < area.label.chars().count().min(LEAST_ROOM) {
        return String::new();
    }
    let x = x + LETTER / 2;
    let mut svg = format!("<text x=\"{x}\" y=\"{}\">", y + LINE * 4 / 5);
    for (at, line) in lines_of(area.label, room, lines).iter().enumerate() {
        let down = if at == 0 { 0 } else { LINE * 5 / 6 };
        let _ = write!(svg, "<tspan x=\"{x}\" dy=\"{down}\">{}</tspan>", escaped(line));
    }
    svg.push_str("</text>");
    svg
}

/// A name of fewer letters than these tells nothing.
const LEAST_ROOM: usize = 6;

/// The text in lines of at most `room` characters, broken at spaces if possible, and cut after `most` lines.
fn lines_of(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut words = text.split_whitespace().peekable();
    while words.peek().is_some() && lines.len() < most {
        let mut line = String::new();
        while let Some(word) = words.peek() {
            let length = line.chars().count() + usize::from(!line.is_empty()) + word.chars().count();
            if !line.is_empty() && length > room {
                break;
            }
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
            words.next();
        }
        let is_last = lines.len() + 1 == most && words.peek().is_some();
        if is_last || line.chars().count() > room {
            line = line.chars().take(room.saturating_sub(1)).collect();
            line.push('…');
        }
        lines.push(line);
    }
    lines
}

fn sum(areas: &[Area<'_>]) -> u64 {
    areas.iter().map(|area| area.size).sum::<u64>().max(1)
}

/// How narrow the narrowest area of a strip would be, in thousandths of a square's sides.
fn worst(strip: &[Area<'_>], all: u64, long: u64, short: u64) -> u64 {
    let depth = (sum(strip) * long / all).max(1);
    let lengths = strip.iter().map(|area| (area.size * short / sum(strip)).max(1));
    lengths.map(|length| length.max(depth) * 1_000 / length.min(depth)).max().unwrap_or(u64::MAX)
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
    fn areas_fill_the_map_and_none_leaves_it() {
        let sizes = [400, 200, 100, 50, 50, 7, 1];
        let areas: Vec<Area<'_>> = sizes
            .iter()
            .map(|size| Area {
                size: *size,
                class: "s1",
                label: "<i>",
                link: "/work?a=1&b",
                says: "<b>".into(),
            })
            .collect();
        let svg = map(&areas, "x");
        let numbers = |rect: &str, name: &str| -> u64 {
            rect.split_once(&format!(" {name}=\"")).unwrap().1.split('"').next().unwrap().parse().unwrap()
        };
        let mut filled = 0;
        for rect in svg.split("<rect").skip(1) {
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| numbers(rect, name));
            assert!(x + width <= 1_600 && y + height <= 400, "{rect}");
            filled += width * height;
        }
        assert_eq!(svg.matches("<rect").count(), sizes.len());
        assert!(filled > 1_600 * 400 * 95 / 100 && filled <= 1_600 * 400, "{filled}");
        assert!(svg.contains("<title>&lt;b&gt;</title>"));
        assert!(svg.contains(">&lt;i&gt;</tspan></text>"));
        // The largest areas lead to their pages, one that is too small to be met does not.
        let links = svg.matches("<a href=\"/work?a=1&amp;b\" tabindex=\"-1\">").count();
        assert!((5..sizes.len()).contains(&links), "{links}");
    }

    #[test]
    fn a_name_in_an_area_is_cut_where_it_would_leave_it() {
        let area =
            Area { size: 1, class: "s1", label: "make itest, make db-up", link: "", says: String::new() };
        let said = |size| {
            let svg = label(&area, (0, 0), size);
            let lines = svg.split("<tspan").skip(1).filter_map(|line| line.split(['>', '<']).nth(1));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(said((600, 40)), ["make itest, make db-up"]);
        assert_eq!(said((154, 40)), ["make…"]);
        assert_eq!(said((170, 70)), ["make itest,", "make db-up"]);
        assert_eq!(said((100, 100)), ["make", "itest,", "make…"]);
        assert!(said((60, 40)).is_empty());
        assert!(said((600, 20)).is_empty());
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
