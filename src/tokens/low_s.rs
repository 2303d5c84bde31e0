//! The one spelling of an ES256 signature.
//!
//! With `(r, s)`, `(r, n - s)` is a signature of the same message (SEC 1 §4.1). Ours carry the
//! smaller `s`, and only those are accepted, so that nobody can turn one valid token into another.
//! Signatures are public: nothing here needs constant time.

/// The order `n` of P-256 (SEC 2 §2.4.2), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// `n / 2`, rounded down.
const HALF: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

/// Whether a signature, `r` and `s` of 32 bytes each, is the one we would have written.
pub(super) fn is_low(signature: &[u8]) -> bool {
    signature.len() == 64 && signature[32..] <= HALF[..]
}

/// Rewrites a signature in place to the smaller `s`.
pub(super) fn lower(signature: &mut [u8; 64]) {
    if is_low(signature) {
        return;
    }
    let mut borrow = false;
    for (digit, of_order) in signature[32..].iter_mut().zip(ORDER).rev() {
        let (difference, under) = of_order.overflowing_sub(*digit);
        let (difference, under_again) = difference.overflowing_sub(u8::from(borrow));
        *digit = difference;
        borrow = under || under_again;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_s(s: [u8; 32]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature[32..].copy_from_slice(&s);
        signature
    }

    #[test]
    fn one_is_the_other_of_the_order_less_one() {
        let mut one = [0; 32];
        one[31] = 1;
        let mut order_less_one = ORDER;
        order_less_one[31] -= 1;

        let mut signature = with_s(order_less_one);
        lower(&mut signature);

        assert_eq!(signature, with_s(one));
    }

    #[test]
    fn the_half_stays_and_its_successor_becomes_the_half() {
        let mut successor = HALF;
        successor[31] += 1;
        let (mut half, mut above) = (with_s(HALF), with_s(successor));

        assert!(is_low(&half));
        assert!(!is_low(&above));
        lower(&mut half);
        lower(&mut above);

        assert_eq!(half, with_s(HALF));
        assert_eq!(above, with_s(HALF));
    }

    #[test]
    fn other_lengths_are_never_ours() {
        assert!(!is_low(&[]));
        assert!(!is_low(&[0; 63]));
        assert!(!is_low(&[0; 65]));
    }
}
