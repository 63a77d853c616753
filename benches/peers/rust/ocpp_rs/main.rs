//! ocpp_rs with its feature `schema_validate`: its own parser of messages; it reads 2.0.1 as 2.1.

#[path = "../contender.rs"]
mod contender;

fn main() {
    contender::run(|subprotocol, _| {
        let old = subprotocol == "ocpp1.6";
        Some(Box::new(move |frame| {
            let Ok(text) = std::str::from_utf8(frame) else { return false };
            if old {
                ocpp_rs::v16::parse::deserialize_to_message(text).is_ok()
            } else {
                ocpp_rs::v21::parse::deserialize_to_message(text).is_ok()
            }
        }))
    });
}
