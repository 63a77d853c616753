//! rust-ocpp: payload types for serde_json, told the action, in a tuple for the envelope, which the crate leaves to its users; then `validate`.

#[path = "../contender.rs"]
mod contender;

use contender::Read;
use rust_ocpp::v1_6::messages as v16;
use rust_ocpp::v2_0_1::messages as v201;
use serde::de::DeserializeOwned;
use validator::Validate;

fn read<T: DeserializeOwned + Validate + 'static>() -> Option<Read> {
    Some(Box::new(|frame| {
        serde_json::from_slice::<(u8, String, String, T)>(frame).is_ok_and(|(.., payload)| payload.validate().is_ok())
    }))
}

/// Types for which the crate has no `validate`.
fn parse<T: DeserializeOwned + 'static>() -> Option<Read> {
    Some(Box::new(|frame| serde_json::from_slice::<(u8, String, String, T)>(frame).is_ok()))
}

fn main() {
    contender::run(|_, action| match action {
        "Heartbeat" => read::<v16::heart_beat::HeartbeatRequest>(),
        "BootNotification" => read::<v16::boot_notification::BootNotificationRequest>(),
        "StatusNotification" => read::<v16::status_notification::StatusNotificationRequest>(),
        "MeterValues" => parse::<v16::meter_values::MeterValuesRequest>(),
        "TransactionEvent" => parse::<v201::transaction_event::TransactionEventRequest>(),
        "NotifyReport" => parse::<v201::notify_report::NotifyReportRequest>(),
        _ => None,
    });
}
