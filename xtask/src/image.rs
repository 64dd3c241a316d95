//! `cargo xtask image`: the program with all that it links, and the image of it, tried.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::process::{output, root, shown, succeed};
use crate::shipped;

/// What builds images, the first that is there.
const BUILDERS: [&str; 3] = ["podman", "buildah", "docker"];
const TAG: &str = "localhost/fedward:dev";
/// Whom the image runs as.
const USER: &str = "65532:65532";
/// What it has to be right about: a folder that passes, and one that does not.
const CASES: [(&str, i32); 2] = [("fixtures/scenarios/eks-irsa/secure", 0), ("fixtures/scenarios/eks-irsa/as-published", 1)];

/// Builds both. Without a builder that is an error if it is `required`, and said otherwise.
pub(crate) fn run(required: bool) -> Result<()> {
    let found = BUILDERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    let Some(builder) = found else {
        let why = format!("nothing here builds images (one of {}: `apt-get install buildah`)", BUILDERS.join(", "));
        if required {
            bail!(why);
        }
        eprintln!("no image: {why}");
        return Ok(());
    };
    let program = program()?;
    let tree = tree(&program)?;
    build(builder, &tree)?;
    let user = match builder {
        "buildah" => output(Command::new(builder).args(["inspect", "--type", "image", "--format", "{{.OCIv1.Config.User}}", TAG]))?,
        _ => output(Command::new(builder).args(["image", "inspect", "--format", "{{.Config.User}}", TAG]))?,
    };
    ensure!(user.trim() == USER, "the image runs as `{}`, not as {USER}", user.trim());
    try_out(builder)?;
    eprintln!("{TAG} is built and works; the program alone is {}", program.display());
    Ok(())
}

/// Links the program statically.
fn program() -> Result<PathBuf> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    // Without rustup the target is there, or cargo says that it is missing.
    if Command::new("rustup").arg("--version").output().is_ok() {
        succeed(Command::new("rustup").current_dir(root()).args(["target", "add", &target]))?;
    }
    let built =
        shipped::build(Some(&target), shipped::PROGRAM).context("a C compiler for musl is needed (`apt-get install musl-tools`)")?;
    let program = built.join("fedward");
    let headers = output(Command::new("readelf").args(["--program-headers", "--wide"]).arg(&program))?;
    ensure!(!headers.contains("INTERP"), "`{}` needs a dynamic linker, and the image has none", program.display());
    Ok(program)
}

/// What the Containerfile's own build leaves in `/out`.
fn tree(program: &Path) -> Result<PathBuf> {
    let tree = root().join("target/image");
    if tree.exists() {
        fs::remove_dir_all(&tree)?;
    }
    let place = |from: &Path, to: &str, mode: u32| -> Result<()> {
        let path = tree.join("out").join(to);
        fs::create_dir_all(path.parent().context("a file in a folder")?)?;
        fs::copy(from, &path).with_context(|| format!("cannot copy `{}`", from.display()))?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(mode))?)
    };
    place(program, "usr/local/bin/fedward", 0o755)?;
    place(&root().join("deploy/ci/fedward.yaml"), "etc/fedward/fedward.yaml", 0o644)?;
    fs::create_dir_all(tree.join("out/tmp"))?;
    fs::set_permissions(tree.join("out/tmp"), fs::Permissions::from_mode(0o1777))?;
    Ok(tree)
}

/// The last stage of the Containerfile, on what is built already instead of on the stage that builds it.
fn build(builder: &str, tree: &Path) -> Result<()> {
    let mut command = Command::new(builder);
    command.current_dir(root()).arg("build");
    if builder == "buildah" {
        command.args(["--isolation", "chroot"]);
    }
    let context = format!("build={}", tree.display());
    command.args(["--build-context", &context, "--file", "Containerfile", "--tag", TAG, "."]);
    succeed(&mut command)
}

/// Runs the image: its version, with renderers, and files with and without findings.
fn try_out(builder: &str) -> Result<()> {
    // This one runs containers only that were made before.
    let is_buildah = builder == "buildah";
    let name = if is_buildah { output(Command::new(builder).args(["from", TAG]))?.trim().to_owned() } else { TAG.to_owned() };
    let fixtures = format!("{}:/work/fixtures:ro", root().join("fixtures").display());
    let command = |args: &[&str]| {
        let mut command = Command::new(builder);
        if is_buildah {
            command.args(["run", "--isolation", "chroot", "--volume", &fixtures, &name, "--", "/usr/local/bin/fedward"]);
        } else {
            command.args(["run", "--rm", "--network", "none", "--read-only", "--volume", &fixtures, &name]);
        }
        command.args(args);
        command
    };
    let tried = || {
        let version = output(&mut command(&["--version"]))?;
        ensure!(version.contains("renderer helm"), "the image has no renderers: {version}");
        for (file, code) in CASES {
            let mut command = command(&["check", file]);
            let got = command.output().with_context(|| format!("cannot run `{}`", shown(&command)))?;
            let (out, said) = (String::from_utf8_lossy(&got.stdout), String::from_utf8_lossy(&got.stderr));
            ensure!(got.status.code() == Some(code), "`{file}` in the image: {} instead of {code}\n{out}{said}", got.status);
        }
        Ok(())
    };
    let result = tried();
    if is_buildah {
        let removed = output(Command::new(builder).args(["rm", &name]));
        return result.and(removed.map(|_| ()));
    }
    result
}
