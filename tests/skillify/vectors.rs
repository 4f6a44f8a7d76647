//! Word vectors: what is asked for in other words is the same, and a file of them is read with care.

use std::collections::BTreeSet;

use proptest::prelude::*;
use skillspan::skillify::{Config, Mined, Offline, Snapshot, VectorError, Vectors, VectorsError, mine};
use skillspan::table::Session;

use crate::sessions::session;

const TILES: &str = include_str!("../fixtures/vectors/tiles.vec");

fn read(text: &[u8]) -> Result<Vectors, VectorsError> {
    let wanted = BTreeSet::from(["bake", "tiles", "map", "draw", "squares", "terrain", "send", "übung"]);
    Vectors::read_text(text, &wanted)
}

/// Two people make tiles; they share no word of their prompts and half of what they did besides.
fn paraphrases() -> Vec<Session> {
    let tiles = |id: &str, person: &str, prompt: &str, besides: [&str; 3]| {
        let [first, second, third] = besides.map(|target| format!("make {target}"));
        let session = session(id).by(person).prompt(prompt).ok(&first).ok("make bake-tiles").ok(&second);
        session.ok("make push-tiles").ok(&third).ok("git commit -m done").build()
    };
    let mut sessions = vec![
        tiles("a", "alice", "Bake the map tiles", ["lint-web", "check-links", "count-words"]),
        tiles("b", "bob", "Draw the terrain squares", ["sort-imports", "trim-logs", "warm-cache"]),
    ];
    let others = ["lint-web", "check-links", "count-words", "sort-imports", "trim-logs", "warm-cache"];
    for (number, target) in others.into_iter().enumerate() {
        let person = if number % 2 == 0 { "carol" } else { "dave" };
        let session = session(&format!("other-{number}")).by(person);
        let session = session.prompt("Tidy up").ok("make tidy").ok("make vacuum").ok("make polish");
        sessions.push(session.ok(&format!("make {target}")).ok("git commit -m done").build());
    }
    sessions
}

fn mined(sessions: &[Session], vectors: Option<&Vectors>) -> Mined {
    let config = Config { vectors, ..Config::default() };
    mine(&Snapshot { workspace: "shop", sessions }, &config, &Offline)
}

/// Whether what both did is one candidate.
fn joins_the_two(mined: &Mined) -> bool {
    mined.candidates.iter().any(|candidate| {
        let claims: Vec<String> = candidate.claims.iter().map(|claim| claim.claim.to_string()).collect();
        ["run `make bake-tiles`", "run `make push-tiles`"]
            .iter()
            .all(|claim| claims.iter().any(|c| c == claim))
    })
}

#[test]
fn paraphrases_without_a_common_word_are_one_candidate_with_vectors_only() {
    let sessions = paraphrases();
    let vectors = read(TILES.as_bytes()).unwrap();
    assert!(!joins_the_two(&mined(&sessions, None)));
    assert!(joins_the_two(&mined(&sessions, Some(&vectors))));
}

#[test]
fn words_without_a_vector_change_nothing() {
    let sessions = paraphrases();
    let mut strangers = Vectors::default();
    strangers.insert("invoice", vec![1.0, 0.0]).unwrap();
    assert_eq!(mined(&sessions, Some(&strangers)), mined(&sessions, None));
    assert_eq!(mined(&sessions, Some(&Vectors::default())), mined(&sessions, None));
}

#[test]
fn unrelated_words_join_nothing() {
    let sessions = paraphrases();
    let mut apart = Vectors::default();
    for word in ["bake", "map", "tiles"] {
        apart.insert(word, vec![1.0, 0.1]).unwrap();
    }
    for word in ["draw", "terrain", "squares"] {
        apart.insert(word, vec![0.1, 1.0]).unwrap();
    }
    assert_eq!(mined(&sessions, Some(&apart)), mined(&sessions, None));
}

#[test]
fn a_file_of_word_vectors_is_read_with_and_without_its_header() {
    let with = read(TILES.as_bytes()).unwrap();
    let without = read(TILES.split_once('\n').unwrap().1.as_bytes()).unwrap();
    assert_eq!(with, without);
    assert_eq!(with.len(), 7, "only what is asked for is kept");
    assert_eq!(with.get("database"), None);
    let send = with.get("send").unwrap();
    assert!(send[2] > 0.9, "the first of two spellings counts: {send:?}");
    let length: f32 = with.get("tiles").unwrap().iter().map(|number| number * number).sum();
    assert!((length - 1.0).abs() < 1e-6);
    let dos = TILES.replace('\n', "\r\n");
    assert_eq!(read(dos.as_bytes()).unwrap(), with);
    assert_eq!(read("übung 1 0\nÜbung 0 1".as_bytes()).unwrap().get("übung"), Some(&[1.0, 0.0][..]));
}

#[test]
fn words_with_spaces_or_in_another_encoding_are_passed_over() {
    let vectors =
        read(b"map 1 0\n. . . 1 0\nat mail 1 0\n\xff\xfe 1 1\n\nunknown nan 1\ntiles 0 1\ndraw 0 0\n")
            .unwrap();
    assert_eq!(vectors.iter().map(|(word, _)| word).collect::<Vec<_>>(), ["map", "tiles"]);
}

#[test]
fn an_error_names_the_line_and_what_is_wrong() {
    let error = |text: &[u8]| read(text).unwrap_err().to_string();
    assert_eq!(error(b"map 1 0 0\ntiles 1 0\n"), "line 2 has 2 numbers, where the others have 3");
    assert_eq!(error(b"map 1 0\n\ntiles 1 0 0\n"), "line 3 has 3 numbers, where the others have 2");
    assert_eq!(error(b"2 3\nmap 1 0\n"), "line 2 has 2 numbers, where the others have 3");
    assert_eq!(error(b"x 1 0\nmap nan 0\n"), "line 2 has numbers that are not finite");
    assert_eq!(error(b"map 1 inf\n"), "line 1 has numbers that are not finite");
    assert_eq!(error(b"1 99999999\n"), "line 1 has 99999999 numbers; expected 1 to 8192");
    assert!(error(b"x 1 0\nmap 1 one\n").starts_with("line 2 is no word with its numbers"));
    assert!(
        error(b"PK\x03\x04 zipped\n").starts_with("line 1 is no word with its numbers; expected the text")
    );
    assert!(error(b"{\"model\": 1}").starts_with("line 1 is no word"));
    assert!(error(b"").starts_with("holds no vectors"));
    assert!(error(b"\n\n").starts_with("holds no vectors"));
    assert!(error(&[b'x'; 1 << 19]).starts_with("line 1 is no word"));
    let wide: String = std::iter::once("map".to_owned()).chain((0..8193).map(|_| " 1".to_owned())).collect();
    assert_eq!(error(wide.as_bytes()), "line 1 has 8193 numbers; expected 1 to 8192");
}

#[test]
fn a_vector_is_of_the_dimension_of_the_others() {
    let mut vectors = Vectors::default();
    assert_eq!(vectors.insert("map", Vec::new()), Err(VectorError::Length(0)));
    vectors.insert("map", vec![3.0, 4.0]).unwrap();
    assert_eq!(vectors.get("map"), Some(&[0.6, 0.8][..]));
    assert_eq!(vectors.insert("x", vec![1.0]), Err(VectorError::Dimensions { expected: 2, found: 1 }));
    assert_eq!(vectors.insert("x", vec![f32::NAN, 1.0]), Err(VectorError::NotFinite));
    assert_eq!(vectors.insert("x", vec![0.0, 0.0]), Err(VectorError::Zero));
    assert_eq!(vectors.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&text);
    }

    #[test]
    fn what_looks_like_vectors_is_read_or_refused(
        lines in proptest::collection::vec("(map|tiles|Draw|x| |3)( (-?[0-9]{1,3}(\\.[0-9]{1,4})?|1e39|nan|x)){0,4}[ \r]?", 0..6)
    ) {
        if let Ok(vectors) = read(lines.join("\n").as_bytes()) {
            for (_, vector) in vectors.iter() {
                let length: f32 = vector.iter().map(|number| number * number).sum();
                prop_assert!((length - 1.0).abs() < 1e-3, "{vector:?}");
            }
        }
    }

    #[test]
    fn the_order_of_sessions_changes_nothing(order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let sessions = paraphrases();
        let vectors = read(TILES.as_bytes()).unwrap();
        let shuffled: Vec<Session> = order.into_iter().map(|at| sessions[at].clone()).collect();
        prop_assert_eq!(mined(&shuffled, Some(&vectors)), mined(&sessions, Some(&vectors)));
    }
}
