//! Which faults are there, and how is each mended?

use fastrand::Rng;
use praxis_system_tests::service::Service;
use praxis_system_tests::tier::Tier;
use praxis_testkit::servers::{KafkaServer, MySqlServer};

/// What faults are done to.
pub struct Scene {
    pub mysql: MySqlServer,
    pub kafka: KafkaServer,
    pub tier: Tier,
}

/// One thing that goes wrong. At most one of a round is done to one process or server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Service(Victim, Harm),
    MySql(Harm),
    Kafka(Harm),
    TopicDeleted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    CommandApi(usize),
    Projector(usize),
    QueryApi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// SIGKILL.
    Killed,
    /// SIGTERM, as an operator's restart.
    Ended,
    /// SIGSTOP.
    Stopped,
}

const VICTIMS: [Victim; 5] = [
    Victim::CommandApi(0),
    Victim::CommandApi(1),
    Victim::Projector(0),
    Victim::Projector(1),
    Victim::QueryApi,
];
const HARMS: [Harm; 3] = [Harm::Killed, Harm::Ended, Harm::Stopped];

impl Fault {
    /// One or two, of different victims.
    pub fn some(rng: &mut Rng) -> Vec<Self> {
        let first = Self::any(rng);
        let second = Self::any(rng);
        let mut faults = vec![first];
        if rng.bool() && first.target() != second.target() {
            faults.push(second);
        }
        // Servers first: a program that starts without its database ends.
        faults.sort_by_key(|fault| std::cmp::Reverse(fault.target()));
        faults
    }

    fn any(rng: &mut Rng) -> Self {
        let harm = HARMS[rng.usize(..HARMS.len())];
        match rng.u8(..10) {
            0..6 => Self::Service(VICTIMS[rng.usize(..VICTIMS.len())], harm),
            6 | 7 => Self::MySql(harm),
            8 => Self::Kafka(harm),
            _ => Self::TopicDeleted,
        }
    }

    /// Two faults of one target would mend each other. Who deletes a topic needs a Kafka that answers.
    const fn target(self) -> usize {
        match self {
            Self::Service(Victim::CommandApi(number), _) => number,
            Self::Service(Victim::Projector(number), _) => 2 + number,
            Self::Service(Victim::QueryApi, _) => 4,
            Self::MySql(_) => 5,
            Self::Kafka(_) | Self::TopicDeleted => 6,
        }
    }

    /// Does the harm.
    pub async fn begin(self, scene: &mut Scene) -> anyhow::Result<()> {
        match self {
            Self::Service(victim, harm) => harm_service(victim.of(&mut scene.tier), harm).await,
            Self::MySql(Harm::Killed) => {
                scene.mysql.kill_9();
                Ok(())
            }
            Self::MySql(Harm::Ended) => scene.mysql.stop().await,
            Self::MySql(Harm::Stopped) => scene.mysql.pause(),
            Self::Kafka(Harm::Killed) => {
                scene.kafka.kill_9();
                Ok(())
            }
            Self::Kafka(Harm::Ended) => scene.kafka.stop().await,
            Self::Kafka(Harm::Stopped) => scene.kafka.pause(),
            Self::TopicDeleted => {
                let topic = scene.tier.deployment.topic();
                let deleted = scene.kafka.topics(&["--delete", "--topic", &topic]).await;
                // It is not there while nobody has published since the last time.
                deleted.map(drop).or_else(|error| {
                    if error.to_string().contains("does not exist") {
                        Ok(())
                    } else {
                        Err(error)
                    }
                })
            }
        }
    }

    /// Sets it right again.
    pub async fn mend(self, scene: &mut Scene) -> anyhow::Result<()> {
        match self {
            Self::Service(victim, Harm::Stopped) => victim.of(&mut scene.tier).process.resume(),
            // A database that is away too is back within this round.
            Self::Service(victim, Harm::Killed | Harm::Ended) => victim.of(&mut scene.tier).spawn_again(),
            Self::MySql(Harm::Stopped) => scene.mysql.resume(),
            Self::MySql(Harm::Killed | Harm::Ended) => scene.mysql.restart().await,
            Self::Kafka(Harm::Stopped) => scene.kafka.resume(),
            Self::Kafka(Harm::Killed | Harm::Ended) => scene.kafka.restart().await,
            Self::TopicDeleted => Ok(()),
        }
    }
}

impl Victim {
    fn of(self, tier: &mut Tier) -> &mut Service {
        match self {
            Self::CommandApi(number) => &mut tier.command_apis[number],
            Self::Projector(number) => &mut tier.projectors[number],
            Self::QueryApi => &mut tier.query_api,
        }
    }
}

async fn harm_service(service: &mut Service, harm: Harm) -> anyhow::Result<()> {
    match harm {
        Harm::Killed => service.process.kill_9(),
        // Without its database or Kafka it may end in haste; that it ends well otherwise, other tests show.
        Harm::Ended => service.terminate().await.map(drop),
        Harm::Stopped => service.process.pause(),
    }
}
