//! Starts and stops the servers that are measured, and speaks a little HTTP to them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;

/// A server under measurement; killed when dropped.
pub struct Desk {
    child: Child,
    /// `127.0.0.1:port`.
    pub address: String,
    /// From the start of the process to the first answer.
    pub first_answer: Duration,
}

impl Desk {
    /// The lab3 binary on that data folder.
    pub fn lab3(folder: &Path) -> Result<Self, Failure> {
        let binary = std::env::current_exe()?.with_file_name("lab3");
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder).args(["--set", "log.level=warn"]);
        Self::start(command, &folder.with_extension("address"), "/lab3/financial/pool")
    }

    /// The bare axum JSON echo in this binary.
    pub fn echo(address_file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("echo");
        Self::start(command, address_file, "/")
    }

    /// The lab3 binary whose provider `deepseek` is at that address, its log going to a file as it does where people run it.
    pub fn gateway(folder: &Path, provider: &str, model: &str) -> Result<Self, Failure> {
        let binary = std::env::current_exe()?.with_file_name("lab3");
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder);
        let settings = [
            format!("providers.deepseek.base_url=http://{provider}/v1"),
            "providers.deepseek.api_key=bench".to_owned(),
            format!("providers.deepseek.models={model}"),
            "compute.local_fallback=false".to_owned(),
        ];
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        command.stderr(std::fs::File::create(folder.with_extension("log"))?);
        Self::start(command, &folder.with_extension("address"), "/lab3/financial/pool")
    }

    /// The mock provider.
    pub fn mock(address_file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?.with_file_name("lab3-mock"));
        command.args(["--send-buffer", "16384"]);
        Self::start(command, address_file, "/v1/models")
    }

    fn start(mut command: Command, address_file: &Path, path: &str) -> Result<Self, Failure> {
        let _ = std::fs::remove_file(address_file);
        let started = Instant::now();
        let child = command.arg("--print-address").arg(address_file).stdout(Stdio::null()).spawn()?;
        let mut desk = Self { child, address: String::new(), first_answer: Duration::ZERO };
        while !address_file.exists() {
            if let Some(status) = desk.child.try_wait()? {
                return Err(format!("the server ended at its start: {status}").into());
            }
            if started.elapsed() > Duration::from_mins(2) {
                return Err("the server did not open within two minutes".into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        std::fs::read_to_string(address_file)?.trim().clone_into(&mut desk.address);
        desk.get(path)?;
        desk.first_answer = started.elapsed();
        Ok(desk)
    }

    /// Resident memory in megabytes.
    pub fn resident_mb(&self) -> u64 {
        crate::machine::resident_mb(self.child.id())
    }

    /// Asks, and gives the body.
    pub fn get(&self, path: &str) -> Result<String, Failure> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address))
    }

    /// Posts JSON, and gives the body.
    pub fn post(&self, path: &str, body: &str) -> Result<String, Failure> {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n", self.address);
        self.exchange(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
    }

    fn exchange(&self, request: &str) -> Result<String, Failure> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(request.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let mut status = String::new();
        reader.read_line(&mut status)?;
        let mut rest = String::new();
        reader.read_to_string(&mut rest)?;
        let body = rest.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
        // The echo knows no GET; that it answers is enough.
        if status.contains(" 200 ") || status.contains(" 405 ") { Ok(body) } else { Err(format!("{}: {body}", status.trim()).into()) }
    }

    /// Gives every citizen money, so that transfers succeed.
    pub fn mint_for(&self, citizens: u64) -> Result<(), Failure> {
        let did = |n: u64| format!("did:kaizen:citizen-{n:07}");
        let whole = format!(r#"{{"to_did": "did:kaizen:bench", "amount": {}, "reason": "bench"}}"#, citizens * 1000 + 1_000_000);
        self.post("/lab3/financial/mint", &whole)?;
        let all = (0..citizens).collect::<Vec<_>>();
        for part in all.chunks(8000) {
            let item = |n: &u64| format!(r#"{{"from_did": "did:kaizen:bench", "to_did": "{}", "amount": 1000}}"#, did(*n));
            let items = part.iter().map(item).collect::<Vec<_>>().join(",");
            self.post("/lab3/financial/transfers", &format!(r#"{{"transfers": [{items}]}}"#))?;
        }
        Ok(())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // SIGTERM, so that a data folder can be opened again with its snapshot.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
