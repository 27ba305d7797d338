use super::*;
use std::fs;
use std::path::Path;

const DIGEST: u64 = 0x93c1_d7a0_5be2_f418;

fn mark(ms: i64, note: &str) -> Bookmark {
    let at = Duration(ms * 1_000_000);
    Bookmark { at, go: Some(GoId(8)), range: None, view: "timeline".into(), note: note.into() }
}

fn add(mark: Bookmark) -> Edit {
    Edit { add: vec![mark], ..Edit::default() }
}

fn remove(mark: Bookmark) -> Edit {
    Edit { remove: vec![mark], ..Edit::default() }
}

/// A trace's file in a folder, and where its bookmarks are.
fn store(folder: &Path) -> (Store, std::path::PathBuf) {
    (Store::new(Some(&folder.join("trace.out")), Some(folder.join("own"))), folder.join("trace.out.bookmarks"))
}

#[test]
fn a_line_reads_as_the_bookmark_that_it_was_written_for() {
    let range = Some((Duration(1_200_000_000), Duration(1_600_000_001)));
    for b in [
        Bookmark { range, ..mark(1509, "p99 begins here") },
        Bookmark { go: None, view: "waits".into(), ..mark(0, "") },
        mark(70_000_000, "漢字 - .. \u{202e} \x7f".trim_end_matches('\x7f').trim()),
    ] {
        let line = b.line(DIGEST);
        assert_eq!(Bookmark::read(&line), Some((DIGEST, b)), "{line}");
    }
    let b = Bookmark { range, ..mark(1509, "why\there\nand\x1b[2J  ") };
    assert_eq!(
        b.line(DIGEST),
        "93c1d7a05be2f418\t1.509000000s\tg8\t1200ms..1600000001ns\ttimeline\twhy here and [2J",
        "no note makes a second line or a field"
    );
}

#[test]
fn hostile_lines_are_no_bookmarks_and_stay_as_they_are() {
    let hostile: &[&[u8]] = &[
        b"# notes of the team",
        b"",
        b"\xff\xfe\t1s\tg8\t-\ttimeline\tx",
        b"93c1d7a05be2f418\t1s",
        b"93c1d7a05be2f418\t-1s\tg8\t-\ttimeline\tx",
        b"93c1d7a05be2f418\t9999999999h\tg8\t-\ttimeline\tx",
        b"93c1d7a05be2f418\t1s\tg99999999999999999999999\t-\ttimeline\tx",
        b"93c1d7a05be2f418\t1s\tg8\t1s\ttimeline\tx",
        b"+93c1d7a05be2f41\t1s\tg8\t-\ttimeline\tx",
        b"93c1d7a05be2f418\t1s\tg+8\t-\ttimeline\tx",
        b"93c1d7a05be2f418 1s g8 - timeline x",
    ];
    let mut file = hostile.join(&b'\n');
    let mut lines = Lines::read(&file);
    assert_eq!((lines.marks.len(), lines.others.len()), (0, hostile.len()));
    lines.edit(DIGEST, &add(mark(1, "mine")));
    file.extend_from_slice(b"\n93c1d7a05be2f418\t0.001000000s\tg8\t-\ttimeline\tmine\n");
    assert_eq!(String::from_utf8_lossy(&lines.print()), String::from_utf8_lossy(&file));
}

#[test]
fn the_lines_of_two_files_in_one_are_the_bookmarks_of_both() {
    let line = |b: Bookmark| b.line(DIGEST);
    let both = [line(mark(7, "b")), line(mark(3, "a")), line(mark(7, "b")), mark(1, "of another").line(1)].join("\r\n");
    let lines = Lines::read(both.as_bytes());
    assert_eq!(lines.of(DIGEST).cloned().collect::<Vec<_>>(), [mark(3, "a"), mark(7, "b")]);
    assert_eq!(lines.of(1).count(), 1);
}

#[test]
fn two_viewers_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = store(folder.path());
    std::thread::scope(|s| {
        for viewer in 0..2 {
            let store = &store;
            s.spawn(move || {
                for i in 0..20 {
                    let b = mark(i, &format!("viewer {viewer}"));
                    assert_eq!(store.edit(DIGEST, &add(b.clone())).failed, None);
                    if i % 4 == 0 {
                        assert_eq!(store.edit(DIGEST, &remove(b)).failed, None);
                    }
                }
            });
        }
    });
    assert_eq!(store.edit(DIGEST, &Edit::default()).all.len(), 30);
    let text = fs::read_to_string(path).unwrap();
    assert!(text.starts_with(HEAD) && text.lines().count() == 31 && text.lines().is_sorted(), "{text}");
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["trace.out.bookmarks"], "nothing is left over");
}

#[test]
fn what_somebody_else_wrote_stays_and_what_they_removed_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = store(folder.path());
    store.edit(DIGEST, &add(mark(1, "mine")));
    let theirs = format!("{}\n# theirs\n{}", mark(2, "theirs").line(DIGEST), mark(3, "of another").line(5));
    fs::write(&path, theirs).unwrap();
    let kept = store.edit(DIGEST, &add(mark(4, "mine too")));
    assert_eq!(kept.all, [mark(2, "theirs"), mark(4, "mine too")]);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# theirs\n") && text.contains("of another") && !text.contains("mine\n"), "{text}");
    // To look changes nothing, nor does what is there already.
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    store.edit(DIGEST, &Edit::default());
    store.edit(DIGEST, &add(mark(2, "theirs")));
    store.edit(DIGEST, &remove(mark(9, "never was")));
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}

#[test]
fn where_the_folder_cannot_be_written_they_are_kept_in_the_users() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    let gone = Store::new(Some(&folder.path().join("gone/trace.out")), Some(own.clone()));
    let kept = gone.edit(DIGEST, &add(mark(1, "a")));
    let (path, why) = kept.instead.unwrap();
    assert_eq!((path, kept.failed), (own.join("93c1d7a05be2f418.bookmarks"), None));
    assert!(why.unwrap().contains("gone/trace.out.bookmarks: "));
    assert_eq!(gone.edit(DIGEST, &Edit::default()).all, [mark(1, "a")]);
    // What has no file has only the user's folder.
    let none = Store::new(None, Some(own));
    assert_eq!(none.edit(DIGEST, &add(mark(2, "b"))).all, [mark(1, "a"), mark(2, "b")]);
    // Both are shown and removed where the trace's folder can be written again.
    let (store, _) = store(folder.path());
    store.edit(DIGEST, &add(mark(3, "c")));
    let kept = store.edit(DIGEST, &remove(mark(1, "a")));
    assert_eq!((kept.all, kept.failed), (vec![mark(2, "b"), mark(3, "c")], None));
    assert_eq!(none.edit(DIGEST, &Edit::default()).all, [mark(2, "b")]);
    let nowhere = Store::new(None, None).edit(DIGEST, &add(mark(1, "a")));
    assert!(nowhere.failed.is_some() && nowhere.all.is_empty());
}

#[test]
fn what_is_no_file_of_bookmarks_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = store(folder.path());
    fs::write(&path, vec![b'x'; (1 << 20) + 1]).unwrap();
    let kept = store.edit(DIGEST, &add(mark(1, "a")));
    assert!(kept.instead.unwrap().1.unwrap().contains("more than 1 MB"));
    assert_eq!(fs::metadata(&path).unwrap().len(), (1 << 20) + 1);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(store.edit(DIGEST, &add(mark(2, "b"))).instead.unwrap().1.unwrap().contains("no plain file"));
}

/// Whatever it is, and whatever led there: it is somebody's file.
#[test]
fn a_file_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = store(folder.path());
    fs::write(&path, "export PATH=/bin\n").unwrap();
    let kept = store.edit(DIGEST, &add(mark(1, "a")));
    assert_eq!((kept.all.len(), kept.failed), (1, None), "it is in the user's own folder");
    assert!(kept.instead.unwrap().1.unwrap().ends_with("it is no file of bookmarks"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "export PATH=/bin\n");
}

#[cfg(unix)]
#[test]
fn a_link_stays_one_and_who_may_read_the_file_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (store, path) = store(folder.path());
    let real = folder.path().join("team");
    fs::write(&real, "# gotrail bookmarks of the team\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o664)).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    store.edit(DIGEST, &add(mark(1, "a")));
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().starts_with("# gotrail bookmarks of the team\n93c1"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o664);
}
