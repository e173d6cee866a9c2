//! Module 2: when to run what, from which source, and what it emits.
//!
//! Pure. Powers are kW, energies kWh, intensities g CO2e a kWh and prices MIC a kWh, as floats: they are readings and forecasts, not amounts. What is booked on the
//! ledger is whole: mWh and mg (`docs/modules/energy.md`).

mod accounts;
mod book;
pub mod carbon;
mod certify;
pub mod controller;
pub mod day;
mod desk;
pub mod dispatch;
mod draw;
mod exports;
mod fact;
mod forecast;
mod horizon;
mod hour;
pub mod island;
pub mod jobs;
mod profile;
pub mod response;
mod series;
mod share;
pub mod signals;
pub mod site;
mod state;
pub mod survive;

pub use book::{Book, SettleJob, book_jobs, expire_jobs, is_job, job_hours, release_job, settle_job};
pub use certify::{Certify, certify, claimed_mwh};
pub use desk::{Desk, Policy};
pub use draw::{Draw, draw};
pub use exports::{ExportShared, Exports, MemberShare, ShareRule, Sharing};
pub use fact::{Booked, BookedJob, Drawn, Fact, HourClosed, JobHour, JobSettled, Part, Share};
pub use forecast::{Forecast, Foresight, Model, WITHIN_PERCENT, forecast};
pub use horizon::Horizon;
pub use hour::{CloseHour, close_hour, divide_hour};
pub use profile::{Profile, Run};
pub use series::{Mark, Series};
pub use share::{Among, HOURS_MAX, MEMBERS_MAX, ShareExports, check_span, generated_wh, share_exports};
pub use state::{Job, State};
