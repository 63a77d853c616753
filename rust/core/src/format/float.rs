//! Numbers as text: doubles as Python's `repr` writes them, and the `number` fields of OCPP.

/// Appends a finite double as Python's `repr` does: the shortest digits that read back as the same value, an exponent below 1e-4 and from 1e16 on.
pub fn write_repr(value: f64, out: &mut Vec<u8>) {
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        // Here the two spellings are the same: digits, a point, at least one digit.
        out.extend_from_slice(shortest.as_bytes());
        return;
    }
    write_scientific(value, out);
}

#[cold]
fn write_scientific(value: f64, out: &mut Vec<u8>) {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    out.extend_from_slice(
        format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()).as_bytes(),
    );
}

/// Appends a finite double as a `number` field holds it: an integral value below 1e16 in size without a fraction, any other as `repr`.
pub fn write_number(value: f64, out: &mut Vec<u8>) {
    if value.abs() < 1e16 && value.fract() == 0.0 {
        out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        write_repr(value, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut out = Vec::new();
            write_repr(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
        for (value, text) in [(16.0, "16"), (-0.0, "0"), (21.4, "21.4"), (1e16, "1e+16"), (-3.0, "-3")] {
            let mut out = Vec::new();
            write_number(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }
}
