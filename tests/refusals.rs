//! What the program `score` says to texts and settings that cannot be: the option that was typed, and what would do.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use aznas::spaces::SpaceName;

/// The built example. `cargo test` builds the examples; `cargo test --test` does not.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let examples = own.parent().unwrap().parent().unwrap().join("examples");
    let program = examples.join(format!("score{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "first run `cargo build --examples`");
    program
}

/// What the program says as it refuses a text of a space.
fn refusal(space: SpaceName, text: &str, options: &[&str]) -> String {
    let mut command = Command::new(program());
    command.args(["--space", space.name()]).args(options).arg(text);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{} {options:?}: {message}", space.name());
    assert!(output.stdout.is_empty());
    message
}

#[test]
fn settings_are_refused_by_the_name_of_their_option() {
    for &space in SpaceName::ALL {
        let text = space.policy().form;
        let mut cases = vec![("--classes", "0"), ("--classes", "1048577"), ("--batch", "0")];
        if space.policy().has_target {
            cases.extend([("--target-resolution", "0"), ("--target-resolution", "65537")]);
        }
        for (option, value) in cases {
            let message = refusal(space, text, &[option, value]);
            assert!(message.contains(option) && message.contains("must be"), "{message}");
        }
    }
}

#[test]
fn resolutions_are_refused_with_the_multiple() {
    for (space, side, multiple) in
        [(SpaceName::Nb201, "30", 4), (SpaceName::Mbv2, "101", 4), (SpaceName::Autoformer, "100", 16)]
    {
        let message = refusal(space, space.policy().form, &["--resolution", side]);
        assert!(message.contains(&format!("--resolution: must be a multiple of {multiple}")), "{message}");
    }
    let initial = "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperResIDWE6K3(32,48,2,32,1)\
        SuperResIDWE6K3(48,96,2,48,1)SuperResIDWE6K3(96,128,2,96,1)SuperConvK1BNRELU(128,2048,1,1)";
    let message = refusal(SpaceName::Mbv2, initial, &["--resolution", "100"]);
    assert!(message.contains("--resolution: must be a multiple of 32"), "{message}");
    for target in ["100", "8", "225"] {
        let text = SpaceName::Autoformer.policy().form;
        let message = refusal(SpaceName::Autoformer, text, &["--target-resolution", target]);
        assert!(message.contains("--target-resolution: must be a multiple of 16"), "{message}");
    }
}

#[test]
fn texts_are_refused_with_what_they_look_like() {
    for &own in SpaceName::ALL {
        for &space in SpaceName::ALL.iter().filter(|&&space| space != own) {
            let message = refusal(space, own.policy().form, &[]);
            for part in ["column ", space.policy().form, &format!("this one looks like a text of {}", own.name())] {
                assert!(message.contains(part), "{message}");
            }
        }
    }
}
