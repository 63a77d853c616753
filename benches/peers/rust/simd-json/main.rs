//! simd-json: parses only. It writes into its input, so that a copy of the frame belongs to its work.

#[path = "../contender.rs"]
mod contender;

fn main() {
    contender::run(|_, _| {
        Some(Box::new(|frame| {
            let mut own = frame.to_vec();
            simd_json::to_borrowed_value(&mut own).is_ok()
        }))
    });
}
