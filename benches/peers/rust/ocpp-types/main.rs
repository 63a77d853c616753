//! ocpp-types: a CALL of a request's type, told the action, by serde_json; then its `validate`.

#[path = "../contender.rs"]
mod contender;

use contender::Read;
use ocpp_types::validate::Validate;
use ocpp_types::{Action, Call, v16, v201};
use serde::de::DeserializeOwned;

fn read<T: Action + DeserializeOwned + Validate + 'static>() -> Option<Read> {
    Some(Box::new(|frame| serde_json::from_slice::<Call<T>>(frame).is_ok_and(|call| call.payload.validate().is_ok())))
}

fn main() {
    contender::run(|_, action| match action {
        "Heartbeat" => read::<v16::HeartbeatRequest>(),
        "BootNotification" => read::<v16::BootNotificationRequest>(),
        "StatusNotification" => read::<v16::StatusNotificationRequest>(),
        "MeterValues" => read::<v16::MeterValuesRequest>(),
        "TransactionEvent" => read::<v201::TransactionEventRequest>(),
        "NotifyReport" => read::<v201::NotifyReportRequest>(),
        _ => None,
    });
}
