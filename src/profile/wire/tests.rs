use super::proto::{Function, Label, Line, Location, Mapping, Profile, Sample, ValueType};
use super::*;

/// A small profile that is well-formed.
fn small() -> Profile {
    let strings = ["", "cpu", "nanoseconds", "main.f", "/main.go", "key", "value", "bytes", "/bin/app"];
    Profile {
        sample_type: vec![ValueType { r#type: 1, unit: 2 }],
        sample: vec![Sample {
            location_id: vec![1, 300],
            value: vec![10],
            label: vec![Label { key: 5, str: 6, num: 0, num_unit: 0 }, Label { key: 7, str: 0, num: 64, num_unit: 7 }],
        }],
        mapping: vec![Mapping { id: 9, memory_limit: 0x1000, filename: 8, ..Default::default() }],
        location: vec![
            Location {
                id: 1,
                mapping_id: 9,
                address: 16,
                line: vec![Line { function_id: 1, line: 3, column: 0 }],
                ..Default::default()
            },
            Location { id: 300, ..Default::default() },
        ],
        function: vec![Function { id: 1, name: 3, system_name: 3, filename: 4, start_line: 1 }],
        string_table: strings.iter().map(|s| s.as_bytes().to_vec()).collect(),
        time_nanos: 5,
        period_type: Some(ValueType { r#type: 1, unit: 2 }),
        ..Default::default()
    }
}

#[test]
fn what_is_encoded_is_decoded_again() {
    let p = small();
    assert_eq!(decode(&encode(&p)).unwrap(), p);
    assert_eq!(decode(&encode_gzip(&p)).unwrap(), p);
    assert_eq!(encode_gzip(&p), encode_gzip(&p));
    assert!(looks_like_profile(&encode(&p)));
}

#[test]
fn gzip_members_one_after_the_other_are_one_profile() {
    let raw = encode(&small());
    let gzip = |part: &[u8]| {
        let mut w = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        w.write_all(part).unwrap();
        w.finish().unwrap()
    };
    let members = [gzip(&raw[..7]), gzip(&raw[7..])].concat();
    assert_eq!(decode(&members).unwrap(), small());
    assert!(matches!(decode(&members[..members.len() - 9]), Err(Error::Gzip(_))));
}

#[test]
fn fields_come_in_any_order_and_packed_or_not() {
    let p = small();
    let mut parts = Vec::new();
    let raw = encode(&p);
    let mut rest = raw.as_slice();
    while let Some((tag, after)) = varint(rest) {
        let (value, after) = varint(after).unwrap();
        let after = if tag & 7 == 2 { &after[value as usize..] } else { after };
        parts.push(&rest[..rest.len() - after.len()]);
        rest = after;
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part[0]));
    assert_eq!(decode(&parts.concat()).unwrap(), p);

    // One sample by hand: locations 1 and 300 and the value 10, each a field of its own.
    let mut unpacked = p.clone();
    unpacked.sample.clear();
    let sample = [0x08, 1, 0x08, 0xac, 0x02, 0x10, 10];
    let bytes = [&encode(&unpacked)[..], &[0x12, sample.len() as u8], &sample].concat();
    let sample = &decode(&bytes).unwrap().sample[0];
    assert_eq!((&sample.location_id, &sample.value), (&vec![1, 300], &vec![10]));
}

#[test]
fn what_is_wrong_is_named() {
    let fault = |change: fn(&mut Profile)| {
        let mut p = small();
        change(&mut p);
        decode(&encode(&p)).unwrap_err().to_string()
    };
    assert_eq!(fault(|p| p.sample_type.clear()), "there are samples but no sample types");
    assert_eq!(fault(|p| p.sample[0].value.push(1)), "sample 0 has 2 values, there are 1 sample types");
    assert_eq!(fault(|p| p.sample[0].location_id.push(7)), "sample 0 refers to location 7, which does not exist");
    assert_eq!(
        fault(|p| p.location[0].line[0].function_id = 2),
        "location 1 refers to function 2, which does not exist"
    );
    assert_eq!(fault(|p| p.location[1].id = 1), "two locations have the id 1");
    assert_eq!(fault(|p| p.mapping[0].id = 0), "a mapping has the reserved id 0");
    assert_eq!(fault(|p| p.function[0].name = 99), "a function refers to string 99, the table has 9");
    assert_eq!(fault(|p| p.sample[0].label[0].key = -1), "a label refers to string -1, the table has 9");
    assert_eq!(fault(|p| p.string_table[0] = b"x".to_vec()), "the first string of the string table is not empty");
    assert_eq!(fault(|p| p.string_table.clear()), "the string table is missing");
    assert_eq!(fault(|p| p.sample[0] = Sample::default()), "a sample is empty");
    assert_eq!(decode(b"").unwrap_err(), Error::Empty);
    let twice = [encode(&small()), encode(&small())].concat();
    assert_eq!(decode(&twice).unwrap_err(), Error::Concatenated);
    assert_eq!(decode(b"just some text\n").unwrap_err(), Error::Unrecognized);
    assert!(matches!(decode(&[0xff; 64]).unwrap_err(), Error::Protobuf(_)));
}

#[test]
fn other_files_are_not_taken_for_profiles() {
    for other in [&b"go 1.22 trace\0\0\0"[..], b"\x7fELF\x02\x01\x01", b"hello\n", b"{\"a\": 1}", b""] {
        assert!(!looks_like_profile(other), "{other:?}");
    }
}
