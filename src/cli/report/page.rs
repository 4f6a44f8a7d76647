//! A report as one HTML page: no script, nothing fetched, light or dark like the reader's system.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::views::report::{Cell, Coded, Heading, Section, Text, View, chart, grouped, shown};

const STYLE: &str = include_str!("style.css");

pub(super) fn page(view: &View) -> String {
    let mut html = head();
    let (since, until) = (view.since.date(), view.until.date());
    let _ = write!(
        html,
        "<body>\n<header>\n<h1>What the sessions cost, and why</h1>\n<p>Sessions with something new from \
         <time>{since}</time> to <time>{until}</time>.</p>\n</header>\n"
    );
    if view.sessions == 0 {
        html.push_str("<main>\n<p>No sessions.</p>\n</main>\n");
    } else {
        contents(&mut html, view);
        html.push_str("<main>\n");
        summary(&mut html, view);
        for section in &view.sections {
            section_of(&mut html, section);
        }
        html.push_str("</main>\n");
    }
    let _ = write!(
        html,
        "<footer>\n<p>Made by skillspan {} on this machine. The page fetches nothing and has no script.</p>\n</footer>\n\
         </body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    html
}

/// The browser applies this very style and loads nothing else, whatever came into the page.
fn head() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>What the sessions cost, and why · skillspan</title>\n<style>{STYLE}</style>\n</head>\n"
    )
}

fn contents(html: &mut String, view: &View) {
    html.push_str("<nav aria-label=\"Sections\">\n<ul>\n<li><a href=\"#summary\">Summary</a></li>\n");
    for section in view.sections.iter().filter(|section| !section.rows.is_empty()) {
        let _ = writeln!(html, "<li><a href=\"#{}\">{}</a></li>", section.id, section.title);
    }
    html.push_str("</ul>\n</nav>\n");
}

fn summary(html: &mut String, view: &View) {
    html.push_str(
        "<section aria-labelledby=\"summary\">\n<h2 id=\"summary\">Summary</h2>\n<dl class=\"facts\">\n",
    );
    for (name, value) in &view.facts {
        // The number first, large; what explains it behind.
        let (number, rest) =
            value.split_once(" (").map_or((value.as_str(), String::new()), |(number, rest)| {
                (number, format!(" <small>({}</small>", Text(rest)))
            });
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{}{rest}</dd></div>", Text(number));
    }
    html.push_str("</dl>\n");
    let unit = if view.is_weekly { "week" } else { "day" };
    let caption = format!("Tool calls by {unit}, failed ones at the bottom");
    if let (Some((first, _)), Some((last, _))) = (view.times.first(), view.times.last()) {
        let most = view.times.iter().map(|(_, cost)| cost.calls).max().unwrap_or_default();
        let _ = write!(
            html,
            "<figure>\n<figcaption>Tool calls by {unit}: <span class=\"key good\">passed or unknown</span> \
             <span class=\"key bad\">failed</span>. The tallest has {}.</figcaption>\n{}\n\
             <div class=\"axis\" aria-hidden=\"true\"><span>{}</span><span>{}</span></div>\n</figure>\n",
            grouped(most),
            chart::over_time(&view.times, &caption),
            Text(first),
            Text(last),
        );
        let _ = write!(
            html,
            "<details>\n<summary>As a table</summary>\n<table>\n<caption>Sessions and calls by {unit}</caption>\n\
             <thead><tr><th scope=\"col\">{unit}</th><th scope=\"col\" class=\"n\">sessions</th>\
             <th scope=\"col\" class=\"n\">calls</th><th scope=\"col\" class=\"n\">failed</th></tr></thead>\n<tbody>\n"
        );
        for (date, cost) in &view.times {
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                Text(date),
                grouped(cost.sessions),
                grouped(cost.calls),
                grouped(cost.failed)
            );
        }
        html.push_str("</tbody>\n</table>\n</details>\n");
    }
    html.push_str("</section>\n");
}

fn title_of(section: &Section, at: usize) -> String {
    section.columns.get(at).map_or_else(String::new, |heading| heading.title.to_lowercase())
}

/// What the two parts of a bar are.
fn key(section: &Section) -> String {
    let titles = section
        .drawn
        .and_then(|(first, second)| Some((title_of(section, first), title_of(section, second?))));
    titles.map_or_else(String::new, |(first, second)| {
        format!(
            " Bars: <span class=\"key bad\">{}</span> <span class=\"key good\">{}</span>",
            Text(&first),
            Text(&second)
        )
    })
}

/// What a section says, with the names of its columns as the page writes them.
fn explained(says: &str, columns: &[Heading]) -> String {
    let mut text = says.to_owned();
    for heading in columns.iter().filter(|heading| heading.title.len() > 1) {
        text = text.replace(heading.title, &format!("<strong>{}</strong>", heading.title.to_lowercase()));
    }
    text
}

fn section_of(html: &mut String, section: &Section) {
    let Section { id, title, says, columns, total, drawn, none, .. } = section;
    // A person is looked up by name, so nobody is left out.
    let rows =
        if section.total > section.rows.len() || *id != "people" { section.first() } else { &section.rows };
    let _ = write!(html, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n");
    if rows.is_empty() {
        let _ = write!(html, "<p>{none}</p>\n</section>\n");
        return;
    }
    // What is wider than the page is reached by arrow keys as well.
    let _ = write!(
        html,
        "<p class=\"says\">{}{}</p>\n\
         <div class=\"scroll\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">\n<table role=\"table\">\n\
         <caption>{title}</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">",
        explained(says, columns),
        key(section)
    );
    for heading in columns {
        let class = if heading.least.is_none() { " class=\"n\"" } else { "" };
        let _ = write!(
            html,
            "<th role=\"columnheader\" scope=\"col\"{class}>{}</th>",
            heading.title.to_lowercase()
        );
    }
    html.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    let count = |row: &[Cell], at: usize| match row.get(at) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    };
    let drawn_of = |row: &[Cell]| {
        let (first, second) = (*drawn)?;
        Some((count(row, first), second.map(|second| count(row, second))))
    };
    let most =
        rows.iter().filter_map(|row| drawn_of(row)).map(|(one, other)| one + other.unwrap_or_default()).max();
    for row in rows {
        html.push_str("<tr role=\"row\">");
        for (at, cell) in row.iter().enumerate() {
            match (cell, at) {
                (Cell::Text(text), 0) => {
                    let bar =
                        drawn_of(row).map(|(first, second)| chart::bar(first, second, most.unwrap_or(1)));
                    let _ = write!(
                        html,
                        "<th role=\"rowheader\" scope=\"row\"><bdi>{}</bdi>{}</th>",
                        Coded(text),
                        bar.unwrap_or_default()
                    );
                }
                // Where the page is narrow a cell says itself what it is: see the style.
                (Cell::Text(text), at) => {
                    let title = title_of(section, at);
                    let _ = write!(
                        html,
                        "<td role=\"cell\" data-title=\"{title}\"><bdi>{}</bdi></td>",
                        Coded(text)
                    );
                }
                (cell, at) => {
                    let title = title_of(section, at);
                    let _ = write!(
                        html,
                        "<td role=\"cell\" class=\"n\" data-title=\"{title}\">{}</td>",
                        shown(cell)
                    );
                }
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</div>\n");
    if rows.len() < *total {
        let (shown, all) = (rows.len() as u64, *total as u64);
        let _ = writeln!(html, "<p>These are the first {} of {}.</p>", grouped(shown), grouped(all));
    }
    html.push_str("</section>\n");
}
