//! The repository keeps its own rules: plain characters, short files, division in one place, imports downwards,
//! and a page that names every code.

use seawall_core::Reject;
use seawall_tests::repository;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 900;

/// Every file below a folder of the repository whose name ends so, by path; builds and caches are left out.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![repository().join(folder)]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|e| e.expect("an entry").path()) {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() && name != "target" && !name.starts_with(['.', '_']) {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn page(name: &str) -> String {
    text(&repository().join("docs").join(name))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}

/// Source without comments and without what stands in quotes; line numbers stay.
fn code_of(source: &str) -> String {
    let mut code = String::new();
    let mut rest = source;
    let quoted = |rest: &str| {
        let end = rest[1..].char_indices().scan(false, |escaped, (i, c)| {
            let ends = c == '"' && !*escaped;
            *escaped = c == '\\' && !*escaped;
            Some((ends, i))
        });
        let end = end.into_iter().find(|(ends, _)| *ends);
        end.map_or(rest.len(), |(_, i)| i + 2)
    };
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if c == '"' {
            quoted(rest)
        } else if ["'\"'", "'\\''", "'/'"].iter().any(|literal| rest.starts_with(literal)) {
            rest[1..].find('\'').map_or(rest.len(), |i| i + 2)
        } else {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().filter(|&c| c == '\n'));
        rest = &rest[skipped..];
    }
    code
}

#[test]
fn comments_and_strings_are_not_code() {
    let source = "a / b // c / d\n\"e / \\\" f\" + '/' - g";
    assert_eq!(code_of(source), "a / b \n +  - g");
}

#[test]
fn rust_sources_are_plain_ascii() {
    for path in [files("rust", ".rs"), files("tests/rust", ".rs"), files("benches", ".rs")].concat() {
        for (i, line) in text(&path).lines().enumerate() {
            assert!(line.is_ascii(), "{}:{}: {line}", shown(&path), i + 1);
        }
    }
}

#[test]
fn files_are_short_enough_to_read() {
    let python = [files("python", ".py"), files("python", ".pyi"), files("tests/python", ".py")].concat();
    let rust = [files("rust", ".rs"), files("tests/rust", ".rs"), files("benches", ".rs")].concat();
    assert!(!python.is_empty() && !rust.is_empty());
    let long: Vec<String> = [python, rust]
        .concat()
        .iter()
        .map(|path| (text(path).lines().count(), shown(path)))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "above {LINES_MAX} lines: {long:?}");
}

#[test]
fn only_units_and_config_divide() {
    let mut found = Vec::new();
    for path in files("rust/core/src", ".rs") {
        let inside = path.strip_prefix(repository().join("rust/core/src")).expect("it was found there");
        if inside.starts_with("units") || inside.starts_with("config") || inside.ends_with("tests.rs") {
            continue;
        }
        // Unit tests stand at the end of a file and may reckon as they like.
        let code = code_of(&text(&path));
        let code = code.split("#[cfg(test)]").next().unwrap_or_default();
        for (i, line) in code.lines().enumerate() {
            if line.contains('/') || line.contains("div_euclid") || line.contains("checked_div") {
                found.push(format!("{}:{}: {}", shown(&path), i + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "division outside units and config:\n{}", found.join("\n"));
}

/// The modules of the core in the order of docs/design.md.
fn floor_plan() -> Vec<String> {
    let design = page("design.md");
    let plan = design.split("```").find(|block| block.contains("->")).expect("the list of files").to_owned();
    let core = plan.split("then ").next().unwrap_or_default();
    let words = core.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

#[test]
fn modules_import_only_from_those_before_them() {
    let plan = floor_plan();
    let place: BTreeMap<&str, usize> = plan.iter().map(String::as_str).zip(0..).collect();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in files("rust/core/src", ".rs") {
        let inside = path.strip_prefix(repository().join("rust/core/src")).expect("it was found there");
        let first = inside.components().next().expect("a name").as_os_str().to_str().expect("a plain name");
        let module = first.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let here = *place.get(module).unwrap_or_else(|| panic!("docs/design.md does not list {module}"));
        seen.insert(module.to_owned());
        let code = code_of(&text(&path));
        // Unit tests may use what stands above.
        let code = if inside.ends_with("tests.rs") {
            ""
        } else {
            code.split("#[cfg(test)]").next().unwrap_or_default()
        };
        for used in code.split("crate::").skip(1) {
            let used =
                used.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            match place.get(used) {
                Some(there) if *there < here || used == module => {}
                _ => wrong.push(format!("{} uses {used}", shown(&path))),
            }
        }
    }
    assert!(wrong.is_empty(), "against the order of docs/design.md:\n{}", wrong.join("\n"));
    let listed: BTreeSet<String> = plan.into_iter().collect();
    assert_eq!(listed, seen, "docs/design.md lists the files that there are");
}

#[test]
fn the_modules_of_the_crate_stand_in_the_order_of_the_page() {
    let lib = text(&repository().join("rust/core/src/lib.rs"));
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|rest| rest.trim_end_matches(';'))
        .collect();
    let plan = floor_plan();
    // Modules between two arrows, which the page puts in braces, may stand in any order.
    let design = page("design.md");
    for pair in declared.windows(2) {
        let at = |name: &str| plan.iter().position(|p| p == name).expect("listed");
        let together = design.split('{').skip(1).filter_map(|g| g.split('}').next());
        let together = together.into_iter().any(|group| {
            let group: Vec<&str> = group.split(", ").collect();
            pair.iter().all(|name| group.contains(name))
        });
        assert!(together || at(pair[0]) < at(pair[1]), "{} is declared before {}", pair[0], pair[1]);
    }
}

#[test]
fn every_file_of_tests_is_in_the_program() {
    let program = text(&repository().join("tests/rust/tests/main.rs"));
    let files = files("tests/rust/tests", ".rs");
    let names = files.iter().filter_map(|path| path.file_stem()?.to_str()).filter(|name| *name != "main");
    let missing: Vec<&str> = names.filter(|name| !program.contains(&format!("\nmod {name};"))).collect();
    assert!(missing.is_empty(), "tests/rust/tests/main.rs has no line for {missing:?}: they would not run");
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let manifests =
        [files("rust", "Cargo.toml"), files("tests/rust", "Cargo.toml"), files("benches", "Cargo.toml")];
    for path in manifests.concat() {
        let manifest = text(&path);
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} lacks [lints] workspace", shown(&path));
    }
}

#[test]
fn the_page_names_every_reject_code() {
    let page = page("mechanics.md").replace('\n', " ");
    for code in Reject::ALL {
        let told = format!("{} {code:?}", code.code());
        assert!(page.contains(&told), "docs/mechanics.md lacks {told}");
    }
}

/// `MARGIN_CALL_CLEARED` as `MarginCallCleared`.
fn camel(name: &str) -> String {
    let words = name.split('_').filter(|w| !w.is_empty());
    words.map(|w| w[..1].to_owned() + &w[1..].to_lowercase()).collect()
}

#[test]
fn the_page_names_every_command_and_event() {
    let page = page("mechanics.md");
    let protocol = text(&repository().join("rust/core/src/protocol.rs"));
    let mut count = 0;
    for module in ["command", "event"] {
        let (_, rest) = protocol.split_once(&format!("pub mod {module} {{")).expect("the module is there");
        let body = rest.split("\n}").next().unwrap_or_default();
        for line in body.lines().filter_map(|l| l.trim().strip_prefix("pub const ")) {
            let Some((name, number)) = line.split_once(": u16 = ") else { continue };
            let row = format!("| {} | {} |", number.trim_end_matches(';'), camel(name));
            assert!(page.contains(&row), "docs/mechanics.md lacks the row {row}");
            count += 1;
        }
    }
    assert!(count > 45, "only {count} kinds were found");
}

#[test]
fn the_stories_know_every_reject_code() {
    let vocabulary = seawall_tests::golden("vocabulary.json").expect("it is there");
    for code in Reject::ALL {
        let told = format!("\"{code:?}\": {}", code.code());
        assert!(vocabulary.contains(&told), "tests/golden/vocabulary.json lacks {told}");
    }
}
