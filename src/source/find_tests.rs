use super::*;
use std::fs;
use tempfile::TempDir;

/// A directory with files in it, each holding its own name.
fn disk(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for f in files {
        write(dir.path(), f, f);
    }
    dir
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn finder(change: impl FnOnce(&mut Places)) -> Finder {
    let mut places = Places::default();
    change(&mut places);
    Finder::new(places)
}

/// Where a file is found, relative to `root`, and how, in a word.
fn found(f: &Finder, root: &TempDir, file: &str, func: &str) -> String {
    let real = root.path().canonicalize().unwrap();
    match f.find(file, func) {
        Ok(Found { path, how, by_name, .. }) => {
            let path = path.canonicalize().unwrap();
            let how = format!("{how:?}");
            let how = how.split('(').next().unwrap();
            let sure = if by_name { " by its name" } else { "" };
            format!("{how} {}{sure}", path.strip_prefix(&real).unwrap_or(&path).display())
        }
        Err(_) => "nothing".into(),
    }
}

#[test]
fn an_absolute_name_is_used_as_it_stands_if_it_is_a_plain_source_file() {
    let d = disk(&["a/x.go", "a/passwd", "a/dir.go/y.go"]);
    let at = |s: &str| d.path().join(s).to_str().unwrap().to_string();
    let f = finder(|_| {});
    assert_eq!(found(&f, &d, &at("a/x.go"), "main.main"), "AsItStands a/x.go");
    assert_eq!(found(&f, &d, &at("a/passwd"), ""), "nothing", "not called as sources are");
    assert_eq!(found(&f, &d, &at("a/dir.go"), ""), "nothing", "a directory");
    assert_eq!(found(&f, &d, &at("a/../a/x.go"), ""), "nothing", "climbs");
    fs::File::create(d.path().join("big.go")).unwrap().set_len(MAX_SIZE + 1).unwrap();
    assert_eq!(found(&f, &d, &at("big.go"), ""), "nothing", "too large");
}

#[test]
fn names_that_climb_or_lie_never_leave_a_root() {
    let d = disk(&["root/pkg/x.go", "secret.go", "secret/x.go", "passwd"]);
    let root = d.path().join("root");
    let f = finder(|p| {
        p.sources.push(root.clone());
        p.work_dir = Some(root.clone());
        p.goroots.push(root.clone());
        p.mod_caches.push(root.clone());
        p.add(&format!("example.com/m={}", root.display()));
    });
    for name in [
        "../secret.go",
        "../../etc/passwd",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "pkg/../../secret.go",
        "example.com/m/../secret.go",
        "example.com/m/../../secret.go",
        "..\\secret.go",
        "/x/src/../../secret.go",
        "a@v1.0.0/../../secret.go",
        "./..//../secret.go",
        "",
        "\0.go",
        "/dev/null",
        "/proc/self/environ",
        ".go",
        "..",
        "/",
    ] {
        assert_eq!(found(&f, &d, name, "main.main"), "nothing", "{name:?}");
    }
    assert_eq!(found(&f, &d, "../../pkg/x.go", ""), "Source root/pkg/x.go", "the end of it is looked for all the same");
    assert!(f.find(&"a/".repeat(5000), "").is_err());
    assert!(f.find(&format!("{}x.go", "a/".repeat(1000)), "").is_err());
}

#[cfg(unix)]
#[test]
fn links_out_of_a_root_and_pipes_are_refused() {
    use std::os::unix::fs::symlink;
    let d = disk(&["root/in.go", "secret.go", "out/deep.go"]);
    let root = d.path().join("root");
    symlink(d.path().join("secret.go"), root.join("link.go")).unwrap();
    symlink(d.path().join("out"), root.join("dir")).unwrap();
    symlink(root.join("in.go"), root.join("alias.go")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(root.join("pipe.go")).status().unwrap();
    assert!(status.success());
    let f = finder(|p| p.sources.push(root.clone()));
    assert_eq!(found(&f, &d, "link.go", ""), "nothing");
    assert_eq!(found(&f, &d, "dir/deep.go", ""), "nothing");
    assert_eq!(found(&f, &d, "alias.go", ""), "Source root/in.go", "a link that stays inside is fine");
    assert_eq!(found(&f, &d, "pipe.go", ""), "nothing");
    assert_eq!(found(&f, &d, root.join("pipe.go").to_str().unwrap(), ""), "nothing");
}

#[test]
fn mappings_replace_whole_elements_in_order() {
    let d = disk(&["here/core/a.go", "other/a.go"]);
    let f = finder(|p| {
        p.add(&format!("/build/src={}", d.path().join("here").display()));
        p.add(&format!("example.com/pay={}", d.path().join("here").display()));
        p.add(&format!("/one/file.go={}", d.path().join("other/a.go").display()));
    });
    assert_eq!(found(&f, &d, "/build/src/core/a.go", ""), "Mapped here/core/a.go");
    assert_eq!(found(&f, &d, "/build/src2/core/a.go", ""), "nothing", "src2 is not src");
    assert_eq!(found(&f, &d, "build/src/core/a.go", ""), "nothing", "relative is not absolute");
    assert_eq!(found(&f, &d, "example.com/pay/core/a.go", ""), "Mapped here/core/a.go");
    assert_eq!(found(&f, &d, "/one/file.go", ""), "Mapped other/a.go");
}

#[test]
fn the_longest_end_of_a_path_wins_then_the_package_then_the_shortest_path() {
    let d = disk(&["w/a/core/x.go", "w/b/core/x.go", "w/z/x.go", "w/only.go", "w/payment/order_cache.go"]);
    let f = finder(|p| p.work_dir = Some(d.path().join("w")));
    assert_eq!(
        found(&f, &d, "/ci/job/payment/order_cache.go", "payment.(*C).Update"),
        "WorkDir w/payment/order_cache.go"
    );
    assert_eq!(found(&f, &d, "/ci/b/core/x.go", "ex.com/a/core.F"), "WorkDir w/b/core/x.go", "the path says more");
    assert_eq!(
        found(&f, &d, "/ci/core/x.go", "ex.com/b/core.F"),
        "WorkDir w/b/core/x.go",
        "the package breaks the tie"
    );
    assert_eq!(found(&f, &d, "/ci/core/x.go", ""), "WorkDir w/a/core/x.go", "the first of equals");
    assert_eq!(found(&f, &d, "/app/x.go", "ex.com/z.F[go.shape.int]"), "WorkDir w/z/x.go");
    assert_eq!(
        found(&f, &d, "/app/x.go", "main.main"),
        "nothing",
        "three of that name, and nothing to tell them apart"
    );
    assert_eq!(found(&f, &d, "/app/only.go", "main.main"), "WorkDir w/only.go by its name");
    assert_eq!(found(&f, &d, "/app/only.go", "ex.com/lib.F"), "nothing", "of another package");
}

#[test]
fn modules_are_found_by_their_import_path() {
    let d = disk(&["w/svc/core/x.go", "w/svc/main.go", "w/x.go", "w/svc/vendor/ex.com/dep/d.go"]);
    write(d.path(), "w/svc/go.mod", "// c\nmodule example.com/pay // here\n\ngo 1.22\n");
    let f = finder(|p| p.work_dir = Some(d.path().join("w")));
    assert_eq!(found(&f, &d, "example.com/pay/core/x.go", "example.com/pay/core.F"), "WorkDir w/svc/core/x.go");
    assert_eq!(found(&f, &d, "example.com/pay/main.go", "main.main"), "WorkDir w/svc/main.go");
    assert_eq!(found(&f, &d, "/app/x.go", "example.com/pay/core.(*T).F.func1"), "WorkDir w/svc/core/x.go");
    assert_eq!(found(&f, &d, "ex.com/dep@v1.2.3/d.go", "ex.com/dep.F"), "WorkDir w/svc/vendor/ex.com/dep/d.go");
}

#[test]
fn the_standard_library_is_found_in_goroot_and_never_in_ones_own_files() {
    let d = disk(&[
        "go/src/runtime/map.go",
        "go/src/internal/runtime/maps/map.go",
        "go/src/sort/sort.go",
        "w/runtime/map.go",
        "w/sort/sort.go",
    ]);
    write(d.path(), "w/go.mod", "module example.com/own\n");
    let f = finder(|p| {
        p.work_dir = Some(d.path().join("w"));
        p.goroots.push(d.path().join("go"));
    });
    let in_go = |rest: &str| format!("GoRoot go/src/{rest}");
    for name in ["/nowhere/go/src/internal/runtime/maps/map.go", "internal/runtime/maps/map.go"] {
        assert_eq!(found(&f, &d, name, "internal/runtime/maps.(*Map).grow"), in_go("internal/runtime/maps/map.go"));
    }
    assert_eq!(found(&f, &d, "std/runtime/map.go", "runtime.mapassign"), in_go("runtime/map.go"));
    assert_eq!(found(&f, &d, "/opt/go/src/sort/sort.go", "sort.Sort"), in_go("sort/sort.go"));
    assert_eq!(found(&f, &d, "/ci/sort/sort.go", "example.com/own/sort.F"), "WorkDir w/sort/sort.go");
}

#[test]
fn modules_with_a_version_are_found_in_the_cache_with_upper_case_escaped() {
    let d = disk(&[
        "mod/github.com/!burnt!sushi/toml@v1.2.0-!r!c1/Internal/Decode.go",
        "mod/ex.com/m@v2.0.0+incompatible/a.go",
    ]);
    let f = finder(|p| p.mod_caches.push(d.path().join("mod")));
    let want = "ModCache mod/github.com/!burnt!sushi/toml@v1.2.0-!r!c1/Internal/Decode.go";
    assert_eq!(found(&f, &d, "github.com/BurntSushi/toml@v1.2.0-RC1/Internal/Decode.go", ""), want);
    assert_eq!(
        found(&f, &d, "/root/go/pkg/mod/github.com/!burnt!sushi/toml@v1.2.0-!r!c1/Internal/Decode.go", ""),
        want
    );
    assert_eq!(
        found(&f, &d, "ex.com/m@v2.0.0+incompatible/a.go", ""),
        "ModCache mod/ex.com/m@v2.0.0+incompatible/a.go"
    );
    assert_eq!(found(&f, &d, "ex.com/m@v2.0.1/a.go", ""), "nothing");
}

#[test]
fn a_failure_says_where_it_looked_in_order_and_safely() {
    let d = disk(&["s/x.go"]);
    let s = d.path().join("s");
    let f = finder(|p| {
        p.add("/build=/nowhere");
        p.sources.push(s.clone());
        p.goroots.push("/goroot".into());
        p.mod_caches.push("/cache".into());
    });
    let e = f.find("/build/m@v1.0.0/src/q/\x1b[31my.go", "").unwrap_err();
    assert_eq!(
        e.looked,
        [
            "looked in /build/m@v1.0.0/src/q/\\x1b[31my.go".to_string(),
            "looked in /nowhere for /build".to_string(),
            format!("looked under {}", s.display()),
            "looked in GOROOT /goroot".to_string(),
            "looked in the module cache /cache".to_string(),
        ]
    );
    assert!(!e.to_string().contains('\x1b'));
    let e = f.find("<autogenerated>", "x.F").unwrap_err();
    assert_eq!(e.looked, ["not looked for: the compiler made this function, it has no source"]);
}

#[test]
fn the_machine_names_its_places() {
    let d = disk(&[
        "home/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.22.9.linux-amd64/src/a.go",
        "home/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.22.10.linux-amd64/src/a.go",
        "home/sdk/go1.21.0/src/a.go",
        "home/sdk/nothing/a.go",
        "root/src/a.go",
        "home/work/go.mod",
        "home/work/sub/dir/a.go",
    ]);
    let at = |s: &str| d.path().join(s);
    let env = |v: &str| match v {
        "HOME" => Some(at("home").into()),
        "GOROOT" => Some(at("root").into()),
        _ => None,
    };
    let p = Places::of_this_machine(Some(&at("home/work/sub/dir")), env);
    assert_eq!(p.work_dir, Some(at("home/work")));
    assert_eq!(p.mod_caches, [at("home/go/pkg/mod")]);
    assert_eq!(p.goroots[0], at("root"));
    let here: Vec<_> = p.goroots.iter().filter_map(|g| g.strip_prefix(d.path()).ok()?.to_str()).collect();
    let toolchain = "home/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.22";
    assert_eq!(
        here,
        ["root", "home/sdk/go1.21.0", &format!("{toolchain}.10.linux-amd64"), &format!("{toolchain}.9.linux-amd64")]
    );
}

#[test]
fn who_is_confined_finds_what_was_named_and_gos_own() {
    let d = disk(&["named/a/b.go", "go/src/fmt/print.go", "mod/ex.com/m@v1.0.0/c.go", "work/x/d.go", "own.go"]);
    let own = d.path().join("own.go");
    let with = |confine: bool| {
        let f = finder(|p| {
            p.sources.push(d.path().join("named"));
            p.goroots.push(d.path().join("go"));
            p.mod_caches.push(d.path().join("mod"));
            p.work_dir = Some(d.path().join("work"));
            if confine {
                p.confine();
            }
        });
        let names =
            ["a/b.go", "fmt/print.go", "ex.com/m@v1.0.0/c.go", "x/d.go", own.to_str().unwrap()].map(str::to_owned);
        names.map(|name| f.find(&name, if name.starts_with("fmt") { "fmt.Println" } else { "" }).is_ok())
    };
    assert_eq!(with(false), [true; 5]);
    assert_eq!(with(true), [true, true, false, false, false]);
}
