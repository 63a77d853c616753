//! Validation of whole frames beside serde_json, which only looks whether a text is JSON. `cargo bench -p ocppcore`

use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ocppcore::scan::Cursor;
use ocppcore::{Check, Schema, Walker};
use serde::de::IgnoredAny;

fn frames() -> [(&'static str, &'static str, String); 6] {
    let at = "\"2026-03-01T12:00:00.123Z\"";
    let samples = |count: usize, sample: &str| vec![sample; count].join(",");
    let sampled = samples(
        8,
        r#"{"value":"230.1","context":"Sample.Periodic","format":"Raw","measurand":"Voltage","phase":"L1","location":"Outlet","unit":"V"}"#,
    );
    let meter = samples(3, &format!("{{\"timestamp\":{at},\"sampledValue\":[{sampled}]}}"));
    let measured = samples(
        8,
        r#"{"value":230.1,"context":"Sample.Periodic","measurand":"Voltage","phase":"L1","location":"Outlet","unitOfMeasure":{"unit":"V","multiplier":0}}"#,
    );
    let rows = samples(
        20,
        r#"{"component":{"name":"Connector","instance":"a","evse":{"id":1,"connectorId":1}},"variable":{"name":"Available"},"variableAttribute":[{"type":"Actual","value":"true","mutability":"ReadOnly"}],"variableCharacteristics":{"dataType":"boolean","supportsMonitoring":true}}"#,
    );
    let boot = r#"{"chargePointVendor":"Vendor","chargePointModel":"Model","chargePointSerialNumber":"0123456789","chargeBoxSerialNumber":"9876543210","firmwareVersion":"1.2.3","iccid":"8949000000000000000","imsi":"262000000000000","meterType":"AC","meterSerialNumber":"M-1"}"#;
    [
        ("v16", "Heartbeat", "{}".to_owned()),
        ("v16", "BootNotification", boot.to_owned()),
        (
            "v16",
            "StatusNotification",
            format!(
                r#"{{"connectorId":1,"errorCode":"NoError","info":"a text","status":"Charging","timestamp":{at},"vendorId":"v"}}"#
            ),
        ),
        ("v16", "MeterValues", format!(r#"{{"connectorId":1,"transactionId":7,"meterValue":[{meter}]}}"#)),
        (
            "v201",
            "TransactionEvent",
            format!(
                r#"{{"eventType":"Updated","meterValue":[{{"sampledValue":[{measured}],"timestamp":{at}}}],"timestamp":{at},"triggerReason":"MeterValuePeriodic","seqNo":3,"transactionInfo":{{"transactionId":"t-1","chargingState":"Charging"}},"evse":{{"id":1,"connectorId":1}},"idToken":{{"idToken":"04AABBCC","type":"ISO14443"}}}}"#
            ),
        ),
        ("v201", "NotifyReport", format!(r#"{{"requestId":1,"generatedAt":{at},"reportData":[{rows}],"seqNo":0}}"#)),
    ]
}

fn schema(version: &str) -> Schema {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../python/ocppcore/_model");
    Schema::load(&std::fs::read(folder.join(format!("{version}.json"))).expect("the compact model")).expect("a model")
}

fn validate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    for (version, action, payload) in frames() {
        let schema = schema(version);
        let text = format!(r#"[2,"6f1b0a3e-7c2d-4e55-9a51-0123456789ab","{action}",{payload}]"#);
        let valid = |text: &[u8]| {
            let mut check = Check;
            Walker::new(&schema, None, Cursor::new(text), &mut check).frame(|_| Ok(None)).is_ok()
        };
        assert!(valid(text.as_bytes()), "{action} is refused");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("validate", action), &text, |bencher, text| {
            bencher.iter(|| valid(black_box(text.as_bytes())));
        });
        group.bench_with_input(BenchmarkId::new("serde_json IgnoredAny", action), &text, |bencher, text| {
            bencher.iter(|| serde_json::from_slice::<IgnoredAny>(black_box(text.as_bytes())).is_ok());
        });
    }
    group.finish();
}

criterion_group!(benches, validate);
criterion_main!(benches);
