use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

/// A browser refuses a script whose hash is another.
#[test]
fn the_policy_has_the_hashes_of_what_is_on_the_page() {
    assert_eq!((hash(STYLE), hash(SCRIPT)), (STYLE_HASH.to_owned(), SCRIPT_HASH.to_owned()));
    assert!(!SCRIPT.contains("innerHTML") && !SCRIPT.contains("insertAdjacentHTML") && !SCRIPT.contains("eval("));
}

#[test]
fn nothing_out_of_a_file_is_markup() {
    let text = inert("a<b>&\"'\u{1b}[31m\u{202e}");
    assert!(!text.contains(['<', '>', '"', '\'', '\u{1b}', '\u{202e}']), "{text}");
    assert!(text.starts_with("a&lt;b&gt;&amp;&quot;&#39;"), "{text}");
}
