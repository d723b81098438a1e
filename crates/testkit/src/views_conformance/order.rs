//! Is every row in the lists it belongs to, and in no other, however alike the rows are?

use chrono::{DateTime, TimeDelta, Utc};
use praxis_events::ids::{AppointmentId, PatientId, PractitionerId, ThreadId};
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::threads::{ThreadParticipant, ThreadRow};
use praxis_read_models::reads::{AppointmentCursor, ThreadCursor};

use super::{Open, RegistryUnderTest, usual_history};
use crate::conformance::{Outcome, sample};
use crate::rows::Rows;

const PAGE: u32 = 4;

fn doctor() -> PractitionerId {
    PractitionerId(sample::id(7_000))
}

fn patient() -> PatientId {
    PatientId(sample::id(8_000))
}

/// A booking of [`doctor`] and [`patient`].
fn booking(n: u128, starts: DateTime<Utc>) -> AppointmentRow {
    let rows = Rows::of(&usual_history());
    let mut row = rows.appointments.into_values().next().expect("a booking");
    row.id = AppointmentId(sample::id(n));
    row.patient_id = patient();
    row.practitioner_id = doctor();
    row.slot.starts = starts;
    row.slot.local_start = starts.naive_utc();
    row
}

/// A conversation of those participants.
fn conversation(n: u128, last_activity_at: DateTime<Utc>, participants: &[Participant]) -> ThreadRow {
    let rows = Rows::of(&usual_history());
    let mut row = rows.threads.into_values().next().expect("a conversation");
    row.id = ThreadId(sample::id(n));
    row.last_activity_at = last_activity_at;
    row.participants = participants
        .iter()
        .map(|participant| ThreadParticipant {
            participant: *participant,
            unread: Vec::new(),
        })
        .collect();
    row
}

fn nine() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_603_600, 0).expect("an instant")
}

async fn save_bookings(open: &Open, rows: &[AppointmentRow]) -> Outcome {
    let appointments = rows.iter().map(|row| (row.id, row.clone())).collect();
    open.save(&Rows {
        appointments,
        ..Rows::default()
    })
    .await
}

async fn save_conversations(open: &Open, rows: &[ThreadRow]) -> Outcome {
    let threads = rows.iter().map(|row| (row.id, row.clone())).collect();
    open.save(&Rows {
        threads,
        ..Rows::default()
    })
    .await
}

async fn day_of_doctor(open: &Open, day: DateTime<Utc>) -> Outcome<Vec<AppointmentId>> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let date = day.date_naive();
        let page = open
            .reads
            .appointments_of_day(doctor(), date, after, PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(listed);
        };
        after = Some(AppointmentCursor {
            starts: last.appointment.slot.starts,
            id: last.appointment.id,
        });
        listed.extend(page.into_iter().map(|view| view.appointment.id));
    }
}

/// The ids of [`patient`]'s bookings, page by page.
async fn bookings_of_patient(open: &Open) -> Outcome<Vec<AppointmentId>> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = open.reads.appointments_of_patient(patient(), after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(listed);
        };
        after = Some(AppointmentCursor {
            starts: last.appointment.slot.starts,
            id: last.appointment.id,
        });
        listed.extend(page.into_iter().map(|view| view.appointment.id));
    }
}

async fn conversations_of(open: &Open, participant: Participant) -> Outcome<Vec<ThreadId>> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = open.reads.threads_of(participant, after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(listed);
        };
        after = Some(ThreadCursor {
            last_activity_at: last.thread.last_activity_at,
            id: last.thread.id,
        });
        listed.extend(page.into_iter().map(|view| view.thread.id));
    }
}

pub async fn bookings_that_start_at_once_are_listed_once_each(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let earlier = nine() - TimeDelta::microseconds(1);
    let rows: Vec<_> = (0..11)
        .rev()
        .map(|n| booking(n, if n == 10 { earlier } else { nine() }))
        .collect();
    save_bookings(&open, &rows).await?;
    let by_id = [10, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|n| AppointmentId(sample::id(n)));
    assert_eq!(day_of_doctor(&open, nine()).await?, by_id);
    assert_eq!(bookings_of_patient(&open).await?, by_id);
    Ok(())
}

pub async fn conversations_active_at_once_are_listed_once_each(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let later = nine() + TimeDelta::microseconds(1);
    let participant = Participant::Patient(patient());
    let rows: Vec<_> = (0..11)
        .map(|n| conversation(n, if n == 0 { later } else { nine() }, &[participant]))
        .collect();
    save_conversations(&open, &rows).await?;
    let highest_first = [0, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map(|n| ThreadId(sample::id(n)));
    assert_eq!(conversations_of(&open, participant).await?, highest_first);
    Ok(())
}

pub async fn a_day_ends_at_midnight_on_the_wall(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let midnight = nine() + TimeDelta::hours(15);
    let mut behind_the_clock = booking(3, midnight);
    behind_the_clock.slot.local_start = (midnight - TimeDelta::hours(5)).naive_utc();
    let last = booking(1, midnight - TimeDelta::microseconds(1));
    save_bookings(&open, &[last, booking(2, midnight), behind_the_clock]).await?;
    let id = |n| AppointmentId(sample::id(n));
    assert_eq!(day_of_doctor(&open, nine()).await?, [id(1), id(3)]);
    assert_eq!(day_of_doctor(&open, midnight).await?, [id(2)]);
    Ok(())
}

pub async fn a_moved_booking_leaves_the_lists_it_was_in(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let before = [booking(1, nine()), booking(2, nine()), booking(3, nine())];
    save_bookings(&open, &before).await?;
    let next_day = nine() + TimeDelta::days(1);
    let mut to_another_doctor = booking(2, nine());
    to_another_doctor.practitioner_id = PractitionerId(sample::id(7_001));
    save_bookings(&open, &[booking(1, next_day), to_another_doctor]).await?;
    let id = |n| AppointmentId(sample::id(n));
    assert_eq!(day_of_doctor(&open, nine()).await?, [id(3)]);
    assert_eq!(day_of_doctor(&open, next_day).await?, [id(1)]);
    assert_eq!(bookings_of_patient(&open).await?, [id(2), id(3), id(1)]);
    Ok(())
}

pub async fn a_conversation_is_listed_for_its_participants_only(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let as_patient = Participant::Patient(patient());
    // The same id as another kind of participant: the kind is part of who it is.
    let as_doctor = Participant::Practitioner(PractitionerId(patient().0));
    let other = Participant::Practitioner(doctor());
    save_conversations(&open, &[conversation(1, nine(), &[other, as_patient])]).await?;
    assert_eq!(conversations_of(&open, as_doctor).await?, []);
    let first = ThreadId(sample::id(1));
    assert_eq!(conversations_of(&open, as_patient).await?, [first]);
    save_conversations(&open, &[conversation(1, nine(), &[as_doctor])]).await?;
    assert_eq!(conversations_of(&open, as_doctor).await?, [first]);
    assert_eq!(conversations_of(&open, as_patient).await?, []);
    assert_eq!(conversations_of(&open, other).await?, []);
    Ok(())
}

pub async fn a_conversation_moves_up_when_it_goes_on(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let participant = Participant::Patient(patient());
    let minute = |n: i64| nine() + TimeDelta::minutes(n);
    let rows = [(1, 1), (2, 2), (3, 3)].map(|(n, minutes)| conversation(n, minute(minutes), &[participant]));
    save_conversations(&open, &rows).await?;
    save_conversations(&open, &[conversation(1, minute(9), &[participant])]).await?;
    let newest_first = [1, 3, 2].map(|n| ThreadId(sample::id(n)));
    assert_eq!(conversations_of(&open, participant).await?, newest_first);
    Ok(())
}
