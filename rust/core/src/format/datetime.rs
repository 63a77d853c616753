//! Date-times as RFC 3339 writes them (§5.6), with a real day, an offset, and no leap second.

use crate::scan::{ZEROS, eight_digits, not_digits};
use crate::simd::Bytes;

/// A date-time with its offset kept, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub microsecond: u32,
    pub offset_minutes: i16,
}

const MINUTES_A_DAY: i64 = 24 * 60;

impl DateTime {
    /// Microseconds since 1970-01-01 in UTC.
    pub fn unix_micros(&self) -> i64 {
        const EPOCH: i64 = 719_468; // 1970-01-01 since 0000-03-01
        let days = days_from_civil(self.year, self.month, self.day) - EPOCH;
        let minutes = days * MINUTES_A_DAY + i64::from(self.hour) * 60 + i64::from(self.minute);
        let seconds = (minutes - i64::from(self.offset_minutes)) * 60 + i64::from(self.second);
        seconds * 1_000_000 + i64::from(self.microsecond)
    }

    /// The same instant in UTC, when this is local time `ahead` microseconds ahead of it, whatever `offset_minutes` says. None outside the
    /// years 1 to 9999.
    pub fn in_utc(&self, ahead: i64) -> Option<Self> {
        const SECOND: i64 = 1_000_000;
        const DAY: i64 = 24 * 60 * 60 * SECOND;
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        let time = seconds * SECOND + i64::from(self.microsecond) - ahead;
        let (year, month, day) =
            civil_from_days(days_from_civil(self.year, self.month, self.day) + time.div_euclid(DAY))?;
        let time = time.rem_euclid(DAY);
        let seconds = time / SECOND;
        Some(Self {
            year,
            month,
            day,
            hour: (seconds / 3600) as u8,
            minute: (seconds / 60 % 60) as u8,
            second: (seconds % 60) as u8,
            microsecond: (time % SECOND) as u32,
            offset_minutes: 0,
        })
    }
}

/// Days since 0000-03-01. A year that begins in March has its leap day at the end.
fn days_from_civil(year: u16, month: u8, day: u8) -> i64 {
    let (year, month) = (i64::from(year) - i64::from(month <= 2), i64::from(month));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
}

/// The reverse; None outside the years 1 to 9999.
fn civil_from_days(days: i64) -> Option<(u16, u8, u8)> {
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (1..=9999).contains(&year).then_some((year as u16, month as u8, day as u8))
}

/// Reads a date-time; None for anything else. Digits beyond microseconds round half up; instants outside the years 1 to 9999 in UTC
/// are refused, after rounding.
pub fn parse(text: &[u8]) -> Option<DateTime> {
    if text.len() < 20 {
        return None;
    }
    let (head, tail) = text.split_at(19);
    if head[4] != b'-' || head[7] != b'-' || head[10] | 0x20 != b't' || head[13] != b':' || head[16] != b':' {
        return None;
    }
    let year = u16::from(two(head, 0)?) * 100 + u16::from(two(head, 2)?);
    let mut value = DateTime {
        year,
        month: two(head, 5)?,
        day: two(head, 8)?,
        hour: two(head, 11)?,
        minute: two(head, 14)?,
        second: two(head, 17)?,
        microsecond: 0,
        offset_minutes: 0,
    };
    if year == 0 || value.hour > 23 || value.minute > 59 || value.second > 59 {
        return None;
    }
    if !(1..=12).contains(&value.month) || value.day == 0 || value.day > days_in(year, value.month) {
        return None;
    }
    let (microsecond, tail) = fraction(tail)?;
    value.microsecond = microsecond;
    value.offset_minutes = offset(tail)?;
    if value.microsecond == 1_000_000 {
        value.microsecond = 0;
        value = next_second(value)?;
    }
    // Only at the ends of the calendar can the offset lead out of it.
    if (value.year == 1 || value.year == 9999) && !stays_inside(&value) {
        return None;
    }
    Some(value)
}

/// The date-time of the string at `at`, whose opening quote it is, and the string's end, where it is written as nearly all are: `T`, at most six
/// decimals, and `Z` or an offset. None for any other, and for what is none: `parse` judges those.
#[inline(always)]
pub fn usual(text: Bytes<'_>, at: usize) -> Option<(DateTime, usize)> {
    const DATE: u64 = u64::from_le_bytes(*b"0000-00-");
    const HOUR: u64 = u64::from_le_bytes(*b"00T00:00");
    const SECOND: u64 = u64::from_le_bytes(*b":00\0\0\0\0\0");
    // With the template taken off, digits are their values and everything else is zero.
    let (date, hour) = (text.word(at + 1) ^ DATE, text.word(at + 9) ^ HOUR);
    let rest = text.word(at + 17);
    let second = (rest ^ SECOND) & 0xFF_FFFF;
    // Adding this carries into a byte's high bit if it is more than 9, or more than 0 where no digit belongs.
    let odd = (date.wrapping_add(0x7F76_767F_7676_7676) | date)
        | (hour.wrapping_add(0x7676_7F76_767F_7676) | hour)
        | (second.wrapping_add(0x0076_767F) | second);
    if odd & 0x8080_8080_8080_8080 != 0 {
        return None;
    }
    // Each tens digit becomes the value of its pair.
    let pairs = |digits: u64| digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let (date, hour, second) = (pairs(date), pairs(hour), pairs(second));
    let byte = |word: u64, index: u32| (word >> (8 * index)) as u8;
    let mut value = DateTime {
        year: u16::from(byte(date, 0)) * 100 + u16::from(byte(date, 2)),
        month: byte(date, 5),
        day: byte(hour, 0),
        hour: byte(hour, 3),
        minute: byte(hour, 6),
        second: byte(second, 1),
        microsecond: 0,
        offset_minutes: 0,
    };
    if value.hour > 23 || value.minute > 59 || value.second > 59 || value.month.wrapping_sub(1) > 11 {
        return None;
    }
    if value.day.wrapping_sub(1) > 27 && (value.day == 0 || value.day > days_in(value.year, value.month)) {
        return None;
    }
    // At the ends of the calendar an offset may lead out of it.
    if !(2..9999).contains(&value.year) {
        return None;
    }
    let mut end = at + 20;
    if byte(rest, 3) == b'.' {
        let digits = text.word(end + 1) ^ ZEROS;
        let count = not_digits(digits).trailing_zeros() / 8;
        if count == 0 || count > 6 {
            return None;
        }
        // Six digits behind two zeros.
        let kept = digits & ((1 << (8 * count)) - 1);
        value.microsecond = eight_digits(kept << 16) as u32;
        end += 1 + count as usize;
    }
    let rest = text.word(end);
    if rest & 0xFFFF == u64::from(u16::from_le_bytes(*b"Z\"")) {
        return Some((value, end + 2));
    }
    value.offset_minutes = offset(text.all().get(end..end + 6)?)?;
    (byte(rest, 6) == b'"').then_some((value, end + 7))
}

#[inline]
fn two(text: &[u8], at: usize) -> Option<u8> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

/// The microseconds of `.123…`, rounded (1,000,000 when they carry over), and what follows.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    if text[0] != b'.' {
        return Some((0, text));
    }
    let count = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let digit = |index: usize| {
        if index < count { u32::from(text[1 + index] - b'0') } else { 0 }
    };
    let micros = (0..6).fold(0, |value, index| value * 10 + digit(index));
    Some((micros + u32::from(digit(6) >= 5), &text[1 + count..]))
}

fn offset(text: &[u8]) -> Option<i16> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (i16::from(two(rest, 0)?), i16::from(two(rest, 3)?));
            if hours > 23 || minutes > 59 {
                return None;
            }
            let size = hours * 60 + minutes;
            Some(if *sign == b'-' { -size } else { size })
        }
        _ => None,
    }
}

/// The days of a month, by the Gregorian calendar.
fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

fn next_second(mut value: DateTime) -> Option<DateTime> {
    value.second += 1;
    if value.second == 60 {
        value.second = 0;
        value.minute += 1;
    }
    if value.minute == 60 {
        value.minute = 0;
        value.hour += 1;
    }
    if value.hour == 24 {
        value.hour = 0;
        value.day += 1;
    }
    if value.day > days_in(value.year, value.month) {
        value.day = 1;
        value.month += 1;
    }
    if value.month == 13 {
        value.month = 1;
        value.year += 1;
    }
    (value.year <= 9999).then_some(value)
}

fn stays_inside(value: &DateTime) -> bool {
    let minute = i64::from(value.hour) * 60 + i64::from(value.minute) - i64::from(value.offset_minutes);
    match (value.year, value.month, value.day) {
        (1, 1, 1) => minute >= 0,
        (9999, 12, 31) => minute < MINUTES_A_DAY,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_date_time() {
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01t12:00:00z",
            "2024-02-29T23:59:59.123456789+23:59",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
            "0001-01-01T00:00:00-23:59",
            "2026-03-01T12:00:00-00:00",
        ] {
            assert!(parse(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            "",
            "2026-03-01T12:00:00",
            "2026-03-01 12:00:00Z",
            "2026-03-01T12:00Z",
            "2026-03-01T12:00:60Z",
            "2026-03-01T24:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-03-01T12:00:00+02",
            "2026-03-01T12:00:00+0200",
            "2026-03-01T12:00:00+24:00",
            "2026-03-01T12:00:00.Z",
            "2026-03-01T12:00:00ZZ",
            "2026-03-01T12:00:00,5Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "9999-12-31T23:59:59.9999995Z",
            "20a6-03-01T12:00:00Z",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn fractions_round_half_up_and_carry() {
        let value = parse(b"2023-12-31T23:59:59.9999995+01:00").expect("a date-time");
        assert_eq!((value.year, value.month, value.day, value.second, value.microsecond), (2024, 1, 1, 0, 0));
        assert_eq!(parse(b"2023-12-31T23:59:59.12345649Z").expect("a date-time").microsecond, 123456);
        assert_eq!(parse(b"2023-12-31T23:59:59.1234565Z").expect("a date-time").microsecond, 123457);
        assert_eq!(parse(b"2023-12-31T23:59:59.5Z").expect("a date-time").microsecond, 500000);
    }

    #[test]
    fn utc_is_found_for_every_day() {
        let mut value = parse(b"0001-01-01T00:00:00Z").expect("a date-time");
        assert_eq!(value.in_utc(1), None);
        let day = 24 * 60 * 60 * 1_000_000;
        let mut days = 0;
        loop {
            assert_eq!(value.in_utc(0), Some(value));
            let back = value.in_utc(1).map(|earlier| earlier.in_utc(-1));
            assert_eq!(back, (days > 0).then_some(Some(value)));
            days += 1;
            let Some(next) = value.in_utc(-day) else { break };
            assert!(days_in(next.year, next.month) >= next.day && next.in_utc(day) == Some(value));
            value = next;
        }
        assert_eq!((days, value.year, value.month, value.day), (3_652_059, 9999, 12, 31));
    }
}
