//! Checksums of what is read or written piece by piece.

use std::fmt::Write;

use aws_lc_rs::digest::{Context, SHA256};

/// SHA-256 (FIPS 180-4) of everything it took, so far.
#[derive(Clone)]
pub struct Checksum(Context);

impl Default for Checksum {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Checksum {
    pub fn takes(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// As 64 hexadecimal digits, which `sha256sum` prints too.
    pub fn text(&self) -> String {
        let sum = self.0.clone().finish();
        let mut text = String::with_capacity(64);
        for byte in sum.as_ref() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checksum({})", self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4's own example, in two pieces.
    #[test]
    fn pieces_make_one_sum() {
        let mut sum = Checksum::default();

        sum.takes(b"a");
        sum.takes(b"bc");

        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum.text(), known);
    }
}
