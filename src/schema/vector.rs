//! Vector fields: dimension, metric, and how they are indexed.

use super::calibration::Calibration;
use super::vector_index::{Quantization, SIGN_HASH, SignHash, VectorIndex};
use super::{MAX_BINARY_DIMENSION, MAX_DIMENSION};
use lucerne_codec::vector::VectorKind;
use lucerne_codec::{Component, FieldInfo, Params, Similarity};

/// Declares a vector field: what its vectors are, how they are compared, and how they are indexed.
///
/// The defaults are the cosine metric and an HNSW graph over int8 codes, beside which the vectors are kept as they are.
///
/// ```
/// use lucerne::schema::{Quantization, VectorIndex};
/// use lucerne::{Schema, Similarity, Vector};
///
/// let schema = Schema::builder()
///     .vector("text", Vector::f32(384).m(24).beam_width(200))
///     .vector("image", Vector::f32(512).similarity(Similarity::Euclidean).quantization(Quantization::None))
///     .vector("passages", Vector::f16(256).multiple())
///     .vector("fingerprint", Vector::bits(1024).similarity(Similarity::Jaccard).ivf())
///     .build()?;
/// let text = schema.vector_field_named("text")?.options();
/// assert_eq!(text.index(), Some(VectorIndex::Hnsw));
/// assert_eq!(text.quantization(), Some(Quantization::Int8));
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    pub(super) indexed: bool,
    pub(super) stored: bool,
    pub(super) options: VectorOptions,
}

/// The options of a vector field in a schema. [`Vector`] sets them; this type reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorOptions {
    pub(super) dimension: usize,
    /// Components are bits.
    pub(super) binary: bool,
    pub(super) similarity: Similarity,
    pub(super) normalize: bool,
    pub(super) index: Option<VectorIndex>,
    pub(super) quantization: Option<Quantization>,
    pub(super) format: Option<String>,
    pub(super) recall: Option<f32>,
    pub(super) calibration: Option<Calibration>,
    pub(super) params: Params,
}

impl Vector {
    /// Vectors of `dimension` components (1 to 4,096) in single precision.
    pub fn f32(dimension: usize) -> Self {
        let options = VectorOptions {
            dimension,
            binary: false,
            similarity: Similarity::default(),
            normalize: false,
            index: None,
            quantization: None,
            format: None,
            recall: None,
            calibration: None,
            params: Params::new(),
        };
        Self { indexed: true, stored: true, options }
    }

    /// Vectors of `dimension` components (1 to 4,096) in half precision (IEEE 754 binary16): half the bytes of
    /// [`Vector::f32`], and 11 significant bits. Components are rounded to the nearest half when a document is added; one
    /// of magnitude 65,520 or more is refused. Everything else is done with what they were rounded to, and they are given
    /// back as f32. Queries are not rounded.
    pub fn f16(dimension: usize) -> Self {
        Self::f32(dimension).param(FieldInfo::DATATYPE, FieldInfo::FLOAT16)
    }

    /// Vectors of `dimension` bits (a multiple of 8 from 8 to 65,536), kept as one byte for every eight bits. The
    /// metric is [`Similarity::Hamming`] unless set. Bits are not quantized, so all distances are exact.
    pub fn bits(dimension: usize) -> Self {
        let mut vector = Self::f32(dimension).similarity(Similarity::Hamming);
        vector.options.binary = true;
        vector
    }

    /// The metric. Default: cosine; for bits, Hamming.
    #[must_use]
    pub fn similarity(mut self, similarity: Similarity) -> Self {
        self.options.similarity = similarity;
        self
    }

    /// In a `dot_product` field: accepts vectors and queries of any length but zero and compares them as if they had
    /// length 1. The vectors are kept as they are given, so their lengths are not lost. Distances are those of
    /// `cosine`; scores are the same for both.
    #[must_use]
    pub fn normalize_on_write(mut self) -> Self {
        self.options.normalize = true;
        self
    }

    /// How nearest vectors are found. Default: HNSW.
    #[must_use]
    pub fn index(mut self, index: VectorIndex) -> Self {
        self.options.index = Some(index);
        self
    }

    /// Compares with all vectors instead of searching a graph.
    #[must_use]
    pub fn flat(self) -> Self {
        self.index(VectorIndex::Flat)
    }

    /// Compares with the vectors of the nearest inverted lists. Binary vectors only.
    #[must_use]
    pub fn ivf(self) -> Self {
        self.index(VectorIndex::Ivf)
    }

    /// Number of inverted lists in each segment. Default: four times the square root of the segment's number of
    /// vectors. There are never more lists than different vectors.
    #[must_use]
    pub fn nlist(self, nlist: usize) -> Self {
        self.param("nlist", nlist)
    }

    /// How vectors are encoded for search. Default: int8.
    #[must_use]
    pub fn quantization(mut self, quantization: Quantization) -> Self {
        self.options.quantization = Some(quantization);
        self
    }

    /// Encodes vectors as sign hashes, one bit per component, in place of a quantization. A search finds candidates by
    /// their hashes and rescores them with the raw vectors, so its distances are exact; [`crate::admin::hash_quality`] measures the recall for given vectors.
    #[must_use]
    pub fn sign_hash(mut self, on: bool) -> Self {
        self.options.params.remove(SIGN_HASH);
        if on { self.param(SIGN_HASH, true) } else { self }
    }

    /// [`Vector::sign_hash`] with an estimator of your choice. Default: [`SignHash::Corrected`].
    #[must_use]
    pub fn sign_hash_by(self, by: SignHash) -> Self {
        self.param(SIGN_HASH, by.name())
    }

    /// HNSW's M: links of a node on the upper levels, twice as many on level 0. 2 to 512, default 16.
    #[must_use]
    pub fn m(self, m: usize) -> Self {
        self.param("m", m)
    }

    /// HNSW's beam width while building (`efConstruction`): 8 to 3,200, default 100.
    #[must_use]
    pub fn beam_width(self, width: usize) -> Self {
        self.param("beam_width", width)
    }

    /// Passes over a graph when segments are merged: with 2 the links of all vectors are selected anew at the end of each
    /// merge, which takes two to three times as long; searches then find the same with fewer distances. Default 1.
    #[must_use]
    pub fn merge_passes(self, passes: usize) -> Self {
        self.param("merge_passes", passes)
    }

    /// Share of the component values that lie between the two quantiles of the int8 codes, 0.9 to 1; values outside are
    /// clipped. Default: 1 − 1/(dimension + 1); 0.9999 with `max_inner_product`.
    #[must_use]
    pub fn confidence_interval(self, share: f64) -> Self {
        self.param("confidence_interval", share)
    }

    /// A merge copies a segment's int8 codes if the segment's quantiles differ from the merged quantiles by at most
    /// this share of the merged range, 0 to 1; otherwise it computes them anew. Default: 0.015.
    #[must_use]
    pub fn requantize_above(self, share: f64) -> Self {
        self.param("requantize_above", share)
    }

    /// A merge takes new quantiles from a sample of all vectors if the quantiles of any segment differ from the merged
    /// quantiles by more than this share of the merged range, 0 to 1. Default: 0.1.
    #[must_use]
    pub fn resample_above(self, share: f64) -> Self {
        self.param("resample_above", share)
    }

    /// Whether segments keep the vectors as they were given besides their int8 codes. Default: yes. Without them an index
    /// takes about a third of the space, and what needs them is refused: exact searches, rescoring, and reading vectors
    /// back ([`Searcher::decoded_vector`](crate::Searcher::decoded_vector) gives what the codes stand for). They never come
    /// back. [`Writer::drop_raw`](crate::Writer::drop_raw) takes them away from an index that has them.
    #[must_use]
    pub fn keep_raw(mut self, keep: bool) -> Self {
        self.options.params.remove(FieldInfo::KEEP_RAW);
        if keep { self } else { self.param(FieldInfo::KEEP_RAW, false) }
    }

    /// The recall that searches of the field ask for unless they say otherwise ([`crate::Knn::recall`]): above 0, up to
    /// 1. Default: 0.95.
    #[must_use]
    pub fn recall(mut self, recall: f32) -> Self {
        self.options.recall = Some(recall);
        self
    }

    /// A document may have several vectors, given as a list of vectors (`Vec<Vec<f32>>`). A search returns the document
    /// once, by its nearest vector, whose number is in [`crate::Hit::vector`]. Not with inverted lists.
    #[must_use]
    pub fn multiple(self) -> Self {
        self.param(FieldInfo::MULTIPLE, true)
    }

    /// Writes the field with a registered vector format of that name, instead of a built-in one chosen by
    /// index and quantization.
    #[must_use]
    pub fn format(mut self, name: impl Into<String>) -> Self {
        self.options.format = Some(name.into());
        self
    }

    /// A parameter of the field's format, by name. The format refuses those it does not know when the index is created.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.options.params.insert(name.into(), value.into());
        self
    }

    /// A parameter of the field's format that is for tests and experiments, not for ordinary use. The built-in formats
    /// have
    ///
    /// - `graph_threshold`: vectors a segment needs to get a graph (0 to 2³² − 1, default 4,000);
    /// - `search_bits`: bits of an int8 code that graph search reads first, 4 or 8 (default 4 for long vectors).
    #[must_use]
    pub fn advanced(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        let group = self.options.params.entry(FieldInfo::ADVANCED);
        if let serde_json::Value::Object(group) = group.or_insert_with(|| Params::new().into()) {
            group.insert(name.into(), value.into());
        }
        self
    }

    /// Whether the field can be searched. Default: yes. When not, only the raw vectors are kept.
    #[must_use]
    pub fn indexed(mut self, indexed: bool) -> Self {
        self.indexed = indexed;
        self
    }

    /// Whether vectors can be read back. Default: yes.
    #[must_use]
    pub fn stored(mut self, stored: bool) -> Self {
        self.stored = stored;
        self
    }
}

/// Options a format's parameter cannot be called.
pub(super) const OPTION_NAMES: [&str; 13] = [
    "name",
    "type",
    "indexed",
    "stored",
    "path",
    "dimension",
    "similarity",
    "normalize",
    "index",
    "quantization",
    "format",
    "recall",
    "calibration",
];

impl VectorOptions {
    /// Checks the options and chooses what they leave open.
    pub(super) fn resolve(&mut self, indexed: bool) -> Result<(), String> {
        self.check_components()?;
        if self.normalize && self.similarity != Similarity::DotProduct {
            return Err(format!(
                "normalize is for similarity dot_product, it is {}; leave normalize out",
                self.similarity
            ));
        }
        if let Some(name) = self.params.keys().find(|name| OPTION_NAMES.contains(&name.as_str())) {
            return Err(format!("{name:?} is an option of the field, not a parameter of its format"));
        }
        if let Some(recall) = self.recall.filter(|recall| !(*recall > 0.0 && *recall <= 1.0)) {
            return Err(format!("recall is {recall}, expected a share above 0 and up to 1"));
        }
        if let Some(calibration) = &self.calibration {
            calibration.check()?;
        }
        if self.recall.is_some() && !indexed {
            return Err("indexed is false: leave recall out".into());
        }
        if self.params.get(SIGN_HASH).is_some_and(|value| *value == false) {
            self.params.remove(SIGN_HASH);
        }
        if self.params.get(FieldInfo::DATATYPE).is_some_and(|name| *name == FieldInfo::FLOAT32) {
            self.params.remove(FieldInfo::DATATYPE);
        }
        if let Some(format) = &self.format {
            return match (format.is_empty(), self.index, self.quantization) {
                (true, ..) => Err("format is empty, expected the name of a registered vector format".into()),
                (_, None, None) => Ok(()),
                _ => Err(format!(
                    "format {format:?} decides on index and quantization itself; leave these options out"
                )),
            };
        }
        if !self.keeps_raw() && self.recall == Some(1.0) {
            return Err("keep_raw is false: a recall of 1 takes raw vectors; give a lower one".into());
        }
        if self.is_sign_hash() {
            if !self.keeps_raw() {
                return Err(
                    "keep_raw is false: sign hashes find candidates for raw vectors; leave it out".into()
                );
            }
            self.index.get_or_insert(VectorIndex::Hnsw);
            return match (indexed, self.quantization) {
                (true, None) => Ok(()),
                (true, Some(_)) => {
                    Err("sign_hash takes the place of quantization; leave one of them out".into())
                }
                (false, _) => Err("indexed is false: leave sign_hash out".into()),
            };
        }
        let (index, quantization) = if indexed {
            (VectorIndex::Hnsw, Quantization::Int8)
        } else {
            (VectorIndex::Flat, Quantization::None)
        };
        let quantization = if self.binary { Quantization::None } else { quantization };
        let kept = (index, quantization);
        let chosen = (*self.index.get_or_insert(index), *self.quantization.get_or_insert(quantization));
        if !indexed && chosen != kept {
            return Err("indexed is false: leave index and quantization out".into());
        }
        if !self.keeps_raw() && self.quantization != Some(Quantization::Int8) {
            return Err("keep_raw is false: only int8 codes can take the place of raw vectors".into());
        }
        Ok(())
    }

    /// Checks what depends on what the components are.
    fn check_components(&self) -> Result<(), String> {
        let dimension = self.dimension;
        let datatypes = [FieldInfo::FLOAT32, FieldInfo::FLOAT16];
        match self.params.get(FieldInfo::DATATYPE) {
            Some(_) if self.binary => return Err("datatype is for float vectors; leave it out".to_owned()),
            Some(value) if !datatypes.iter().any(|name| value == name) => {
                return Err(format!("datatype is {value}, expected one of {}", datatypes.join(", ")));
            }
            _ => {}
        }
        if self.binary != (self.similarity.component() == Component::Bit) {
            let (is, accepted) = if self.binary {
                ("binary", &Similarity::BINARY[..])
            } else {
                ("float", &Similarity::FLOAT[..])
            };
            let names: Vec<_> = accepted.iter().map(|similarity| similarity.name()).collect();
            let similarity = self.similarity;
            return Err(format!(
                "similarity {similarity} is not for {is} vectors; accepted: {}",
                names.join(", ")
            ));
        }
        if self.binary {
            if self.is_sign_hash() {
                return Err("sign_hash is for float vectors; leave it out".to_owned());
            }
            if self.quantization.is_some_and(|quantization| quantization != Quantization::None) {
                return Err("quantization is for float vectors; leave it out".to_owned());
            }
            if !(8..=MAX_BINARY_DIMENSION).contains(&dimension) || !dimension.is_multiple_of(8) {
                return Err(format!(
                    "dimension is {dimension}, expected a multiple of 8 from 8 to {MAX_BINARY_DIMENSION} (bits)"
                ));
            }
            return Ok(());
        }
        if self.index == Some(VectorIndex::Ivf) {
            return Err("index ivf is for binary vectors; accepted: hnsw, flat".to_owned());
        }
        if (1..=MAX_DIMENSION).contains(&dimension) {
            Ok(())
        } else {
            Err(format!("dimension is {dimension}, expected 1 to {MAX_DIMENSION}"))
        }
    }

    /// True when components are bits.
    pub fn is_binary(&self) -> bool {
        self.binary
    }

    /// True when components are kept in half precision ([`Vector::f16`]).
    pub fn is_f16(&self) -> bool {
        self.params.get(FieldInfo::DATATYPE).is_some_and(|name| *name == FieldInfo::FLOAT16)
    }

    /// Components of a vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The metric as declared.
    pub fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// True when vectors are compared as if they had length 1 ([`Vector::normalize_on_write`]).
    pub fn normalizes(&self) -> bool {
        self.normalize
    }

    /// True when a document may have several vectors.
    pub fn is_multiple(&self) -> bool {
        self.params.get(FieldInfo::MULTIPLE).is_some_and(|value| *value == true)
    }

    /// False when only codes are kept ([`Vector::keep_raw`]).
    pub fn keeps_raw(&self) -> bool {
        self.params.get(FieldInfo::KEEP_RAW).is_none_or(|value| *value != false)
    }

    /// True when candidates are found by sign hashes ([`Vector::sign_hash`]).
    pub fn is_sign_hash(&self) -> bool {
        self.params.contains_key(SIGN_HASH)
    }

    /// How nearest vectors are found; `None` when the field names its format.
    pub fn index(&self) -> Option<VectorIndex> {
        self.index
    }

    /// What is compared while searching; `None` when the field names its format or has sign hashes.
    pub fn quantization(&self) -> Option<Quantization> {
        self.quantization
    }

    /// The recall that searches ask for unless they say otherwise; `None` is the default of all searches.
    pub fn recall(&self) -> Option<f32> {
        self.recall
    }

    /// What the queries of the field take beyond what its segments measure, if that was found out.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The format's parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What a field that names no format asks of one.
    pub(super) fn kind(&self) -> VectorKind {
        let component = if self.binary { Component::Bit } else { Component::F32 };
        let index = self.index.unwrap_or(VectorIndex::Hnsw).name();
        let quantization = self.quantization.unwrap_or(Quantization::Int8);
        let encoding = if self.is_sign_hash() { SIGN_HASH } else { quantization.name() };
        VectorKind { component, index, encoding }
    }
}
