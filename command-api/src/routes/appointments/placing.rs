//! How is it read with whom, where and when a visit is to be?

use praxis_calendar::interval::Interval;
use praxis_domain::appointment::placement::Placement;
use praxis_http_kit::fault::FaultCode;
use praxis_http_kit::fields::{Fields, values};

const NOT_AFTER_START: FaultCode = FaultCode::new("not-after-start", "must be after the start");

/// Reads `practitioner_id`, `location_id`, `room_id`, `starts` and `ends`.
pub fn placement(fields: &mut Fields<'_>) -> Option<Placement> {
    let practitioner_id = fields.required("practitioner_id", values::id);
    let location_id = fields.required("location_id", values::id);
    let room_id = fields.optional("room_id", values::id);
    let starts = fields.required("starts", values::instant);
    let ends = fields.required("ends", values::instant);
    let time = starts
        .zip(ends)
        .map(|(starts, ends)| Interval::try_new(starts, ends));
    if let Some(Err(_)) = time {
        fields.fault("ends", NOT_AFTER_START);
    }
    Some(Placement {
        practitioner_id: practitioner_id?,
        location_id: location_id?,
        room_id,
        time: time?.ok()?,
    })
}
