//! The processes that forwarded a body, so that each of them refuses it when it comes back.
//!
//! Each process draws a random mark when it starts. A forwarded body carries, in one header, the marks of all
//! processes that forwarded it.

use std::sync::OnceLock;

/// The header, over HTTP and gRPC: marks, the first to forward first, with commas between them.
pub const HEADER: &str = "x-skillspan-forwarded";

/// A body that was forwarded more often is going in circles.
const MOST: usize = 8;
/// Letters and digits of a mark.
const LENGTH: usize = 16;

/// The mark of this process.
pub fn own() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| uuid::Uuid::new_v4().simple().to_string().chars().take(LENGTH).collect())
}

/// The marks of a request, as its headers of this name say; what is no mark is left out.
///
/// # Errors
/// What is wrong, if it was forwarded by this process, or too often.
pub fn arrived<'h>(headers: impl Iterator<Item = &'h str>) -> Result<String, String> {
    let is_mark = |mark: &&str| mark.len() == LENGTH && mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let marks: Vec<&str> =
        headers.flat_map(|header| header.split(',')).map(str::trim).filter(is_mark).take(MOST).collect();
    if marks.contains(&own()) {
        return Err(
            "this process forwarded it before, and it came back: skillspan forwards in a circle; change the \
                    endpoint of an exporter, here or where it goes from here"
                .to_owned(),
        );
    }
    if marks.len() >= MOST {
        return Err(format!("it was forwarded {MOST} times by skillspan: that is probably a circle"));
    }
    Ok(marks.join(","))
}

/// The header of a body that arrived with these marks.
pub fn onward(marks: &str) -> String {
    if marks.is_empty() { own().to_owned() } else { format!("{marks},{}", own()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_told_from_what_comes_by() {
        let other = "0123456789abcdef";
        assert_eq!(arrived([].into_iter()), Ok(String::new()));
        assert_eq!(arrived([other, "no mark,\u{1f}"].into_iter()), Ok(other.to_owned()));
        let header = onward(other);
        assert!(header.starts_with(other) && header.ends_with(own()));
        assert!(arrived([header.as_str()].into_iter()).unwrap_err().contains("circle"));
        assert!(arrived([other, own()].into_iter()).is_err());
        let many = [other; MOST].join(", ");
        assert!(arrived([many.as_str()].into_iter()).unwrap_err().contains("8 times"));
    }
}
