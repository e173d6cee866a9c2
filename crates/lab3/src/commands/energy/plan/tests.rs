//! A plan as it is printed.

use std::io::Write as _;

use super::*;
use crate::fake_desk::desk_replying;

const SITE: &str = r#"{"step_minutes":[60,60,120],"batteries":[{"name":"cellar","capacity_kwh":10}]}"#;
const PLAN: &str = r#"{"import_kwh":[2,0,0],"export_kwh":[0,0,1],
    "sources":[{"name":"roof","used_kwh":[0,4,3],"curtailed_kwh":[0,0,1]}],"generators":[],
    "batteries":[{"name":"cellar","charge_kwh":[0,2,0],"discharge_kwh":[0,0,2],"stored_kwh":[0,2,0]}],
    "loads":[{"name":"houses","unserved_kwh":[0,0,0]}],"flexible":[{"name":"pump","steps":[1]}],
    "totals":{"cost_gic":0.5,"import_cost_gic":0.6,"export_income_gic":0.1,"peak_cost_gic":0,"generation_cost_gic":0,"wear_cost_gic":0,
        "unserved_cost_gic":0,"carbon_g":600,"peak_above_kw":0},
    "broken":[{"limit":"batteries[0].least_kwh","steps":[1],"amount":1,"price":30,"detail":"cellar holds less than it shall."}],"gap":0}"#;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn args(file: &tempfile::NamedTempFile, json: bool) -> EnergyFileArgs {
    EnergyFileArgs { file: file.path().to_owned(), plain: true, desk: crate::cli::DeskArgs { url: None, json } }
}

const PAGE: Page = Page { width: 48, ink: Ink::Plain };

#[test]
fn a_plan_is_sent_and_drawn() {
    let (client, asked) = desk_replying(200, PLAN);
    let site = file(SITE);
    let expected = "\
cost           0.50 MIC
bought         2.0 kWh for 0.60 MIC
sold           1.0 kWh for 0.10 MIC
not used       1.0 kWh
carbon         0.60 kg CO2e
from the best  nothing: it is the best

   2 kW|##########**********++++++++++++++++++++
       |##########**********++++++++++++++++++++
       |##########**********++++++++++++++++++++
       |##########******************************
      1|##########******************************
       |##########******************************
       |##########******************************
       |##########******************************
       +----------------------------------------
        begin     +1 h      +2 h      +3 h
* roof 4.4 kWh  + cellar 1.6 kWh  # grid 2.0 kWh

cellar, kWh of 10.0: least 0.0, most 2.0, at the
  end 0.0
        __________..........____________________

                  ========== pump

what could not be kept
batteries[0].least_kwh: cellar holds less than
  it shall.";
    assert_eq!(run(&client, &args(&site, false), PAGE).unwrap(), expected);
    let asked = asked.recv().unwrap();
    assert_eq!((&*asked.line, &*asked.body), ("POST /lab3/energy/dispatch HTTP/1.1", SITE));
    assert_eq!(run(&client, &args(&site, true), PAGE).unwrap(), PLAN);
}

#[test]
fn what_cannot_be_sent_is_said() {
    let (client, asked) =
        desk_replying(422, r#"{"code":"L3-0012","title":"Out of range","status":422,"field":"sources[0]","detail":"Too short."}"#);
    let refused = run(&client, &args(&file(SITE), false), PAGE).unwrap_err().to_string();
    assert_eq!(refused, "error[L3-0012]: Out of range\n  Too short.\n  field: sources[0]\n  help: lab3 explain L3-0012");
    asked.recv().unwrap();
    let broken = run(&client, &args(&file("{\"a\": "), false), PAGE).unwrap_err().to_string();
    assert!(broken.contains("is not JSON: EOF while parsing") && broken.ends_with("Nothing is sent"), "{broken}");
    assert!(asked.try_recv().is_err(), "nothing was sent");
    let nowhere = EnergyFileArgs { file: "/nowhere/site.json".into(), ..EnergyFileArgs::default() };
    let missing = run(&client, &nowhere, PAGE).unwrap_err().to_string();
    assert_eq!(missing, "error: /nowhere/site.json cannot be read: No such file or directory (os error 2)");
}
