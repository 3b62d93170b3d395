"""Every page of the site, by who opens it."""

from tests.journeys.stage import Stage
from tests.kit.trade import LINK

#: Addresses that answer with a part of a page, a file, or a redirect.
NOT_PAGES = frozenset(
    {
        "assets.show",  # a row of the design page
        "designs.results",
        "designs.tech_pack_json",
        "designs.tech_pack_pdf",
        "designs.words",
        "invoices.document",
        "invoices.export",
        "addenda.document",
        "licenses.document",
        "manufacturing.copies",  # a part of the order page
        "manufacturing.fetch",
        "negotiations.fetch_file",
        "negotiations.file_row",  # a row of the thread
        "money_desk.file",
        "negotiations.news",
        "orders.tech_pack",
        "payouts.account",
        "production.evidence_row",
        "royalties.document",
        "royalties.evidence",
        "royalties.lines_csv",
        "sales.template_csv",
    }
)
EVERYBODY = ("/home", "/notifications", "/settings", "/settings/mail", "/privacy-requests")


def pages(stage: Stage) -> dict[str, list[str]]:
    """Paths by role; `visitor` is not signed in."""
    i, mailed = stage.ids, stage.mailed
    design, thread = f"/designs/{i['design']}", f"/negotiations/{i['open']}"
    orders = [f"/orders/{i[name]}" for name in ("placed", "quoting", "awarded", "making", "order")]
    licenses = [f"/licenses/{i[name]}" for name in ("to_sign", "to_pay", "license")]
    royalties = ("/royalties", f"/royalties/licenses/{i['license']}", f"/royalties/{i['statement']}")
    done = f"/negotiations/{i['negotiation']}"
    return {
        "visitor": [
            *("/verify", "/verify/7K3M9Q2X8W4V6N1P5R0T"),
            *("/", "/about", "/terms", "/privacy", "/sandbox", "/join", "/sign-in", "/reset", "/nothing-here"),
            *("/join/check-mail?email=iris@example.com", *mailed.values()),
        ],
        "designer": [
            *EVERYBODY,
            *(
                "/designs",
                "/designs/new",
                design,
                f"{design}/edit",
                f"{design}/facts",
                f"{design}/cad-log",
                f"{design}/who-sees",
                f"{design}/rights",
                f"{design}/photos/{i['photo']}",
            ),
            *(f"{design}/words/{i['story']}", f"{design}/words/{i['lookbook']}", f"/designs/{i['draft']}"),
            *("/catalog", f"/catalog/{i['design']}", "/negotiations", "/negotiations?show=unread&q=nothing-like-this"),
            *(thread, f"{thread}/counter", done),
            *(f"/licenses/{i['license']}/amend", f"/licenses/{i['license']}/addenda/{i['addendum']}"),
            *("/licenses", *licenses, "/orders", *orders[3:], f"{orders[3]}/nda"),
            *("/payouts", "/payouts/bank", "/audit"),
            *(f"{thread}/counter?term=fee", f"{thread}/versions/1", f"{thread}/listing"),
            *("/term-sheets", "/term-sheets/new", f"/term-sheets/{i['sheet']}", "/term-sheets/prices", "/deals/usual"),
            *(f"/term-sheets/for/{i['design']}", f"/first-refusals/{i['first_ask']}"),
            *("/materials", "/invoices", f"/invoices/{i['invoice']}", "/invoices/details"),
        ],
        "buyer": [
            *EVERYBODY,
            *(
                "/catalog",
                "/catalog?q=nothing-like-this",
                f"/catalog/{i['design']}",
                f"/negotiations/new?design={i['design']}",
                *("/approvals", "/approvals/limits", "/deals/usual"),
                f"/catalog/{i['design']}/rights",
                *(f"{thread}/rights", f"/first-refusals/{i['first_ask']}"),
                f"/negotiations/{i['declined']}/reopen",
                f"{thread}/away?to={LINK}",
            ),
            *("/negotiations", thread, done, "/licenses", *licenses, f"/orders/new/{i['license']}", "/orders", *orders),
            *(*royalties, f"/royalties/{i['to_report']}", f"/royalties/{i['to_report']}/report"),
            *("/audit", f"/payments/{i['license']}", f"/refunds/{i['refund']}", f"/disputes/{i['dispute']}"),
        ],
        "manufacturer": [
            *EVERYBODY,
            *("/requests", f"/requests/{i['rfq']}", "/workshop", "/orders", *orders[2:], f"{orders[2]}/nda"),
            *(f"{orders[3]}/bench", f"{orders[3]}/ship", "/payouts", "/audit"),
        ],
        "production_manager": [
            *EVERYBODY,
            *("/orders", *orders, f"{orders[0]}/makers", f"/requests/{i['rfq']}", "/audit"),
        ],
        "operator": [
            *EVERYBODY,
            "/desk/vetting",
            f"/desk/vetting/{i['waiting_org']}",
            "/desk/bank-files",
            f"/desk/bank-files/{i['bank_file']}",
            f"/desk/bank-files/answers/{i['bank_answer']}",
            *("/desk/money", f"/desk/money/payments/{i['checkout']}"),
            *(f"/desk/money/refunds/{i['refund']}", f"/desk/money/disputes/{i['dispute']}"),
            "/desk/trace",
            f"/desk/trace/{i['trace']}",
            "/audit",
        ],
    }
