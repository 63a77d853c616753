//! `multipleOf` on decimal text: 21.4 is a multiple of 0.1, whatever binary floats think.

use super::number::Decimal;
use crate::schema::Step;

/// Whether a JSON number is an integral multiple of the step. Linear in the number's length.
pub fn is_multiple(text: &[u8], step: &Step) -> bool {
    let decimal = Decimal::of(text);
    if decimal.is_zero() {
        return true;
    }
    let (digits, exponent) = decimal.stripped();
    // value / step = digits × 10^shift / mantissa, and the digits have no factor 10 left.
    let shift = exponent + i64::from(step.places);
    if shift < 0 {
        return false;
    }
    let modulus = u128::from(step.mantissa);
    let rest = digits.iter().fold(0u128, |rest, digit| (rest * 10 + u128::from(*digit)) % modulus);
    (rest * power_of_ten(shift as u64, modulus)).is_multiple_of(modulus)
}

/// 10^exponent modulo `modulus`, by squaring; the operands stay below 2^64, so that no product overflows.
fn power_of_ten(mut exponent: u64, modulus: u128) -> u128 {
    let (mut result, mut base) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_by_their_text() {
        for (text, step, expected) in [
            ("21.4", "0.1", true),
            ("0.3", "0.1", true),
            ("16", "0.1", true),
            ("16.0", "0.1", true),
            ("16.00", "0.1", true),
            ("1e3", "0.1", true),
            ("0.05", "0.1", false),
            ("21.45", "0.1", false),
            ("214e-1", "0.1", true),
            ("2145e-2", "0.1", false),
            ("0", "0.1", true),
            ("-7.4", "0.1", true),
            ("1e-400", "0.1", false),
            ("0.75", "0.25", true),
            ("0.8", "0.25", false),
            ("15", "5", true),
            ("12", "5", false),
            ("1e300", "7", false),
        ] {
            let step = Step::parse(step).expect(step);
            assert_eq!(is_multiple(text.as_bytes(), &step), expected, "{text} by {}", step.text);
        }
    }
}
