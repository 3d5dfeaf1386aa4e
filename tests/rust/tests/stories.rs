//! Every golden story, run against the core. The same files are run from Python.

use seawall_tests::{Vocabulary, read_stories, repository};

/// The names of the story files.
fn files() -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("tests/golden")).expect("tests/golden is there");
    let paths = entries.map(|e| e.expect("an entry").path());
    let stories = paths.filter(|p| p.extension().is_some_and(|e| e == "story"));
    let names = stories.map(|p| p.file_name().expect("a file").to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn every_story_goes_as_told() {
    let vocabulary = Vocabulary::load().expect("the vocabulary is in its form");
    let (mut count, mut failures) = (0, Vec::new());
    for name in files() {
        for story in read_stories(&vocabulary, &name).expect("every line is in a known form") {
            count += 1;
            if let Err(why) = story.run() {
                failures.push(format!("{}\n{why}", story.claim));
            }
        }
    }
    println!("{count} stories");
    assert!(failures.is_empty(), "{} of {count} stories fail:\n{}", failures.len(), failures.join("\n\n"));
    assert!(count >= 60, "only {count} stories were found");
}

#[test]
fn unknown_words_are_errors_with_their_place() {
    let vocabulary = Vocabulary::load().expect("the vocabulary is in its form");
    let error = read_stories(&vocabulary, "errors/unknown_word.txt").expect_err("a line is in no known form");
    assert_eq!(error, "errors/unknown_word.txt:4: no command reads like this: buy alice BTC ten @ 100");
}

#[test]
fn a_story_that_goes_otherwise_says_where() {
    let vocabulary = Vocabulary::load().expect("the vocabulary is in its form");
    let stories = read_stories(&vocabulary, "errors/wrong_event.txt").expect("every line is in a known form");
    let error = stories[0].run().expect_err("the mark is another");
    assert!(error.starts_with("errors/wrong_event.txt:4: index BTC 100"), "{error}");
    assert!(error.contains("told > marked BTC 99") && error.contains("seen > marked BTC 100"), "{error}");
}
