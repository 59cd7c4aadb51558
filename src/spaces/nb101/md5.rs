//! MD5 (Rivest, RFC 1321), which the benchmark names its cells by. Not for security.

/// Shifts of a round's four steps, which repeat four times.
const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// ⌊2³² |sin(i + 1)|⌋ for each step.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// A digest under way.
#[derive(Clone)]
pub(super) struct Md5 {
    state: [u32; 4],
    /// Bytes of a block that is not full yet.
    block: [u8; 64],
    /// Bytes in all.
    len: u64,
}

impl Md5 {
    pub(super) const fn new() -> Self {
        Self { state: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476], block: [0; 64], len: 0 }
    }

    /// The digest of these bytes and the following.
    pub(super) fn then(mut self, mut bytes: &[u8]) -> Self {
        while !bytes.is_empty() {
            let filled = (self.len % 64) as usize;
            let (next, rest) = bytes.split_at(bytes.len().min(64 - filled));
            self.block[filled..filled + next.len()].copy_from_slice(next);
            self.len += next.len() as u64;
            if self.len.is_multiple_of(64) {
                self.compress();
            }
            bytes = rest;
        }
        self
    }

    /// The digest.
    pub(super) fn finish(self) -> [u8; 16] {
        let bits = self.len.wrapping_mul(8).to_le_bytes();
        // A one bit, zeros up to eight bytes before the end of a block, and the length.
        const PADDING: [u8; 64] = {
            let mut padding = [0; 64];
            padding[0] = 0x80;
            padding
        };
        let padding = 1 + (119 - self.len % 64) % 64;
        let padded = self.then(&PADDING[..padding as usize]);
        let mut digest = [0; 16];
        let state = padded.then(&bits).state;
        digest.chunks_exact_mut(4).zip(state).for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        digest
    }

    fn compress(&mut self) {
        let mut words = [0; 16];
        for (word, bytes) in words.iter_mut().zip(self.block.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        let [mut a, mut b, mut c, mut d] = self.state;
        for step in 0..64 {
            let (mixed, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), 7 * step % 16),
            };
            let sum = a.wrapping_add(mixed).wrapping_add(SINES[step]).wrapping_add(words[word]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
        }
        for (sum, word) in self.state.iter_mut().zip([a, b, c, d]) {
            *sum = sum.wrapping_add(word);
        }
    }
}

/// A digest in hexadecimal digits.
pub(super) fn hexadecimal(digest: [u8; 16]) -> [u8; 32] {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    /// The test suite of RFC 1321.
    #[test]
    fn digests_are_those_of_the_standard() {
        for (text, digest) in [
            ("", "d41d8cd98f00b204e9800998ecf8427e"),
            ("a", "0cc175b9c0f1b6a831c399e269772661"),
            ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a",
            ),
        ] {
            let digits = hexadecimal(Md5::new().then(text.as_bytes()).finish());
            assert_eq!(String::from_utf8_lossy(&digits), digest, "{text}");
        }
    }

    /// Every length around the padding: the digest of a text that is given in two parts is that of the whole.
    #[test]
    fn parts_make_up_the_whole() {
        let text = [b'x'; 200];
        for length in 0..=text.len() {
            for cut in [0, length / 3, length] {
                let parts = Md5::new().then(&text[..cut]).then(&text[cut..length]).finish();
                assert_eq!(parts, Md5::new().then(&text[..length]).finish(), "{length}, {cut}");
            }
        }
    }

    #[test]
    fn constants_are_the_sines() {
        for (step, &sine) in SINES.iter().enumerate() {
            assert_eq!(sine, (4_294_967_296.0 * ((step + 1) as f64).sin().abs()) as u32, "{step}");
        }
    }
}
