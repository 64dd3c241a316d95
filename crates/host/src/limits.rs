//! What one evaluation may use: time, memory, output.

use std::time::Duration;

/// The bounds of one evaluation. Every one is always on; [`Limits::default`] suits a policy written for a cluster.
///
/// Reaching a bound ends the call with the [`CallError`](crate::CallError) variant that names it. Bounds on bytes count decoded
/// bytes as the guest hands them over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Wall time of one operation, host calls included. Default 2 s, which is the policy server's own default.
    ///
    /// A guest is ended about a millisecond after its time, with two exceptions: a host call is not interrupted, and neither is an
    /// instruction that fills or copies memory, which takes some 10 ms for 128 MiB and ten times that if no page was used before.
    pub call_time: Duration,
    /// Wall time of instantiation and of the starters `_start` and `wapc_init`. Default 2 s.
    pub init_time: Duration,
    /// Size of the guest's linear memory in bytes, its declared minimum included. Default 128 MiB.
    pub memory_bytes: usize,
    /// Elements of each table. Default 200,000: the largest public policies have some 60,000 functions.
    pub table_elements: usize,
    /// Bytes of a module in the binary format, since compiling takes time and memory in proportion. It holds for all modules of a
    /// [`Host`](crate::Host) and is read from the limits that the host was made with. Default 128 MiB.
    pub module_bytes: usize,
    /// Bytes of native stack that guest code may use. It holds for all modules of a [`Host`](crate::Host) and is read from the
    /// limits that the host was made with. Default 512 KiB; a thread that evaluates needs about 1 MiB more than this.
    pub stack_bytes: usize,
    /// A kept instance whose memory has grown beyond this many bytes is dropped after its call, so that one large object does not
    /// stay paid for. Default 32 MiB.
    pub kept_memory_bytes: usize,
    /// Bytes of one response, and of one error text, of the guest. Default 16 MiB.
    pub response_bytes: usize,
    /// Host calls in one evaluation. Default 10,000.
    pub host_calls: u32,
    /// Bytes of one host call's payload, its three names included. Default 4 MiB.
    pub host_request_bytes: usize,
    /// Bytes of one host call's answer. Default 64 MiB: the guest must fit it in its own memory anyway.
    pub host_response_bytes: usize,
    /// Bytes of log text (`__console_log`, standard output and error) in one evaluation. Default 1 MiB.
    pub log_bytes: usize,
    /// Lines of log text in one evaluation. Default 10,000.
    pub log_lines: u32,
    /// Files and folders that a guest has open at the same time, if it may read any. Default 256.
    pub open_files: usize,
    /// Bytes of one file that a guest opens, and of all that it has open. Default 64 MiB.
    pub file_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1 << 20;
        Self {
            call_time: Duration::from_secs(2),
            init_time: Duration::from_secs(2),
            memory_bytes: 128 * MIB,
            table_elements: 200_000,
            module_bytes: 128 * MIB,
            stack_bytes: MIB / 2,
            kept_memory_bytes: 32 * MIB,
            response_bytes: 16 * MIB,
            host_calls: 10_000,
            host_request_bytes: 4 * MIB,
            host_response_bytes: 64 * MIB,
            log_bytes: MIB,
            log_lines: 10_000,
            open_files: 256,
            file_bytes: 64 * MIB,
        }
    }
}
