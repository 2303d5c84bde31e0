use super::*;

fn marks() -> Marks {
    Marks {
        encryption: "k.sealed".to_owned(),
        pepper: "p".to_owned(),
        refresh_secret: "r".to_owned(),
    }
}

fn written() -> Vec<u8> {
    let header = header("sqlite", 1, Timestamp::from_millis(0), marks());
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    writer.begins("apps").unwrap();
    writer.document(r#"{"_id":"a"}"#).unwrap();
    writer.document(r#"{"_id":"b"}"#).unwrap();
    writer.ends("apps", 0).unwrap();
    writer.begins("users").unwrap();
    writer.ends("users", 0).unwrap();
    let (sum, bytes) = writer.finishes().unwrap();
    assert_eq!(sum.documents, 2);
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<Item>, ArchiveError> {
    let (_, mut reader) = Reader::open(bytes)?;
    let mut items = Vec::new();
    loop {
        items.push(reader.next()?);
        if matches!(items.last(), Some(Item::Sum(_))) {
            assert_eq!(reader.bytes(), bytes.len() as u64);
            return Ok(items);
        }
    }
}

#[test]
fn what_was_written_is_read() {
    let items = read(&written()).unwrap();

    let documents = items.iter().filter_map(|item| match item {
        Item::Document(text) => Some(text.trim_end()),
        Item::Begins(_) | Item::Ends(_) | Item::Sum(_) => None,
    });
    assert_eq!(
        documents.collect::<Vec<_>>(),
        [r#"{"_id":"a"}"#, r#"{"_id":"b"}"#]
    );
    assert_eq!(items[0], Item::Begins("apps".to_owned()));
    assert_eq!(items.len(), 7);
}

#[test]
fn an_archive_that_is_cut_off_anywhere_is_found() {
    let whole = written();

    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_bit_that_flips_anywhere_is_found() {
    let whole = written();

    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(read(&damaged).is_err(), "byte {at}");
    }
}

#[test]
fn what_follows_the_end_is_found() {
    let whole = [written(), b"\n".to_vec()].concat();

    assert!(matches!(read(&whole), Err(ArchiveError::Damaged { .. })));
}

#[test]
fn a_document_that_is_missing_is_found_at_the_end_of_its_collection() {
    let text = String::from_utf8(written()).unwrap();
    let without = text.replace("{\"_id\":\"b\"}\n", "");

    let refused = read(without.as_bytes()).unwrap_err().to_string();

    assert!(
        refused.contains("line 4") && refused.contains("apps"),
        "{refused}"
    );
}

#[test]
fn what_is_no_backup_and_what_is_of_a_newer_format_is_told_apart() {
    let newer = String::from_utf8(written()).unwrap();
    let newer = newer.replace("\"version\":1", "\"version\":2");

    let not_one = [&b""[..], b"hello", b"[]\n", b"[\"x\", {}]\n", b"\xff\n"];

    for bytes in not_one {
        assert!(matches!(read(bytes), Err(ArchiveError::NotOne)));
    }
    assert!(matches!(
        read(newer.as_bytes()),
        Err(ArchiveError::Newer(2))
    ));
}
