//! Base64 as Kubernetes reads `data` and go-yaml reads `!!binary`: padding is required, line breaks are not text, and bits that are left
//! over may be anything. Short, because modules carry it.

use std::borrow::Cow;

/// The bytes, or `None` where the text is not base64.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = if text.contains(['\n', '\r']) { Cow::Owned(text.replace(['\n', '\r'], "")) } else { Cow::Borrowed(text) };
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(&text);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        // What is shifted out at the top was written before.
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use base64::{
        Engine,
        alphabet::STANDARD,
        engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig},
    };

    use super::decode;

    const ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

    #[test]
    fn it_reads_what_the_library_reads() {
        let some =
            ["", "=", "==", "===", "====", "A", "A=", "A==", "A===", "AB", "AB=", "AB==", "ABC", "ABC=", "ABCD", "AB=C", "A=BC", "=ABC"];
        let more = [
            "/+9z",
            "_-9z",
            "ABCD=",
            "ABCDEF==",
            "ABCDE===",
            "AB==ABCD",
            "AB CD",
            " ABCD",
            "\u{e9}AB",
            "ABCDABCDABCDABCDABCDABCDABCDABCDABCDABC=",
        ];
        for text in some.iter().chain(&more) {
            assert_eq!(decode(text), ENGINE.decode(text).ok(), "{text}");
        }
        let mut state = 1_u32;
        for length in 0..2000 {
            let mut digit = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(*b"ABYZabyz0189+/=A".get((state >> 20) as usize % 16).unwrap_or(&b'A'))
            };
            let text: String = (0..length % 40).map(|_| digit()).collect();
            assert_eq!(decode(&text), ENGINE.decode(&text).ok(), "{text}");
            let encoded = ENGINE.encode(&text);
            assert_eq!(decode(&encoded), Some(text.into_bytes()), "{encoded}");
        }
        assert_eq!(decode("AB\nCD\r\n"), decode("ABCD"));
    }
}
