use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::fs;
use std::io::Write;

const LIMITS: Limits = Limits { max_unpacked: 1 << 20, in_memory: 1 << 20 };

/// A trace's header and `len` bytes after it that do not pack well.
fn trace(len: usize) -> Vec<u8> {
    let mut bytes = b"go 1.23 trace\0\0\0".to_vec();
    let mut x = 1u32;
    bytes.resize_with(HEADER + len, || {
        x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (x >> 24) as u8
    });
    bytes[..HEADER].copy_from_slice(b"go 1.23 trace\0\0\0");
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut e = GzEncoder::new(Vec::new(), Compression::default());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn given(bytes: &[u8]) -> Result<Input, InputError> {
    from_bytes("t", Bytes::Memory(bytes.to_vec().into()), LIMITS)
}

fn message(bytes: &[u8]) -> String {
    given(bytes).unwrap_err().to_string()
}

fn kind(bytes: &[u8]) -> Kind {
    given(bytes).map_or_else(|e| panic!("{e}"), |i| i.kind)
}

const TRACE: Kind = Kind::Trace { minor: 23 };

/// A profile with one sample type, one sample and a string table.
const PROFILE: &[u8] = &[
    0x0a, 4, 0x08, 1, 0x10, 2, // sample_type
    0x12, 3, 0x12, 1, 7, // sample
    0x32, 0, 0x32, 3, b'c', b'p', b'u', 0x32, 2, b'n', b's', // strings
    0x48, 0x96, 1, // time
];

#[test]
fn headers_of_all_versions_are_traces() {
    for (header, minor) in [("go 1.5 trace\0\0\0\0", 5), ("go 1.27 trace\0\0\0", 27), ("go 1.99 trace\0\0\0", 99)] {
        assert_eq!(kind(header.as_bytes()), Kind::Trace { minor });
    }
    for len in 2..HEADER {
        let e = given(&trace(0)[..len]).unwrap_err();
        assert!(matches!(e.kind, InputErrorKind::HalfHeader(n) if n == len as u64), "{len}: {e}");
    }
    assert!(message(b"go 1.23 tracer\0\0").contains("neither"));
    assert!(message(b"go 1.99999999999 trace").contains("neither"));
    assert!(message(b"go build ./...\nall is well\n").contains("text: \"go build"));
}

#[test]
fn profiles_are_told_from_other_bytes() {
    assert_eq!(kind(PROFILE), Kind::Profile);
    assert_eq!(kind(&gz(PROFILE)), Kind::Profile);
    for cut in 13..PROFILE.len() {
        assert_eq!(recognise(&PROFILE[..cut]), Kind::Profile, "cut at {cut}");
    }
    let named = [&PROFILE[..11], &PROFILE[13..]].concat();
    assert!(!matches!(recognise(&named), Kind::Profile), "the first string is empty");
    for other in [&b"\n\n\n\n\n\n\n\n\n\n\n\n\n"[..], b"\x0a\x05hello\x0a", &[0; 64], &[0xff; 64], b"\x12\x00"] {
        assert!(matches!(recognise(other), Kind::Unknown { .. } | Kind::Profile), "no panic");
    }
    assert!(matches!(recognise(b"\n\n\n\n\n\n\n\n\n\n\n\n\n"), Kind::Unknown { .. }));
    assert!(matches!(recognise(&[0; 64]), Kind::Unknown { .. }));
}

#[test]
fn legacy_profiles_are_recognised() {
    for text in [
        "heap profile: 1: 2 [3: 4] @ heap/1048576\n",
        "goroutine profile: total 5\n",
        "threadcreate profile: total 5\n",
        "open.files profile: total 5\n",
        "--- mutex:\ncycles/second=1\n",
        "--- contentionz 1 ---\n",
        "--- threadz 1 ---\n",
        "--- heapz 1 ---\n",
        "# comment\n\n--- contention:\n",
    ] {
        assert_eq!(kind(text.as_bytes()), Kind::LegacyProfile, "{text}");
    }
    let words = [0u64, 3, 0, 10_000, 0, 1, 1, 0x40_0000];
    let le64: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    let be64: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
    let le32: Vec<u8> = words.iter().flat_map(|w| (*w as u32).to_le_bytes()).collect();
    for bytes in [le64, be64, le32] {
        assert_eq!(kind(&bytes), Kind::LegacyProfile);
    }
}

#[test]
fn texts_in_which_a_program_tells_of_itself_are_recognised() {
    let dump = "goroutine 7 [chan receive, 5 minutes]:\nmain.main()\n";
    let late = format!("{}{dump}", "2026-01-02T03:04:05Z served\n".repeat(40_000));
    let wide: Vec<u8> = [0xfeff].into_iter().chain(dump.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let logs = [
        dump.as_bytes(),
        b"goroutine 1 gp=0xc000002380 m=0 mp=0x5b0e20 [running]:\n",
        b"panic: x\n\ngoroutine 1 [running]:\r\nmain.main()\r\n",
        b"\xef\xbb\xbfgoroutine 1 [running]:\n",
        b"[pod/web/app] goroutine 1 [running]:\n",
        late.as_bytes(),
        &wide,
    ];
    for text in logs {
        assert_eq!(kind(text), Kind::Log { goroutines: true, races: false });
        let streamed = read("-", text, Limits::default()).unwrap();
        assert_eq!(streamed.kind, Kind::Log { goroutines: true, races: false });
    }
    assert_eq!(kind(b"==================\nWARNING: DATA RACE\n"), Kind::Log { goroutines: false, races: true });
    assert!(matches!(recognise(b"goroutine 1 of 2 [x]\n"), Kind::Unknown { .. }));
}

#[test]
fn what_is_none_of_these_is_named_with_a_hint() {
    let cases: [(&[u8], &str); 15] = [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>", "a web page (did the download fail?"),
        (b"\n <HTML>", "a web page"),
        (b"404 page not found\n", "\"404 page not found\" (did the download fail?"),
        (b"502 Bad Gateway", "did the download fail?"),
        (b"curl: (7) Failed to connect", "did the download fail?"),
        (b"Could not enable CPU profiling: cpu profiling already in use\n", "did the download fail?"),
        (b"{\"traceEvents\":[]}", "Chrome or Perfetto"),
        (b"{\"a\": 1}", "JSON"),
        (b"\x7fELF\x02\x01\x01", "an executable (ELF)"),
        (b"PK\x03\x04abc", "a zip archive (unpack it first)"),
        (b"goroutine is a word\n", "text: \"goroutine is a word\""),
        (b"M=-1 P=-1 G=-1 Sync N=1", "a trace printed as text"),
        (b"hello \x1b[31mworld\nmore", "text: \"hello \\x1b[31mworld\""),
        (b"\x00\x01\x02\xff\xfe", "binary data that begins 00 01 02 ff fe"),
    ];
    for (bytes, want) in cases {
        let got = message(bytes);
        assert!(got.contains(want), "{got:?} says {want:?}");
        assert!(!got.contains(['\n', '\x1b']), "one line, and safe: {got:?}");
    }
    let e = from_bytes("a\x1b[2J", Bytes::Static(b""), LIMITS).unwrap_err();
    assert!(e.to_string().starts_with("a\\x1b[2J: the file is empty ("));
}

#[test]
fn packed_data_opens_by_content() {
    let t = trace(5000);
    let two_members = [gz(&t[..2000]), gz(&t[2000..])].concat();
    let padded = [gz(&t), vec![0; 512]].concat();
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9][..], &zst(&t)].concat();
    let two_frames = [zst(&t[..2000]), zst(&t[2000..])].concat();
    for packed in [gz(&t), two_members, padded, zst(&t), skippable, two_frames, gz(&zst(&t)), gz(&gz(&t))] {
        let input = given(&packed).unwrap();
        assert_eq!((input.bytes.held(), input.kind, input.notes.len()), (Some(&t[..]), TRACE, 0));
    }
    assert_eq!(given(&gz(&zst(&t))).unwrap().packing, [Packing::Gzip, Packing::Zstd]);
    assert!(matches!(given(&gz(&gz(&gz(&t)))).unwrap_err().kind, InputErrorKind::PackedTooOften));
}

#[test]
fn cut_or_damaged_packed_data_opens_as_far_as_it_is_whole() {
    let t = trace(600_000);
    for packed in [gz(&t), zst(&t)] {
        let input = given(&packed[..packed.len() * 3 / 4]).unwrap();
        assert!(input.bytes.len() > t.len() / 3 && t.starts_with(&input.bytes.all()), "{} bytes", input.bytes.len());
        assert!(input.notes[0].contains("it ends early"), "{:?}", input.notes);

        let no_checksum = given(&packed[..packed.len() - 3]).unwrap();
        assert_eq!((no_checksum.bytes.held(), no_checksum.notes.len()), (Some(&t[..]), 1));

        let mut wrong = packed.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert_eq!(given(&wrong).unwrap().notes.len(), 1);

        for cut in [2, 3, 5, 9, 12] {
            let e = given(&packed[..cut]).unwrap_err();
            assert!(e.to_string().contains("damaged") || e.to_string().contains("neither"), "{cut}: {e}");
        }
    }
    let trailing = given(&[gz(&t), b"stray".to_vec()].concat()).unwrap();
    assert_eq!(trailing.bytes.held(), Some(&t[..]));
    assert!(trailing.notes[0].contains("something else follows"));
}

#[test]
fn every_flipped_byte_of_packed_data_is_survived() {
    let t = trace(300);
    for packed in [gz(&t), zst(&t)] {
        for i in 0..packed.len() {
            let mut p = packed.clone();
            p[i] ^= 0x55;
            let _ = given(&p);
        }
    }
}

#[test]
fn a_bomb_is_refused_with_its_size() {
    let zeros = vec![0; 3 << 20];
    for packed in [gz(&zeros), gz(&gz(&zeros)), zst(&zeros)] {
        let e = given(&packed).unwrap_err();
        assert!(matches!(e.kind, InputErrorKind::Bomb { unpacked, .. } if unpacked == LIMITS.max_unpacked), "{e}");
        assert!(e.to_string().contains("unpacks to more than 1MB"), "{e}");
    }
}

#[test]
fn streams_are_bounded_and_given_up_early() {
    struct Endless(u64);
    impl Read for Endless {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            buf.fill(0);
            self.0 += buf.len() as u64;
            Ok(buf.len())
        }
    }
    let mut zeros = Endless(0);
    assert!(read("z", &mut zeros, LIMITS).is_err());
    assert!(zeros.0 <= ENOUGH as u64, "a stream of nothing known is not read on");
    let t = trace(0);
    let e = read("z", t.chain(Endless(0)), LIMITS).unwrap_err();
    assert!(matches!(e.kind, InputErrorKind::TooLarge(_)));
    let t = trace(200_000);
    assert_eq!(read("z", &t[..], LIMITS).unwrap().bytes.held(), Some(&t[..]));
}

#[test]
fn what_is_unpacked_is_held_only_as_far_as_there_is_memory() {
    let t = trace(200_000);
    for packed in [gz(&t), zst(&t)] {
        let limits = Limits { in_memory: 10_000, ..LIMITS };
        let input = from_bytes("t", Bytes::Memory(packed.clone().into()), limits).unwrap();
        assert!(matches!(input.bytes, Bytes::File(_)), "it is in a file");
        assert_eq!((input.bytes.all(), input.kind), (t[..].into(), TRACE));
        assert_eq!(read("t", &packed[..], limits).unwrap().bytes.all(), &t[..]);
    }
}

#[test]
fn files_are_read_at_once_or_in_pieces_by_size() {
    let dir = tempfile::tempdir().unwrap();
    let (small, large) = (dir.path().join("s"), dir.path().join("l"));
    fs::write(&small, trace(100)).unwrap();
    fs::write(&large, trace(SMALL as usize)).unwrap();
    let small = open_within(&small, LIMITS).unwrap();
    assert!(matches!(small.bytes, Bytes::Memory(_)));
    let large = open_within(&large, LIMITS).unwrap();
    assert!(matches!(large.bytes, Bytes::File(_)), "over the limit for packed data, and opens all the same");
    assert_eq!((large.kind, large.bytes.len()), (TRACE, HEADER + SMALL as usize));
}

#[test]
fn directories_say_what_they_hold_and_open_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fs::write(dir.path().join("b.trace"), trace(10)).unwrap();
    fs::write(dir.path().join("a.pb.gz"), gz(PROFILE)).unwrap();
    fs::write(dir.path().join("notes.txt"), "hello").unwrap();
    fs::write(dir.path().join("c.zst"), zst(&trace(200_000))).unwrap();
    let e = open_within(dir.path(), LIMITS).unwrap_err().to_string();
    assert!(e.ends_with("is a directory (name the files in it: 3 of them can be opened)"), "{e}");
    let kinds: Vec<Kind> = open_all(&[dir.path()], LIMITS).into_iter().map(|r| r.unwrap()).map(|i| i.kind).collect();
    assert_eq!(kinds, [Kind::Profile, TRACE, TRACE]);
    let all = open_all(&[empty.as_path(), &dir.path().join("none")], LIMITS);
    assert!(matches!(all[0].as_ref().unwrap_err().kind, InputErrorKind::Directory { holds: 0 }));
    assert!(matches!(all[1].as_ref().unwrap_err().kind, InputErrorKind::NotFound));
}

#[cfg(unix)]
#[test]
fn pipes_are_read_to_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let t = trace(300_000);
    std::thread::scope(|s| {
        s.spawn(|| fs::write(&pipe, gz(&t)).unwrap());
        let input = open_within(&pipe, LIMITS).unwrap();
        assert_eq!((input.bytes.held(), input.kind), (Some(&t[..]), TRACE));
    });
    assert!(matches!(open_within("/dev/null", LIMITS).unwrap_err().kind, InputErrorKind::Empty));
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("t");
    fs::write(&file, trace(1)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // For root there are no such files.
    if File::open(&file).is_err() {
        assert!(matches!(open_within(&file, LIMITS).unwrap_err().kind, InputErrorKind::Permission));
    }
    let e = InputError { name: "t".into(), kind: io::Error::from(io::ErrorKind::PermissionDenied).into() };
    assert!(e.to_string().starts_with("t: permission denied ("));
}

#[test]
fn real_files_are_recognised() {
    let Some(corpus) = crate::left_out::shared("corpus") else { return };
    let mut seen = 0;
    for (dir, want) in
        [("traces", "Trace"), ("go-v1-tests", "Trace"), ("go-v1-old-tests", "Trace"), ("profiles", "Profile")]
    {
        for entry in fs::read_dir(corpus.join(dir)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap();
            if !path.is_file() || name.contains(".facts.") || name.ends_with("OUTCOMES") {
                continue;
            }
            let input = open(&path).unwrap();
            assert!(format!("{:?}", input.kind).starts_with(want), "{name}: {:?}", input.kind);
            assert!(input.notes.is_empty(), "{name}: {:?}", input.notes);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
