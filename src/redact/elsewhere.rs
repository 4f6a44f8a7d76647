//! What a password is called in other languages, and how they say what it is, as data.
//!
//! Only a random-looking word counts as a password here, because sentences in these languages often talk about
//! passwords without containing one.

/// Makes the marks and the pattern from the words, so that neither has one that the other does not know.
macro_rules! words {
    ($first:literal $(, $word:literal)* $(,)?) => {
        /// What a password is called, as it begins a sentence and within one.
        #[rustfmt::skip] // Words, many a line.
        pub(super) const WORDS: &[&str] = &[$first $(, $word)*];

        /// The word, up to six more, what says `is`, and the password; or the password at once.
        pub(super) const PATTERN: &str = concat!(
            "(?:", $first $(, "|", $word)*, ")",
            // An ending of the word, and what closes around it.
            r#"[a-zа-яёіїє'’]{0,3}\\*[\])"'`*_）」]{0,4}"#,
            r#"(?:(?:[ ]?[^\s:：=\\"']{1,24}){0,6}?[ ]{0,2}(?::|：|=|＝|->|→|は|が|是|为|為|就是|改成|改为|는|은|이|가|를|을|"#,
            // Verbs, and a dash instead of one.
            r" (?:is|ist|lautet|war|es|est|era|était|è|é|er|är|on|je|jest|to|este|adalah|ialah|là|คือ|है|هي|هو|είναι|הוא|היא|-|–|—)[ ])|[ ])",
            r#"[*_]{0,2}\s{0,3}\\*["'`「『“„«]?(?P<secret>[^\s"'`「」『』“”„«»,，。；;<>\\]{4,100})"#,
        );

        /// The same in quotation marks of these languages, where a sentence is not taken for one.
        pub(super) const QUOTED: &str = concat!(
            "(?:", $first $(, "|", $word)*, ")",
            r#"[ ]?(?::|：|は|が|是|为|為|는|은|이|가| is| ist| es| è| é| —| –)?[ ]?(?:「|『|“|„|«)"#,
            r#"(?P<secret>[!#-&(-\[\]-_a-~]{6,100})(?:」|』|”|“|»)"#,
        );
    };
}

words![
    // Chinese, Japanese, Korean.
    "密码",
    "密碼",
    "口令",
    "通行码",
    "パスワード",
    "パスフレーズ",
    "暗証番号",
    "合言葉",
    "비밀번호",
    "비번",
    "암호",
    "패스워드",
    // Written in Cyrillic and Greek.
    "пароль",
    "Пароль",
    "ПАРОЛЬ",
    "пароля",
    "гасло",
    "Гасло",
    "лозинка",
    "Лозинка",
    "парола",
    "Парола",
    "құпиясөз",
    "нууц үг",
    "κωδικός",
    "Κωδικός",
    "κωδικό",
    "συνθηματικό",
    // Of the Near East and of India.
    "סיסמה",
    "סיסמא",
    "הסיסמה",
    "كلمة المرور",
    "كلمة السر",
    "كلمة مرور",
    "كلمة سر",
    "الرقم السري",
    "رمز عبور",
    "گذرواژه",
    "پاس ورڈ",
    "पासवर्ड",
    "পাসওয়ার্ড",
    "கடவுச்சொல்",
    "పాస్‌వర్డ్",
    "პაროლი",
    "գաղտնաբառ",
    // Of South-East Asia and of Africa.
    "mật khẩu",
    "Mật khẩu",
    "รหัสผ่าน",
    "kata sandi",
    "Kata sandi",
    "kata laluan",
    "nenosiri",
    "wagwoord",
    "Wagwoord",
    // Germanic and Romance.
    "wachtwoord",
    "Wachtwoord",
    "paswoord",
    "lösenord",
    "Lösenord",
    "adgangskode",
    "Adgangskode",
    "kodeord",
    "passord",
    "Passord",
    "lykilorð",
    "Losungswort",
    "Zugangscode",
    "Passwort",
    "Kennwort",
    "senha",
    "Senha",
    "mot de passe",
    "Mot de passe",
    "contraseña",
    "Contraseña",
    "CONTRASEÑA",
    "contrasenya",
    "contrasinal",
    "palavra-passe",
    "Palavra-passe",
    "palavra passe",
    "parola d'ordine",
    "Parola d'ordine",
    "parola",
    "Parola",
    "parolă",
    "Parolă",
    "mot-de-passe",
    "mots de passe",
    // Slavic and Baltic, Finnish, Hungarian, Turkish and others.
    "hasło",
    "Hasło",
    "hasła",
    "heslo",
    "Heslo",
    "geslo",
    "Geslo",
    "zaporka",
    "Zaporka",
    "šifra",
    "slaptažodis",
    "Slaptažodis",
    "parool",
    "salasõna",
    "salasana",
    "Salasana",
    "tunnussana",
    "jelszó",
    "Jelszó",
    "jelszava",
    "şifre",
    "Şifre",
    "şifresi",
    "fjalëkalimi",
    "pasahitza",
    "pasfhocal",
    "cyfrinair",
    "pasvorto",
    "haslo",
    "Haslo",
    "sifre",
    "Sifre",
    "contrasena",
    "Contrasena",
    "losenord",
    "Losenord",
    "jelszo",
    "Jelszo",
    "salasona",
    "slaptazodis",
    "mat khau",
    "Mat khau",
    "clave",
    "Clave",
    "mdp",
    "Mdp",
    "MDP",
];

#[cfg(test)]
mod tests {
    use super::super::escapes::views;
    use super::*;

    /// JSON may escape every letter beyond ASCII: the names are read then, too.
    #[test]
    fn every_word_is_read_where_it_is_escaped() {
        for word in WORDS.iter().filter(|word| !word.is_ascii()) {
            let escaped: String = word
                .chars()
                .map(|char| match char {
                    char if char.is_ascii() => char.to_string(),
                    char => format!("\\u{:04x}", u32::from(char)),
                })
                .collect();
            let read = views(&escaped);
            assert!(read.iter().any(|view| view.text.contains(*word)), "{word} as {escaped}");
        }
    }
}
