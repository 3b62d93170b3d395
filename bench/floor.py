"""The floor: the same pages as bare as Flask, psycopg and Jinja can give them, on the same data.

No sign-in, policy, languages, CSRF, row security, headers or ORM; one plain statement a list, f-string money.
"""

import os
import threading
from functools import cache
from typing import Any

import psycopg
from flask import Flask
from jinja2 import Template
from psycopg.rows import dict_row

app = Flask("floor")
_local = threading.local()

_CARDS = """
select d.id, d.title, d.category, d.list_price_amount, d.cover ->> 'key' as key, o.name as studio, f.value as weight
from designs d join organizations o on o.id = d.org_id
left join facts f on f.design_id = d.id and f.name = 'weight_18k_yellow'
where d.state = 'listed' {where} order by {order} limit 24
"""
#: The choices beside the grid, in their plainest form.
_COUNTS = """
select category, count(*) as n from (select category from designs d where d.state = 'listed' {where} limit 1000) hits
group by category order by 2 desc
"""
_PAGE = """<!doctype html><title>{{ title }}</title><main>
<ul>{% for c in counts %}<li>{{ c.category }} ({{ c.n }})</li>{% endfor %}</ul>
{% for d in cards %}<article><a href="/design/{{ d.id }}"><img src="/{{ d.key or 'none.svg' }}" alt=""></a>
<h2>{{ d.title }}</h2><p>{{ d.studio }}</p><p>{{ d.category }}{% if d.weight %} · {{ d.weight }} g{% endif %}</p>
<p>{{ "%.2f"|format(d.list_price_amount / 100) }} USD</p></article>{% endfor %}</main>"""
_DESIGN = """<!doctype html><title>{{ d.title }}</title><main><h1>{{ d.title }}</h1><p>{{ d.studio }}</p>
<p>{{ d.description }}</p><p>{{ "%.2f"|format(d.list_price_amount / 100) }} USD</p>
<dl>{% for f in facts %}<dt>{{ f.name }}</dt><dd>{{ f.value }} {{ f.unit }}</dd>{% endfor %}</dl></main>"""
_THREAD = """<!doctype html><title>{{ n.title }}</title><main><h1>{{ n.title }}</h1><p>{{ n.state }}</p>
<dl>{% for name, value in n.terms.items() %}<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
{% for m in messages %}<article><b>{{ m.name }}</b> <time>{{ m.created_at }}</time><p>{{ m.text }}</p></article>
{% endfor %}</main>"""
_LANDING = """<!doctype html><title>Floor</title><main><h1>Jewelry, licensed and made</h1>
{% for n in range(12) %}<section><h2>Part {{ n }}</h2><p>Words about part {{ n }} of the page.</p></section>{% endfor %}
</main>"""


@cache
def _template(source: str) -> Template:
    return app.jinja_env.from_string(source)


def _rows(query: str, **values: Any) -> list[dict[str, Any]]:
    connection = getattr(_local, "connection", None)
    if connection is None:
        url = os.environ["DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
        connection = _local.connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)
    found: list[dict[str, Any]] = connection.execute(query, values).fetchall()
    return found


def _grid(where: str = "", order: str = "d.listed_at desc, d.id desc", **values: Any) -> str:
    cards = _rows(_CARDS.format(where=where, order=order), **values)
    return _template(_PAGE).render(title="Catalog", cards=cards, counts=_rows(_COUNTS.format(where=where), **values))


@app.get("/healthz")
def healthz() -> str:
    """Alive."""
    return "ok"


@app.get("/")
def landing() -> str:
    """Words only."""
    return _template(_LANDING).render()


@app.get("/catalog")
def catalog() -> str:
    """The newest 24."""
    return _grid()


@app.get("/filtered")
def filtered() -> str:
    """One category and one metal, by price."""
    where = " and d.category = 'ring' and d.metadata @> '{\"metals\": [\"gold\"]}'"
    return _grid(where, "d.list_price_amount, d.id")


@app.get("/search/<words>")
def search(words: str) -> str:
    """Two words."""
    where = " and to_tsvector('simple', d.search) @@ to_tsquery('simple', %(words)s)"
    return _grid(where, words=" & ".join(words.split()))


@app.get("/design/<design_id>")
def design(design_id: str) -> str:
    """One piece."""
    query = "select d.*, o.name as studio from designs d join organizations o on o.id = d.org_id where d.id = %(id)s"
    facts = _rows("select name, value, unit from facts where design_id = %(id)s order by name", id=design_id)
    return _template(_DESIGN).render(d=_rows(query, id=design_id)[0], facts=facts)


@app.get("/thread/<thread_id>")
def thread(thread_id: str) -> str:
    """One thread with the newest terms and its messages."""
    query = """
        select n.state, n.snapshot ->> 'title' as title, o.terms from negotiations n
        join offers o on o.negotiation_id = n.id and o.version = n.current_version where n.id = %(id)s"""
    messages = """
        select m.text, m.created_at, u.name from messages m join users u on u.id = m.user_id
        where m.negotiation_id = %(id)s order by m.created_at, m.id limit 50"""
    found = _rows(query, id=thread_id)[0]
    return _template(_THREAD).render(n=found, messages=_rows(messages, id=thread_id))
