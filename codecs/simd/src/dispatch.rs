//! Which kernels there are, and which this CPU can run.

use std::sync::OnceLock;

use crate::kernels::{Kernels, Level};
use crate::scalar;

/// The level in use: the best one this CPU can run.
pub fn level() -> Level {
    Kernels::best().level()
}

/// The levels this CPU can run, worst first; the first is [`Level::Scalar`], the last [`level()`].
pub fn available_levels() -> Vec<Level> {
    [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512]
        .into_iter()
        .filter(|&level| Kernels::for_level(level).is_some())
        .collect()
}

impl Kernels {
    /// The kernels of `level`, or `None` when this CPU cannot run them.
    pub fn for_level(level: Level) -> Option<&'static Kernels> {
        match level {
            Level::Scalar => Some(&scalar::KERNELS),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 | Level::Avx512 => crate::x86_64::kernels(level),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Level::Neon => crate::aarch64::kernels(),
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }

    /// The kernels of the best level this CPU can run. Detected at the first call.
    #[inline]
    pub fn best() -> &'static Kernels {
        static BEST: OnceLock<&'static Kernels> = OnceLock::new();
        BEST.get_or_init(|| {
            [Level::Avx512, Level::Avx2, Level::Neon]
                .into_iter()
                .find_map(Kernels::for_level)
                .unwrap_or(&scalar::KERNELS)
        })
    }
}
