//! Characters that a reader does not see, or takes for others.

use std::sync::LazyLock;

use regex::Regex;

/// Unseen: controls but line end and tab, formats, spaces but the plain one, fillers, variation selectors, marks
/// that overlay, what is private or not assigned.
static UNSEEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"[[\p{Cc}--[\n\t]]\p{Cf}\p{Zl}\p{Zp}[\p{Zs}--\x20]\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u{2800}\u{0332}-\u{0338}\u{1D159}]",
    )
    .ok()
});

/// A word of letters that look like those of another script: letters of two scripts beside each other, but for
/// those that are written so; letters of Latin forms that are no letters of a language.
static MIXED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let written_together =
        r"\p{Latin}\p{Common}\p{Inherited}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}";
    Regex::new(&format!(
        r"(?x)
        \p{{Latin}} [\w--\s]* [\p{{L}}--[{written_together}]]
        | [\p{{L}}--[{written_together}]] [\w--\s]* \p{{Latin}}
        | [\p{{L}}&&[\p{{Common}}\p{{Latin}}]&&[^A-Za-z\u{{AA}}\u{{BA}}\u{{B5}}\u{{C0}}-\u{{24F}}\u{{1E00}}-\u{{1EFF}}]&&[^\u{{30FC}}\u{{FF70}}\u{{3005}}-\u{{3007}}\u{{2B0}}-\u{{2FF}}]]
        | [\u{{131}}\u{{138}}\u{{17F}}\u{{1C0}}-\u{{1C3}}]
        | [\u{{2160}}-\u{{2188}}\u{{24B6}}-\u{{24E9}}\u{{1F100}}-\u{{1F1E5}}]
        "
    ))
    .ok()
});

/// In code: signs that look like those of a shell. A sentence may have them.
static SIGNS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{Pc}\p{Sm}\p{Sc}\p{Sk}--[\x00-\x7F]]").ok()
});

/// A word of code that decides what is run: its letters are plain.
static PLAIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // A program, an option, the name of a variable.
    Regex::new(r"^\s*\S*[^\x00-\x7F]|(?:^|\s)-\S*?[^\x00-\x7F]|(?:^|\s)\w*[^\x00-\x7F]\w*=").ok()
});

fn finds(regex: &LazyLock<Option<Regex>>, text: &str) -> bool {
    // A rule that does not compile would find nothing: then nothing may pass.
    regex.as_ref().is_none_or(|regex| regex.is_match(text))
}

/// What deceives a reader of the text, if anything does.
pub(crate) fn deceives(text: &str) -> Option<&'static str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    if finds(&UNSEEN, text) {
        return Some("invisible characters");
    }
    finds(&MIXED, text).then_some("letters that look like others")
}

/// What deceives a reader of a command, if anything does.
pub(super) fn deceives_in_code(text: &str) -> Option<&'static str> {
    let deceives = !text.is_ascii() && (finds(&SIGNS, text) || finds(&PLAIN, text));
    deceives.then_some("letters that look like others")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_compile() {
        for rule in [&UNSEEN, &MIXED, &SIGNS, &PLAIN] {
            assert!(rule.is_some());
        }
    }

    #[test]
    fn what_languages_write_is_no_deceit() {
        for text in [
            "Größe der Übersicht prüfen",
            "ação naïve façade œuvre Łódź İstanbul",
            "исправить сборку",
            "διόρθωση",
            "修复bug のテスト データベース 빌드",
            "build — then “test” … 5 µm ✨",
            "plain\ttext\n",
        ] {
            assert_eq!(deceives(text), None, "{text}");
        }
        for code in ["git commit -m 'Größe'", "cat данные.txt", "grep -rn 修复 src"] {
            assert_eq!(deceives(code).or_else(|| deceives_in_code(code)), None, "{code}");
        }
    }

    #[test]
    fn what_is_not_seen_or_looks_like_another_letter_deceives() {
        for unseen in [
            0xA0, 0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x180B, 0x180E, 0x2003, 0x200B, 0x200D, 0x2028,
            0x202E, 0x2060, 0x2066, 0x2800, 0x3000, 0x3164, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xE0041, 0xE0101,
            0x1B, 0x7, 0x7F, 0x9B, 0xE000, 0x378,
        ] {
            let text = format!("make up{}", char::from_u32(unseen).unwrap());
            assert_eq!(deceives(&text), Some("invisible characters"), "{unseen:x}");
        }
        for word in
            ["m\u{430}ke", "\u{435}dit", "p\u{3bf}rt", "ma\u{131}n", "\u{ff55}p", "\u{1d42e}p", "\u{24e4}p"]
        {
            assert_eq!(deceives(word), Some("letters that look like others"), "{word}");
        }
        for code in
            ["make \u{2013}\u{2013}force", "./a\u{2044}b", "make up\u{ff0e}sh", "таке up", "A\u{ff1d}b make"]
        {
            let found = deceives(code).or_else(|| deceives_in_code(code));
            assert_eq!(found, Some("letters that look like others"), "{code}");
        }
    }
}
