//! Settings: one list, three sources, every mistake at once.

use std::collections::HashSet;

use kith::config::{ALL, AuditReads, Flags, RuleLevel, load};

#[test]
fn the_list_is_sound() {
    let mut flags = HashSet::new();
    for setting in ALL {
        assert!(flags.insert(setting.flag()), "{} twice", setting.key);
        assert!(setting.variable().starts_with("KITH_"));
        assert!(!setting.help.is_empty());
    }
    let settings = load(&Flags::of(&[]), |_| None).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.database, "sqlite:kith.db");
    assert_eq!(settings.base(), "http://127.0.0.1:8080/fhir");
    assert_eq!(settings.body_limit, 16 * 1024 * 1024);
}

#[test]
fn all_settings_fit_into_one_file() {
    for setting in ALL {
        let table = format!("{}.", setting.key);
        let inside = ALL.iter().find(|other| other.key.starts_with(&table));
        assert!(inside.is_none(), "{} is a value, so {:?} cannot stand below it", setting.key, inside.map(|s| s.key));
    }
}

#[test]
fn flags_win_over_environment_over_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kith.toml");
    std::fs::write(&file, "listen = \"127.0.0.1:1\"\ndatabase = \"file.db\"\n[audit]\nreads = \"buffered\"\n").unwrap();
    let environment = |name: &str| match name {
        "KITH_CONFIG" => Some(file.display().to_string()),
        "KITH_LISTEN" => Some("127.0.0.1:2".to_owned()),
        "KITH_DATABASE" => Some("environment.db".to_owned()),
        _ => None,
    };
    let settings = load(&Flags::of(&[("listen", "127.0.0.1:3")]), environment).unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.database, "sqlite:environment.db");
    assert_eq!(settings.audit_reads, AuditReads::Buffered);
}

#[test]
fn every_mistake_is_reported_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kith.toml");
    std::fs::write(&file, "lisen = \"127.0.0.1:1\"\n[limits]\nbody = 3\n").unwrap();
    let environment = |name: &str| match name {
        "KITH_CONFIG" => Some(file.display().to_string()),
        "KITH_AUDIT_READS" => Some("sometimes".to_owned()),
        _ => None,
    };
    let mistakes = load(&Flags::of(&[("listen", "nowhere")]), environment).unwrap_err();
    let all = mistakes.join("\n");
    assert_eq!(mistakes.len(), 4, "{all}");
    assert!(all.contains("lisen (from the configuration file) is not a setting"), "{all}");
    assert!(all.contains("limits.body (from the configuration file) must be a whole number from 1024"), "{all}");
    assert!(all.contains("audit.reads (from KITH_AUDIT_READS) must be one of durable, buffered"), "{all}");
    assert!(all.contains("listen (from the command line) must be ADDRESS:PORT"), "{all}");
}

#[test]
fn levels_of_rules_stand_in_a_table_and_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kith.toml");
    let text = "[validation]\nmode = \"report\"\n[validation.rules]\n\"nhs-number-check-digit\" = \"warning\"\ndom-6 = \"off\"\n";
    std::fs::write(&file, text).unwrap();
    let environment = |name: &str| match name {
        "KITH_CONFIG" => Some(file.display().to_string()),
        "KITH_VALIDATION_RULES" => Some("dom-6=information, profile-unknown=error".to_owned()),
        _ => None,
    };
    let settings = load(&Flags::of(&[("validation.rules", "profile-unknown=warning")]), environment).unwrap();
    let found: Vec<_> = settings.validation_rules.iter().map(|(rule, level)| (rule.as_str(), *level)).collect();
    assert_eq!(
        found,
        [
            ("dom-6", RuleLevel::Information),
            ("nhs-number-check-digit", RuleLevel::Warning),
            ("profile-unknown", RuleLevel::Warning),
        ]
    );
    std::fs::write(&file, "[validation.rules]\ndom-6 = \"loud\"\n").unwrap();
    let wrong = load(&Flags::of(&[("validation.rules", "dom-6")]), |name| {
        (name == "KITH_CONFIG").then(|| file.display().to_string())
    });
    let wrong = wrong.unwrap_err().join("\n");
    assert!(wrong.contains("dom-6: must be one of error, warning, information, off"), "{wrong}");
    assert!(wrong.contains("must be pairs such as dom-6=off"), "{wrong}");
}
