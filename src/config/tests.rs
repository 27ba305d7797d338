use super::*;

fn wrong(text: &str) -> String {
    Settings::parse(Path::new("s.toml"), text).unwrap_err().to_string()
}

#[test]
fn the_example_holds_every_key_and_its_default() {
    assert_eq!(Settings::parse(Path::new("example"), EXAMPLE).unwrap(), Settings::default());
    let example: toml::Table = toml::from_str(EXAMPLE).unwrap();
    let defaults = toml::Table::try_from(Settings::default()).unwrap();
    assert_eq!(example, defaults);
    assert_eq!(Settings::parse(Path::new("empty"), "").unwrap(), Settings::default());
}

#[test]
fn all_keys_are_read() {
    let text = "editor = 'code -g {file}:{line}'\ntheme = 'light'\nascii = true\nmouse = false\nmemory = '256MiB'\n\
                [source]\npaths = ['a=b', '/c']\n[keys]\nnext_hit = ['n', 'ctrl-g']\n";
    let s = Settings::parse(Path::new("s"), text).unwrap();
    assert_eq!((s.theme, s.ascii, s.mouse, s.memory), (Theme::Light, true, false, ByteSize(256 << 20)));
    assert_eq!((s.editor.as_str(), s.source.paths.len()), ("code -g {file}:{line}", 2));
    let s2 = Settings::parse(Path::new("s"), "density = 'compact'\n[colors]\nlock = '#ff5f5f'\n").unwrap();
    assert_eq!((s2.density, s2.colors["lock"].as_str()), (Density::Compact, "#ff5f5f"));
    assert_eq!(s.keys["next_hit"], ["n", "ctrl-g"]);
}

#[test]
fn a_mistake_is_answered_with_its_line_and_the_nearest_word() {
    assert_eq!(wrong("\n\nedtior = 'vi'\n"), "s.toml:3: unknown key `edtior`; did you mean `editor`?");
    assert_eq!(wrong("ascii = true\n[source]\npath = []\n"), "s.toml:3: unknown key `path`; did you mean `paths`?");
    assert_eq!(wrong("theme = 'drak'"), "s.toml:1: unknown value `drak`; did you mean `dark`?");
    let far = wrong("xyzzyx = 1");
    assert!(far.contains("there are editor, theme, ascii"), "{far}");
    assert!(wrong("a = 1\nmouse = 'yes'").starts_with("s.toml:1: unknown key `a`"));
    let kind = wrong("\nmouse = 'yes'");
    assert!(kind.starts_with("s.toml:2: ") && kind.contains("boolean"), "{kind}");
    let size = wrong("memory = 'much'");
    assert!(size.contains("s.toml:1: `much` is not a size"), "{size}");
    let syntax = wrong("ascii = true\n[source\n");
    assert!(syntax.starts_with("s.toml:2: ") && !syntax.contains('\n'), "{syntax}");
    assert!(!wrong("\"\\u001b[31m\" = 1").contains('\x1b'));
}

#[test]
fn sizes_are_read_as_people_write_them() {
    for (text, want) in [
        ("0", 0),
        ("512", 512),
        ("1k", 1_000),
        ("1.5 GB", 1_500_000_000),
        ("2GiB", 2 << 30),
        ("64mib", 64 << 20),
        ("300MB", 300_000_000),
    ] {
        assert_eq!(text.parse(), Ok(ByteSize(want)), "{text}");
        assert_eq!(ByteSize(want).to_string().parse(), Ok(ByteSize(want)), "{text} there and back");
    }
    for text in ["", "GB", "-1GB", "1XB", "1e3", "1.2.3", "99999999999TB", "ünits"] {
        assert!(text.parse::<ByteSize>().is_err(), "{text}");
    }
    assert_eq!(Settings::default().memory.to_string(), "1GB");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    let env = |v: &str| match v {
        VARIABLE => Some(file.clone().into_os_string()),
        "HOME" => Some("/home/me".into()),
        _ => None,
    };
    assert!(matches!(Settings::load(env), Err(ConfigError::Read { .. })));
    std::fs::write(&file, "[source]\npaths = ['~/a', '/x=~/b', 'c/~/d', '/y=/z']").unwrap();
    assert_eq!(Settings::load(env).unwrap().source.paths, ["/home/me/a", "/x=/home/me/b", "c/~/d", "/y=/z"]);
    std::fs::write(&file, b"\xff").unwrap();
    assert!(Settings::load(env).is_err());
}
