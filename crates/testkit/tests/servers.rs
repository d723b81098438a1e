//! Are the servers a test starts real, durable, and killable?
#![allow(clippy::expect_used, reason = "a panic is how a test and its helpers report")]

use std::time::Duration;

use praxis_testkit::servers::{KafkaServer, MySqlServer, kafka_brokers, mysql_url};
use praxis_testkit::tcp_proxy::{Cut, TcpProxy};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

async fn mysql_with_a_table() -> MySqlServer {
    let mysql = MySqlServer::start().await.expect("starts");
    mysql
        .client("CREATE DATABASE praxis_t; CREATE TABLE praxis_t.t (a INT)")
        .await
        .expect("may create schemas");
    mysql
}

#[tokio::test]
async fn mysql_demands_a_password_speaks_tls_and_is_durable() {
    let mysql = MySqlServer::start().await.expect("starts");
    let settings =
        "SELECT CONCAT_WS(',', @@log_bin, @@sync_binlog, @@innodb_flush_log_at_trx_commit, VERSION())";
    let answer = mysql.client(settings).await.expect("answers");
    assert!(answer.starts_with("1,1,1,9."), "{answer}");
    let cipher = mysql
        .client("SHOW STATUS LIKE 'Ssl_cipher'")
        .await
        .expect("answers");
    assert!(cipher.trim_end().len() > "Ssl_cipher\t".len(), "{cipher}");
    for user in ["--user=praxis", "--user=root"] {
        let error = mysql
            .client_at(mysql.port(), &[user, "--password=wrong", "-e", "SELECT 1"])
            .await;
        assert!(
            error
                .expect_err("is refused")
                .to_string()
                .contains("Access denied")
        );
    }
}

#[tokio::test]
async fn mysql_keeps_committed_rows_through_kill_9() {
    let mut mysql = mysql_with_a_table().await;
    mysql
        .client("INSERT INTO praxis_t.t VALUES (7)")
        .await
        .expect("is committed");
    let first_pid = mysql.pid().expect("runs");
    mysql.kill_9();
    mysql.client("SELECT 1").await.expect_err("is gone");
    mysql.restart().await.expect("serves again");
    assert_ne!(mysql.pid().expect("runs"), first_pid);
    assert_eq!(
        mysql
            .client("SELECT a FROM praxis_t.t")
            .await
            .expect("answers")
            .trim_end(),
        "7"
    );
}

#[tokio::test]
async fn mysql_can_be_restored_to_an_earlier_state() {
    let mut mysql = mysql_with_a_table().await;
    mysql.stop().await.expect("stops");
    let backup = mysql.copy_data().await.expect("is copied");
    mysql.restart().await.expect("serves again");
    mysql
        .client("INSERT INTO praxis_t.t VALUES (7)")
        .await
        .expect("is committed");
    mysql.stop().await.expect("stops");
    mysql.put_back(&backup).await.expect("is restored");
    mysql.restart().await.expect("serves again");
    assert_eq!(
        mysql
            .client("SELECT COUNT(*) FROM praxis_t.t")
            .await
            .expect("answers")
            .trim_end(),
        "0"
    );
}

#[tokio::test]
async fn mysql_takes_further_options() {
    let mysql = MySqlServer::start_with(&["--skip-log-bin"])
        .await
        .expect("starts");
    assert_eq!(
        mysql
            .client("SELECT @@log_bin")
            .await
            .expect("answers")
            .trim_end(),
        "0"
    );
}

#[tokio::test]
async fn commit_whose_answer_is_cut_off_is_committed_all_the_same() {
    let mysql = mysql_with_a_table().await;
    let proxy = TcpProxy::open(mysql.port()).await.expect("opens");
    let transaction = "BEGIN; INSERT INTO praxis_t.t VALUES (7); COMMIT";
    let in_the_clear = ["--ssl-mode=DISABLED", "-e", transaction];

    proxy.arm(Cut::BeforeForwarding(b"COMMIT".to_vec()));
    let error = mysql
        .client_at(proxy.port(), &in_the_clear)
        .await
        .expect_err("is cut");
    assert!(error.to_string().contains("Lost connection"), "{error}");
    assert_eq!(
        mysql
            .client("SELECT COUNT(*) FROM praxis_t.t")
            .await
            .expect("answers")
            .trim_end(),
        "0"
    );

    proxy.arm(Cut::BeforeAnswer(b"COMMIT".to_vec()));
    let error = mysql
        .client_at(proxy.port(), &in_the_clear)
        .await
        .expect_err("is cut");
    assert!(error.to_string().contains("Lost connection"), "{error}");
    assert_eq!(
        mysql
            .client("SELECT COUNT(*) FROM praxis_t.t")
            .await
            .expect("answers")
            .trim_end(),
        "1"
    );
    assert_eq!(proxy.fired(), 2);
}

#[tokio::test]
async fn address_without_tls_leads_through_the_given_port() {
    let mysql = MySqlServer::start().await.expect("starts");
    assert!(
        mysql
            .url()
            .contains(&format!("@127.0.0.1:{}/?ssl-mode=REQUIRED", mysql.port()))
    );
    assert!(
        mysql
            .url_without_tls(4711)
            .ends_with("@127.0.0.1:4711/?ssl-mode=DISABLED")
    );
}

#[tokio::test]
async fn kafka_keeps_its_topics_through_kill_9() {
    let mut kafka = KafkaServer::start().await.expect("starts");
    kafka
        .topics(&["--create", "--topic", "t", "--partitions", "12"])
        .await
        .expect("is created");
    kafka.kill_9();
    kafka.restart().await.expect("serves again");
    let description = kafka
        .topics(&["--describe", "--topic", "t"])
        .await
        .expect("answers");
    assert!(description.contains("PartitionCount: 12"), "{description}");
}

#[tokio::test]
async fn kafka_behind_a_proxy_sends_its_clients_through_it() {
    let (kafka, proxy) = KafkaServer::start_behind_proxy().await.expect("starts");
    assert_eq!(kafka.brokers(), format!("127.0.0.1:{}", proxy.port()));
    kafka.topics(&["--create", "--topic", "t"]).await.expect("passes");
    // A client that began at the broker's own port is told the proxy's, and fails there.
    proxy.refuse();
    let direct = format!("127.0.0.1:{}", kafka.port());
    let listing = kafka.topics_at(&direct, &["--create", "--topic", "u"]);
    assert!(
        !matches!(timeout(SOON, listing).await, Ok(Ok(_))),
        "got past the proxy"
    );
}

#[test]
fn shared_servers_are_given() {
    assert!(mysql_url().starts_with("mysql://"));
    assert!(kafka_brokers().contains(':'));
}
