//! A query of 16-bit components, as the kernels of every level want it.

/// Components of a code block: the codes that the AVX2 kernel loads at once.
#[cfg(target_arch = "x86_64")]
const BLOCK: usize = 32;

/// The most components of a [`WideQuery`]: 32-bit sums of products hold them.
pub const MAX_WIDE_DIMS: usize = 4_096;

/// The greatest magnitude of a component: 127 · 256 + 127, the largest that two planes of signed bytes hold.
pub const MAX_WIDE: i16 = 32_639;

/// A query for [`dot_u8_i16_many`](crate::dot_u8_i16_many), laid out once and used for many rows.
///
/// Where the CPU multiplies bytes (AVX-512 VNNI), two planes of them, qᵢ = 256·hᵢ + lᵢ, are fastest; where it
/// multiplies words, those.
#[derive(Debug, Clone)]
pub struct WideQuery {
    high: Vec<i8>,
    low: Vec<i8>,
    /// See [`words`], made when they are first asked for.
    #[cfg(target_arch = "x86_64")]
    words: std::sync::OnceLock<Vec<i16>>,
}

impl WideQuery {
    /// Prepares a query.
    ///
    /// # Panics
    /// With more than [`MAX_WIDE_DIMS`] components, or one beyond ±[`MAX_WIDE`].
    pub fn new(components: &[i16]) -> Self {
        let n = components.len();
        assert!(n <= MAX_WIDE_DIMS, "{n} components, more than {MAX_WIDE_DIMS}");
        let beyond =
            components.iter().fold(false, |beyond, &q| beyond | !(-MAX_WIDE..=MAX_WIDE).contains(&q));
        assert!(!beyond, "a component beyond ±{MAX_WIDE}");
        let upper = |q: i16| (i32::from(q) + 128) >> 8;
        Self {
            high: components.iter().map(|&q| upper(q) as i8).collect(),
            low: components.iter().map(|&q| (i32::from(q) - 256 * upper(q)) as i8).collect(),
            #[cfg(target_arch = "x86_64")]
            words: std::sync::OnceLock::new(),
        }
    }

    /// The number of components.
    pub fn len(&self) -> usize {
        self.high.len()
    }

    /// True without components.
    pub fn is_empty(&self) -> bool {
        self.high.is_empty()
    }

    /// The planes, high and low.
    pub(crate) fn planes(&self) -> (&[i8], &[i8]) {
        (&self.high, &self.low)
    }

    /// The blocks of words: 32 for each begun block of components.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn words(&self) -> &[i16] {
        self.words.get_or_init(|| {
            let planes = self.high.iter().zip(&self.low);
            words(&planes.map(|(&high, &low)| 256 * i16::from(high) + i16::from(low)).collect::<Vec<_>>())
        })
    }
}

/// For each block of 32 components those at even places, then those at odd places. If the length is no multiple of 32, the
/// last block is of the last 32 components, or of all there are and zeros.
#[cfg(target_arch = "x86_64")]
fn words(components: &[i16]) -> Vec<i16> {
    let n = components.len();
    let mut words = Vec::with_capacity(n.next_multiple_of(BLOCK));
    let (blocks, rest) = components.as_chunks::<BLOCK>();
    let last = components.last_chunk::<BLOCK>().copied().unwrap_or_else(|| {
        let mut short = [0; BLOCK];
        short[..n.min(BLOCK)].copy_from_slice(&components[..n.min(BLOCK)]);
        short
    });
    let tail = (!rest.is_empty()).then_some(&last);
    for block in blocks.iter().chain(tail) {
        words.extend(block.iter().step_by(2));
        words.extend(block.iter().skip(1).step_by(2));
    }
    words
}
