//! Keys, how they are written, and which action each means where.

use super::action::{Action, Scope};
use crate::base::spell;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// A key with its modifiers, normalised: a character carries its case, and never Shift.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Ctrl, Alt and, for keys that are not characters, Shift.
    pub modifiers: KeyModifiers,
}

const NAMED: &[(&str, KeyCode)] = &[
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
    ("lt", KeyCode::Char('<')),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
];

impl Key {
    /// The key that leads back.
    pub const ESCAPE: Key = Key { code: KeyCode::Esc, modifiers: KeyModifiers::NONE };

    /// The same key without Alt; nothing if it comes without.
    pub fn without_alt(self) -> Option<Key> {
        let modifiers = self.modifiers - KeyModifiers::ALT;
        (modifiers != self.modifiers).then_some(Key { modifiers, ..self })
    }

    fn new(code: KeyCode, mut modifiers: KeyModifiers) -> Key {
        modifiers &= KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let code = match code {
            KeyCode::BackTab => {
                modifiers |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(c) => {
                modifiers &= !KeyModifiers::SHIFT;
                // Terminals report Ctrl with a letter in either case.
                let ctrl = modifiers.contains(KeyModifiers::CONTROL);
                KeyCode::Char(if ctrl { c.to_ascii_lowercase() } else { c })
            }
            code => code,
        };
        Key { code, modifiers }
    }

    /// The key of an event; `None` for a release.
    pub fn from_event(e: KeyEvent) -> Option<Key> {
        (e.kind != KeyEventKind::Release).then(|| Key::new(e.code, e.modifiers))
    }

    /// The event that a terminal sends for this key.
    pub fn to_event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// Reads one key: a character, or a name in angle brackets with modifiers before it: `j`, `<Enter>`, `<C-d>`,
    /// `<S-Tab>`, `<lt>` for `<`.
    pub fn parse(s: &str) -> Result<Key, String> {
        let mut chars = s.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(Key::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
        let Some(mut name) = s.strip_prefix('<').and_then(|s| s.strip_suffix('>')) else {
            return Err(format!("'{s}' is not a key: write one character, or a name like <Enter> or <C-d>"));
        };
        let mut modifiers = KeyModifiers::NONE;
        while let Some((m, rest)) = name.split_once('-').filter(|(m, rest)| m.len() == 1 && !rest.is_empty()) {
            modifiers |= match m {
                "C" | "c" => KeyModifiers::CONTROL,
                "A" | "a" | "M" => KeyModifiers::ALT,
                "S" | "s" => KeyModifiers::SHIFT,
                _ => return Err(format!("'{s}' is not a key: modifiers are C-, A- and S-")),
            };
            name = rest;
        }
        let mut chars = name.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match NAMED.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
                Some(&(_, code)) => code,
                None => match name.strip_prefix(['F', 'f']).and_then(|n| n.parse::<u8>().ok()) {
                    Some(n) if (1..=24).contains(&n) => KeyCode::F(n),
                    _ => {
                        let near = spell::nearest(name, NAMED.iter().map(|(n, _)| *n));
                        return Err(match near {
                            Some(n) => format!("'{s}' is not a key{}", spell::hint(&format!("<{n}>"))),
                            None => format!("'{s}' is not a key: names are those of <Enter>, <Esc>, <PageUp>, <F1>"),
                        });
                    }
                },
            },
        };
        Ok(Key::new(code, modifiers))
    }

    /// Reads keys written one after the other, as `gotrail snapshot --keys` takes them: `/mapassign<Enter>jj<C-d>`.
    /// A `<` that begins no key is the character.
    pub fn parse_all(s: &str) -> Result<Vec<Key>, String> {
        let mut keys = Vec::new();
        let mut rest = s;
        while let Some(c) = rest.chars().next() {
            let len = match rest.find('>') {
                Some(end) if c == '<' && end > 1 && rest[1..end].chars().all(|c| c.is_alphanumeric() || c == '-') => {
                    end + 1
                }
                _ => c.len_utf8(),
            };
            keys.push(Key::parse(&rest[..len])?);
            rest = &rest[len..];
        }
        Ok(keys)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut s = String::new();
        for (m, name) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.modifiers.contains(m) {
                s.push_str(name);
            }
        }
        match self.code {
            KeyCode::Char(c) if c != ' ' => s.push(c),
            KeyCode::F(n) => s.push_str(&format!("F{n}")),
            code => s.push_str(NAMED.iter().find(|(_, c)| *c == code).map_or("?", |(n, _)| n)),
        }
        f.pad(&s)
    }
}

/// Which key means which action where.
#[derive(Clone, Debug)]
pub struct Keymap {
    map: HashMap<(Scope, Key), Action>,
    keys: HashMap<Action, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Keymap {
        Keymap::new(&BTreeMap::new()).expect("the default keys are valid: a test says so")
    }
}

impl Keymap {
    /// The default keys with the user's own in place of an action's: `bindings` maps an action's name to its keys. A key
    /// that the user gives to one action is taken from the other that had it by default. Returns everything that is
    /// wrong, a sentence each.
    pub fn new(bindings: &BTreeMap<String, Vec<String>>) -> Result<Keymap, Vec<String>> {
        let mut errors = Vec::new();
        let mut user: HashMap<Action, Vec<Key>> = HashMap::new();
        let mut taken: HashMap<(Scope, Key), Action> = HashMap::new();
        for (name, keys) in bindings {
            let Some(action) = Action::from_name(name) else {
                let near = spell::nearest(name, Action::ALL.iter().map(|a| a.name()));
                errors.push(match near {
                    Some(n) => format!("[keys] there is no action '{name}'{}", spell::hint(n)),
                    None => format!("[keys] there is no action '{name}'; press : in the viewer to see all"),
                });
                continue;
            };
            let list = user.entry(action).or_default();
            for text in keys {
                match Key::parse(text) {
                    Ok(key) => match taken.insert((action.scope(), key), action) {
                        Some(other) if other != action => errors.push(format!(
                            "[keys] {key} is given to both '{}' and '{}'",
                            other.name(),
                            action.name()
                        )),
                        _ => list.push(key),
                    },
                    Err(e) => errors.push(format!("[keys] {name}: {e}")),
                }
            }
        }
        let mut map = taken;
        let mut keys = user;
        for &action in Action::ALL {
            if keys.contains_key(&action) {
                continue;
            }
            let mut list = Vec::new();
            for text in action.default_keys().split_whitespace() {
                match Key::parse(text) {
                    Ok(key) => {
                        if let std::collections::hash_map::Entry::Vacant(e) = map.entry((action.scope(), key)) {
                            e.insert(action);
                            list.push(key);
                        }
                    }
                    Err(e) => errors.push(e),
                }
            }
            keys.insert(action, list);
        }
        if errors.is_empty() { Ok(Keymap { map, keys }) } else { Err(errors) }
    }

    /// What a key means in a scope: the scope's own action, or that of a wider one.
    pub fn action(&self, scope: Scope, key: Key) -> Option<Action> {
        scope.chain().iter().find_map(|&s| self.map.get(&(s, key))).copied()
    }

    /// The keys of an action, the chief one first.
    pub fn keys(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], |k| k)
    }

    /// The keys of an action as text: `j Down`.
    pub fn text(&self, action: Action) -> String {
        let keys: Vec<String> = self.keys(action).iter().map(Key::to_string).collect();
        keys.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own_help_and_valid_keys() {
        let mut names = std::collections::HashSet::new();
        for &a in Action::ALL {
            assert!(names.insert(a.name()), "{} is there twice", a.name());
            assert!(!a.help().is_empty() && !a.help().ends_with('.') && a.help().len() < 72, "{}", a.name());
            for k in a.default_keys().split_whitespace() {
                Key::parse(k).unwrap();
            }
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_place_and_no_local_key_hides_a_global_one() {
        let mut seen: HashMap<(Scope, Key), Action> = HashMap::new();
        for &a in Action::ALL {
            for k in a.default_keys().split_whitespace() {
                let k = Key::parse(k).unwrap();
                for scope in [a.scope(), Scope::Global] {
                    if let Some(b) = seen.get(&(scope, k)) {
                        panic!("{k} is both {} and {}", a.name(), b.name());
                    }
                }
                seen.insert((a.scope(), k), a);
            }
        }
    }

    #[test]
    fn keys_read_as_they_are_written() {
        let keys = Key::parse_all("/a b<Enter>j<C-d><S-Tab><lt>dur>1ms<<").unwrap();
        let text: Vec<String> = keys.iter().map(Key::to_string).collect();
        let want = "/ a Space b Enter j Ctrl-d Shift-Tab < d u r > 1 m s < <";
        assert_eq!(text.join(" "), want);
        assert!(Key::parse_all("<Entr>").unwrap_err().contains("<Enter>"));
    }

    #[test]
    fn a_terminal_reports_the_same_key_in_several_ways() {
        let key = |code, m| Key::from_event(KeyEvent::new(code, m)).unwrap();
        assert_eq!(key(KeyCode::Char('G'), KeyModifiers::SHIFT), Key::parse("G").unwrap());
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT), Key::parse("<S-Tab>").unwrap());
        assert_eq!(key(KeyCode::Char('D'), KeyModifiers::CONTROL), Key::parse("<C-d>").unwrap());
    }

    #[test]
    fn the_user_takes_a_key_from_the_action_that_had_it() {
        let bindings = BTreeMap::from([("quit".to_string(), vec!["<C-q>".to_string(), "o".to_string()])]);
        let map = Keymap::new(&bindings).unwrap();
        assert_eq!(map.action(Scope::Table, Key::parse("o").unwrap()), Some(Action::Quit));
        assert_eq!(map.action(Scope::Table, Key::parse("q").unwrap()), None);
        assert!(map.keys(Action::Editor).is_empty());
    }

    #[test]
    fn a_wrong_binding_is_answered_with_the_nearest_word() {
        let bindings = BTreeMap::from([
            ("zoom-inn".to_string(), vec!["x".to_string()]),
            ("quit".to_string(), vec!["<Escc>".to_string()]),
            ("copy".to_string(), vec!["x".to_string()]),
            ("back".to_string(), vec!["x".to_string()]),
        ]);
        let errors = Keymap::new(&bindings).unwrap_err().join("\n");
        assert!(errors.contains("`zoom-in`"), "{errors}");
        assert!(errors.contains("`<Esc>`"), "{errors}");
        assert!(errors.contains("both 'back' and 'copy'"), "{errors}");
    }
}
