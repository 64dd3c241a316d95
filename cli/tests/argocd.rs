//! Sessions with the command on Argo CD repositories. Without renderers in the build there is nothing to run.

#[test]
fn cases() {
    assert!(fedward_render::available() || std::env::var_os("CI").is_none(), "this build has no renderers");
    if fedward_render::available() {
        trycmd::TestCases::new().case("tests/argocd/*.trycmd");
    }
}
