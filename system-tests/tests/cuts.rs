//! Is a commit whose answer is lost, or that is lost itself, settled by the service, and not left to its callers?

use std::time::Duration;

use anyhow::ensure;
use praxis_system_tests::deployment::Deployment;
use praxis_system_tests::load::{Callers, Targets};
use praxis_system_tests::proof;
use praxis_system_tests::service::{Program, Service};
use praxis_testkit::servers::{MySqlServer, kafka_brokers};
use praxis_testkit::tcp_proxy::{Cut, TcpProxy};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(40);
/// Between one cut and the next.
const A_FEW: usize = 30;
/// The statement; every new connection also says READ-COMMITTED.
const COMMIT: &[u8] = b"COMMIT;";
/// Of each kind.
const CUTS: u32 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_of_unknown_outcome_are_settled_and_not_repeated() -> anyhow::Result<()> {
    let mysql = MySqlServer::start().await?;
    let deployment = Deployment::found(&mysql.url(), &kafka_brokers()).await?;
    let proxy = TcpProxy::open(mysql.port()).await?;
    let through_proxy = deployment.events_url_at(&mysql.url_without_tls(proxy.port()));
    let cut_off = deployment
        .start_with(Program::CommandApi, &[("PRAXIS_EVENTS_URL", &through_proxy)])
        .await?;
    let other = deployment.start(Program::CommandApi).await?;
    let _projector = deployment.start(Program::Projector).await?;
    let callers = Callers::ready(&deployment, &other.base()).await?;
    let mut load = callers.load(&only(&cut_off));
    let beside = callers.load_beside(&only(&other));

    let lost_answer = Cut::BeforeAnswer(COMMIT.to_vec());
    let lost_commit = Cut::BeforeForwarding(COMMIT.to_vec());
    for count in 1..=u64::from(2 * CUTS) {
        let cut = if count.is_multiple_of(2) {
            &lost_answer
        } else {
            &lost_commit
        };
        proxy.arm(cut.clone());
        timeout(SOON, proxy.wait_fired(count)).await?;
        load.goes_on(A_FEW, SOON).await?;
    }
    let mut all = load.end().await?;
    let again = all
        .iter()
        .filter(|acknowledged| acknowledged.sendings > 1)
        .count();
    ensure!(again == 0, "of {} commands {again} were sent again", all.len());
    let unknown = cut_off.metric("praxis_append_unknown_outcomes_total").await?;
    ensure!(
        unknown.is_some_and(|unknown| unknown >= f64::from(2 * CUTS)),
        "{unknown:?} commits were of unknown outcome"
    );
    all.extend(beside.end().await?);
    let log = proof::assert_each_is_there_once(&deployment, &all, callers.set_up_len).await?;
    proof::assert_views_equal_a_fresh_fold(&deployment, &log).await
}

fn only(service: &Service) -> Targets {
    Targets {
        command_apis: vec![service.base()],
        query_api: None,
    }
}
