//! Jobs with and without a place, as they are printed.

use std::io::Write as _;

use super::*;
use crate::chart::Ink;
use crate::fake_desk::desk_replying;

const JOBS: &str = r#"{"start":"2026-11-23T18:00:00Z","step_minutes":60,"carbon_g_per_kwh":[400,300,200,100,200,300],"jobs":[]}"#;
const PLACED: &str = r#"{"jobs":[
    {"id":"train","runs":[{"start":"2026-11-23T20:00:00Z","end":"2026-11-23T22:00:00Z","power_kw":2}],
     "sums":{"energy_kwh":4,"carbon_g":600,"cost_gic":0},"at_once":{"energy_kwh":4,"carbon_g":1400,"cost_gic":0},
     "carbon_saved_g":800,"cost_saved_gic":0.25,"unplaced":null},
    {"id":"index","runs":[{"start":"2026-11-23T21:00:00Z","end":"2026-11-23T22:00:00Z","power_kw":1},{"start":"2026-11-23T23:00:00Z","end":"2026-11-24T00:00:00Z","power_kw":1}],
     "sums":{"energy_kwh":2,"carbon_g":400,"cost_gic":0},"at_once":null,"carbon_saved_g":300,"cost_saved_gic":0,"unplaced":null},
    {"id":"bake","runs":[],"sums":null,"at_once":null,"carbon_saved_g":null,"cost_saved_gic":null,
     "unplaced":"it draws 9 kW, and the cap in its window is 5 kW at most: raise the cap, or run it with less power"}],
    "gap":null,"unplaced":1,"unplaced_min":1}"#;

#[test]
fn jobs_are_sent_and_shown() {
    let (client, asked) = desk_replying(200, PLACED);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(JOBS.as_bytes()).unwrap();
    let args = |json: bool| EnergyFileArgs { file: file.path().to_owned(), plain: true, desk: crate::cli::DeskArgs { url: None, json } };
    let page = Page { width: 56, ink: Ink::Plain };
    let expected = "\
2 of 3 jobs have a place, which saves 0.25 MIC and 1.10
  kg CO2e against running at once; at least 1 of the
  others nobody could place

carbon, g CO2e a kWh: least 100, most 400
        ########++++++++--------________--------++++++++
        begin   +1 h    +2 h    +3 h    +4 h    +5 h
                        ================ train
                          index ========        ========

  job     when                                                kWh   saved MIC   saved kg
------------------------------------------------------------------------------------------
  train   2026-11-23 20:00 to 22:00                           4.0        0.25       0.80
  index   2026-11-23 21:00 to 2026-11-24 00:00, in 2 pieces   2.0        0.00       0.30

Times are UTC, and all begins at 2026-11-23 18:00.

bake has no place: it draws 9 kW, and the cap in its
  window is 5 kW at most: raise the cap, or run it with
  less power.";
    assert_eq!(run(&client, &args(false), page).unwrap(), expected);
    let asked = asked.recv().unwrap();
    assert_eq!((&*asked.line, &*asked.body), ("POST /lab3/energy/jobs HTTP/1.1", JOBS));
    assert_eq!(run(&client, &args(true), page).unwrap(), PLACED);
}
