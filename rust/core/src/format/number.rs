//! JSON numbers (RFC 8259 §6), judged by their text so that nothing is lost to binary floats.

use crate::error::{Fault, Kind};

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    pub text: &'a [u8],
    /// Neither fraction nor exponent.
    pub plain: bool,
}

/// What a number is as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integral {
    Value(i64),
    /// Integral, but beyond signed 64 bits.
    TooLarge,
    /// Not integral.
    No,
}

/// Reads the number that begins at `at` (a minus or a digit).
#[inline]
pub fn scan(bytes: &[u8], at: usize) -> Result<Number<'_>, Fault> {
    let mut end = at + usize::from(bytes.get(at) == Some(&b'-'));
    match bytes.get(end) {
        Some(b'0') => {
            end += 1;
            if let Some(b'0'..=b'9') = bytes.get(end) {
                return Err(unexpected(bytes, end));
            }
        }
        Some(b'1'..=b'9') => end = digits(bytes, end),
        _ => return Err(unexpected(bytes, end)),
    }
    let mut plain = true;
    if bytes.get(end) == Some(&b'.') {
        plain = false;
        end = some_digits(bytes, end + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        plain = false;
        end += 1;
        if let Some(b'+' | b'-') = bytes.get(end) {
            end += 1;
        }
        end = some_digits(bytes, end)?;
    }
    Ok(Number { text: &bytes[at..end], plain })
}

#[inline]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    at
}

fn some_digits(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let end = digits(bytes, at);
    if end == at { Err(unexpected(bytes, at)) } else { Ok(end) }
}

#[cold]
fn unexpected(bytes: &[u8], at: usize) -> Fault {
    let kind = if at >= bytes.len() { Kind::Truncated } else { Kind::Syntax };
    Fault::new(kind, at)
}

impl Number<'_> {
    /// The value of a plain number, if it fits.
    #[inline]
    pub fn integer(&self) -> Option<i64> {
        let negative = self.text[0] == b'-';
        let digits = &self.text[usize::from(negative)..];
        if digits.len() <= 18 {
            let value = digits.iter().fold(0, |value: i64, byte| value * 10 + i64::from(byte - b'0'));
            return Some(if negative { -value } else { value });
        }
        str::from_utf8(self.text).ok()?.parse().ok()
    }

    /// The value of any number whose spelling may have a fraction and an exponent.
    pub fn integral(&self) -> Integral {
        if self.plain {
            return self.integer().map_or(Integral::TooLarge, Integral::Value);
        }
        let decimal = Decimal::of(self.text);
        if decimal.is_zero() {
            return Integral::Value(0);
        }
        let (digits, exponent) = decimal.stripped();
        if exponent < 0 {
            return Integral::No;
        }
        if digits.len() as i64 + exponent > 19 {
            return Integral::TooLarge;
        }
        let magnitude =
            digits.iter().fold(0i128, |value, digit| value * 10 + i128::from(*digit)) * 10i128.pow(exponent as u32);
        let value = if decimal.negative { -magnitude } else { magnitude };
        i64::try_from(value).map_or(Integral::TooLarge, Integral::Value)
    }

    /// The nearest double, if the number is in range: a plain one must fit 64 bits, any other be finite.
    #[inline]
    pub fn float(&self) -> Option<f64> {
        if self.plain {
            let value = self.integer()?;
            return Some(if value == 0 && self.text[0] == b'-' { -0.0 } else { value as f64 });
        }
        let value: f64 = str::from_utf8(self.text).ok()?.parse().ok()?;
        value.is_finite().then_some(value)
    }
}

/// A number's text as digits and a power of ten.
pub struct Decimal {
    pub negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Takes apart a JSON number. Exponents saturate far beyond anything that is told apart.
    pub fn of(text: &[u8]) -> Self {
        const FAR: i64 = 1 << 40;
        let negative = text.first() == Some(&b'-');
        let text = &text[usize::from(negative)..];
        let split = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let (mantissa, power) = text.split_at(split);
        let mut exponent = 0i64;
        if let Some((_, power)) = power.split_first() {
            let down = power.first() == Some(&b'-');
            let size = power
                .iter()
                .filter(|byte| byte.is_ascii_digit())
                .fold(0i64, |value, byte| (value * 10 + i64::from(byte - b'0')).min(FAR));
            exponent = if down { -size } else { size };
        }
        let fraction = mantissa.iter().position(|byte| *byte == b'.').map_or(0, |point| mantissa.len() - point - 1);
        let digits = mantissa.iter().filter(|byte| **byte != b'.').map(|byte| byte - b'0').collect();
        Self { negative, digits, exponent: exponent - fraction as i64 }
    }

    pub fn is_zero(&self) -> bool {
        self.digits.iter().all(|digit| *digit == 0)
    }

    /// Digits without zeros at either end, and the power of ten of the last one.
    pub fn stripped(&self) -> (&[u8], i64) {
        let last = self.digits.iter().rposition(|digit| *digit != 0).map_or(0, |index| index + 1);
        let first = self.digits.iter().position(|digit| *digit != 0).unwrap_or(last);
        (&self.digits[first..last], self.exponent + (self.digits.len() - last) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        let number = scan(text.as_bytes(), 0).expect(text);
        assert_eq!(number.text.len(), text.len(), "{text}");
        number
    }

    #[test]
    fn integral_values_by_their_text() {
        use Integral::{No, TooLarge, Value};
        for (text, value) in [
            ("0", Value(0)),
            ("-0", Value(0)),
            ("-0.0", Value(0)),
            ("0e999999999999999999999", Value(0)),
            ("1.0", Value(1)),
            ("1e2", Value(100)),
            ("1200e-2", Value(12)),
            ("1250e-3", No),
            ("1.5", No),
            ("1.5e1", Value(15)),
            ("1e-400", No),
            ("1.5e400", TooLarge),
            ("1e99999999999999999999", TooLarge),
            ("9223372036854775807", Value(i64::MAX)),
            ("-9223372036854775808", Value(i64::MIN)),
            ("9223372036854775808", TooLarge),
            ("-9.223372036854775808e18", Value(i64::MIN)),
            ("9.223372036854775808e18", TooLarge),
            ("10000000000000000000", TooLarge),
            ("0000000000000000000000001e0".trim_start_matches('0'), Value(1)),
        ] {
            assert_eq!(number(text).integral(), value, "{text}");
        }
    }

    #[test]
    fn faults_lie_where_no_number_goes_on() {
        for (text, kind, offset) in [
            ("-", Kind::Truncated, 1),
            ("-x", Kind::Syntax, 1),
            ("1.", Kind::Truncated, 2),
            ("1.x", Kind::Syntax, 2),
            ("1e", Kind::Truncated, 2),
            ("1e+", Kind::Truncated, 3),
            ("1e+,", Kind::Syntax, 3),
            ("-.5", Kind::Syntax, 1),
        ] {
            assert_eq!(scan(text.as_bytes(), 0), Err(Fault::new(kind, offset)), "{text}");
        }
        assert_eq!(scan(b"02", 0), Err(Fault::new(Kind::Syntax, 1)));
    }

    #[test]
    fn floats_are_finite() {
        assert_eq!(number("21.4").float(), Some(21.4));
        assert_eq!(number("1e400").float(), None);
        assert_eq!(number("1e-400").float(), Some(0.0));
        assert_eq!(number("16").float(), Some(16.0));
        assert_eq!(number("9223372036854775808").float(), None);
    }
}
