//! Linear and mixed-integer programs: built row by row, solved by HiGHS in process, and solved again after a change from where the last solution was.

use highs::{Col, ColProblem, HighsModelStatus, HighsSolutionStatus, Model, Row, RowProblem, Sense};

/// A variable of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable(usize);

/// How long to search, and how near to the best is near enough.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Seconds of search. Only programs with whole variables may take long.
    pub seconds: f64,
    /// The gap at which to stop, relative to the value.
    pub gap: f64,
}

/// A program to be minimised: variables between bounds, rows of them between bounds.
#[derive(Debug, Default)]
pub struct Program {
    columns: Vec<Column>,
    /// The bounds of each row, and where its terms end.
    rows: Vec<(f64, f64, usize)>,
    /// The terms of all rows, one row after the other.
    terms: Vec<(usize, f64)>,
}

/// A variable's cost and bounds.
#[derive(Clone, Copy, Debug)]
struct Column {
    cost: f64,
    lower: f64,
    upper: f64,
    is_whole: bool,
}

/// What came of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is better by more than the gap.
    Optimal,
    /// The time ran out: the best that was found.
    Stopped,
}

/// Values of the variables.
#[derive(Clone, Debug)]
pub struct Solution {
    values: Vec<f64>,
    /// What it costs.
    pub cost: f64,
    /// What any solution costs at least.
    pub bound: f64,
    /// Whether the search ended by itself.
    pub outcome: Outcome,
}

/// Why there is no solution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsolved {
    /// No values keep all bounds.
    #[error("no values of the variables keep all bounds")]
    Infeasible,
    /// The cost has no least.
    #[error("the cost has no least")]
    Unbounded,
    /// The time ran out before any solution was found.
    #[error("the time ran out before a solution was found")]
    OutOfTime,
    /// The solver failed, or the program has a number that is none.
    #[error("the solver failed")]
    Failed,
}

impl Program {
    /// A program without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// A variable between two bounds; a unit of it costs `cost`.
    pub fn variable(&mut self, cost: f64, lower: f64, upper: f64) -> Variable {
        self.columns.push(Column { cost, lower, upper, is_whole: false });
        Variable(self.columns.len() - 1)
    }

    /// A variable that takes only whole values.
    pub fn whole(&mut self, cost: f64, lower: f64, upper: f64) -> Variable {
        self.columns.push(Column { cost, lower, upper, is_whole: true });
        Variable(self.columns.len() - 1)
    }

    /// `lower <= sum of coefficient * variable <= upper`.
    pub fn row(&mut self, lower: f64, upper: f64, terms: &[(Variable, f64)]) {
        self.terms.extend(terms.iter().map(|(variable, factor)| (variable.0, *factor)));
        self.rows.push((lower, upper, self.terms.len()));
    }

    /// How many variables there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Solves it once. Variables that can only be zero are left out.
    pub fn solve(self, limits: Limits) -> Result<Solution, Unsolved> {
        self.solve_once(limits, false)
    }

    /// The same, from the best solution in which every whole variable is zero, where there is one: then some solution is known before the search begins.
    pub fn solve_from_zero(self, limits: Limits) -> Result<Solution, Unsolved> {
        self.solve_once(limits, true)
    }

    fn solve_once(self, limits: Limits, from_zero: bool) -> Result<Solution, Unsolved> {
        let is_kept: Vec<bool> = self.columns.iter().map(|column| column.lower != 0.0 || column.upper != 0.0).collect();
        let solve = |limits: Limits, is_simplified: bool| {
            let mut solver = self.solver(&is_kept, limits, is_simplified)?;
            if from_zero && solver.is_whole {
                solver.begin_at_zero()?;
            }
            solver.solve()
        };
        // Now and then, for a program that has solutions, the solver finds that its simplified form has none. It says so at once.
        let mut solution = match solve(limits, true) {
            Err(Unsolved::Infeasible | Unsolved::Failed) => solve(limits, false)?,
            solved => solved?,
        };
        let mut values = solution.values.into_iter();
        // The solver keeps bounds to a tolerance; who plans on from a value needs it within.
        let value = |(column, is_kept): (&Column, &bool)| {
            if *is_kept { values.next().unwrap_or(0.0).max(column.lower).min(column.upper) } else { 0.0 }
        };
        solution.values = self.columns.iter().zip(&is_kept).map(value).collect();
        Ok(solution)
    }

    /// A solver to which changes can be made between solutions.
    pub fn into_solver(self, limits: Limits) -> Result<Solver, Unsolved> {
        self.solver(&vec![true; self.columns.len()], limits, true)
    }

    fn solver(&self, is_kept: &[bool], limits: Limits, is_simplified: bool) -> Result<Solver, Unsolved> {
        let kept = || self.columns.iter().zip(is_kept).filter(|(_, is_kept)| **is_kept).map(|(column, _)| column);
        let is_whole = kept().any(|column| column.is_whole);
        let mut model = self.problem(is_kept).try_optimise(Sense::Minimise).map_err(|_| Unsolved::Failed)?;
        let set = |model: &mut Model| {
            model.try_set_option("threads", 1)?;
            model.try_set_option("parallel", "off")?;
            model.try_set_option("random_seed", 0)?;
            model.try_set_option("time_limit", limits.seconds)?;
            if !is_whole || !is_simplified {
                // To simplify linear programs first takes longer than it saves, small or large.
                model.try_set_option("presolve", "off")?;
            }
            model.try_set_option("mip_rel_gap", limits.gap)?;
            // These look for solutions, which these programs have soon: without them they take half as long.
            for search in ["feasibility_jump", "rins", "rens", "root_reduced_cost"] {
                model.try_set_option(format!("mip_heuristic_run_{search}"), false)?;
            }
            // What is done again below the root takes longer than it saves.
            model.try_set_option("mip_root_presolve_only", true)?;
            model.try_set_option("mip_allow_cut_separation_at_nodes", false)?;
            model.try_set_option("mip_abs_gap", 1e-9)
        };
        set(&mut model).map_err(|_| Unsolved::Failed)?;
        // The binding gives handles of variables where they are added one by one, and not to arrays.
        let mut handles = RowProblem::new();
        let columns = kept().map(|_| handles.add_column(0.0, 0.0..)).collect();
        Ok(Solver { model: Some(model), columns, is_whole })
    }

    /// Those variables and all rows as the solver's own arrays, column by column.
    fn problem(&self, is_kept: &[bool]) -> ColProblem {
        let mut problem = ColProblem::new();
        let rows: Vec<Row> = self.rows.iter().map(|(lower, upper, _)| problem.add_row(*lower..=*upper)).collect();
        let mut ends = vec![0; self.columns.len() + 1];
        for (column, _) in &self.terms {
            ends[column + 1] += 1;
        }
        for column in 1..ends.len() {
            ends[column] += ends[column - 1];
        }
        // Now each column's count of terms before it is where its own begin; filled in, where they end.
        let mut sorted: Vec<Option<(Row, f64)>> = vec![None; self.terms.len()];
        let mut begin = 0;
        for ((_, _, end), row) in self.rows.iter().zip(rows) {
            for (column, factor) in &self.terms[begin..*end] {
                sorted[ends[*column]] = Some((row, *factor));
                ends[*column] += 1;
            }
            begin = *end;
        }
        begin = 0;
        for ((column, end), is_kept) in self.columns.iter().zip(ends).zip(is_kept) {
            if *is_kept {
                let terms = sorted[begin..end].iter().copied().flatten();
                problem.add_column_with_integrality(column.cost, column.lower..=column.upper, terms, column.is_whole);
            }
            begin = end;
        }
        problem
    }
}

/// A program with the solver's memory of its last solution.
#[derive(Debug)]
pub struct Solver {
    model: Option<Model>,
    columns: Vec<Col>,
    is_whole: bool,
}

impl Solver {
    /// Changes what a unit of a variable costs.
    pub fn set_cost(&mut self, variable: Variable, cost: f64) {
        let column = self.columns[variable.0];
        if let Some(model) = &mut self.model {
            model.change_column_cost(column, cost);
        }
    }

    /// Changes a variable's bounds. A row that shall change has a variable of its own in it: `terms - slack = 0`.
    pub fn set_bounds(&mut self, variable: Variable, lower: f64, upper: f64) {
        let column = self.columns[variable.0];
        if let Some(model) = &mut self.model {
            model.change_column_bounds(column, lower..=upper);
        }
    }

    /// The solver keeps the whole variables of this and finds the others by itself.
    fn begin_at_zero(&mut self) -> Result<(), Unsolved> {
        let zero = vec![0.0; self.columns.len()];
        let model = self.model.as_mut().ok_or(Unsolved::Failed)?;
        model.try_set_solution(Some(&zero), None, None, None).map_err(|_| Unsolved::Failed)
    }

    /// Solves it, from the last solution if there was one.
    pub fn solve(&mut self) -> Result<Solution, Unsolved> {
        let model = self.model.take().ok_or(Unsolved::Failed)?;
        let solved = model.try_solve().map_err(|_| Unsolved::Failed)?;
        // By its number: the crate's own reading panics at a program without variables.
        let found = solved.int_info_value(c"primal_solution_status").is_ok_and(|status| status == HighsSolutionStatus::Feasible as i64);
        let outcome = match solved.status() {
            HighsModelStatus::Optimal | HighsModelStatus::ModelEmpty => Ok(Outcome::Optimal),
            HighsModelStatus::Infeasible => Err(Unsolved::Infeasible),
            HighsModelStatus::Unbounded | HighsModelStatus::UnboundedOrInfeasible => Err(Unsolved::Unbounded),
            HighsModelStatus::ReachedTimeLimit | HighsModelStatus::ReachedSolutionLimit if found => Ok(Outcome::Stopped),
            HighsModelStatus::ReachedTimeLimit => Err(Unsolved::OutOfTime),
            _ => Err(Unsolved::Failed),
        };
        let solution = outcome.map(|outcome| {
            let cost = solved.objective_value();
            let bound = if self.is_whole { solved.double_info_value(c"mip_dual_bound").unwrap_or(f64::NEG_INFINITY) } else { cost };
            Solution { values: solved.get_solution().columns().to_vec(), cost, bound, outcome }
        });
        self.model = Some(Model::from(solved));
        solution
    }
}

impl Solution {
    /// A variable's value.
    pub fn value(&self, variable: Variable) -> f64 {
        self.values[variable.0]
    }
}
