//! Base 58 as bitcoin writes it, for `did:key`. Numbers here are short: the quadratic way is quick enough.

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The bytes as text; each leading zero byte is a `1`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::new();
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = low_byte(carry % 58);
            carry /= 58;
        }
        while carry > 0 {
            digits.push(low_byte(carry % 58));
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| '1');
    zeros.chain(digits.iter().rev().filter_map(|digit| ALPHABET.get(usize::from(*digit)).map(|letter| char::from(*letter)))).collect()
}

/// Reads at most `N` bytes; nothing when it is no base 58 or longer.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<Vec<u8>> {
    let mut bytes: Vec<u8> = Vec::with_capacity(N);
    for letter in text.bytes() {
        let mut carry = u32::try_from(ALPHABET.iter().position(|known| *known == letter)?).ok()?;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = low_byte(carry & 0xff);
            carry >>= 8;
        }
        if carry > 0 {
            bytes.push(low_byte(carry));
        }
        if bytes.len() > N {
            return None;
        }
    }
    bytes.extend(text.bytes().take_while(|letter| *letter == b'1').map(|_| 0));
    bytes.reverse();
    (bytes.len() <= N).then_some(bytes)
}

fn low_byte(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_draft() {
        // draft-msporny-base58, section 5.
        for (bytes, text) in [
            (&b"Hello World!"[..], "2NEpo7TZRRrLZSi2U"),
            (b"The quick brown fox jumps over the lazy dog.", "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z"),
            (b"\x00\x00\x28\x7f\xb4\xcd", "11233QC4"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode::<64>(text).as_deref(), Some(bytes));
        }
        for text in ["0", "O", "I", "l", "é", " "] {
            assert_eq!(decode::<64>(text), None);
        }
        assert_eq!(decode::<3>("2NEpo7TZRRrLZSi2U"), None);
        assert_eq!(decode::<3>("1111"), None);
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decode::<40>(&encode(&bytes)), Some(bytes));
        }
    }
}
