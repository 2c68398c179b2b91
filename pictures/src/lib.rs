//! Pictures of what lucerne reports: SVG and HTML as text, from numbers and the engine's reports in JSON.
//!
//! The page of `lucerne web`, `lucerne inspect --html`, the files of `--plot`, and notebooks all draw with it. It knows neither
//! the engine nor a browser, so that the command line and the Python package can both have it.
//!
//! | file | idea |
//! |---|---|
//! | `markup` | elements as text; what comes from elsewhere is never markup |
//! | `picture` | elements with a size and a name, for a page or as a file of its own |
//! | `axis` | round numbers along an axis |
//! | `lines`, `bars`, `timeline` | lines against two axes; parts of a whole side by side; what took how long |
//! | `parts` | files by what is in them |
//! | `recall`, `merges` | the pictures of a report: recall against effort, what a merge does with codes |
//! | `report`, `units` | reading reports; numbers for people |
//! | `html` | tables, and an index as a whole, for notebooks |

mod axis;
mod bars;
mod html;
mod lines;
mod markup;
mod merges;
pub mod parts;
mod picture;
mod recall;
pub mod report;
mod timeline;
pub mod units;

pub use bars::{Part, bars};
pub use html::{index, merge_report};
pub use lines::{Axis, Lines, Point, Scale, Series};
pub use merges::{flow, merges};
pub use picture::{Picture, STYLE};
pub use recall::recall;
pub use timeline::{Span, timeline};
