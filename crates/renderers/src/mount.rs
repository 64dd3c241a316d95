/// Where the module finds the folder that it may read. Not at `/`: a path that climbs out of it would then come back in.
///
/// The module has looked for it before its snapshot was made, so that it cannot be anywhere else.
pub const MOUNT: &str = "/@root";
