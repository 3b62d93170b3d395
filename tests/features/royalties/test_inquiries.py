"""Questions about a statement, and audits: asked, answered, agreed, in the next statement."""

from datetime import date

import pytest

from marketplace.db.unit_of_work import unit_of_work
from marketplace.kernel.errors import Conflict, Forbidden
from marketplace.royalties import inquiries
from tests.features.royalties.account import Books, row


def test_a_question_disputes_a_statement_and_an_agreed_difference_is_in_the_next(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    net.report(net.statements()[0], row("1000", "10"))
    net.issue()
    designer, buyer = net.world.designer.actor, net.world.buyer.actor
    with unit_of_work(net.web, designer) as session:
        asked = inquiries.ask(session, designer, net.statements()[0].id, "Ten pieces at 100?")
    assert net.statements()[0].state == "disputed"
    with unit_of_work(net.web, buyer) as session:
        inquiries.answer(session, buyer, asked.id, "See the list.")
    with unit_of_work(net.web, buyer) as session, pytest.raises(Forbidden):
        inquiries.claim(session, buyer, asked.id, 100, "mine")
    with unit_of_work(net.web, buyer) as session:
        inquiries.answer(session, buyer, asked.id, "The outlet price.")
    with unit_of_work(net.web, designer) as session:
        inquiries.claim(session, designer, asked.id, 2_500, "The list price was 120.")
    with unit_of_work(net.web, buyer) as session:
        inquiries.refuse(session, buyer, asked.id, "We never sold at it.")
    with unit_of_work(net.web, designer) as session:
        inquiries.claim(session, designer, asked.id, 1_500, "Half of it then.")
    with unit_of_work(net.web, buyer) as session:
        inquiries.agree(session, buyer, asked.id, "Agreed.")
    assert net.statements()[0].state == "payable"
    net.at("2026-07-15")
    net.tick()
    net.report(net.statements()[1], nothing=True)
    net.issue()
    second = net.statements()[1]
    assert [(line.kind, line.royalty) for line in net.lines(second)] == [("audit", 1_500)]
    assert second.amount_due == 1_500


def test_an_audit_is_asked_for_once_a_year_and_one_at_a_time(net: Books) -> None:
    net.at("2026-04-15")
    net.tick()
    net.report(net.statements()[0], row("1000", "10"))
    net.issue()
    net.paid(net.statements()[0])
    designer = net.world.designer.actor
    key = net.statements()[0].id
    with unit_of_work(net.web, designer) as session, pytest.raises(Conflict, match="Ask for an audit"):
        inquiries.ask(session, designer, key, "Why?")
    with unit_of_work(net.web, designer) as session:
        audit = inquiries.ask_for_audit(session, designer, key, "Please show the invoices.")
    assert audit.due_on == date(2026, 5, 15)
    with unit_of_work(net.web, designer) as session, pytest.raises(Conflict, match="asked already"):
        inquiries.ask_for_audit(session, designer, key, "Again.")
    with unit_of_work(net.web, designer) as session:
        inquiries.close(session, designer, audit.id, "Never mind.")
    with unit_of_work(net.web, designer) as session, pytest.raises(Conflict, match="2027-04-15"):
        inquiries.ask_for_audit(session, designer, key, "Again.")
