//! WASI preview 1 for a guest that has nothing.

use fedward_host::{CallError, Limits, NoHostCalls, Strategy};

use crate::guests::{STRATEGIES, answer_and_log, evaluator, guest_call, importing};

/// Every function with its parameters, `i` for 32 bits and `I` for 64, as the specification lists them.
const FUNCTIONS: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("random_get", "ii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;
const INVALID: i32 = 28;
const NOT_SEEKABLE: i32 = 70;

/// The import of `name` as `$name`.
pub(crate) fn import(name: &str) -> String {
    let (_, letters) = FUNCTIONS.iter().find(|(function, _)| *function == name).unwrap();
    let parameters: Vec<&str> = letters.chars().map(|letter| if letter == 'I' { "i64" } else { "i32" }).collect();
    format!(r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {}) (result i32)))"#, parameters.join(" "))
}

/// The 1,000 bytes at address 0 after `body`, and the log.
fn memory(imports: &[&str], fields: &str, body: &str) -> (Vec<u8>, Vec<String>) {
    let imports: String = imports.iter().map(|name| import(name)).collect();
    let body = guest_call(&format!("{body} (call $guest_response (i32.const 0) (i32.const 1000)) (i32.const 1)"));
    let mut host = crate::guests::Recorder::default();
    let mut evaluator = evaluator(&importing(&imports, &format!("{fields} {body}")), Strategy::Fresh, &Limits::default());
    (evaluator.call("validate", b"", &mut host).unwrap().to_vec(), host.logged)
}

/// What a call of `name` with parameters out of `call` returns.
fn returns(name: &str, call: &str) -> i32 {
    let (memory, _) = memory(&[name], "", &format!("(i32.store (i32.const 900) (call ${name} {call}))"));
    i32::from_le_bytes(memory[900..904].try_into().unwrap())
}

fn number(memory: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(memory[at..at + 8].try_into().unwrap())
}

#[test]
fn a_module_may_import_all_of_it() {
    let mut imports: String = FUNCTIONS.iter().map(|(name, _)| import(name)).collect();
    imports += r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))"#;
    let module = importing(&imports, &guest_call("(call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)"));
    for strategy in STRATEGIES {
        assert_eq!(evaluator(&module, strategy, &Limits::default()).call("validate", b"", &mut NoHostCalls).unwrap(), b"");
    }
}

#[test]
fn there_are_no_files() {
    for (name, letters) in
        FUNCTIONS.iter().filter(|(name, _)| name.starts_with("path_") || name.starts_with("sock_") || name.starts_with("fd_"))
    {
        // Descriptor 3 is where a guest looks for its first directory.
        let call = letters.replace('i', "(i32.const 3)").replace('I', "(i64.const 0)");
        assert_eq!(returns(name, &call), BAD_DESCRIPTOR, "{name}");
    }
}

#[test]
fn there_are_no_arguments_and_no_environment() {
    for name in ["args_sizes_get", "environ_sizes_get"] {
        let fill = "(memory.fill (i32.const 0) (i32.const 255) (i32.const 16))";
        let (memory, _) = memory(&[name], "", &format!("{fill} (drop (call ${name} (i32.const 0) (i32.const 8)))"));
        assert_eq!(memory[..16], [0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255], "{name}");
    }
    assert_eq!(returns("args_get", "(i32.const 0) (i32.const 0)"), SUCCESS);
    assert_eq!(returns("environ_get", "(i32.const 0) (i32.const 0)"), SUCCESS);
}

#[test]
fn the_standard_streams_are_devices() {
    for stream in 0..3 {
        let call = format!(
            "(drop (call $fd_fdstat_get (i32.const {stream}) (i32.const 0))) (drop (call $fd_filestat_get (i32.const {stream}) (i32.const 100)))"
        );
        let (memory, _) = memory(&["fd_fdstat_get", "fd_filestat_get"], "", &call);
        assert_eq!((memory[0], memory[116]), (2, 2));
        assert_eq!(returns("fd_seek", &format!("(i32.const {stream}) (i64.const 0) (i32.const 0) (i32.const 0)")), NOT_SEEKABLE);
        assert_eq!(returns("fd_close", &format!("(i32.const {stream})")), SUCCESS);
        assert_eq!(returns("fd_fdstat_set_flags", &format!("(i32.const {stream}) (i32.const 4)")), SUCCESS);
    }
}

#[test]
fn standard_input_is_empty() {
    let body = "(i32.store (i32.const 8) (i32.const 77)) (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))";
    assert_eq!(memory(&["fd_read"], "", body).0[8..12], [0; 4]);
}

#[test]
fn output_goes_to_the_log_by_lines() {
    let text = r#"(data (i32.const 500) "one\ntwo\nthree")"#;
    // Vectors: "one\ntw", "o\nthr" for standard output; then "ee" there, and "one" for standard error.
    let vectors = r#"(data (i32.const 600) "\f4\01\00\00\06\00\00\00" "\fa\01\00\00\05\00\00\00" "\ff\01\00\00\02\00\00\00" "\f4\01\00\00\03\00\00\00")"#;
    let body = "(drop (call $fd_write (i32.const 1) (i32.const 600) (i32.const 2) (i32.const 0)))
        (drop (call $fd_write (i32.const 2) (i32.const 624) (i32.const 1) (i32.const 4)))
        (drop (call $fd_write (i32.const 1) (i32.const 616) (i32.const 1) (i32.const 8)))";
    let (memory, log) = memory(&["fd_write"], &format!("{text} {vectors}"), body);
    assert_eq!(log, ["one\ntwo\n", "three", "one"]);
    assert_eq!(memory[..12], [11, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0], "bytes written");
}

#[test]
fn a_trap_tells_what_was_printed_without_a_line_end() {
    let text = r#"(data (i32.const 500) "why") (data (i32.const 600) "\f4\01\00\00\03\00\00\00")"#;
    let body = "(drop (call $fd_write (i32.const 2) (i32.const 600) (i32.const 1) (i32.const 0))) unreachable";
    let module = importing(&import("fd_write"), &format!("{text} {}", guest_call(body)));
    match answer_and_log(&module, "").0.unwrap_err() {
        CallError::Trap { log, .. } => assert_eq!(log, ["why"]),
        other => panic!("{other}"),
    }
}

#[test]
fn clocks_run() {
    let body = "(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 0)))
        (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 8)))
        (drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 16)))
        (drop (call $clock_res_get (i32.const 0) (i32.const 24)))";
    let (memory, _) = memory(&["clock_time_get", "clock_res_get"], "", body);
    assert!(number(&memory, 0) <= number(&memory, 8));
    let year_2020 = 1_577_836_800_000_000_000;
    assert!(number(&memory, 16) > year_2020);
    assert_eq!(number(&memory, 24), 1);
    assert_eq!(returns("clock_time_get", "(i32.const 2) (i64.const 0) (i32.const 0)"), INVALID);
    assert_eq!(returns("clock_res_get", "(i32.const 9) (i32.const 0)"), INVALID);
}

#[test]
fn random_bytes_are_the_same_in_every_run() {
    let bytes = || memory(&["random_get"], "", "(drop (call $random_get (i32.const 0) (i32.const 21)))").0;
    let first = bytes();
    assert_eq!(first, bytes());
    assert_ne!(first[..8], first[8..16]);
    assert_ne!(first[16..21], [0; 5]);
    assert_eq!(first[21..24], [0; 3], "beyond the end");
    assert_eq!(returns("random_get", "(i32.const 0) (i32.const 0x100001)"), INVALID);
}

/// A subscription's fields that matter: user data, kind, clock or descriptor, time, flags.
fn subscribe(at: u32, data: u64, kind: u8, subject: u32, time: u64, flags: u16) -> String {
    let store = |size: &str, offset: u32, value: u64| format!("({size} (i32.const {}) ({}.const {value}))", at + offset, &size[..3]);
    [
        store("i64.store", 0, data),
        store("i32.store8", 8, kind.into()),
        store("i32.store", 16, subject.into()),
        store("i64.store", 24, time),
        store("i32.store16", 40, flags.into()),
    ]
    .concat()
}

/// The events of a poll of `subscriptions`: user data, error, kind.
fn poll(subscriptions: &[(u64, u8, u32, u64, u16)]) -> Vec<(u64, u16, u8)> {
    let mut body = String::new();
    for (index, (data, kind, subject, time, flags)) in (0_u32..).zip(subscriptions) {
        body += &subscribe(2000 + index * 48, *data, *kind, *subject, *time, *flags);
    }
    let count = subscriptions.len();
    body += &format!("(i32.store (i32.const 900) (call $poll_oneoff (i32.const 2000) (i32.const 0) (i32.const {count}) (i32.const 904)))");
    let (memory, _) = memory(&["poll_oneoff"], "", &body);
    assert_eq!(memory[900..904], [0; 4], "an error");
    let events = u32::from_le_bytes(memory[904..908].try_into().unwrap()) as usize;
    memory.chunks(32).take(events).map(|event| (number(event, 0), u16::from_le_bytes([event[8], event[9]]), event[10])).collect()
}

#[test]
fn a_poll_waits_for_the_first_clock() {
    let (monotonic, hour) = (1, 3_600_000_000_000);
    assert_eq!(poll(&[(7, 0, monotonic, 1_000, 0)]), [(7, 0, 0)]);
    assert_eq!(poll(&[(7, 0, monotonic, hour, 0), (8, 0, monotonic, 1_000_000, 0)]), [(8, 0, 0)]);
    assert_eq!(poll(&[(7, 0, monotonic, 5, 1)]), [(7, 0, 0)], "a time that has passed");
    assert_eq!(poll(&[(7, 0, 0, 5, 1)]), [(7, 0, 0)], "1970");
}

#[test]
fn a_poll_does_not_wait_for_the_standard_streams() {
    let (monotonic, hour) = (1, 3_600_000_000_000);
    assert_eq!(poll(&[(1, 0, monotonic, hour, 0), (2, 1, 0, 0, 0)]), [(2, 0, 1)]);
    assert_eq!(poll(&[(1, 0, monotonic, hour, 0), (2, 2, 1, 0, 0), (3, 2, 2, 0, 0)]), [(2, 0, 2), (3, 0, 2)]);
    assert_eq!(poll(&[(1, 1, 3, 0, 0), (2, 2, 0, 0, 0)]), [(1, 8, 1), (2, 8, 2)], "no such files");
    assert_eq!(poll(&[(1, 0, 9, 0, 0), (2, 77, 0, 0, 0)]), [(1, 28, 0), (2, 28, 77)], "no such clock, no such kind");
}

#[test]
fn a_poll_of_nothing_is_invalid() {
    assert_eq!(returns("poll_oneoff", "(i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)"), INVALID);
}

#[test]
fn there_are_no_signals() {
    assert_eq!(returns("proc_raise", "(i32.const 9)"), 58);
}

#[test]
fn an_exit_is_only_fine_from_a_starter_with_status_0() {
    let exit = |status: u32| format!("(call $exit (i32.const {status}))");
    let import = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
    let respond = "(call $guest_response (i32.const 0) (i32.const 0)) (i32.const 1)";
    let started = |status: u32| {
        let start = format!(r#"(func (export "_start") {})"#, exit(status));
        answer_and_log(&importing(import, &format!("{start} {}", guest_call(respond))), "").0
    };
    assert_eq!(started(0).unwrap(), "");
    assert_eq!(started(3), Err(CallError::Exit { status: 3, log: Vec::new() }));
    let called = |status: u32| answer_and_log(&importing(import, &guest_call(&format!("{} {respond}", exit(status)))), "").0;
    assert_eq!(called(0), Err(CallError::Exit { status: 0, log: Vec::new() }));
    assert_eq!(called(1), Err(CallError::Exit { status: 1, log: Vec::new() }));
}
