//! Where models compute: few threads at low priority, each doing one step of one answer at a time, in the order the steps come.
//!
//! candle spreads every multiplication over a pool as wide as the machine, which one answer at a time may use and whose threads spin
//! while they wait. On a machine with nothing else to do that is quick; on a busy one it is ruinous (measured: 11 tokens a second with
//! one thread, 1 with two), and it takes every core from the desk. So steps run *on threads of that pool*, where candle multiplies
//! without spreading: the pool is entered once and never left. The price: nothing of candle that uses its pool may run elsewhere
//! in the process, it would wait for ever; all of this crate's goes through [`Steps::run`].

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

/// How much the threads stand back for others, from 0 to 19: at 10 they get a tenth of what a thread of the desk gets.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

type Step = Box<dyn FnOnce() + Send>;

/// The threads. A process has them once, since candle has its pool once.
pub(crate) struct Steps {
    queue: Sender<Step>,
}

impl Steps {
    /// The process's threads: as many as the first caller said, but at most one fewer than the machine has cores (never none).
    pub(crate) fn of_process(threads: usize) -> std::io::Result<&'static Self> {
        static STEPS: OnceLock<Steps> = OnceLock::new();
        static STARTING: Mutex<()> = Mutex::new(());
        let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(steps) = STEPS.get() {
            return Ok(steps);
        }
        let steps = Self::start(threads.max(1))?;
        Ok(STEPS.get_or_init(|| steps))
    }

    fn start(threads: usize) -> std::io::Result<Self> {
        let (queue, steps) = channel::<Step>();
        let steps = Arc::new(Mutex::new(steps));
        let pool = candle_core::utils::barrier_pool();
        if pool.n_workers() == 0 {
            // One core, or CANDLE_NUM_THREADS=1: nothing is spread, and any thread will do.
            for n in 0..threads {
                let steps = Arc::clone(&steps);
                thread::Builder::new().name(format!("model-{n}")).spawn(move || serve(&steps))?;
            }
        } else {
            let enter = move || {
                pool.execute(|worker| {
                    if worker == pool.n_workers() {
                        // This is the thread that entered: it keeps the pool, and must not spin until the others come back.
                        loop {
                            thread::park();
                        }
                    } else if worker < threads {
                        serve(&steps);
                    }
                });
            };
            thread::Builder::new().name("model-pool".to_owned()).spawn(enter)?;
        }
        Ok(Self { queue })
    }

    /// Does a step and waits for what it gives. `Err` when it panicked: what it said.
    pub(crate) fn run<T: Send + 'static>(&self, step: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
        let (result, done) = channel();
        let step = move || {
            // Whatever the step had in hand is gone with it, so nothing half done is seen.
            let outcome = catch_unwind(AssertUnwindSafe(step)).map_err(|panic| message(&*panic));
            // Nobody waits when the process ends.
            let _ = result.send(outcome);
        };
        let gone = || "the threads of the model are gone".to_owned();
        self.queue.send(Box::new(step)).map_err(|_| gone())?;
        done.recv().map_err(|_| gone())?
    }
}

fn serve(steps: &Mutex<Receiver<Step>>) {
    stand_back();
    // Multiplications that are not quantized are spread over rayon's threads: here over this one.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    loop {
        let next = steps.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(step) = next else { break };
        step();
    }
    drop(alone);
}

#[cfg(target_os = "linux")]
fn stand_back() {
    use rustix::process::{getpriority_process, setpriority_process};
    // Only a courtesy: where it is not allowed the steps run as they are. Without a process named, Linux means this thread.
    if getpriority_process(None).is_ok_and(|nice| nice < NICE) {
        let _ = setpriority_process(None, NICE);
    }
}

#[cfg(not(target_os = "linux"))]
fn stand_back() {}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_panics_says_so_and_harms_no_other() {
        let steps = Steps::of_process(1).unwrap();
        assert_eq!(steps.run(|| panic!("no {}", "good")), Err::<(), _>("no good".to_owned()));
        assert_eq!(steps.run(|| 7), Ok(7));
    }

    /// candle's own pool is taken for good: what would use it runs here and comes back.
    #[test]
    fn candle_computes_where_the_steps_run() {
        let steps = Steps::of_process(1).unwrap();
        let sum = steps.run(|| {
            let many = candle_core::Tensor::ones(1 << 20, candle_core::DType::F32, &candle_core::Device::Cpu)?;
            many.exp()?.sum_all()?.to_scalar::<f32>()
        });
        let per_one = sum.unwrap().unwrap() / 1_048_576.0;
        assert!((per_one - std::f32::consts::E).abs() < 1e-3, "{per_one}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn steps_stand_back_for_the_desk() {
        let steps = Steps::of_process(1).unwrap();
        let nice = steps.run(|| rustix::process::getpriority_process(None)).unwrap().unwrap();
        assert!(nice >= NICE, "{nice}");
    }
}
