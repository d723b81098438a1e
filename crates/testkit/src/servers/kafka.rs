//! How does a test get a Kafka broker that it may kill?

use nix::sys::signal::Signal;

use super::scripted::{ScriptedServer, run_script};
use crate::tcp_proxy::TcpProxy;

const SCRIPT: &str = "kafka.sh";
/// One for clients, one for the KRaft controller.
const PORT_COUNT: usize = 2;

/// A one-node Apache Kafka of this test alone. Dropping kills it and deletes its data.
#[derive(Debug)]
pub struct KafkaServer {
    server: ScriptedServer,
    /// The port that clients are told.
    advertised_port: u16,
}

impl KafkaServer {
    /// Starts a broker and waits until it takes requests. The first call on a machine downloads Kafka.
    pub async fn start() -> anyhow::Result<Self> {
        let server = ScriptedServer::start(SCRIPT, PORT_COUNT, &[]).await?;
        let advertised_port = server.port();
        Ok(Self {
            server,
            advertised_port,
        })
    }

    /// The same with a listener that speaks TLS and lets nobody in but the user `praxis` with the password `invented`, by
    /// SASL PLAIN or SCRAM-SHA-512; that listener's address, and the certificate to trust.
    pub async fn start_secured() -> anyhow::Result<(Self, String, String)> {
        let secured_port = crate::ports::free_port();
        // Clients of the open listener are told its own port.
        let server = ScriptedServer::start(SCRIPT, PORT_COUNT, &["", &secured_port.to_string()]).await?;
        let advertised_port = server.port();
        let certificate = std::fs::read_to_string(server.data_dir().join("ca.pem"))?;
        let server = Self {
            server,
            advertised_port,
        };
        Ok((server, format!("127.0.0.1:{secured_port}"), certificate))
    }

    /// The same behind a proxy, which the broker names to its clients as its own address.
    pub async fn start_behind_proxy() -> anyhow::Result<(Self, TcpProxy)> {
        // The broker has to know the proxy's port before the proxy can know the broker's.
        let proxy = TcpProxy::open(0).await?;
        let advertised_port = proxy.port();
        let server = ScriptedServer::start(SCRIPT, PORT_COUNT, &[&advertised_port.to_string()]).await?;
        proxy.lead_to(server.port());
        Ok((
            Self {
                server,
                advertised_port,
            },
            proxy,
        ))
    }

    /// What clients connect to: `127.0.0.1:port`, the proxy's if there is one.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.advertised_port)
    }

    /// The broker's own port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The broker's process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// SIGKILL; the process is gone when this returns.
    pub fn kill_9(&mut self) {
        self.server.kill_9();
    }

    /// SIGTERM, and waits for the end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.server.stop().await
    }

    /// SIGSTOP: connections stay open and nothing answers.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.server.signal(Signal::SIGSTOP)
    }

    /// SIGCONT after [`pause`](Self::pause).
    pub fn resume(&self) -> anyhow::Result<()> {
        self.server.signal(Signal::SIGCONT)
    }

    /// Starts again on the same data and ports, after killing what still runs. After a SIGKILL this takes as long as
    /// the old broker session needs to lapse (3 s).
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill_9();
        self.server.serve().await
    }

    /// Kafka's own topic tool against this broker, for example `["--create", "--topic", "t", "--partitions", "12"]`.
    pub async fn topics(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.topics_at(&self.brokers(), arguments).await
    }

    /// The same tool against another address that leads here.
    pub async fn topics_at(&self, brokers: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let tool = [
            "tool",
            "org.apache.kafka.tools.TopicCommand",
            "--bootstrap-server",
            brokers,
        ];
        let all: Vec<&str> = tool.into_iter().chain(arguments.iter().copied()).collect();
        run_script(self.server.script(), &all).await
    }
}
