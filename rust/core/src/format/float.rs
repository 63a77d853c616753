//! Doubles as text, as Python's `repr` writes them: the shortest digits that read back as the same value, an exponent below 1e-4 and from 1e16 on.

/// Integral doubles below this, in size, are written without an exponent.
pub const WHOLE: u64 = 10_000_000_000_000_000;

/// Whether a finite double is written without an exponent.
#[inline]
pub fn is_positional(value: f64) -> bool {
    value == 0.0 || (1e-4..1e16).contains(&value.abs())
}

/// Memory for the text of a double that is written without an exponent.
pub struct Positional(zmij::Buffer);

impl Positional {
    #[expect(clippy::new_without_default, reason = "it holds nothing that a default could mean")]
    #[inline]
    pub fn new() -> Self {
        Self(zmij::Buffer::new())
    }

    /// The text: digits, a point, at least one digit; at most 24 bytes.
    #[inline]
    pub fn text(&mut self, value: f64) -> &str {
        self.0.format_finite(value)
    }
}

/// The text of a finite double that is written with an exponent.
#[cold]
pub fn scientific(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

#[cfg(test)]
mod tests {
    use crate::write::Writer;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::default();
        write(&mut writer);
        String::from_utf8(writer.as_bytes().to_vec()).expect("UTF-8")
    }

    #[test]
    fn as_python_writes_them() {
        for (value, text) in [
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1e15, "1000000000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.25e-7, "1.25e-07"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(written(|writer| writer.float(value)), text);
        }
        for (value, text) in [
            (16.0, "16"),
            (-0.0, "0"),
            (21.4, "21.4"),
            (1e16, "1e+16"),
            (9999999999999998.0, "9999999999999998"),
            (-1e300, "-1e+300"),
            (-3.0, "-3"),
        ] {
            assert_eq!(written(|writer| writer.number(value)), text);
        }
    }
}
