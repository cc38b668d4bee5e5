//! The binary as a person calls it.

use std::process::{Command, Output};

fn kith(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kith")).args(arguments).env_remove("KITH_CONFIG").output().unwrap()
}

#[test]
fn help_names_every_command_and_setting() {
    let help = String::from_utf8(kith(&["--help"]).stdout).unwrap();
    for command in ["serve", "validate", "load", "audit", "package"] {
        assert!(help.contains(command), "{command} is not in:\n{help}");
    }
    let help = String::from_utf8(kith(&["serve", "--help"]).stdout).unwrap();
    for setting in kith::config::ALL {
        assert!(help.contains(&format!("--{}", setting.flag())), "{} is not in:\n{help}", setting.flag());
        assert!(help.contains(&setting.variable()), "{} is not in:\n{help}", setting.variable());
    }
}

#[test]
fn wrong_settings_end_with_code_2_and_are_all_named() {
    let output = kith(&["serve", "--listen", "nowhere", "--audit-reads", "sometimes"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("listen (from the command line)") && text.contains("audit.reads (from the command line)"),
        "{text}"
    );
}

#[test]
fn open_access_stays_on_the_loopback_interface() {
    let output = kith(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("127.0.0.1"));
}
