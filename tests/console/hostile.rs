//! Payloads in every text that a client sets: none of them is markup in any page, and none is hidden.

use serde_json::{Value, json};
use skillspan::event::is_hidden;

use crate::visitor::{House, Story, Visitor, encoded};

/// What runs in a page that shows texts as they come, or breaks it; many are from public collections of such texts.
const PAYLOADS: [&str; 64] = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<math><mi xlink:href=\"data:x,<script>alert(1)</script>\">",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<form action=https://evil.example><button>x</button></form>",
    "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
    "<base href=https://evil.example>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "\" onmouseover=alert(1) x=\"",
    "' onmouseover=alert(1) x='",
    "` onmouseover=alert(1) x=`",
    "\" autofocus onfocus=alert(1) x=\"",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</pre><script>alert(1)</script>",
    "</select><script>alert(1)</script>",
    "</option></datalist><script>alert(1)</script>",
    "<!--><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version=\"1.0\"?><x/>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><script>alert(1)</script></template>",
    "<video><source onerror=alert(1)></video>",
    "<marquee onstart=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&#x3c;script&#x3e;",
    "\\u003cscript\\u003ealert(1)",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "{{ 739 * 977 }}",
    "{% include \"/etc/passwd\" %}",
    "${7*7}",
    "<%= 739 * 977 %>",
    "#{7*7}",
    "\u{1b}[2J\u{1b}]0;x\u{7}",
    "\u{9b}31mred",
    "\u{202e}gpj.exe",
    "\u{2066}isolated\u{2069}",
    "\u{200b}zero\u{200d}width\u{feff}",
    "\u{e0041}\u{e0042}tags",
    "\u{3164}filler",
    "null\u{0}byte",
    "back\u{8}space\u{7f}",
    "line\r\nset-cookie: x=1",
    "../../../../etc/passwd",
    "?a=b&c=d#e",
    "a/b\\c",
    "\u{1d54f} \u{202e} \u{639}\u{631}\u{628}\u{64a} \u{5e2}\u{5d1}",
    "' OR 1=1 --",
];

/// The elements that pages are made of.
const ELEMENTS: [&str; 53] = [
    "html",
    "head",
    "meta",
    "title",
    "link",
    "script",
    "body",
    "a",
    "header",
    "nav",
    "ul",
    "ol",
    "li",
    "form",
    "input",
    "span",
    "button",
    "main",
    "h1",
    "h2",
    "h3",
    "h4",
    "p",
    "section",
    "dl",
    "dt",
    "dd",
    "div",
    "small",
    "figure",
    "figcaption",
    "b",
    "svg",
    "g",
    "rect",
    "text",
    "path",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "caption",
    "time",
    "code",
    "pre",
    "label",
    "select",
    "option",
    "textarea",
];
const MORE: [&str; 2] = ["datalist", "tspan"];

/// Reads a page as a browser's tokenizer does, and holds every element and attribute to those that pages are made of.
fn hold_to_own_markup(page: &str, of: &str) {
    assert!(
        !page.chars().any(|char| is_hidden(char) && char != '\n' && char != '\t'),
        "{of}: something is hidden"
    );
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let inner = tag(rest);
        let name: String =
            inner.trim_start_matches('/').chars().take_while(|char| char.is_ascii_alphanumeric()).collect();
        let is_own = ELEMENTS.contains(&name.as_str()) || MORE.contains(&name.as_str());
        assert!(is_own || inner.starts_with("!DOCTYPE html"), "{of}: <{inner}>");
        for attribute in attributes(inner) {
            assert!(
                !attribute.starts_with("on")
                    && !["style", "srcset", "formaction"].contains(&attribute.as_str()),
                "{of}: <{inner}>"
            );
        }
        if name == "script" && !inner.starts_with('/') {
            assert_eq!(inner, "script src=\"/static/console.js\" defer", "{of}");
        }
        for address in ["href=\"", "src=\"", "action=\"", "content=\"0;url="] {
            for value in inner.split(address).skip(1) {
                assert!(value.starts_with('/') || value.starts_with('#'), "{of}: <{inner}>");
                assert!(!value.starts_with("//"), "{of}: <{inner}>");
            }
        }
        rest = &rest[inner.len()..];
    }
}

/// What stands between the brackets, quotes respected.
fn tag(rest: &str) -> &str {
    let mut is_quoted = false;
    for (at, char) in rest.char_indices() {
        match char {
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => return &rest[..at],
            _ => {}
        }
    }
    panic!("a tag has no end: {}", &rest[..rest.len().min(80)]);
}

fn attributes(inner: &str) -> Vec<String> {
    let outside: String = inner.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    assert!(!outside.contains('\'') && !outside.contains('<'), "<{inner}>");
    outside.split_whitespace().skip(1).map(|word| word.trim_end_matches('=').to_ascii_lowercase()).collect()
}

/// Every page that links lead to from here, each once.
fn pages(visitor: &Visitor, from: &[&str]) -> Vec<(String, String)> {
    let mut waiting: Vec<String> = from.iter().map(|path| (*path).to_owned()).collect();
    let (mut seen, mut pages) = (std::collections::BTreeSet::new(), Vec::new());
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone())
            || path.starts_with("/static/")
            || path.starts_with('#')
            || seen.len() > 400
        {
            continue;
        }
        let answer = visitor.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        for link in answer.text.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap().split('#').next().unwrap().replace("&amp;", "&");
            waiting.push(link);
        }
        pages.push((path, answer.text));
    }
    pages
}

#[test]
fn no_text_of_a_session_is_markup_or_hidden_in_any_page() {
    let house = House::open();
    let mut bodies: Vec<Value> = Vec::new();
    for (number, payload) in PAYLOADS.iter().enumerate() {
        let id = format!("h-{number}{payload}");
        let person = format!("p{number}{payload}@example.com");
        let workspace = if number % 8 == 0 { format!("shop{payload}") } else { "shop".to_owned() };
        let more = format!(" {payload}");
        let story = Story {
            id: &id,
            person: &person,
            workspace: &workspace,
            repair: "make db-up",
            everywhere: &more,
        };
        bodies.push(story.body());
    }
    house.send(&bodies);
    house.mine();
    let owner = house.owner();
    let all = pages(&owner, &["/", "/sessions", "/work", "/skills", "/review", "/report"]);
    assert!(all.len() > 100, "only {} pages were found", all.len());
    for (path, page) in &all {
        hold_to_own_markup(page, path);
    }
    // What was sent is there to be read, and is no more than that.
    let shown: String = all.iter().map(|(_, page)| page.as_str()).collect();
    for text in ["&lt;script&gt;alert(1)&lt;/script&gt;", "\\u{202e}gpj.exe", "{{ 739 * 977 }}"] {
        assert!(shown.contains(text), "{text} is nowhere");
    }
    assert!(!shown.contains("722003"), "nothing is worked out");
}

#[test]
fn what_is_asked_for_is_no_markup_either() {
    let house = House::open();
    let owner = house.owner();
    for payload in PAYLOADS {
        let payload = encoded(payload);
        for path in [
            format!("/sessions?words={payload}&workspace={payload}&project={payload}&person={payload}"),
            format!("/sessions?assistant={payload}&outcome={payload}&day={payload}"),
            format!("/sessions?after={payload}"),
            format!("/sessions/{payload}?tenant={payload}&event={payload}"),
            format!("/sessions/{payload}/events/{payload}"),
            format!("/skills/{payload}?tenant={payload}"),
            format!("/skills/{payload}/claims/1"),
            format!("/review/{payload}"),
            format!("/review?done={payload}"),
            format!("/{payload}"),
        ] {
            let answer = owner.get_with(&path, &[]);
            assert!(answer.status < 500, "{path}: {}", answer.status);
            hold_to_own_markup(&answer.text, &path);
            assert!(!answer.headers.contains_key("set-cookie"), "{path}");
        }
        let answer = owner.get_with(&format!("/open?key={payload}"), &[]);
        assert!([403, 429].contains(&answer.status));
        hold_to_own_markup(&answer.text, "/open");
    }
}

#[test]
fn json_says_what_was_sent() {
    let house = House::open();
    let payload = "<script>\u{202e}\u{0}</script>";
    let more = format!(" {payload}");
    let story = Story {
        id: "j",
        person: "ana@example.com",
        workspace: "shop",
        repair: "make db-up",
        everywhere: &more,
    };
    house.send(&[story.body()]);
    let shown = house.owner().json("/sessions/j");
    let prompt =
        shown["items"].as_array().unwrap().iter().find(|item| item["kind"] == "prompt").unwrap().clone();
    assert_eq!(prompt["text"], json!(format!("run the integration tests {payload}")));
}
