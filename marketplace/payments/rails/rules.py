"""States of bank files and of the shares in them, and the limits of the rail."""

from datetime import timedelta

from marketplace.kernel.states import Machine, step

#: A file. `made`: to be taken to the bank; `taken`: downloaded, once; `closed`: the bank answered for every share.
FILE = Machine(
    "bank_file",
    "making",
    [
        step("making", "make", "system", "made"),
        step("making", "cancel", {"operator", "system"}, "canceled"),
        step("made", "take", "operator", "taken"),
        step("made", "cancel", "operator", "canceled"),
        step("taken", "close", "system", "closed"),
    ],
)

#: A share in a file. A bank may return money days after it has carried the payment out.
ITEM = Machine(
    "bank_item",
    "included",
    [
        step("included", "execute", "operator", "executed"),
        step("included", "return", "operator", "returned"),
        step("included", "cancel", "operator", "canceled"),
        step("executed", "return", "operator", "returned"),
    ],
)

#: Nothing is sent to a changed account for this long, so that its owner can object.
COOLING = timedelta(hours=72)
#: The most that one file carries; banks' own limits are higher, a person has to read this one.
MOST_ITEMS = 500
#: Why a bank returns a payment: codes of ISO 20022 ExternalReturnReason1Code that people meet.
RETURN_REASONS = ("AC01", "AC04", "AC06", "AG01", "BE04", "MD07", "NARR", "RC01", "RR04")
#: Reasons of ExternalStatusReason1Code that say that the bank has the file or payment already: it refuses the second
#: copy and carries out the first, so nothing is owed again.
DUPLICATE_REASONS = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05"})
