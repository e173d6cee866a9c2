use super::*;

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

#[test]
fn columns_are_means_over_time() {
    let check = |rates: &[Option<f64>], hours: &[f64], width: usize, expected: &[Option<f64>]| {
        let found = columns(rates, hours, width);
        let same = |(found, expected): (&Option<f64>, &Option<f64>)| match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (None, None) => true,
            _ => false,
        };
        assert!(found.len() == expected.len() && found.iter().zip(expected).all(same), "{rates:?} {width}: {found:?}");
    };
    check(&some(&[1.0, 3.0]), &[1.0, 1.0], 2, &some(&[1.0, 3.0]));
    check(&some(&[1.0, 3.0]), &[1.0, 1.0], 1, &some(&[2.0]));
    check(&some(&[1.0, 3.0]), &[1.0, 1.0], 4, &some(&[1.0, 1.0, 3.0, 3.0]));
    check(&some(&[1.0, 4.0, 7.0]), &[1.0, 1.0, 1.0], 2, &some(&[2.0, 6.0]));
    check(&some(&[1.0, 3.0]), &[3.0, 1.0], 2, &some(&[1.0, 2.0]));
    check(&[None, Some(3.0)], &[1.0, 1.0], 1, &some(&[3.0]));
    check(&[None, Some(3.0)], &[1.0, 1.0], 2, &[None, Some(3.0)]);
    check(&[], &[], 2, &[None, None]);
}

#[test]
fn a_spark_shows_the_least_and_the_greatest_and_what_is_not_known() {
    let check = |values: &[Option<f64>], low: f64, high: f64, blocks: &str, plain: &str| {
        assert_eq!((&*spark(values, low, high, Ink::Shade), &*spark(values, low, high, Ink::Plain)), (blocks, plain));
    };
    check(&some(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), 0.0, 7.0, "▁▂▃▄▅▆▇█", "_.-:=+*#");
    check(&[Some(1.0), None, Some(2.0)], 1.0, 2.0, "▁·█", "_?#");
    check(&some(&[3.0, 3.0]), 3.0, 3.0, "▁▁", "__");
    check(&some(&[-9.0, 99.0]), 0.0, 1.0, "▁█", "_#");
    check(&[], 0.0, 1.0, "", "");
}

#[test]
fn a_stack_is_as_high_as_its_sum() {
    let layer = |values: Vec<Option<f64>>, shade: char, letter: char| Layer { values, fill: Fill { hue: Hue::Red, shade, letter } };
    let layers = [layer(some(&[1.0, 2.0, 0.0]), '█', '#'), layer(some(&[1.0, 2.0, 0.0]), '▒', '=')];
    assert_eq!(stack(&layers, 4.0, 4, None, Ink::Shade), [" ▒ ", " ▒ ", "▒█ ", "██ "]);
    assert_eq!(stack(&layers, 4.0, 4, Some(2), Ink::Plain), [" =|", " =|", "=#|", "##|"]);
    let unknown = [layer(vec![Some(1.0), None], '█', '#'), layer(some(&[1.0, 1.0]), '▒', '=')];
    assert_eq!(stack(&unknown, 2.0, 2, None, Ink::Shade), ["▒ ", "█·"], "not known is not zero");
    let little = [layer(some(&[0.1]), '█', '#')];
    assert_eq!(stack(&little, 4.0, 2, None, Ink::Plain), [" ", "#"]);
    assert_eq!(stack(&[], 4.0, 2, None, Ink::Plain), ["", ""]);
}

#[test]
fn colours_meet_within_a_cell() {
    let layer = |value: f64, hue: Hue| Layer { values: some(&[value]), fill: Fill { hue, shade: '█', letter: '#' } };
    let check = |below: f64, above: f64, expected: &str| {
        let found = stack(&[layer(below, Hue::Yellow), layer(above, Hue::Grey)], 1.0, 1, None, Ink::Colour);
        assert_eq!(found, [expected], "{below} {above}");
    };
    check(1.0, 0.0, "\x1b[33m█\x1b[0m");
    check(0.5, 0.0, "\x1b[33m▄\x1b[0m");
    check(0.5, 0.5, "\x1b[33;100m▄\x1b[0m");
    check(0.0, 0.25, "\x1b[90m▂\x1b[0m");
    check(0.0, 0.0, " ");
}

#[test]
fn an_axis_ends_with_a_round_number() {
    let check = |value: f64, end: f64| assert!((round_up(value) - end).abs() < 1e-9, "{value}: {}", round_up(value));
    check(0.0, 0.001);
    check(0.7, 0.8);
    check(1.0, 1.0);
    check(4.2, 5.0);
    check(8.1, 10.0);
    check(61.0, 80.0);
    check(1234.0, 2000.0);
}

#[test]
fn bars_ticks_and_lines_stand_where_they_belong() {
    assert_eq!(bars(&[(1, 3), (4, 5)], 6, Ink::Plain), " == = ");
    assert_eq!(bars(&[], 2, Ink::Shade), "  ");
    let labels = |at: &[usize]| at.iter().map(|at| (*at, format!("{at:02}"))).collect::<Vec<_>>();
    assert_eq!(ticks(&labels(&[0, 4, 5, 8]), 10), "00  04  08");
    assert_eq!(ticks(&labels(&[0, 9]), 10), "00", "what stands out is left out");
    assert_eq!(column(23.0, 24.0, 24), 23);
    assert_eq!((column(24.0, 24.0, 24), column(0.0, 24.0, 24), column(5.0, 0.0, 4)), (23, 0, 3));
    assert_eq!(wrap("one two three", 7, 2), "one two\n  three");
    assert_eq!(wrap("one two three four", 9, 2), "one two\n  three\n  four");
    assert_eq!(wrap("unbreakable", 4, 2), "unbreakable");
}
