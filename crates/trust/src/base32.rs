//! Crockford's base 32 in lower case (no i, l, o, u), for bytes read as one big-endian number: as ids are written.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters that `bytes` bytes take.
pub(crate) const fn len(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// The bytes as text. It may be a secret: it is wiped when dropped.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(len(bytes.len())));
    // The first character has the bits that are too many for whole groups of five.
    let mut wanted = (bytes.len() * 8).wrapping_sub(1) % 5 + 1;
    let mut digit = 0_usize;
    for byte in bytes {
        for shift in (0..8).rev() {
            digit = digit << 1 | usize::from(byte >> shift & 1);
            wanted -= 1;
            if wanted == 0 {
                text.push(char::from(ALPHABET[digit % 32]));
                (digit, wanted) = (0, 5);
            }
        }
    }
    text
}

/// Reads what [`encode`] wrote of `N` bytes, and nothing else.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != len(N) {
        return None;
    }
    let mut bytes = [0_u8; N];
    let mut skipped = len(N) * 5 - N * 8;
    let mut at = 0;
    for letter in text.bytes() {
        let digit = ALPHABET.iter().position(|&known| known == letter)?;
        for shift in (0..5).rev() {
            let bit = u8::from(digit >> shift & 1 == 1);
            if skipped > 0 {
                skipped -= 1;
                if bit == 1 {
                    return None;
                }
                continue;
            }
            let byte = bytes.get_mut(at / 8)?;
            *byte = *byte << 1 | bit;
            at += 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab3_units::Id;

    #[test]
    fn sixteen_bytes_read_as_an_id_does() {
        for bytes in [[0; 16], [0xff; 16], *b"0123456789abcdef"] {
            assert_eq!(Id::from_bytes(bytes).text("x").to_string(), format!("x_{}", *encode(&bytes)));
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn each_length_comes_back_and_larger_numbers_do_not() {
        assert_eq!(decode(&encode(&[0xff; 8])), Some([0xff; 8]));
        assert_eq!(decode(&encode(&[0xa5; 32])), Some([0xa5; 32]));
        assert_eq!(decode(&encode(&[1, 2, 3, 4])), Some([1, 2, 3, 4]));
        for text in ["", "zzzzzzz", "000000", "00000000", "000000i", "000000A", "00000é"] {
            assert_eq!(decode::<4>(text), None, "{text}");
        }
    }
}
