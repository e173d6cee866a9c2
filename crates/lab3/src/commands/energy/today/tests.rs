//! Pages as they are printed, from replies as the desk sends them.

use serde_json::{Value, json};

use super::*;
use crate::chart::Ink;
use crate::fake_desk::desk_replying;

/// A day of eight steps of three hours, half of it over; sun at noon, a battery for the evening.
fn day() -> Value {
    let begins: Vec<String> = (0..8).map(|step| format!("2026-06-21T{:02}:00:00+02:00", step * 3)).collect();
    let signal = |values: [f64; 8]| json!({ "values": values, "marks": ["measured", "measured", "measured", "measured", "forecast", "forecast", "forecast", "forecast"] });
    let sums = |steps: usize, bought: f64, saved: f64| {
        json!({
            "steps": steps, "consumption_kwh": 30.0, "import_kwh": bought, "export_kwh": 1.0, "generated_kwh": 24.0, "own_used_kwh": 23.0,
            "unserved_kwh": 0.0, "cost_saved_gic": saved, "carbon_saved_g": saved * 1500.0, "unpriced_steps": 0, "unknown_carbon_steps": 0,
            "score": 0.815, "own_score": 0.7
        })
    };
    json!({
        "date": "2026-06-21", "zone": "Europe/Berlin", "now": "2026-06-21T12:30:00+02:00", "steps_over": 4, "step_minutes": 180,
        "begins": begins,
        "marks": ["measured", "measured", "measured", "measured", "forecast", "forecast", "forecast", "forecast"],
        "consumption_kwh": [3, 3, 3, 6, 6, 3, 6, 3],
        "sources": [{ "name": "roof", "kind": "sun", "energy_kwh": [0, 0, 3, 12, 9, 0, 0, 0], "served_kwh": [0, 0, 3, 6, 6, 0, 0, 0] }],
        "batteries": [{ "name": "cellar", "capacity_kwh": 10.0, "served_kwh": [0, 0, 0, 0, 0, 3, 3, 0], "stored_kwh": [0, 0, 0, 5, 8, 5, 2, 2] }],
        "grid": {
            "served_kwh": [3, 3, 0, 0, 0, 0, 3, 3],
            "import_price": signal([0.3, 0.2, 0.2, 0.1, 0.1, 0.2, 0.4, 0.3]),
            "carbon_g_per_kwh": signal([300.0; 8])
        },
        "planned": {},
        "jobs": [{
            "name": "train", "owner": null, "cost_saved_gic": 0.5, "carbon_saved_g": null,
            "runs": [{ "start": "2026-06-21T07:00:00Z", "end": "2026-06-21T10:00:00Z", "power_kw": 1.0 }]
        }],
        "deviations": [], "unmeasured": [], "outages": [],
        "so_far": sums(4, 6.0, 0.5), "rest": sums(4, 6.0, 1.0), "total": sums(8, 12.0, 1.5), "price_effect_gic": 0.0
    })
}

fn page(change: impl FnOnce(&mut Value), width: usize, ink: Ink) -> String {
    let mut day = day();
    change(&mut day);
    drawn(&serde_json::from_value(day).unwrap(), Page { width, ink })
}

#[test]
fn a_day_is_one_page() {
    let expected = "\
2026-06-21 in Europe/Berlin, at 12:30

bought 12.0 kWh, sold 1.0 kWh, own sun used 23.0
  of 24.0 kWh, saved 1.50 MIC and 2.25 kg CO2e,
  24/7 score 82 %.
So far: bought 6.0 kWh, sold 1.0 kWh, own sun
  used 23.0 of 24.0 kWh, saved 0.50 MIC and 0.75
  kg CO2e, 24/7 score 82 %. The rest is planned.

   2 kW|               **********     #####
       |               **********     #####
       |               **********     #####
       |               **********     #####
      1|##########***************++++++++++#####
       |##########***************++++++++++#####
       |##########***************++++++++++#####
       |##########***************++++++++++#####
       +====================--------------------
        00   03   06   09   12   15   18   21
                            ^ now 12:30
* sun (roof) 15.0 kWh
+ battery (cellar) 6.0 kWh  # grid 12.0 kWh
= measured  - planned

cellar, kWh of 10.0: least 0.0 at 03:00, most
  8.0 at 15:00, now 5.0
        _______________=====*****=====..........
price, MIC a kWh: least 0.10 at 09:00, most 0.40
  at 18:00, now 0.10, forecast from 12:00
        +++++----------__________-----#####+++++
carbon, g CO2e a kWh: 300, forecast from 12:00

jobs
                       =====
        train (1.0 kW, saves 0.50 MIC)";
    assert_eq!(page(|_| {}, 48, Ink::Plain), expected);
}

#[test]
fn what_is_missing_is_said_in_words() {
    let check = |change: &dyn Fn(&mut Value), said: &[&str], unsaid: &[&str]| {
        let page = page(change, 160, Ink::Plain);
        for line in said {
            assert!(page.lines().any(|found| found == *line), "{line}\nis not in\n{page}");
        }
        for words in unsaid {
            assert!(!page.contains(words), "{words}\nis in\n{page}");
        }
    };
    check(
        &|day| {
            day["unmeasured"] = json!([{ "first_step": 1, "steps": 2, "devices": ["grid", "roof"] }]);
            day["outages"] = json!([{ "first_step": 2, "steps": 1 }, { "first_step": 6, "steps": 2 }]);
            day["price_effect_gic"] = json!(0.25);
        },
        &[
            "Not measured: grid, roof 03:00 to 09:00. The plan is drawn there, and counts in no sum.",
            "The grid was down 06:00 to 09:00.",
            "The grid is expected to be down 18:00 to 24:00.",
            "Other prices than foreseen made what was planned 0.25 MIC dearer.",
        ],
        &["No plan"],
    );
    // Nothing measured: the plan alone.
    check(
        &|day| {
            day["marks"] = json!(vec!["forecast"; 8]);
            day["so_far"]["steps"] = json!(0);
        },
        &[
            "Nothing was measured: what is drawn is the plan.",
            "* sun (roof) 15.0 kWh  + battery (cellar) 6.0 kWh  # grid 12.0 kWh  - planned",
        ],
        &["So far", "= measured"],
    );
    // Nothing planned: the time to come is not known, in the chart and in words.
    check(
        &|day| {
            let half = |row: &Value| {
                row.as_array()
                    .unwrap()
                    .iter()
                    .enumerate()
                    .map(|(at, value)| if at < 4 { value.clone() } else { Value::Null })
                    .collect::<Value>()
            };
            day["marks"] = half(&day["marks"]);
            day["sources"][0]["served_kwh"] = half(&day["sources"][0]["served_kwh"]);
            day["batteries"][0]["served_kwh"] = half(&day["batteries"][0]["served_kwh"]);
            day["batteries"][0]["stored_kwh"] = half(&day["batteries"][0]["stored_kwh"]);
            day["grid"]["served_kwh"] = half(&day["grid"]["served_kwh"]);
            day["planned"] = Value::Null;
            day["rest"]["steps"] = json!(0);
        },
        &[
            "No plan was made: only what was measured is drawn.",
            "cellar, kWh of 10.0: least 0.0 at 03:00, most 5.0 at 12:00, now 5.0, not known 12:00 to 24:00",
        ],
        &["The rest is planned"],
    );
    // Neither: no chart, and no zero.
    check(
        &|day| {
            day["marks"] = json!(vec![Value::Null; 8]);
            day["batteries"][0]["stored_kwh"] = json!(vec![Value::Null; 8]);
            day["grid"]["import_price"] = json!({ "values": vec![Value::Null; 8], "marks": vec![Value::Null; 8] });
            day["planned"] = Value::Null;
            for part in ["so_far", "rest", "total"] {
                day[part]["steps"] = json!(0);
            }
        },
        &[
            "Nothing is known of what flowed: nothing was measured, and no plan was made.",
            "cellar: what it holds is not known",
            "price: not known",
        ],
        &["kW|", "0.0 kWh", "bought"],
    );
    check(
        &|day| {
            day["total"]["score"] = Value::Null;
            day["total"]["cost_saved_gic"] = json!(-0.5);
            day["total"]["unknown_carbon_steps"] = json!(8);
            day["total"]["unserved_kwh"] = json!(2.0);
        },
        &[
            "bought 12.0 kWh, sold 1.0 kWh, own sun used 23.0 of 24.0 kWh, lost 0.50 MIC, no carbon intensity known, 24/7 score of one's own sources 70 % (the grid's share",
            "  is not known), 2.0 kWh not served.",
        ],
        &[],
    );
}

#[test]
fn the_deviations_that_weigh_most_are_told() {
    let deviations: Vec<Value> = (0..9)
        .map(|number| json!({ "energy_kwh": 1.0, "cost_gic": f64::from(number % 5), "detail": format!("deviation {number}") }))
        .collect();
    let page = page(|day| day["deviations"] = json!(deviations), 80, Ink::Plain);
    let told: Vec<&str> = page.lines().filter(|line| line.contains("eviation") || line.starts_with("And")).collect();
    let expected = [
        "deviation 1",
        "deviation 2",
        "deviation 3",
        "deviation 4",
        "deviation 7",
        "deviation 8",
        "And 3 smaller differences from the plan.",
    ];
    assert_eq!(told, expected);
}

#[test]
fn every_line_fits_and_nothing_from_the_desk_moves_the_cursor() {
    let hostile = |day: &mut Value| {
        day["jobs"][0]["name"] = json!("a job\u{1b}[2J with a name of many words that goes on and on");
        day["zone"] = json!("\u{7}Europe/Berlin");
        let jobs: Vec<Value> = vec![day["jobs"][0].clone(); 20];
        day["jobs"] = json!(jobs);
    };
    for width in [32, 40, 60, 79, 80, 100, 160] {
        for ink in [Ink::Plain, Ink::Shade] {
            let page = page(hostile, width, ink);
            let longest = page.lines().map(|line| line.chars().count()).max();
            assert!(longest.is_some_and(|longest| longest <= width), "{width}\n{page}");
            assert!(!page.contains(|letter: char| letter.is_control() && letter != '\n'), "{page:?}");
            assert!(ink != Ink::Plain || page.replace('\u{fffd}', "").is_ascii(), "{page}");
            assert!(page.contains("and 12 more jobs"), "{page}");
        }
    }
}

#[test]
fn the_desk_is_asked_for_the_day() {
    let args = |json: bool| EnergyTodayArgs {
        date: Some("2026-06-21".to_owned()),
        desk: crate::cli::DeskArgs { url: None, json },
        ..EnergyTodayArgs::default()
    };
    let page = Page { width: 80, ink: Ink::Plain };
    let (client, asked) = desk_replying(200, &day().to_string());
    assert!(run(&client, &args(false), page).unwrap().starts_with("2026-06-21 in Europe/Berlin, at 12:30\n\nbought"));
    assert_eq!(asked.recv().unwrap().line, "GET /lab3/energy/day?date=2026-06-21 HTTP/1.1");
    assert_eq!(run(&client, &args(true), page).unwrap(), day().to_string());
    let (client, _) = desk_replying(200, r#"{"date":"2026-06-21"}"#);
    let unread = run(&client, &args(false), page).unwrap_err().to_string();
    assert!(unread.contains("answers what this program cannot read") && unread.contains("--json"), "{unread}");
    let (client, _) = desk_replying(422, r#"{"code":"L3-0010","title":"Out of range","status":422,"field":"date","detail":"It is none."}"#);
    let refused = run(&client, &args(false), page).unwrap_err().to_string();
    assert_eq!(refused, "error[L3-0010]: Out of range\n  It is none.\n  field: date\n  help: lab3 explain L3-0010");
}
