"""Finding messages by their words, on every database."""

from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from signaling.adapters.sql import Database, SqlConversations, SqlLog, SqlSearch
from signaling.adapters.sql import search as finding
from signaling.adapters.sql.grams import place_token, query_tokens, text_tokens
from signaling.adapters.sql.migrate import config
from signaling.adapters.sql.personal import SqlPersonal
from tests.making import APP, group, message

END = 2**53
WORDS = ("brown", "quick")
OTHERS = """
INSERT INTO texts (position, conversation, text, tokens)
SELECT n, 'of others', 'text', array_to_tsvector(ARRAY['x' || n]) FROM generate_series(99, 9999) n
"""


class Library:
    """Texts, said in conversations of one member each."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.conversations = SqlConversations(database)
        self.log, self.search = SqlLog(database), SqlSearch(database)

    async def room(self, *texts: str, user: str = "ann", app: str = APP) -> str:
        name = await group(self.conversations, user, app=app)
        await self.say(name, *texts, user=user, app=app)
        return name

    async def say(self, name: str, *texts: str, user: str = "ann", app: str = APP) -> None:
        for said in texts:
            await self.log.append(message(name, user, text=said, app=app))
        await self.search.index()

    async def find(self, query: str, app: str = APP, user: str = "ann", **more: Any) -> list[str]:
        asked = {"conversation": None, "before": END, "limit": 50, **more}
        found, _ = await self.search.find(app, user, query, **asked)
        return [event.data["body"]["text"] for event in found]


@pytest.fixture
def library(database: Database) -> Library:
    return Library(database)


async def test_words_are_found_in_any_order_and_inside_others(library: Library) -> None:
    await library.room("the quick brown fox", "quick and green", "a BROWNISH, quicker one")
    assert await library.find("brown quick") == ["a BROWNISH, quicker one", "the quick brown fox"]
    assert await library.find("quick brown fox") == ["the quick brown fox"]
    assert await library.find("fox purple") == []
    assert await library.find("rown uick ox") == ["the quick brown fox"]


async def test_chinese_is_found_from_one_character_on(library: Library) -> None:
    said = ["今天晚上一起吃饭吗", "明天再说", "天", "ＦＵＬＬ width 😀"]
    await library.room(*said)
    assert await library.find("天") == ["天", "明天再说", "今天晚上一起吃饭吗"]
    assert await library.find("明天") == ["明天再说"]
    assert await library.find("吃饭 今天") == ["今天晚上一起吃饭吗"]
    assert await library.find("饭今天") == []
    assert await library.find("full 😀") == ["ＦＵＬＬ width 😀"]


async def test_one_or_two_letters_are_found_too(library: Library) -> None:
    await library.room("go on", "gone", "stay")
    assert await library.find("on go") == ["gone", "go on"]
    assert await library.find("go one") == ["gone"]
    assert await library.find("%_") == []


async def test_a_look_at_each_text_ends_and_says_where(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "SCAN", 3)
    await library.room("ok", "a", "b", "c", "ok", "d")
    found, before = await library.search.find(APP, "ann", "ok", None, END, 5)
    assert len(found) == 1
    assert before is not None
    found, before = await library.search.find(APP, "ann", "ok", None, before, 5)
    assert len(found) == 1
    assert before is None or await library.search.find(APP, "ann", "ok", None, before, 5) == (
        [],
        None,
    )


async def test_a_page_looks_no_further_for_short_words_beside_others(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "SCAN", 3)
    await library.room("quick ok", *(f"quick {number}" for number in range(3)), "slow", "slower")
    found, before = await library.search.find(APP, "ann", "ok quick", None, END, 5)
    assert found == []
    assert before is not None
    found, before = await library.search.find(APP, "ann", "ok quick", None, before, 5)
    assert [event.data["body"]["text"] for event in found] == ["quick ok"]
    assert before is None
    found, before = await library.search.find(APP, "ann", "quick", None, END, 5)
    assert (len(found), before) == (4, None), "the index tells these"


async def test_who_is_in_many_conversations_looks_at_so_many_of_the_app_s(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PLACES_MAX", 1)
    monkeypatch.setattr(finding, "SCAN", 3)
    for _ in range(2):
        await library.room("quick ann")
    await library.room(*("quick eve" for _ in range(4)), user="eve")
    found: list[str] = []
    before: int | None = END
    pages = 0
    while before is not None:
        events, before = await library.search.find(APP, "ann", "quick", None, before, 5)
        found += [event.data["body"]["text"] for event in events]
        pages += 1
    assert (found, pages) == (["quick ann", "quick ann"], 3)


async def test_nobody_finds_what_is_not_theirs(library: Library) -> None:
    mine = await library.room("quick brown fox")
    await library.room("quick brown dog", user="eve")
    await library.room("quick brown cat", app="other")
    assert await library.find("brown quick") == ["quick brown fox"]
    assert await library.find("quick", conversation=mine) == ["quick brown fox"]
    assert await library.find("quick", user="nobody") == []
    assert await library.find("quick", app="other") == ["quick brown cat"]


async def test_who_is_in_many_conversations_finds_all(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PLACES_MAX", 2)
    for number in range(4):
        await library.room(f"quick {number}")
    await library.room("quick eve", user="eve")
    assert await library.find("quick") == ["quick 3", "quick 2", "quick 1", "quick 0"]
    assert await library.find("3") == ["quick 3"]


async def test_what_is_taken_back_is_not_in_the_index(library: Library) -> None:
    await library.room("quick brown fox")
    personal = SqlPersonal(library.database)
    await library.log.append(message(await library.room("x"), "ann", "m2", text="lazy dog"))
    await library.search.index()
    await personal.blank(APP, "ann", "", 9, now=7)
    assert await library.find("lazy") == []
    assert await library.find("quick") == ["quick brown fox"]


def test_an_app_s_tokens_are_its_own() -> None:
    """So that a query reads no entry of the index that another app's texts are under."""
    said = "quick brown 狐狸"
    mine, other = (set(text_tokens(app, "c", said)) for app in ("mine", "other"))
    assert not mine & other
    assert set(query_tokens("mine", ["brown", "狐狸", "狐", "quick"])) <= mine
    assert place_token("mine", "c") in mine


async def test_a_query_goes_from_the_index_to_the_texts(library: Library) -> None:
    name = await library.room("quick brown fox")

    def plan(connection: Connection) -> str:
        wanted = finding.Wanted(APP, "ann", "brown quick", None, END)
        near, bound = finding._near(connection, wanted, list(WORDS), [name])
        statement = finding._statement(connection, near, "events.data", len(WORDS))
        values = {**bound, "word0": "brown", "word1": "quick", "floor": 0, "limit": 9}
        values |= {"app": APP, "user": "ann"}
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:  # a table of one row would be read as a whole
            connection.exec_driver_sql(OTHERS)
            connection.exec_driver_sql("ANALYZE texts")
        explained = text(f"EXPLAIN {'QUERY PLAN' if sqlite else ''} {statement.text}")
        return "\n".join(str(row[-1]) for row in connection.execute(explained, values))

    lines = (await library.database.write(plan)).splitlines()
    if library.database.dialect == "postgresql":
        assert not any("Seq Scan on texts" in line for line in lines), lines
        assert any("ix_texts_" in line for line in lines), lines
        return
    assert lines[0].startswith("SCAN texts_fts VIRTUAL TABLE INDEX")
    assert all(line.startswith("SEARCH") for line in lines[1:]), lines


async def test_an_old_index_is_built_anew(library: Library) -> None:
    name = await library.room("The QUICK brown fox", "明天再说")

    def back_and_forth(connection: Connection) -> None:
        command.downgrade(config(connection), "0074")
        old = text("UPDATE texts SET text = 'The QUICK brown fox' WHERE text LIKE '%quick%'")
        connection.execute(old)
        command.upgrade(config(connection), "head")

    await library.database.write(back_and_forth)
    assert await library.find("brown quick") == ["The QUICK brown fox"]
    assert await library.find("明天") == ["明天再说"]
    await library.say(name, "quick again")
    assert await library.find("quick") == ["quick again", "The QUICK brown fox"]
