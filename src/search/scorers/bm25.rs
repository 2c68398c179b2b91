//! BM25: the score of a term in a document, from its frequency and the length of the document.

/// Bounds are multiplied by this, so that rounding never makes one too low.
pub(super) const SLACK: f32 = 1.000_001;

/// A score that is no longer computed with: never infinite, however it was boosted.
pub(crate) fn finite_score(score: f64) -> f32 {
    score.clamp(f32::MIN.into(), f32::MAX.into()) as f32
}

/// The two parameters of BM25.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bm25 {
    /// Term frequency saturation: with greater values further occurrences count more.
    pub(crate) k1: f32,
    /// Length normalization, from 0 (none) to 1.
    pub(crate) b: f32,
}

impl Default for Bm25 {
    fn default() -> Self {
        Self { k1: 1.2, b: 0.75 }
    }
}

/// Frequencies whose longest competitive documents are worked out.
const KNOWN_FREQS: usize = 7;

/// The greatest length of a competitive document by its frequency; of higher frequencies any length may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct LengthLimits([u32; KNOWN_FREQS + 2]);

impl LengthLimits {
    /// False when a document's score is too low, without computing it.
    #[inline]
    pub(super) fn may_reach(&self, freq: u32, length: u32) -> bool {
        let limit = self.0.get((freq as usize).min(KNOWN_FREQS + 1)).copied().unwrap_or(u32::MAX);
        length <= limit
    }
}

/// The factors of a term's score that do not depend on the document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weight {
    factor: f32,
    base: f32,
    per_token: f32,
}

impl Bm25 {
    /// Inverse document frequency of a term that `doc_freq` of `docs` documents with the field have, deleted ones
    /// included.
    pub(crate) fn idf(doc_freq: u64, docs: u64) -> f32 {
        let (doc_freq, docs) = (doc_freq as f64, docs.max(doc_freq) as f64);
        (1.0 + (docs - doc_freq + 0.5) / (doc_freq + 0.5)).ln() as f32
    }

    /// The weight of a term (or phrase) of inverse document frequency `idf` in a field of `docs` documents with
    /// `tokens` tokens in all.
    pub(crate) fn weight(self, boost: f32, idf: f32, docs: u64, tokens: u64) -> Weight {
        let average = tokens as f64 / docs.max(1) as f64;
        let per_token = if average > 0.0 { f64::from(self.k1 * self.b) / average } else { 0.0 };
        Weight {
            factor: finite_score(f64::from(boost) * f64::from(idf)),
            base: self.k1 * (1.0 - self.b),
            per_token: per_token as f32,
        }
    }
}

impl Weight {
    /// The score of `freq` occurrences among `length` tokens.
    #[inline]
    pub(crate) fn score(&self, freq: f32, length: u32) -> f32 {
        self.factor * (freq / (freq + (self.base + self.per_token * length as f32)))
    }

    /// The scores of many pairs of frequency and length.
    #[inline]
    pub(super) fn scores(&self, freqs: &[u32], lengths: &[u32], into: &mut [f64]) {
        for ((score, &freq), &length) in into.iter_mut().zip(freqs).zip(lengths) {
            *score = self.score(freq as f32, length).into();
        }
    }

    /// Which documents may score `least` or more: all of these and few others.
    pub(super) fn length_limits(&self, least: f64) -> LengthLimits {
        let mut limits = [u32::MAX; KNOWN_FREQS + 2];
        if least > 0.0 {
            let (base, per_token) = (f64::from(self.base), f64::from(self.per_token));
            // The score as a fraction of its limit, and room for the rounding of scores.
            let most = f64::from(self.factor) / least * (1.0 + f64::from(SLACK - 1.0) * 8.0);
            let tokens = (1.0 / per_token).min(f64::MAX);
            for (freq, limit) in limits.iter_mut().enumerate().take(KNOWN_FREQS + 1) {
                let freq = freq as f64;
                *limit = ((freq * most - (freq + base)) * tokens) as u32;
            }
        }
        LengthLimits(limits)
    }

    /// The upper bound on the score for any frequency and length.
    pub(crate) fn max_score(&self) -> f32 {
        self.factor * SLACK
    }

    /// An upper bound on the scores of `pairs` of frequency and length.
    pub(crate) fn bound(&self, pairs: &[(u32, u32)]) -> f32 {
        pairs.iter().map(|&(freq, length)| self.score(freq as f32, length)).fold(0.0, f32::max) * SLACK
    }
}
