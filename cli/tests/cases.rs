//! Every file in `tests/cmd/` is a session with the command: its arguments, output and exit code.

#[test]
fn cases() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").case("tests/cmd/*.toml");
}
