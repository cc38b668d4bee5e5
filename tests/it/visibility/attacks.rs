//! The attacks of `conformance/security/`: each is played against a server with the data of its file, and must be answered as the
//! file says.

use std::path::Path;

use kith::clock::Clock;
use kith::conformance::{Http, Journey, Request, Response, Section, Transport, play};

use super::world::World;
use crate::support::{TestDatabase, files, over_http};

over_http!(every_attack_is_refused);

/// Sends each step with the token of the client that it names.
struct AsClient<'a> {
    world: &'a World,
    http: Http,
}

impl Transport for AsClient<'_> {
    fn base(&self) -> &str {
        self.http.base()
    }

    fn send(&mut self, request: &Request) -> Result<Response, String> {
        let mut request = request.clone();
        if let Some(serde_json::Value::String(text)) = &mut request.body {
            *text = text.replace("[base]", self.http.base());
        }
        if !request.actor.is_empty() {
            request.headers.push(("Authorization".to_owned(), format!("Bearer {}", self.world.token(&request.actor))));
        }
        self.http.send(&request)
    }
}

fn every_attack_is_refused(database: &TestDatabase) {
    let world = World::new(database);
    let mut transport = AsClient { world: &world, http: Http::new(&world.server.base) };
    let mut failures = Vec::new();
    let (mut cases, mut played) = (0, 0);
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/security"), "toml") {
        let section = Section::parse(&std::fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let setup = Journey {
            journey: section.section.clone(),
            title: section.title.clone(),
            description: String::new(),
            steps: section.setup.clone(),
        };
        failures.extend(play(&setup, &mut transport, "security", &Clock::System).failures());
        for case in section.cases {
            cases += 1;
            let steps = case.steps.len();
            let journey =
                Journey { journey: case.id, title: case.title, description: String::new(), steps: case.steps };
            let report = play(&journey, &mut transport, "security", &Clock::System);
            played += report.steps.len();
            assert!(steps > 0, "{} has no steps", report.journey);
            failures.extend(report.failures());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= 40 && played >= cases, "{cases} attacks in {played} requests");
}
