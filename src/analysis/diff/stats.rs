//! The tests behind a comparison. All are deterministic: random choices come from a fixed seed.
//!
//! Each asks whether B is larger than A *by more than a margin*: the null hypothesis is that B is at most `1 + margin` times
//! A. Whoever compares two runs of one program sees some differences that are real, and small.

use crate::base::random::Random;

/// The seed of all random choices.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
/// Resamples of a bootstrap.
const RESAMPLES: usize = 400;
/// Permutations that are looked at where not all can be.
const PERMUTATIONS: usize = 9_999;
/// In how many batches a recording is compared with itself.
const BATCHES: usize = 4;
/// The most values a side for pairwise differences.
const MOST_PAIRED: usize = 600;

/// The mean; 0 of nothing.
pub fn mean(x: &[f64]) -> f64 {
    if x.is_empty() { 0.0 } else { x.iter().sum::<f64>() / x.len() as f64 }
}

/// The part of a normal distribution above `z`.
fn above(z: f64) -> f64 {
    // Abramowitz and Stegun 26.2.17 is good to seven digits; beyond 8 nothing is left.
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let poly = [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    let sum = poly.iter().rev().fold(0.0, |s, c| (s + c) * t);
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum;
    if z >= 0.0 { tail } else { 1.0 - tail }
}

/// The part of Student's distribution above `t`, by Wallace's approximation.
fn above_t(t: f64, df: f64) -> f64 {
    let df = df.max(1.0);
    let z = (8.0 * df + 1.0) / (8.0 * df + 3.0) * (df * (1.0 + t * t / df).ln()).sqrt();
    above(if t < 0.0 { -z } else { z })
}

/// The length of a block, in values: neighbours in time are alike.
fn block(n: usize) -> usize {
    (n as f64).sqrt().round().max(1.0) as usize
}

/// The variance of the mean, by a circular block bootstrap.
fn variance_of_mean(x: &[f64]) -> f64 {
    let (n, len) = (x.len(), block(x.len()));
    if n < 2 {
        return f64::INFINITY;
    }
    let mut random = Random::new(SEED);
    let means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let (mut sum, mut taken) = (0.0, 0);
            while taken < n {
                let from = random.below(n);
                let more = len.min(n - taken);
                sum += (from..from + more).map(|i| x[i % n]).sum::<f64>();
                taken += more;
            }
            sum / n as f64
        })
        .collect();
    let centre = mean(&means);
    means.iter().map(|m| (m - centre).powi(2)).sum::<f64>() / (RESAMPLES - 1) as f64
}

/// Whether the mean of one side is larger than the other's, as a two-sided p: values in the order of time, by blocks.
fn bootstrap(a: &[f64], b: &[f64], margin: f64) -> f64 {
    let (small, large) = if mean(a) <= mean(b) { (a, b) } else { (b, a) };
    let factor = 1.0 + margin;
    let over = mean(large) - factor * mean(small);
    let blocks = |x: &[f64]| (x.len() / block(x.len()).max(1)) as f64;
    let variance = variance_of_mean(large) + factor * factor * variance_of_mean(small);
    if over <= 0.0 || !variance.is_finite() {
        return 1.0;
    }
    let df = blocks(a).min(blocks(b)) - 1.0;
    let t = if variance > 0.0 { over / variance.sqrt() } else { f64::MAX.sqrt() };
    (2.0 * above_t(t.min(1e6), df)).min(1.0)
}

/// Whether something that one side never has is there on the other by chance, as a two-sided p: values in the order of
/// time, so many at a time as neighbours are alike, and two where nothing tells whether they are. 1 if both sides have it.
pub fn presence(a: &[f64], b: &[f64]) -> f64 {
    let any = |x: &[f64]| x.iter().any(|v| *v > 0.0);
    let (with, without) = match (any(a), any(b)) {
        (true, false) => (a, b),
        (false, true) => (b, a),
        _ => return 1.0,
    };
    let there: Vec<f64> = with.iter().map(|v| f64::from(u8::from(*v > 0.0))).collect();
    let always = there.iter().all(|x| *x > 0.0);
    let each = if always { 2 } else { inflation(&there).round() as usize };
    let k = there.chunks(each).filter(|c| any(c)).count();
    let (of, all) = (there.len().div_ceil(each), there.len().div_ceil(each) + without.len().div_ceil(each));
    let p: f64 = (0..k).map(|i| (of - i) as f64 / (all - i) as f64).product();
    (2.0 * p).min(1.0)
}

/// Whether the mean over runs of one side is larger than the other's, as a two-sided p, by permutation of the runs.
pub fn permutation(a: &[f64], b: &[f64], margin: f64) -> f64 {
    let (small, large) = if mean(a) <= mean(b) { (a, b) } else { (b, a) };
    let all: Vec<f64> = small.iter().map(|x| x * (1.0 + margin)).chain(large.iter().copied()).collect();
    let (total, n, k) = (all.iter().sum::<f64>(), all.len(), large.len());
    // The larger the sum of the larger side's values, the larger the difference of the means.
    let seen: f64 = all[small.len()..].iter().sum();
    let near = seen - 1e-9 * total.abs();
    let (mut as_large, mut looked) = (0u64, 0u64);
    let mut count = |sum: f64| {
        looked += 1;
        as_large += u64::from(sum >= near);
    };
    if n <= 16 {
        for mask in (0u32..1 << n).filter(|m| m.count_ones() as usize == k) {
            count((0..n).filter(|i| mask >> i & 1 == 1).map(|i| all[i]).sum());
        }
    } else {
        let mut random = Random::new(SEED);
        let mut shuffled = all.clone();
        count(seen);
        for _ in 0..PERMUTATIONS {
            for i in 0..k {
                let j = i + random.below(n - i);
                shuffled.swap(i, j);
            }
            count(shuffled[..k].iter().sum());
        }
    }
    (2.0 * as_large as f64 / looked as f64).min(1.0)
}

/// By how much the variance of a mean grows because neighbours are alike: 1 if they are not.
fn inflation(x: &[f64]) -> f64 {
    let centre = mean(x);
    let all: f64 = x.iter().map(|x| (x - centre).powi(2)).sum();
    if all <= 0.0 {
        return 1.0;
    }
    let next: f64 = x.windows(2).map(|w| (w[0] - centre) * (w[1] - centre)).sum();
    let alike = (next / all).clamp(0.0, 0.9);
    (1.0 + alike) / (1.0 - alike)
}

/// Mann and Whitney's U as a two-sided p, with corrections for ties and for neighbours in time that are alike: whether
/// values of one side tend to be larger.
fn mann_whitney(a: &[f64], b: &[f64], margin: f64) -> f64 {
    if a.len() < 3 || b.len() < 3 {
        return 1.0;
    }
    let (small, large) = if median(a) <= median(b) { (a, b) } else { (b, a) };
    let mut all: Vec<(f64, bool)> =
        small.iter().map(|x| (x * (1.0 + margin), false)).chain(large.iter().map(|x| (*x, true))).collect();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (n, m, l) = (all.len() as f64, small.len() as f64, large.len() as f64);
    let (mut ranks, mut ties, mut i) = (0.0, 0.0, 0);
    while i < all.len() {
        let end = i + all[i..].iter().take_while(|x| x.0 == all[i].0).count();
        let (same, rank) = ((end - i) as f64, (i + end + 1) as f64 / 2.0);
        ranks += rank * all[i..end].iter().filter(|x| x.1).count() as f64;
        ties += same.powi(3) - same;
        i = end;
    }
    let u = ranks - l * (l + 1.0) / 2.0;
    let variance = m * l / 12.0 * (n + 1.0 - ties / (n * (n - 1.0))) * inflation(a).max(inflation(b));
    if variance <= 0.0 {
        return 1.0;
    }
    (2.0 * above((u - m * l / 2.0 - 0.5) / variance.sqrt())).min(1.0)
}

/// What [`BATCHES`] batches are, in the order of time; nothing where they would be of less than two values.
fn batches(x: &[f64], of: impl Fn(&[f64]) -> f64) -> Option<Vec<f64>> {
    let batch = |i: usize| of(&x[i * x.len() / BATCHES..(i + 1) * x.len() / BATCHES]);
    (x.len() >= 2 * BATCHES).then(|| (0..BATCHES).map(batch).collect())
}

/// Whether one side is larger than the other by more than a recording changes by itself, as a two-sided p: Welch's t over
/// the means of batches. 1 where there are too few values for batches.
///
/// What else runs on a machine moves over seconds and minutes, so that a mean over a recording is not the more certain the
/// more slices it has: as the batches of one recording differ, so does a recording from the next, and the variance is that
/// of one batch and not of the mean of all.
fn drift(small: &[f64], large: &[f64]) -> f64 {
    match (batches(small, mean), batches(large, mean)) {
        (Some(a), Some(b)) => welch(&a, &b),
        _ => 1.0,
    }
}

/// Welch's t as a two-sided p, with the variance of one value for that of the mean of all, which [`drift`] says why.
fn welch(small: &[f64], large: &[f64]) -> f64 {
    let variance = |x: &[f64]| x.iter().map(|v| (v - mean(x)).powi(2)).sum::<f64>() / (x.len() - 1) as f64;
    let over = mean(large) - mean(small);
    if over <= 0.0 {
        return 1.0;
    }
    let (va, vb) = (variance(small), variance(large));
    if va + vb <= 0.0 {
        return 0.0;
    }
    let df = (va + vb).powi(2) / (va * va + vb * vb) * (BATCHES - 1) as f64;
    (2.0 * above_t((over / (va + vb).sqrt()).min(1e6), df)).min(1.0)
}

/// Whether lengths of one side are larger than the other's, as a two-sided p, by rank and beyond [`drift`]: values in the
/// order of time. Of lengths the batches are of logarithms, as far as lengths are multiples of each other.
pub fn lengths(a: &[f64], b: &[f64], margin: f64) -> f64 {
    let log = |x: &[f64], more: f64| x.iter().map(|x| x.max(1.0).ln() + more).collect::<Vec<f64>>();
    let (small, large) = if mean(&log(a, 0.0)) <= mean(&log(b, 0.0)) { (a, b) } else { (b, a) };
    mann_whitney(a, b, margin).max(drift(&log(small, margin.ln_1p()), &log(large, 0.0)))
}

/// Whether the mean of one side is larger than the other's, as a two-sided p, by [`bootstrap`] and beyond [`drift`]: values in
/// the order of time.
pub fn totals(a: &[f64], b: &[f64], margin: f64) -> f64 {
    let (small, large) = if mean(a) <= mean(b) { (a, b) } else { (b, a) };
    let more: Vec<f64> = small.iter().map(|x| x * (1.0 + margin)).collect();
    bootstrap(a, b, margin).max(drift(&more, large))
}

/// Whether one side's 99th percentile is larger than the other's beyond [`drift`], as a two-sided p: lengths in the order of
/// time, of which each batch has a percentile.
pub fn tails_drift(a: &[f64], b: &[f64], margin: f64) -> f64 {
    let high = |x: &[f64]| quantile(x, 0.99).max(1.0).ln();
    let (small, large) = if high(a) <= high(b) { (a, b) } else { (b, a) };
    let more: Vec<f64> = small.iter().map(|x| x * (1.0 + margin)).collect();
    match (batches(&more, high), batches(large, high)) {
        (Some(a), Some(b)) => welch(&a, &b),
        _ => 1.0,
    }
}

/// The median; 0 of nothing.
pub fn median(x: &[f64]) -> f64 {
    quantile(x, 0.5)
}

/// The value that a part of the values does not pass, by the same rank as [`number::quantile`] takes; 0 of nothing.
pub fn quantile(x: &[f64], part: f64) -> f64 {
    let mut x = x.to_vec();
    if x.is_empty() {
        return 0.0;
    }
    let i = ((x.len() as f64 * part).ceil() as usize).clamp(1, x.len()) - 1;
    *x.select_nth_unstable_by(i, f64::total_cmp).1
}

/// Every so manieth value, so that at most [`MOST_PAIRED`] are left.
fn thinned(x: &[f64]) -> impl Iterator<Item = f64> + '_ {
    x.iter().copied().step_by(x.len().div_ceil(MOST_PAIRED).max(1))
}

/// The shift from A to B after Hodges and Lehmann, the median of all differences, and its interval of 95 %.
pub fn shift(a: &[f64], b: &[f64]) -> (f64, f64, f64) {
    let mut all: Vec<f64> = thinned(a).flat_map(|x| thinned(b).map(move |y| y - x)).collect();
    if all.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    all.sort_by(f64::total_cmp);
    let (m, n) = (thinned(a).count() as f64, thinned(b).count() as f64);
    let reach = 1.96 * (m * n * (m + n + 1.0) / 12.0).sqrt();
    // As far from one end as from the other, so that from B to A it is the same, the other way round.
    let (last, low) = (all.len() - 1, ((m * n / 2.0 - reach).max(0.0) as usize).min((all.len() - 1) / 2));
    ((all[last / 2] + all[last - last / 2]) / 2.0, all[low], all[last - low])
}

/// Which of many tests are taken as found, so that of those at most a part of `rate` is expected to be false (Benjamini
/// and Hochberg).
pub fn found(p: &[f64], rate: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|x, y| p[*x].total_cmp(&p[*y]));
    let fits = |k: usize| p[order[k]] <= rate * (k + 1) as f64 / p.len() as f64;
    let last = (0..p.len()).rev().find(|k| fits(*k)).map_or(0, |k| k + 1);
    let mut out = vec![false; p.len()];
    order[..last].iter().for_each(|i| out[*i] = true);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u64, centre: f64) -> Vec<f64> {
        let mut r = Random::new(seed);
        (0..n).map(|_| centre * (0.9 + 0.2 * (r.number() % 1000) as f64 / 1000.0)).collect()
    }

    #[test]
    fn tails_are_those_of_the_tables() {
        for (z, p) in [(0.0, 0.5), (1.96, 0.025), (-1.0, 0.8413), (3.0, 0.00135)] {
            assert!((above(z) - p).abs() < 2e-4, "{z}: {}", above(z));
        }
        for (t, df, p) in [(2.228, 10.0, 0.025), (2.776, 4.0, 0.025), (1.697, 30.0, 0.05)] {
            assert!((above_t(t, df) - p).abs() < 2e-3, "{t}: {}", above_t(t, df));
        }
    }

    #[test]
    fn what_differs_is_told_from_what_does_not() {
        let (a, same, more) = (noise(50, 1, 100.0), noise(50, 2, 103.0), noise(50, 3, 120.0));
        for test in [bootstrap, mann_whitney, permutation] {
            assert!(test(&a, &same, 0.05) > 0.5, "less than the margin");
            assert!(test(&a, &more, 0.05) < 0.001 && test(&more, &a, 0.05) < 0.001);
        }
        let (by, low, high) = shift(&a, &more);
        assert!(low < by && by < high && (15.0..25.0).contains(&by), "{low} {by} {high}");
    }

    #[test]
    fn what_comes_in_waves_is_less_certain_than_what_does_not() {
        let wave = |n: usize| (0..n).map(|i| if i / 10 % 2 == 0 { 50.0 } else { 150.0 }).collect::<Vec<f64>>();
        let quick = |n: usize| (0..n).map(|i| if i % 2 == 0 { 50.0 } else { 150.0 }).collect::<Vec<f64>>();
        assert!(variance_of_mean(&wave(100)) > 2.0 * variance_of_mean(&quick(100)));
        assert!(inflation(&wave(100)) > 5.0 && inflation(&quick(100)) == 1.0);
    }

    #[test]
    fn what_moves_over_seconds_is_told_from_what_stays() {
        // Each side wanders by half while it is recorded: that the other is 30 % away says nothing. Where neither wanders, it does.
        let wander = |centre: f64| (0..40).map(|i| centre * (1.0 + 0.5 * f64::from(i / 10 % 2))).collect::<Vec<f64>>();
        for test in [lengths, totals] {
            assert!(test(&wander(100.0), &wander(130.0), 0.05) > 0.05);
            assert!(test(&noise(40, 1, 100.0), &noise(40, 2, 130.0), 0.05) < 0.001);
            assert!(test(&noise(40, 1, 100.0), &noise(40, 2, 104.0), 0.05) > 0.5, "less than the margin");
            assert_eq!(test(&[1.0; 7], &[9.0; 7], 0.05), 1.0, "too few to cut in four");
            let (p, back) = (
                test(&noise(40, 1, 9.0), &noise(40, 3, 10.0), 0.0),
                test(&noise(40, 3, 10.0), &noise(40, 1, 9.0), 0.0),
            );
            assert!((p - back).abs() < 1e-12, "{p} {back}");
        }
        assert!(bootstrap(&wander(100.0), &wander(130.0), 0.05) < bootstrap(&wander(100.0), &wander(110.0), 0.05));
        assert!(totals(&[1.0; 8], &[9.0; 8], 0.05) < 0.001, "nothing varies at all");
    }

    #[test]
    fn a_shift_is_the_same_the_other_way_round() {
        for (n, m) in [(9, 9), (10, 12), (11, 700)] {
            let ((by, low, high), (back, from, to)) =
                (shift(&noise(n, 1, 10.0), &noise(m, 2, 12.0)), shift(&noise(m, 2, 12.0), &noise(n, 1, 10.0)));
            assert_eq!((by, low, high), (-back, -to, -from), "{n} {m}");
            assert!(low <= by && by <= high);
        }
    }

    #[test]
    fn what_one_side_never_has_is_told_from_what_it_has_seldom() {
        let (none, always, once) = ([0.0; 20], [1.0; 20], [&[1.0, 1.0][..], &[0.0; 18]].concat());
        assert!((presence(&none, &always) - 2.0 / 184_756.0).abs() < 1e-12, "one in 20 over 10");
        let now_and_then = [1.0, 0.0].repeat(10);
        let p = 2.0 * 184_756.0 / 847_660_528.0;
        assert!((presence(&now_and_then, &none) - p).abs() < 1e-12, "ten of 20 over ten of 40");
        assert_eq!((presence(&once, &none), presence(&always, &once), presence(&none, &none)), (1.0, 1.0, 1.0));
    }

    #[test]
    fn four_runs_a_side_can_be_told_apart_and_three_cannot() {
        assert!((permutation(&[1.0, 1.0, 1.1, 1.0], &[2.0, 2.1, 2.0, 2.2], 0.05) - 2.0 / 70.0).abs() < 1e-9);
        assert!(permutation(&[1.0, 1.0, 1.1], &[2.0, 2.1, 2.0], 0.05) > 0.05);
    }

    #[test]
    fn of_many_tests_few_are_found_by_chance() {
        assert_eq!(found(&[0.001, 0.5, 0.04, 0.03], 0.05), [true, false, false, false]);
        assert_eq!(found(&[0.001, 0.02, 0.03, 0.04], 0.05), [true; 4]);
        assert_eq!(found(&[], 0.05), Vec::<bool>::new());
    }
}
