"""`database_url` is an empty database on each engine in turn."""

from sqlalchemy import create_engine, inspect, make_url, text


def test_a_test_that_asks_for_a_database_finds_it_empty_and_may_write(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        connection.execute(text("create table seats (n integer)"))
        connection.execute(text("insert into seats values (1)"))
        assert connection.scalar(text("select count(*) from seats")) == 1
    engine.dispose()


def test_a_database_url_says_which_engine_it_is(database_url: str, fresh_sqlite: str) -> None:
    engine = make_url(database_url).get_backend_name()
    assert (engine == "sqlite") == (database_url == fresh_sqlite)
    assert engine in {"sqlite", "postgresql"}
