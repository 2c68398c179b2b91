//! Neighbors of several documents, and far from others.

use super::searcher::Searcher;
use crate::error::{Error, Result};
use crate::query::{Bool, Knn, Query, Terms};
use lucerne_codec::Similarity;

impl Searcher {
    /// A [`Knn`] query for documents like some and unlike others, which it does not find: its vector is twice the average of
    /// the liked ones' vectors, less the average of the others' (qdrant's strategy `average_vector`). With cosine and dot
    /// products, vectors count with length 1. Documents may have several vectors in the field.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// let like_vim = searcher.recommend("v", &["vim"], &[])?;
    /// assert_eq!(searcher.search(like_vim.k(1))?.keys(), ["nano"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongQuery`] when nothing is liked, when a document does not exist or has no vector in the field, when the
    /// field is binary, and when the vectors cancel each other out; else as [`Searcher::decoded_vectors`].
    pub fn recommend(&self, field: &str, liked: &[&str], disliked: &[&str]) -> Result<Knn> {
        let declared = self.schema().vector_field_named(field)?;
        let wrong = |problem: String| Error::WrongQuery { field: Some(field.to_owned()), problem };
        if declared.options().is_binary() {
            return Err(wrong("binary vectors have no average".to_owned()));
        }
        let similarity = declared.options().similarity();
        let by_angle = matches!(similarity, Similarity::Cosine | Similarity::DotProduct);
        let average = |keys: &[&str]| -> Result<Option<Vec<f64>>> {
            let mut vectors = Vec::new();
            for key in keys {
                let found = self.decoded_vectors(key, field)?;
                if found.is_empty() {
                    return Err(wrong(format!("no document {key:?} that has a vector in it")));
                }
                vectors.extend(found);
            }
            let count = vectors.len() as f64;
            Ok(vectors
                .into_iter()
                .map(|vector| if by_angle { unit(&vector) } else { wide(&vector) })
                .reduce(add)
                .map(|sum| sum.into_iter().map(|component| component / count).collect()))
        };
        let Some(near) = average(liked)? else {
            return Err(wrong("at least one document must be liked".to_owned()));
        };
        let vector = match average(disliked)? {
            None => near,
            Some(far) => near.iter().zip(far).map(|(near, far)| 2.0 * near - far).collect(),
        };
        let vector: Vec<f32> = vector.into_iter().map(|component| component as f32).collect();
        let vector: Vec<f32> = match by_angle {
            true => unit(&vector).into_iter().map(|component| component as f32).collect(),
            false => vector,
        };
        if by_angle && vector.iter().all(|component| *component == 0.0) {
            return Err(wrong("the vectors of these documents cancel each other out".to_owned()));
        }
        let keys: Vec<&str> = liked.iter().chain(disliked).copied().collect();
        let given = Terms::new(self.schema().key().name(), keys);
        Ok(Knn::new(field, vector).filter(Bool::new().must(Query::all()).must_not(given)))
    }
}

fn wide(vector: &[f32]) -> Vec<f64> {
    vector.iter().copied().map(f64::from).collect()
}

/// The vector with length 1; a zero vector stays one.
fn unit(vector: &[f32]) -> Vec<f64> {
    let vector = wide(vector);
    let length = vector.iter().map(|component| component * component).sum::<f64>().sqrt();
    if length > 0.0 { vector.into_iter().map(|component| component / length).collect() } else { vector }
}

fn add(mut sum: Vec<f64>, other: Vec<f64>) -> Vec<f64> {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
    sum
}
