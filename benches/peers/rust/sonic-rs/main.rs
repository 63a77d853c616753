//! sonic-rs: parses only.

#[path = "../contender.rs"]
mod contender;

fn main() {
    contender::run(|_, _| Some(Box::new(|frame| sonic_rs::from_slice::<sonic_rs::Value>(frame).is_ok())));
}
