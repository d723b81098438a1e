//! Does every route serve the roles that its rule names, and no other?

use axum::body::Body;
use http::Request;
use praxis_auth::claims::Role;
use praxis_auth::policy::{Access, Rule, Verb};
use praxis_query_api::routes::RULES;
use uuid::Uuid;

use crate::practice::{Practice, at, bearer, caller, caller_patient};

fn request(rule: &Rule, authorization: Option<String>) -> Request<Body> {
    let path = rule.path.replace("{id}", &Uuid::from_u128(5).to_string());
    let mut request = Request::builder().method(rule.verb.name()).uri(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    if rule.verb == Verb::Post {
        request = request.header("content-type", "application/json");
    }
    request.body(Body::from("{}")).expect("a request")
}

#[tokio::test]
async fn no_route_serves_anyone_without_a_token() {
    let practice = Practice::new();
    for rule in RULES {
        let reply = practice.send(request(rule, None)).await;
        assert_eq!(
            reply.code(),
            (401, "unauthenticated"),
            "{} {}",
            rule.verb,
            rule.path
        );
    }
}

#[tokio::test]
async fn every_route_refuses_the_roles_it_does_not_name_and_no_other() {
    let practice = Practice::new();
    for rule in RULES {
        let Access::Roles(served) = rule.access else {
            panic!("{} is public", rule.path);
        };
        for role in Role::ALL {
            let reply = practice.send(request(rule, Some(bearer(caller(role))))).await;
            let refused = reply.code() == (403, "forbidden");
            assert_eq!(
                refused,
                !served.contains(&role),
                "{role:?} {} {}",
                rule.verb,
                rule.path
            );
        }
    }
}

#[tokio::test]
async fn what_staff_and_admins_may_not_read_is_in_no_route_of_theirs() {
    let practice = Practice::new();
    let thread = practice.thread().id;
    for role in [Role::Staff, Role::Admin] {
        for rest in ["/messages", "/history"] {
            let reply = practice
                .get(caller(role), &format!("/threads/{thread}{rest}"))
                .await;
            assert_eq!(reply.code(), (403, "forbidden"));
        }
        assert_eq!(
            practice
                .get(caller(role), &format!("/threads/{thread}"))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn a_patient_sees_their_own_records_and_does_not_learn_of_others() {
    let practice = Practice::new();
    let own = practice.patient().id;
    let bookings = || practice.rows.appointments.values();
    let own_booking = bookings().find(|row| row.patient_id == own).unwrap();
    let other = bookings().find(|row| row.patient_id != own).unwrap();
    let now = at(practice.head());
    let routes = |patient, booking| {
        [
            format!("/patients/{patient}"),
            format!("/patients/{patient}?as_of={now}"),
            format!("/patients/{patient}/appointments"),
            format!("/appointments/{booking}"),
            format!("/appointments/{booking}?as_of={now}"),
        ]
    };
    for path in routes(own, own_booking.id) {
        assert_eq!(
            practice.get(caller_patient(own), &path).await.status,
            200,
            "{path}"
        );
    }
    for path in routes(other.patient_id, other.id) {
        let reply = practice.get(caller_patient(own), &path).await;
        assert_eq!(reply.code(), (404, "not-found"), "{path}");
    }
}
