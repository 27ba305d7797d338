//! Frames that a profile's producer, or the user, does not want to see with all that they call.

use super::pattern::Pattern;
use crate::profile::model::Profile;

/// `name` without the dot that PowerPC puts before it and without the list of parameters. Parentheses that belong to the
/// name, as C++ has them, do not begin one.
fn simplify(name: &str) -> &str {
    const PART_OF_NAME: [&str; 2] = ["(anonymous namespace)", "operator()"];
    let name = name.strip_prefix('.').unwrap_or(name);
    let mut at = 0;
    while at < name.len() {
        let rest = &name[at..];
        if let Some(part) = PART_OF_NAME.iter().find(|part| rest.starts_with(**part)) {
            at += part.len();
        } else if rest.starts_with('(') {
            return &name[..at];
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    name
}

impl Profile {
    /// Drops what the profile itself says is to be dropped. An expression that cannot be compiled is passed over.
    pub fn drop_uninteresting(&mut self) {
        let whole = |s: &str| Pattern::new(&format!("^({s})$"));
        if self.str(self.drop_frames).is_empty() {
            return;
        }
        let Ok(drop) = whole(self.str(self.drop_frames)) else { return };
        let keep = match self.str(self.keep_frames) {
            "" => None,
            keep => match whole(keep) {
                Ok(keep) => Some(keep),
                Err(_) => return,
            },
        };
        self.prune(&drop, keep.as_ref());
    }

    /// Removes the frames that match `drop` and not `keep`, with all that they call, except where that would leave
    /// nothing: frames nearer to the root than any other stay.
    pub fn prune(&mut self, drop: &Pattern, keep: Option<&Pattern>) {
        let mut known: Vec<Option<bool>> = vec![None; self.strings.len()];
        let strings = &self.strings;
        let mut matches = |name: crate::base::StringId| match known.get_mut(name.index()) {
            Some(known) => *known.get_or_insert_with(|| {
                let name = strings.get(name);
                let simple = simplify(name);
                !name.is_empty() && drop.is_match(simple) && !keep.is_some_and(|k| k.is_match(simple))
            }),
            None => false,
        };
        let mut whole = vec![false; self.locations.len()];
        let mut beneath = vec![false; self.locations.len()];
        for (i, l) in self.locations.iter_mut().enumerate() {
            let lines = &self.lines[l.lines.range()];
            let found = lines.iter().rposition(|n| matches(self.functions[n.function as usize].name));
            let Some(found) = found else { continue };
            beneath[i] = true;
            if found + 1 == lines.len() {
                whole[i] = true;
            } else {
                l.lines = l.lines.skip(found + 1);
            }
        }
        for s in &mut self.samples {
            let stack = &self.frames[s.stack.range()];
            let Some(user) = stack.iter().rposition(|&l| !beneath[l as usize]) else { continue };
            let Some(at) = stack[..user].iter().rposition(|&l| beneath[l as usize]) else { continue };
            s.stack = s.stack.skip(if whole[stack[at] as usize] { at + 1 } else { at });
        }
    }

    /// Removes what the frame nearest to the leaf that matches calls; the frame itself stays.
    pub fn prune_from(&mut self, pattern: &Pattern) {
        let mut matched = vec![false; self.locations.len()];
        for (i, l) in self.locations.iter_mut().enumerate() {
            let name = |f: u32| self.strings.get(self.functions[f as usize].name);
            let lines = &self.lines[l.lines.range()];
            let is_match = |name: &str| !name.is_empty() && pattern.is_match(simplify(name));
            if let Some(found) = lines.iter().position(|n| is_match(name(n.function))) {
                matched[i] = true;
                l.lines = l.lines.skip(found);
            }
        }
        for s in &mut self.samples {
            if let Some(at) = self.frames[s.stack.range()].iter().position(|&l| matched[l as usize]) {
                s.stack = s.stack.skip(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::simplify;

    #[test]
    fn parameters_are_no_part_of_a_name() {
        assert_eq!(simplify(".foo(int, char)"), "foo");
        assert_eq!(simplify("(anonymous namespace)::f(int)"), "(anonymous namespace)::f");
        assert_eq!(simplify("A::operator()(int)"), "A::operator()");
        assert_eq!(simplify("main.(*T).M"), "main.");
        assert_eq!(simplify("große(x"), "große");
    }
}
