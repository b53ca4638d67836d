//! From what was observed to the most likely cause and the next thing to do. One file per step that can fail in many ways;
//! `docs/doctor.md` lists the codes.

pub(super) mod api;
pub(super) mod identity;
pub(super) mod obstacle;
pub(super) mod refusal;
pub(super) mod variable;
