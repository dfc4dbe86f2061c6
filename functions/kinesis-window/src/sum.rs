//! Numbers → their exact sum, whatever the order and the grouping they come in.
//!
//! Nothing is rounded before the end, so that every split of a window gives the same answer.

use serde::{Deserialize, Serialize};

/// What a `decimal(38, …)` cannot hold any more.
const BEYOND: u128 = 10_u128.pow(38);

/// A sum of whole numbers or of decimals of one scale: `low` + `wraps` · 2^128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Whole {
    low: i128,
    wraps: i64,
}

impl Whole {
    /// Adds a number.
    pub fn add(&mut self, value: i128) {
        let (low, wrapped) = self.low.overflowing_add(value);
        self.low = low;
        self.wraps += if wrapped { value.signum() as i64 } else { 0 };
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Self) {
        self.add(other.low);
        self.wraps += other.wraps;
    }

    /// The sum; `None` where it has more than 38 digits.
    pub fn value(&self) -> Option<i128> {
        (self.wraps == 0 && self.low.unsigned_abs() < BEYOND).then_some(self.low)
    }
}

/// The least bit is worth 2^-1074, the highest of a finite float 2^1023; 79 more are for carries and the sign.
const LIMBS: usize = 34;

/// A sum of floats as one long number in fixed point (a superaccumulator, after Kulisch), in two's complement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct Real(Box<[u64; LIMBS]>);

impl Default for Real {
    fn default() -> Self {
        Self(Box::new([0; LIMBS]))
    }
}

impl Real {
    /// Adds a finite float.
    pub fn add(&mut self, value: f64) {
        let bits = value.to_bits();
        let exponent = (bits >> 52) & 0x7ff;
        let mantissa = (bits & ((1 << 52) - 1)) | (u64::from(exponent > 0) << 52);
        let shift = exponent.max(1) - 1;
        let place = u128::from(mantissa) << (shift % 64);
        let mut long = [0; LIMBS];
        let at = (shift / 64) as usize;
        long[at] = place as u64;
        long[at + 1] = (place >> 64) as u64;
        if value.is_sign_negative() {
            negate(&mut long);
        }
        self.plus(&long);
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        self.plus(&other.0);
    }

    fn plus(&mut self, other: &[u64; LIMBS]) {
        let mut carry = false;
        for (limb, other) in self.0.iter_mut().zip(other) {
            let (sum, first) = limb.overflowing_add(*other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first || second;
        }
    }

    fn is_negative(&self) -> bool {
        self.0[LIMBS - 1] >> 63 == 1
    }

    /// The float nearest to the sum, ties to even; `None` beyond the largest.
    pub fn value(&self) -> Option<f64> {
        let mut magnitude = *self.0;
        if self.is_negative() {
            negate(&mut magnitude);
        }
        let Some(top) = magnitude.iter().rposition(|limb| *limb != 0) else { return Some(0.0) };
        let highest = top * 64 + 63 - magnitude[top].leading_zeros() as usize;
        let bits = match highest.checked_sub(52) {
            // As it stands: a subnormal, or the least of the others.
            None | Some(0) => magnitude[0],
            Some(lowest) => {
                let mantissa = window(&magnitude, lowest) & ((1 << 53) - 1);
                let half = bit(&magnitude, lowest - 1);
                let more = (0..lowest - 1).any(|at| bit(&magnitude, at));
                let up = half && (more || mantissa & 1 == 1);
                // A mantissa that is full carries into the exponent, as it should.
                ((lowest as u64 + 1) << 52) + (mantissa - (1 << 52)) + u64::from(up)
            }
        };
        let value = f64::from_bits(bits);
        (bits < f64::INFINITY.to_bits()).then_some(if self.is_negative() { -value } else { value })
    }
}

fn negate(long: &mut [u64; LIMBS]) {
    let mut carry = true;
    for limb in long {
        let (sum, carries) = (!*limb).overflowing_add(u64::from(carry));
        *limb = sum;
        carry = carries;
    }
}

fn bit(long: &[u64; LIMBS], at: usize) -> bool {
    long[at / 64] >> (at % 64) & 1 == 1
}

/// The 64 bits from `at` on.
fn window(long: &[u64; LIMBS], at: usize) -> u64 {
    let above = long.get(at / 64 + 1).copied().unwrap_or_default();
    (((u128::from(above) << 64) | u128::from(long[at / 64])) >> (at % 64)) as u64
}

/// The limbs between those that are nothing but zeros below and nothing but the sign above.
#[derive(Serialize, Deserialize)]
struct Written {
    from: usize,
    limbs: Vec<u64>,
    negative: bool,
}

impl From<Real> for Written {
    fn from(real: Real) -> Self {
        let negative = real.is_negative();
        let fill = if negative { u64::MAX } else { 0 };
        let from = real.0.iter().position(|limb| *limb != 0).unwrap_or(LIMBS);
        let to = real.0.iter().rposition(|limb| *limb != fill).map_or(from, |last| (last + 1).max(from));
        Self { from, limbs: real.0[from..to].to_vec(), negative }
    }
}

impl TryFrom<Written> for Real {
    type Error = &'static str;

    fn try_from(Written { from, limbs, negative }: Written) -> Result<Self, Self::Error> {
        let mut long = [if negative { u64::MAX } else { 0 }; LIMBS];
        let to = from.saturating_add(limbs.len());
        if to > LIMBS {
            return Err("a sum with too many limbs");
        }
        long[..from].fill(0);
        long[from..to].copy_from_slice(&limbs);
        Ok(Self(Box::new(long)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn real(values: &[f64]) -> Real {
        let mut sum = Real::default();
        for value in values {
            sum.add(*value);
        }
        let written = serde_json::to_string(&sum).unwrap();
        assert_eq!(serde_json::from_str::<Real>(&written).unwrap(), sum, "{written}");
        sum
    }

    fn check(values: &[f64], want: Option<f64>) {
        assert_eq!(real(values).value().map(f64::to_bits), want.map(f64::to_bits), "{values:?}");
    }

    #[test]
    fn floats_are_summed_without_loss() {
        check(&[], Some(0.0));
        check(&[1.0, 1e100, 1.0, -1e100], Some(2.0));
        check(&[f64::MAX, f64::MAX], None);
        check(&[f64::MAX, f64::MAX, -f64::MAX], Some(f64::MAX));
        check(&[-f64::MAX, f64::MIN_POSITIVE, f64::MAX], Some(f64::MIN_POSITIVE));
        let least = f64::from_bits(1);
        check(&[least, least, least], Some(f64::from_bits(3)));
        check(&[-least], Some(-least));
        // Halfway between two floats: to the even one, unless a trace of something is beyond.
        check(&[9_007_199_254_740_992.0, 1.0], Some(9_007_199_254_740_992.0));
        check(&[9_007_199_254_740_992.0, 1.0, least], Some(9_007_199_254_740_994.0));
        check(&[9_007_199_254_740_994.0, 1.0], Some(9_007_199_254_740_996.0));
    }

    #[test]
    fn whole_numbers_are_summed_beyond_their_room() {
        let sum = |values: &[i128]| {
            let mut sum = Whole::default();
            for value in values {
                sum.add(*value);
            }
            let written = serde_json::to_string(&sum).unwrap();
            assert_eq!(serde_json::from_str::<Whole>(&written).unwrap(), sum);
            sum.value()
        };
        let most = i128::try_from(BEYOND - 1).unwrap();
        assert_eq!(sum(&[most, 1]), None);
        assert_eq!(sum(&[most, most, most, -most, -most]), Some(most));
        assert_eq!(sum(&[-most, -most, -most, most, most, 5]), Some(5 - most));
    }

    proptest! {
        #[test]
        fn two_floats_give_what_the_machine_gives(one in any::<f64>(), other in any::<f64>()) {
            prop_assume!(one.is_finite() && other.is_finite());
            let sum = real(&[one, other]).value();
            let machine = Some(one + other).filter(|sum| sum.is_finite());
            prop_assert_eq!(sum, machine);
        }

        #[test]
        fn order_and_grouping_do_not_matter(mut values in prop::collection::vec(any::<f64>(), 0..20), cut in 0..20_usize) {
            values.retain(|value| value.is_finite());
            let whole = real(&values);
            let (head, tail) = values.split_at(cut.min(values.len()));
            let mut merged = real(tail);
            merged.merge(&real(head));
            prop_assert_eq!(&merged, &whole);
            values.reverse();
            prop_assert_eq!(real(&values), whole);
        }
    }
}
