"""Every golden story, run against the venue and against the oracle. The same files are run from Rust."""

from collections.abc import Callable
from pathlib import Path

import pytest

from story import GOLDEN, Config, CoreStory, OracleStory, Story, StoryError, StoryVenue, read_stories, run

FILES = sorted(GOLDEN.glob("*.story"))
STORIES = [
    pytest.param(path, i, id=f"{path.stem}: {story.claim}")
    for path in FILES
    for i, story in enumerate(read_stories(path))
]


def story_of(path: Path, number: int) -> Story:
    return read_stories(path)[number]


@pytest.mark.parametrize("venue", [CoreStory, OracleStory])
@pytest.mark.parametrize(("path", "number"), STORIES)
def test_a_story_goes_as_told(path: Path, number: int, venue: Callable[[Config], StoryVenue]) -> None:
    story = story_of(path, number)
    run(story, venue(story.scope.config))


def test_there_are_stories() -> None:
    assert len(STORIES) >= 125


def test_an_unknown_word_is_an_error_with_its_place() -> None:
    with pytest.raises(StoryError, match=r"^unknown_word\.txt:4: no command reads like this: buy alice BTC ten @ 100$"):
        read_stories(GOLDEN / "errors" / "unknown_word.txt")


def test_a_story_that_goes_otherwise_says_where() -> None:
    (story,) = read_stories(GOLDEN / "errors" / "wrong_event.txt")
    with pytest.raises(StoryError, match=r"(?s)^wrong_event\.txt:4: index BTC 100.*told > .*99.*seen > .*100"):
        run(story, OracleStory(story.scope.config))
