//! The written corpus of the whole project, `tests/corpus/*.jsonl`: each case's verdict, and where and why it is what it is.

use std::path::{Path, PathBuf};

use ocppcore::error::Fault;
use ocppcore::locate::{Located, Reading, locate};
use ocppcore::scan::Cursor;
use ocppcore::{Check, Expected, Kind, Schema, Walker};
use serde_json::Value;

/// Stands before the byte that the fault must name.
const MARK: &str = "▶";

struct Case {
    name: String,
    versions: Vec<String>,
    data: Vec<u8>,
    offset: Option<usize>,
    entry: Value,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema(version: &str) -> Schema {
    let model =
        std::fs::read(root().join(format!("python/ocppcore/_model/{version}.json"))).expect("the compact model");
    Schema::load(&model).expect("a model that can be read")
}

fn schemas() -> Vec<(&'static str, Schema)> {
    ["v16", "v201", "v21"].into_iter().map(|version| (version, schema(version))).collect()
}

fn corpus() -> Vec<Case> {
    let files = ["frames", "payloads", "text"].map(|name| root().join(format!("tests/corpus/{name}.jsonl")));
    let text: String = files.iter().map(|path| std::fs::read_to_string(path).expect("a corpus file")).collect();
    text.lines().map(|line| case(serde_json::from_str(line).expect("a line of JSON"))).collect()
}

fn case(entry: Value) -> Case {
    let (data, offset) = match entry["hex"].as_str() {
        Some(hex) => {
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal digits");
            let data = (0..hex.len()).step_by(2).map(byte).collect();
            (data, entry["offset"].as_u64().map(|offset| offset as usize))
        }
        None => {
            let text = entry["data"].as_str().expect("data or hex");
            let (before, after) = text.split_once(MARK).unwrap_or((text, ""));
            let marked = text.contains(MARK);
            (format!("{before}{after}").into_bytes(), marked.then_some(before.len()))
        }
    };
    let versions = entry["versions"].as_array().expect("versions").iter();
    Case {
        name: entry["name"].as_str().expect("a name").to_owned(),
        versions: versions.filter_map(|version| version.as_str().map(str::to_owned)).collect(),
        data,
        offset,
        entry,
    }
}

fn read(schema: &Schema, data: &[u8], answered: Option<u32>) -> Option<(Fault, Located)> {
    let mut check = Check;
    let mut walker = Walker::new(schema, None, Cursor::new(data), &mut check);
    let accepted = walker.frame(|_| Ok(answered)).is_ok();
    let fault = walker.cursor.fault;
    assert_eq!(accepted, fault.is_none());
    // The short way reads the same, where it reads a frame at all.
    if let Some((accepted, met)) = read_shortly(schema, data) {
        assert_eq!((accepted, met), (fault.is_none(), fault), "{:?}", String::from_utf8_lossy(data));
    }
    fault.map(|fault| (fault, locate(fault, schema, None, Cursor::new(data), Reading::Frame { answered })))
}

fn read_shortly(schema: &Schema, data: &[u8]) -> Option<(bool, Option<Fault>)> {
    let mut check = Check;
    let mut walker = Walker::new(schema, None, Cursor::new(data), &mut check);
    let accepted = walker.usual_request()?.is_ok();
    Some((accepted, walker.cursor.fault))
}

fn as_json(expected: &Expected, schema: &Schema) -> Value {
    match expected {
        Expected::Nothing => Value::Null,
        Expected::Text(text) => text.as_str().into(),
        Expected::Integer(value) => (*value).into(),
        Expected::Number(value) if value.fract() == 0.0 => (*value as i64).into(),
        Expected::Number(value) => (*value).into(),
        Expected::Values(_) | Expected::Fields(_) => expected.names(schema).into(),
        Expected::Integers(values) => values.as_slice().into(),
    }
}

/// The type of the answer that `pending` waits for under the id of the frame.
fn answered(schema: &Schema, case: &Case) -> Option<u32> {
    let id = ocppcore::frame::recover(&case.data).id?;
    let action = case.entry["pending"].get(&id)?.as_str()?;
    schema.message(action)?.response
}

#[test]
fn each_case_has_its_verdict() {
    let schemas = schemas();
    let mut judged = 0;
    for case in corpus() {
        for (version, schema) in schemas.iter().filter(|(version, _)| case.versions.iter().any(|of| of == version)) {
            judged += 1;
            let name = format!("{version}: {}", case.name);
            let found = read(schema, &case.data, answered(schema, &case));
            let Some(kind) = case.entry["fault"].as_str() else {
                assert_eq!(found, None, "{name}");
                continue;
            };
            let (fault, located) = found.unwrap_or_else(|| panic!("{name}: accepted, and should be {kind}"));
            assert_eq!(fault.kind.name(), kind, "{name}");
            assert_eq!(Some(fault.offset), case.offset.or(Some(fault.offset)), "{name}");
            assert_eq!(located.path, case.entry["path"].as_str().unwrap_or(""), "{name}");
            if let Some(expected) = case.entry.get("expected") {
                assert_eq!(as_json(&located.expected, schema), *expected, "{name}");
            }
        }
    }
    assert!(judged > 800, "only {judged} cases");
}

#[test]
fn a_frame_cut_off_anywhere_is_truncated_there() {
    let schemas = schemas();
    let mut cuts = 0;
    for case in corpus().iter().filter(|case| case.entry["fault"].is_null()) {
        for (_, schema) in schemas.iter().filter(|(version, _)| case.versions.iter().any(|of| of == version)) {
            let whole = case.data.trim_ascii_end();
            for end in 1..whole.len() {
                let (fault, _) = read(schema, &whole[..end], answered(schema, case)).expect("half a frame is none");
                // What is left of a number is one, and judged as it stands.
                if whole[end - 1].is_ascii_digit() && fault.kind != Kind::Truncated {
                    continue;
                }
                // A cut within a sequence of UTF-8 leaves a broken one.
                let stands = std::str::from_utf8(&whole[..end]).map_or_else(|error| error.valid_up_to(), str::len);
                let kind = if stands == end { Kind::Truncated } else { Kind::Utf8 };
                assert_eq!(fault, Fault::new(kind, stands), "{}", case.name);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 10_000, "only {cuts} cuts");
}

#[test]
fn white_space_changes_no_verdict() {
    let schema = schema("v201");
    let compact =
        br#"[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"M","vendorName":"V"}}]"#;
    let spaced = br#" [ 2 , "1" , "BootNotification" , { "reason" : "PowerUp" , "chargingStation" : { "model":"M" , "vendorName":"V" } } ] "#;
    assert_eq!(read(&schema, compact, None), None);
    assert_eq!(read(&schema, spaced, None), None);
    let tokens = ["[", "2", ",", "\"1\"", ",", "\"Heartbeat\"", ",", "{", "}", "]"];
    for count in 0..1 << (tokens.len() + 1) {
        for space in [" ", "\n  ", "\t\r\n", &" ".repeat(40)] {
            let space = |at: usize| if count >> at & 1 != 0 { space } else { "" };
            let text: String = tokens.iter().enumerate().flat_map(|(at, token)| [space(at), token]).collect();
            let text = text + space(tokens.len());
            assert_eq!(read(&schema, text.as_bytes(), None), None, "{text:?}");
            assert_eq!(read_shortly(&schema, text.as_bytes()), Some((true, None)), "{text:?}");
        }
    }
}
