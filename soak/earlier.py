"""A store as the first program of each room had it, with the rows of one of today: what every upgrade since then has to deal with."""
import contextlib
import pathlib
import re
import sqlite3

ROOT = pathlib.Path(__file__).resolve().parents[1]


def first_migrations() -> list[tuple[str, str]]:
    """(room, SQL) of the first migration of each room, in the order in which a node makes them."""
    found = {}
    for file in sorted((ROOT / "src" / "state").glob("*/*.cc")):
        for room, sql in re.findall(r'\{"([a-z]+)", 1, R"(?:sql)?\((.*?)\)(?:sql)?"', file.read_text(), re.S):
            found[room] = sql
    order = re.findall(r"(\w+)::Migrations\(\)", (ROOT / "src" / "apps" / "weft" / "migrations.cc").read_text())
    return sorted(found.items(), key=lambda room: order.index(room[0]) if room[0] in order else len(order))


def statements(sql: str):
    for each in re.split(r";[ ]*\n", sql):
        if each.strip() and not each.lstrip().startswith("-- postgres"):
            yield each


def columns(store, of: str, table: str) -> dict[str, bool]:
    """The names, and which need a value."""
    return {row[1]: bool(row[3]) and row[4] is None for row in store.execute(f"PRAGMA {of}.table_info({table})")}


def copy_rows(store, table: str):
    before, today = columns(store, "main", table), columns(store, "today", table)
    gone = {name: "'[]'" for name, needed in before.items() if name not in today and needed}
    values = {name: name for name in before if name in today} | gone
    if today and not table.startswith("search"):  # The index is made anew.
        store.execute(f"INSERT INTO main.{table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM today.{table}")


def make_earlier(data: pathlib.Path):
    """The store of a node that is stopped becomes an earlier one: what later migrations added is gone."""
    today, before = data / "weft.db", data / "earlier.db"
    with contextlib.closing(sqlite3.connect(before)) as store:
        store.execute("CREATE TABLE schema_migrations (module TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (module, number))")
        for room, sql in first_migrations():
            for statement in statements(sql):
                store.execute(statement)
            store.execute("INSERT INTO schema_migrations VALUES (?, 1)", (room,))
        store.commit()
        store.execute("ATTACH ? AS today", (str(today),))
        for (table,) in store.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall():
            if table != "schema_migrations":
                copy_rows(store, table)
        store.execute("INSERT INTO domain_owners (domain, position, owner) SELECT domain, position, principal FROM today.team_members WHERE product = '' AND role = 'owner'")
        store.commit()
    for file in data.glob("weft.db*"):
        file.unlink()
    before.rename(today)
