//! How much one repository may cost.

/// Bounds on what one run may cost. Going over one is said where it happens, and never passes for a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files, folders and links of one checkout (500,000).
    pub entries: usize,
    /// Folders in one another (64).
    pub folders: usize,
    /// Bytes of one file that is read (32 MiB).
    pub file_bytes: u64,
    /// Parameter sets of one ApplicationSet, and of each generator in it (10,000).
    pub parameter_sets: usize,
    /// Applications of one run (20,000).
    pub applications: usize,
    /// Applications that come from one another (10).
    pub nesting: usize,
    /// Bytes of one text that a template makes (1 MiB).
    pub text_bytes: usize,
    /// Bytes of all texts that the templates of one ApplicationSet make (256 MiB).
    pub set_bytes: usize,
    /// Objects of one Application (100,000).
    pub objects: usize,
    /// Values files of one source (1,000).
    pub value_files: usize,
    /// Links that lead to one another (40).
    pub links: usize,
    /// What one document may cost.
    pub documents: fedward_manifest::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 500_000,
            folders: 64,
            file_bytes: 32 << 20,
            parameter_sets: 10_000,
            applications: 20_000,
            nesting: 10,
            text_bytes: 1 << 20,
            set_bytes: 256 << 20,
            objects: 100_000,
            value_files: 1000,
            links: 40,
            documents: fedward_manifest::Limits::default(),
        }
    }
}
