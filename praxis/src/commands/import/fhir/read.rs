//! Which resources does a file of one FHIR type hold, line by line, and which lines are none?

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use praxis_http_kit::strict_json;
use serde_json::Value;

use super::Kind;
use super::json::{Malformed, Object, text};

/// The longest line that is read, bytes. A resource is a few kilobytes; what is longer is not one we could import.
pub const LINE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The most characters of a FHIR `id`.
const ID_LEN_MAX: usize = 64;

/// A resource in its line.
pub struct Line<T> {
    /// Counted from 1, blank lines too.
    pub number: u64,
    /// The resource's id.
    pub id: String,
    /// What it says.
    pub value: T,
}

/// A line that holds no resource of its file.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Counted from 1, blank lines too.
    pub number: u64,
    /// The resource's id, where it has one.
    pub id: Option<String>,
    /// `malformed` or `duplicate_id`.
    pub reason: &'static str,
}

/// What a file holds.
pub struct Lines<T> {
    /// In the order of their lines.
    pub resources: Vec<Line<T>>,
    /// The other lines that are not blank.
    pub unreadable: Vec<Unreadable>,
}

/// Reads the file of that type in a folder; a file that is not there is empty.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read_file<T>(
    folder: &Path,
    kind: Kind,
    map: impl Fn(&Object) -> Result<T, Malformed>,
) -> Result<Lines<T>> {
    let path = folder.join(kind.file());
    let read = match File::open(&path) {
        Ok(file) => read_lines(BufReader::new(file), kind, map),
        Err(error) if error.kind() == ErrorKind::NotFound => read_lines(&[][..], kind, map),
        Err(error) => Err(error.into()),
    };
    read.with_context(|| format!("cannot read {}", path.display()))
}

/// Reads one JSON object a line, UTF-8, split at line feeds only. A malformed line does not take its id: a later line may
/// have it.
fn read_lines<T>(
    mut file: impl BufRead,
    kind: Kind,
    map: impl Fn(&Object) -> Result<T, Malformed>,
) -> Result<Lines<T>> {
    let mut lines = Lines {
        resources: Vec::new(),
        unreadable: Vec::new(),
    };
    let (mut seen, mut number, mut line) = (HashSet::new(), 0, Vec::new());
    while next_line(&mut file, &mut line)? {
        number += 1;
        if is_blank(&line) {
            continue;
        }
        let parsed = parse(&line, kind).and_then(|(id, record)| Ok((id, map(&record)?)));
        match parsed {
            Err(Malformed) => lines.unreadable.push(Unreadable {
                number,
                id: None,
                reason: "malformed",
            }),
            Ok((id, value)) => {
                if seen.insert(id.clone()) {
                    lines.resources.push(Line { number, id, value });
                } else {
                    lines.unreadable.push(Unreadable {
                        number,
                        id: Some(id),
                        reason: "duplicate_id",
                    });
                }
            }
        }
    }
    Ok(lines)
}

/// The next line without its line feed; one that is too long is cut, which makes it malformed, and passed over.
fn next_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    if file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if !file.fill_buf()?.is_empty() {
        line.truncate(1);
        file.skip_until(b'\n')?;
    }
    Ok(true)
}

fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c))
}

fn parse(line: &[u8], kind: Kind) -> Result<(String, Object), Malformed> {
    let (document, twins) = strict_json::parse(line).map_err(|_| Malformed)?;
    let Value::Object(record) = document else {
        return Err(Malformed);
    };
    let id = text(&record, "id")?
        .filter(|id| is_id(id))
        .ok_or(Malformed)?
        .to_owned();
    if !twins.is_empty() || text(&record, "resourceType")? != Some(kind.name()) {
        return Err(Malformed);
    }
    Ok((id, record))
}

fn is_id(text: &str) -> bool {
    text.len() <= ID_LEN_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::{ID_LEN_MAX, Kind, LINE_BYTES_MAX, Lines, Unreadable, read_lines};
    use crate::commands::import::fhir::json::{Malformed, object};

    fn read(file: &str) -> Lines<()> {
        read_lines(file.as_bytes(), Kind::Patient, |record| {
            object(record, "period").map(|_| ())
        })
        .unwrap()
    }

    fn refused(file: &str) -> Vec<Unreadable> {
        let lines = read(file);
        assert!(lines.resources.is_empty(), "{file}");
        lines.unreadable
    }

    fn malformed(number: u64) -> Unreadable {
        Unreadable {
            number,
            id: None,
            reason: "malformed",
        }
    }

    #[test]
    fn blank_lines_count_and_a_carriage_return_ends_no_line() {
        let lines = read(
            "\n{\"resourceType\":\"Patient\",\r\"id\":\"a\"}\r\n \t\r\n{\"resourceType\":\"Patient\",\"id\":\"b\"}",
        );
        let found: Vec<_> = lines
            .resources
            .iter()
            .map(|line| (line.number, line.id.as_str()))
            .collect();
        assert_eq!(found, [(2, "a"), (4, "b")]);
        assert!(lines.unreadable.is_empty());
    }

    #[test]
    fn what_is_no_resource_of_the_file_is_malformed() {
        let longest = "x".repeat(ID_LEN_MAX);
        for line in [
            r#"{"resourceType":"Patient","id":"#,
            r#"["Patient","a"]"#,
            r#"{"resourceType":"Practitioner","id":"a"}"#,
            r#"{"id":"a"}"#,
            r#"{"resourceType":"Patient"}"#,
            r#"{"resourceType":"Patient","id":1}"#,
            r#"{"resourceType":"Patient","id":"a b"}"#,
            &format!(r#"{{"resourceType":"Patient","id":"{longest}x"}}"#),
            r#"{"resourceType":"Patient","id":"a","id":"a"}"#,
            r#"{"resourceType":"Patient","id":"a","name":[{"text":"x","text":"y"}]}"#,
            r#"{"resourceType":"Patient","id":"a"} {}"#,
            r#"{"resourceType":"Patient","id":"a","n":NaN}"#,
            r#"{"resourceType":"Patient","id":"a","period":"2021"}"#,
        ] {
            assert_eq!(refused(line), [malformed(1)], "{line}");
        }
        assert_eq!(
            read(&format!(r#"{{"resourceType":"Patient","id":"{longest}"}}"#))
                .resources
                .len(),
            1
        );
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_malformed() {
        let line = b"{\"resourceType\":\"Patient\",\"id\":\"a\",\"x\":\"\xff\"}";
        let lines = read_lines(&line[..], Kind::Patient, |_| Ok::<_, Malformed>(())).unwrap();
        assert_eq!(lines.unreadable, [malformed(1)]);
    }

    #[test]
    fn the_second_line_of_an_id_is_refused_but_a_malformed_one_takes_none() {
        let line = r#"{"resourceType":"Patient","id":"a"}"#;
        let bad = r#"{"resourceType":"Patient","id":"a","period":1}"#;
        let lines = read(&format!("{bad}\n{line}\n{line}\n{bad}\n"));
        assert_eq!(lines.resources[0].number, 2);
        let duplicate = Unreadable {
            number: 3,
            id: Some("a".into()),
            reason: "duplicate_id",
        };
        assert_eq!(lines.unreadable, [malformed(1), duplicate, malformed(4)]);
    }

    #[test]
    fn a_line_that_is_too_long_is_malformed_and_the_next_is_read() {
        let line = |id: &str, len: u64| {
            let start = format!(r#"{{"resourceType":"Patient","id":"{id}","text":""#);
            let filler = usize::try_from(len).unwrap() - start.len() - 2;
            format!("{start}{}\"}}", "x".repeat(filler))
        };
        // The line feed counts.
        let (longest, too_long) = (LINE_BYTES_MAX - 1, LINE_BYTES_MAX);
        let file = format!(
            "{}\n{}\n{}",
            line("a", longest),
            line("b", too_long),
            line("c", longest)
        );
        let lines = read(&file);
        let found: Vec<_> = lines
            .resources
            .iter()
            .map(|line| (line.number, line.id.as_str()))
            .collect();
        assert_eq!(found, [(1, "a"), (3, "c")]);
        assert_eq!(lines.unreadable, [malformed(2)]);
    }
}
