//! Principal components: the plane in which vectors differ most.

/// Rounds of power iteration for each component.
const ROUNDS: usize = 40;

/// Vectors in two dimensions.
#[derive(Debug, Default)]
pub(super) struct Projected {
    /// For each vector its place, in the units of the vectors.
    pub(super) points: Vec<[f32; 2]>,
    /// The share of the variance along each axis.
    pub(super) shares: [f64; 2],
}

/// Projects vectors of equal length on their first two principal components. The same vectors give the same picture.
pub(super) fn project(vectors: &[&[f32]]) -> Projected {
    let Some(dimension) = vectors.first().map(|vector| vector.len()) else { return Projected::default() };
    let mut mean = vec![0f64; dimension];
    for vector in vectors {
        mean.iter_mut().zip(*vector).for_each(|(mean, component)| *mean += f64::from(*component));
    }
    mean.iter_mut().for_each(|mean| *mean /= vectors.len() as f64);
    let centered =
        |vector: &&[f32]| vector.iter().zip(&mean).map(|(it, mean)| f64::from(*it) - mean).collect();
    let mut rows: Vec<Vec<f64>> = vectors.iter().map(centered).collect();
    let all = rows.iter().flatten().map(|component| component * component).sum::<f64>();
    let mut projected = Projected { points: vec![[0.0; 2]; rows.len()], shares: [0.0; 2] };
    for (axis, share) in projected.shares.iter_mut().enumerate() {
        let Some(direction) = principal(&rows, dimension) else { break };
        for (row, point) in rows.iter_mut().zip(&mut projected.points) {
            let along = dot(row, &direction);
            if let Some(place) = point.get_mut(axis) {
                *place = along as f32;
            }
            // What is left differs along other directions.
            row.iter_mut().zip(&direction).for_each(|(component, it)| *component -= along * it);
            *share += along * along / all;
        }
    }
    projected
}

/// The direction, of length 1, along which rows differ most; `None` where they do not differ.
fn principal(rows: &[Vec<f64>], dimension: usize) -> Option<Vec<f64>> {
    // Any start that is at right angles to nothing in particular.
    let mut direction: Vec<f64> = (0..dimension).map(|at| 1.0 + (at % 7) as f64 / 7.0).collect();
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; dimension];
        for row in rows {
            let along = dot(row, &direction);
            next.iter_mut().zip(row).for_each(|(next, component)| *next += along * component);
        }
        let length = dot(&next, &next).sqrt();
        if length < 1e-12 || !length.is_finite() {
            return None;
        }
        direction = next.into_iter().map(|component| component / length).collect();
    }
    Some(direction)
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axes_are_those_along_which_vectors_differ_most() {
        let vectors: Vec<Vec<f32>> =
            (0..40).map(|at| vec![3.0, at as f32 * 10.0, (at % 5) as f32, 0.0]).collect();
        let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
        let projected = project(&vectors);
        let (first, last) = (projected.points[0], projected.points[39]);
        assert!(((first[0] - last[0]).abs() - 390.0).abs() < 1.0, "{first:?} {last:?}");
        assert!(projected.shares[0] > 0.99 && projected.shares.iter().sum::<f64>() <= 1.0 + 1e-9);
    }

    #[test]
    fn equal_vectors_and_none_are_no_error() {
        assert!(project(&[]).points.is_empty());
        assert_eq!(project(&[&[1.0, 2.0], &[1.0, 2.0]]).points, [[0.0; 2]; 2]);
    }
}
