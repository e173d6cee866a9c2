//! A running `lab3 serve` on a data folder: started, asked where it listens, killed or told to stop.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use crate::{Client, binary, wait};

/// A running desk. Killed when dropped.
pub struct Desk {
    process: Child,
    address: String,
    log: String,
}

impl Desk {
    /// Opens a desk on that data folder, on any free port.
    pub fn open(data: &str) -> Self {
        Self::open_with(data, &[])
    }

    /// Opens a desk with more arguments, such as `--set KEY=VALUE`.
    pub fn open_with(data: &str, arguments: &[&str]) -> Self {
        let mut command = binary::command(&["serve", "--data", data]);
        command.args(arguments);
        Self::spawn(command, data).unwrap_or_else(|refusal| panic!("the desk did not open: {refusal}"))
    }

    /// Opens a desk that may refuse to: what it said when it did.
    pub fn try_open(data: &str, arguments: &[&str]) -> Result<Self, String> {
        let mut command = binary::command(&["serve", "--data", data]);
        command.args(arguments);
        Self::spawn(command, data)
    }

    /// Runs a serve command until it listens. Its address and its log lie beside the path `beside`.
    pub fn spawn(mut command: Command, beside: &str) -> Result<Self, String> {
        let (place, log) = (format!("{beside}.address"), format!("{beside}.log"));
        let _ = std::fs::remove_file(&place);
        let logged = File::options().create(true).append(true).open(&log).unwrap();
        command.args(["--listen", "127.0.0.1:0", "--print-address", &place]);
        let before = logged.metadata().unwrap().len();
        let mut process = command.stdout(logged.try_clone().unwrap()).stderr(logged).spawn().unwrap();
        let opened = wait::until("the desk to open", || {
            if let Some(status) = process.try_wait().unwrap() {
                return Some(Err(status));
            }
            std::fs::read_to_string(&place).ok().map(|address| Ok(address.trim().to_owned()))
        });
        match opened {
            Ok(address) => Ok(Self { process, address, log }),
            Err(status) => {
                let text = std::fs::read(&log).unwrap();
                let said = &text[usize::try_from(before).unwrap()..];
                Err(format!("{status}: {}", String::from_utf8_lossy(said)))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URL it listens on.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A new client of it.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// The process's number.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Everything it has said.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(Path::new(&self.log)).unwrap()).into_owned()
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Ends it at once, as a power cut would end the process (signal 9).
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Asks it to finish what it accepted (SIGTERM).
    pub fn ask_to_stop(&self) {
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.pid())]).status().unwrap();
        assert!(told.success(), "the desk was already gone");
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        wait::until("the desk to stop", || self.process.try_wait().unwrap())
    }

    /// Asks it to stop, and waits; it must end well.
    pub fn stop(mut self) {
        self.ask_to_stop();
        let status = self.ended();
        assert!(status.success(), "the desk stopped with {status}:\n{}", self.said());
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = self.said();
            let lines = said.lines().collect::<Vec<_>>();
            eprintln!("the desk's last words:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
