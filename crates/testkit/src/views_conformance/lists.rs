//! Are records found, joined and paged as the port says?

use std::cmp::Reverse;

use praxis_events::ids::{AppointmentId, LocationId, MessageId, PatientId, PractitionerId, ThreadId};
use praxis_events::sealed::Sealed;
use praxis_events::thread::Participant;
use praxis_read_models::models::appointments::AppointmentRow;
use praxis_read_models::models::patients::PatientRow;
use praxis_read_models::models::practitioners::PractitionerRow;
use praxis_read_models::reads::{AppointmentCursor, AppointmentView, ThreadCursor, ThreadView};

use super::{Open, RegistryUnderTest, usual_history};
use crate::conformance::{Outcome, sample};
use crate::history::redact;
use crate::rows::Rows;

const PAGE: u32 = 3;

/// Walks a list page by page to its end, and checks that every page but the last is full.
macro_rules! walk {
    (|$after:ident| $page:expr, $cursor:expr) => {{
        let mut listed = Vec::new();
        let mut $after = None;
        loop {
            let page = $page.await?;
            let is_last = page.len() < usize::try_from(PAGE)?;
            $after = page.last().map($cursor);
            listed.extend(page);
            if is_last {
                break listed;
            }
        }
    }};
}

fn view(rows: &Rows, appointment: &AppointmentRow) -> AppointmentView {
    AppointmentView {
        appointment: appointment.clone(),
        patient_name: rows.patients.get(&appointment.patient_id).map(PatientRow::name),
        practitioner_name: rows
            .practitioners
            .get(&appointment.practitioner_id)
            .map(PractitionerRow::name),
        location_name: rows
            .locations
            .get(&appointment.location_id)
            .map(|row| row.name.clone()),
    }
}

fn appointment_cursor(view: &AppointmentView) -> AppointmentCursor {
    AppointmentCursor {
        starts: view.appointment.slot.starts,
        id: view.appointment.id,
    }
}

/// The bookings that `is_wanted`, as a list shows them.
fn by_start(rows: &Rows, is_wanted: impl Fn(&AppointmentRow) -> bool) -> Vec<AppointmentView> {
    let wanted = rows.appointments.values().filter(|row| is_wanted(row));
    let mut views: Vec<_> = wanted.map(|row| view(rows, row)).collect();
    views.sort_by_key(appointment_cursor);
    views
}

pub async fn single_records_are_found(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    for (id, row) in &rows.patients {
        assert_eq!(open.reads.patient(*id).await?.as_ref(), Some(row));
    }
    for (id, row) in &rows.practitioners {
        assert_eq!(open.reads.practitioner(*id).await?.as_ref(), Some(row));
    }
    for (id, row) in &rows.locations {
        assert_eq!(open.reads.location(*id).await?.as_ref(), Some(row));
    }
    for (id, row) in &rows.appointments {
        assert_eq!(open.reads.appointment(*id).await?, Some(view(&rows, row)));
    }
    for (id, row) in &rows.threads {
        let patient_name = rows.patients.get(&row.patient_id).map(PatientRow::name);
        assert_eq!(
            open.reads.thread(*id).await?,
            Some(ThreadView {
                thread: row.clone(),
                patient_name
            })
        );
    }
    for (id, row) in &rows.messages {
        assert_eq!(open.reads.message(*id).await?.as_ref(), Some(row));
    }
    Ok(())
}

pub async fn what_is_not_there_is_not_found(under: RegistryUnderTest) -> Outcome {
    let (open, _) = Open::filled(under, &usual_history()).await?;
    let nobody = sample::id(999_999);
    assert_eq!(open.reads.patient(PatientId(nobody)).await?, None);
    assert_eq!(open.reads.practitioner(PractitionerId(nobody)).await?, None);
    assert_eq!(open.reads.location(LocationId(nobody)).await?, None);
    assert_eq!(open.reads.appointment(AppointmentId(nobody)).await?, None);
    assert_eq!(open.reads.thread(ThreadId(nobody)).await?, None);
    assert_eq!(open.reads.message(MessageId(nobody)).await?, None);
    assert_eq!(
        open.reads
            .appointments_of_patient(PatientId(nobody), None, PAGE)
            .await?,
        []
    );
    assert_eq!(
        open.reads
            .threads_of(Participant::Patient(PatientId(nobody)), None, PAGE)
            .await?,
        []
    );
    assert_eq!(open.reads.messages_of(ThreadId(nobody), None, PAGE).await?, []);
    Ok(())
}

pub async fn records_are_paged_by_id(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let patients = walk!(|after| open.reads.patients_page(after, PAGE), |row| row.id);
    assert_eq!(patients, rows.patients.values().cloned().collect::<Vec<_>>());
    let practitioners = walk!(|after| open.reads.practitioners_page(after, PAGE), |row| row.id);
    assert_eq!(
        practitioners,
        rows.practitioners.values().cloned().collect::<Vec<_>>()
    );
    let locations = walk!(|after| open.reads.locations_page(after, PAGE), |row| row.id);
    assert_eq!(locations, rows.locations.values().cloned().collect::<Vec<_>>());
    Ok(())
}

pub async fn a_day_of_a_practitioner_is_by_start(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let mut longest = 0;
    for of in rows.appointments.values() {
        let (practitioner, day) = (of.practitioner_id, of.local_date());
        let wanted = by_start(&rows, |row| {
            row.practitioner_id == practitioner && row.local_date() == day
        });
        let limit = 2;
        let mut listed = Vec::new();
        loop {
            let after = listed.last().map(appointment_cursor);
            let page = open
                .reads
                .appointments_of_day(practitioner, day, after, limit)
                .await?;
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        assert_eq!(listed, wanted);
        longest = longest.max(wanted.len());
    }
    assert!(longest > 2, "no day is longer than a page");
    Ok(())
}

pub async fn a_patients_bookings_are_by_start(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let mut longest = 0;
    for id in rows.patients.keys().copied() {
        let wanted = by_start(&rows, |row| row.patient_id == id);
        let listed = walk!(
            |after| open.reads.appointments_of_patient(id, after, PAGE),
            appointment_cursor
        );
        assert_eq!(listed, wanted);
        longest = longest.max(wanted.len());
    }
    assert!(longest > usize::try_from(PAGE)?, "no list is longer than a page");
    Ok(())
}

pub async fn names_are_joined_as_they_are_now(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let mut renamed = rows.clone();
    for row in renamed.patients.values_mut() {
        if let Sealed::Value(known) = &mut row.demographics {
            known.family_name = "Nový".to_owned().into();
        }
    }
    open.save(&Rows {
        patients: renamed.patients.clone(),
        ..Rows::default()
    })
    .await?;
    for (id, row) in &renamed.appointments {
        assert_eq!(open.reads.appointment(*id).await?, Some(view(&renamed, row)));
    }
    Ok(())
}

pub async fn names_that_are_not_there_are_none(under: RegistryUnderTest) -> Outcome {
    let open = Open::fresh(under).await?;
    let rows = Rows::of(&usual_history());
    let alone = Rows {
        appointments: rows.appointments,
        threads: rows.threads,
        ..Rows::default()
    };
    open.save(&alone).await?;
    for (id, row) in &alone.appointments {
        assert_eq!(open.reads.appointment(*id).await?, Some(view(&alone, row)));
    }
    for (id, row) in &alone.threads {
        let unnamed = ThreadView {
            thread: row.clone(),
            patient_name: None,
        };
        assert_eq!(open.reads.thread(*id).await?, Some(unnamed));
    }
    Ok(())
}

pub async fn names_of_the_erased_are_erased(under: RegistryUnderTest) -> Outcome {
    let erased: Vec<_> = usual_history().iter().map(redact).collect();
    let (open, rows) = Open::filled(under, &erased).await?;
    for id in rows.appointments.keys() {
        let found = open.reads.appointment(*id).await?.expect("it was saved");
        assert_eq!(found.patient_name, Some(Sealed::Erased));
        assert_eq!(found.practitioner_name, Some(Sealed::Erased));
    }
    Ok(())
}

pub async fn a_participants_threads_are_by_last_activity(under: RegistryUnderTest) -> Outcome {
    let events = usual_history();
    let (open, _) = Open::filled(under, &events[..900]).await?;
    let rows = Rows::of(&events);
    open.save(&rows).await?;
    let cursor = |view: &ThreadView| ThreadCursor {
        last_activity_at: view.thread.last_activity_at,
        id: view.thread.id,
    };
    let mut longest = 0;
    let patients = rows.patients.keys().copied().map(Participant::Patient);
    for participant in patients.chain(rows.practitioners.keys().copied().map(Participant::Practitioner)) {
        let takes_part = |view: &&ThreadView| {
            view.thread
                .participants
                .iter()
                .any(|p| p.participant == participant)
        };
        let views: Vec<ThreadView> = rows
            .threads
            .values()
            .map(|row| ThreadView {
                thread: row.clone(),
                patient_name: rows.patients.get(&row.patient_id).map(PatientRow::name),
            })
            .collect();
        let mut wanted: Vec<ThreadView> = views.iter().filter(takes_part).cloned().collect();
        wanted.sort_by_key(|view| Reverse(cursor(view)));
        let listed = walk!(|after| open.reads.threads_of(participant, after, PAGE), cursor);
        assert_eq!(listed, wanted);
        longest = longest.max(wanted.len());
    }
    assert!(longest > usize::try_from(PAGE)?, "no list is longer than a page");
    Ok(())
}

pub async fn a_threads_messages_are_in_order(under: RegistryUnderTest) -> Outcome {
    let (open, rows) = Open::filled(under, &usual_history()).await?;
    let mut longest = 0;
    for id in rows.threads.keys().copied() {
        let mut wanted: Vec<_> = rows
            .messages
            .values()
            .filter(|row| row.thread_id == id)
            .cloned()
            .collect();
        wanted.sort_by_key(|row| row.sequence);
        let listed = walk!(|after| open.reads.messages_of(id, after, PAGE), |row| row
            .sequence);
        assert_eq!(listed, wanted);
        longest = longest.max(wanted.len());
    }
    assert!(longest > usize::try_from(PAGE)?, "no list is longer than a page");
    Ok(())
}
