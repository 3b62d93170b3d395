"""Rules of asking the holder of a first refusal."""

from datetime import timedelta

from marketplace.kernel.states import Machine, step

#: How long the holder has to answer.
ANSWER_WITHIN = timedelta(days=14)
#: Terms that belong to the other offer, or could tell whose it is; the holder is not shown them.
NOT_TOLD = ("valid_until", "brief", "customization", "credit")

#: Silence is written down and frees nothing: the holder's license stands, and a late answer counts.
FIRST_ASK = Machine(
    "first_ask",
    "open",
    [
        *(step(state, "take_up", "buyer", "taken_up") for state in ("open", "silent")),
        *(step(state, "let_go", "buyer", "let_go") for state in ("open", "silent")),
        *(step(state, "withdraw", "designer", "withdrawn") for state in ("open", "silent")),
        step("open", "fall_silent", "system", "silent"),
        # The offer it is about left the table, or the right is over: there is nothing to answer any more. Neither is
        # there when the termination that was to follow was closed unsigned meanwhile.
        *(step(state, "lapse", "system", "withdrawn") for state in ("open", "silent", "let_go")),
        # The termination was taken back, declined or not signed in time: the right stands, and so does the question.
        step("let_go", "reopen", "system", "open"),
    ],
)
