//! Reading the head, and validating, one small, one medium and one large frame; beside it what serde_json takes to see that it is JSON.

use std::fs;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocppcore::scan::Cursor;
use ocppcore::{Check, Schema, Walker, frame};
use serde::de::IgnoredAny;

fn frames() -> [(&'static str, String); 3] {
    let sample =
        r#"{"value":"17.25","context":"Sample.Periodic","measurand":"Current.Import","phase":"L1","unit":"A"}"#;
    let samples = vec![sample; 24].join(",");
    [
        ("Heartbeat", r#"[2,"19","Heartbeat",{}]"#.to_owned()),
        (
            "StatusNotification",
            r#"[2,"20","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-03-01T12:00:00Z"}]"#
                .to_owned(),
        ),
        (
            "MeterValues",
            format!(
                r#"[2,"21","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"2026-03-01T12:00:00Z","sampledValue":[{samples}]}}]}}]"#
            ),
        ),
    ]
}

fn accepts(schema: &Schema, text: &[u8]) -> bool {
    let mut check = Check;
    Walker::new(schema, None, Cursor::new(text), &mut check).frame(|_| Ok(None)).is_ok()
}

fn head_of(schema: &Schema, text: &[u8]) -> bool {
    let mut cursor = Cursor::new(text);
    frame::head(&mut cursor, schema).is_ok()
}

fn read(criterion: &mut Criterion) {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../../python/ocppcore/_model/v16.json");
    let schema = Schema::load(&fs::read(model).expect("the compact model")).expect("a model");
    for (name, frame) in frames() {
        let text = frame.as_bytes();
        assert!(accepts(&schema, text), "{name} is valid");
        assert!(!accepts(&schema, &text[1..]), "{name} is not valid without its bracket");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("validate", |bencher| bencher.iter(|| accepts(&schema, black_box(text))));
        group.bench_function("peek", |bencher| bencher.iter(|| head_of(&schema, black_box(text))));
        group.bench_function("syntax alone, serde_json", |bencher| {
            bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(text)).is_ok());
        });
        group.finish();
    }
}

criterion_group!(benches, read);
criterion_main!(benches);
