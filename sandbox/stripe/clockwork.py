"""What time does by itself."""

from sandbox.stripe import checkout, disputes, transfers
from sandbox.stripe.world import World


def let_time_work(world: World) -> None:
    """Whatever is due by the stand-in's clock: pages close, banks pay, payouts leave and arrive, answers are late."""
    checkout.expire_due(world)
    checkout.settle_due(world)
    disputes.past_due(world)
    transfers.pay_out_due(world)
