//! Which word was meant. Queries, settings, keys and commands all ask here.

use super::text::escape;

/// Longer words are nobody's typing error, and a comparison costs the product of the lengths.
const MAX_LETTERS: usize = 40;

/// The word of `words` nearest to `word`, if one is near: a third of its letters wrong, swapped, missing or too many, or
/// its end not typed yet. Case does not count. Of several that are equally near it is the first.
pub fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let n = word.chars().count();
    if n == 0 || n > MAX_LETTERS {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in words {
        let lower = candidate.to_lowercase();
        if lower.chars().count() > MAX_LETTERS {
            continue;
        }
        let mut d = strsim::osa_distance(&word, &lower);
        if n >= 2 && lower.starts_with(&word) {
            d = d.min(1);
        }
        if d <= (n / 3).max(1) && d < n && best.is_none_or(|(b, _)| d < b) {
            best = Some((d, candidate));
        }
    }
    best.map(|(_, w)| w)
}

/// What follows a message about a wrong word: the word that was probably meant, made safe to show.
pub fn hint(word: &str) -> String {
    format!("; did you mean `{}`?", escape(word))
}

/// The [`hint`] at the word nearest to `word`; empty if none is near.
pub fn hint_nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, words).map(hint).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let words = ["reason", "region", "state", "g"];
        assert_eq!(nearest("reasn", words), Some("reason"));
        assert_eq!(nearest("raeson", words), Some("reason"));
        assert_eq!(nearest("sta", words), Some("state"));
        assert_eq!(nearest("STAET", words), Some("state"));
        assert_eq!(nearest("nothing", words), None);
        assert_eq!(nearest("x", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest(&"reason".repeat(100), words), None);
    }

    #[test]
    fn a_hint_is_safe_to_show() {
        assert_eq!(hint_nearest("reasn", ["reason"]), "; did you mean `reason`?");
        assert_eq!(hint_nearest("x", ["reason"]), "");
        assert_eq!(hint("a\x1b"), "; did you mean `a\\x1b`?");
    }
}
