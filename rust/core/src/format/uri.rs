//! URIs by the grammar of RFC 3986 (§3, appendix A): a scheme is needed, a relative reference is none.

use std::net::Ipv6Addr;

/// Whether the text is a `URI` of RFC 3986.
pub fn is_valid(text: &[u8]) -> bool {
    let Some(colon) = text.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let (scheme, rest) = (&text[..colon], &text[colon + 1..]);
    if !scheme.first().is_some_and(u8::is_ascii_alphabetic)
        || !scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
    {
        return false;
    }
    let (rest, fragment) = split(rest, b'#');
    let (hierarchy, query) = split(rest, b'?');
    let tail =
        |part: Option<&[u8]>| part.is_none_or(|part| all(part, |byte| is_pchar(byte) || byte == b'/' || byte == b'?'));
    if !tail(fragment) || !tail(query) {
        return false;
    }
    let path_ok = |path: &[u8]| all(path, |byte| is_pchar(byte) || byte == b'/');
    match hierarchy.strip_prefix(b"//") {
        Some(rest) => {
            let slash = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            is_authority(&rest[..slash]) && path_ok(&rest[slash..])
        }
        None => path_ok(hierarchy),
    }
}

fn split(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == at) {
        Some(index) => (&text[..index], Some(&text[index + 1..])),
        None => (text, None),
    }
}

fn is_authority(text: &[u8]) -> bool {
    let (user, host) = match text.iter().rposition(|byte| *byte == b'@') {
        Some(index) => (&text[..index], &text[index + 1..]),
        None => (&text[..0], text),
    };
    if !all(user, |byte| is_unreserved(byte) || is_sub_delim(byte) || byte == b':') {
        return false;
    }
    let (name_ok, port) = match host.strip_prefix(b"[") {
        Some(rest) => match split(rest, b']') {
            (literal, Some(port)) => (is_ip_literal(literal), port),
            _ => return false,
        },
        None => {
            let colon = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
            (all(&host[..colon], |byte| is_unreserved(byte) || is_sub_delim(byte)), &host[colon..])
        }
    };
    name_ok && (port.is_empty() || port.strip_prefix(b":").is_some_and(|digits| digits.iter().all(u8::is_ascii_digit)))
}

fn is_ip_literal(text: &[u8]) -> bool {
    match text.first() {
        Some(b'v' | b'V') => {
            let (version, rest) = split(&text[1..], b'.');
            !version.is_empty()
                && version.iter().all(u8::is_ascii_hexdigit)
                && rest.is_some_and(|rest| {
                    !rest.is_empty()
                        && rest.iter().all(|byte| is_unreserved(*byte) || is_sub_delim(*byte) || *byte == b':')
                })
        }
        _ => str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()),
    }
}

/// Every byte fits, or begins a percent-encoding.
fn all(text: &[u8], fits: impl Fn(u8) -> bool) -> bool {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'%' {
            if !text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                return false;
            }
            at += 3;
        } else if fits(byte) {
            at += 1;
        } else {
            return false;
        }
    }
    true
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_sub_delim(byte: u8) -> bool {
    b"!$&'()*+,;=".contains(&byte)
}

fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte) || is_sub_delim(byte) || byte == b':' || byte == b'@'
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn what_is_a_uri() {
        for text in [
            "ftp://user:pw@example.org:21/a/b.bin?x=1#top",
            "http://[2001:db8::1]:80/",
            "http://[v7.a:b]/",
            "urn:x:y",
            "file:///etc",
            "a:",
            "http://example.org/%20",
            "mailto:a@b",
            "http://",
            "http://:80",
        ] {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "x",
            "a b",
            "1a:b",
            "/a",
            "//a/b",
            "http://a b",
            "http://a/%2",
            "http://[::1",
            "http://[::g]/",
            "http://a:b/",
            "a:<",
            "http://ä/",
            "a:b#c#d",
            "http://[::1]x",
        ] {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
    }
}
