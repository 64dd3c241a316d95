//! Rules that every policy has.

pub mod wrong_field_type;
