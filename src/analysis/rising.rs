//! Whether a number rises over time: Theil and Sen's slope, the median of the slopes between all pairs of points, with an
//! interval around it that needs no assumption about how the points scatter (P. K. Sen, "Estimates of the regression
//! coefficient based on Kendall's tau", 1968).

/// A slope, in units of y for each unit of x, and the interval that holds it in about 95 of 100 cases.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slope {
    /// The estimate.
    pub per_x: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The slope of points in any order; nothing for fewer than four, whose scatter says nothing. Quadratic in their number.
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let n = points.len();
    if n < 4 {
        return None;
    }
    let mut all = Vec::with_capacity(n * (n - 1) / 2);
    for (i, a) in points.iter().enumerate() {
        for b in &points[i + 1..] {
            if b.0 != a.0 {
                all.push((b.1 - a.1) / (b.0 - a.0));
            }
        }
    }
    if all.is_empty() {
        return None;
    }
    all.sort_by(f64::total_cmp);
    let m = all.len();
    let middle = if m % 2 == 1 { all[m / 2] } else { (all[m / 2 - 1] + all[m / 2]) / 2.0 };
    // Kendall's statistic has this variance where there is no slope; 1.96 of its roots are left out at each side.
    let n = n as f64;
    let out = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let low = ((m as f64 - out) / 2.0).floor().clamp(0.0, (m - 1) as f64) as usize;
    let high = ((m as f64 + out) / 2.0).ceil().clamp(0.0, (m - 1) as f64) as usize;
    Some(Slope { per_x: middle, low: all[low], high: all[high] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_outliers_do_not_move_it() {
        let line: Vec<_> = (0..20).map(|i| (f64::from(i), 3.0 * f64::from(i) + 1.0)).collect();
        let s = slope(&line).unwrap();
        assert!((s.per_x - 3.0).abs() < 1e-9 && s.low > 2.9 && s.high < 3.1);
        let mut bent = line.clone();
        bent[7].1 = 1e6;
        bent[13].1 = -1e6;
        let s = slope(&bent).unwrap();
        assert!((s.per_x - 3.0).abs() < 0.5, "{s:?}");
    }

    #[test]
    fn what_goes_up_and_down_does_not_rise() {
        let wave: Vec<_> = (0..40).map(|i| (f64::from(i), [1.0, 5.0, 2.0, 4.0][i as usize % 4])).collect();
        let s = slope(&wave).unwrap();
        assert!(s.low <= 0.0 && s.high >= 0.0, "{s:?}");
        let flat: Vec<_> = (0..20).map(|i| (f64::from(i), 100.0)).collect();
        let s = slope(&flat).unwrap();
        assert_eq!((s.per_x, s.low, s.high), (0.0, 0.0, 0.0));
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 2.0)]), None);
    }
}
