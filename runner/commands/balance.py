"""What the account at a paid service holds, asked before a run buys and once more at its end."""

from decimal import Decimal

from runner.commands.budgeting import NARROW, would_fit
from runner.commands.deciding import Decided
from runner.core.errors import Refused
from runner.core.wire import NoReply
from runner.planning.service import Service
from runner.providers import evolink
from runner.providers.provider import Balance
from runner.screen.amounts import count, in_credits
from runner.screen.clean import words
from runner.screen.terminal import Terminal

PATIENCE_S = 10


async def asked(service: Service, key: str, terminal: Terminal) -> Balance | None:
    """The balance; None on a free service, and where the service has no such page or is silent, which is remarked on under -v."""
    from runner.adapters.client import Client  # loads an HTTP client, which a free plan may do without

    if service.base_url is None or service.files_url is None:
        return None
    client = Client(base_url=service.base_url, files_url=service.files_url, key=key, poll_timeout_s=PATIENCE_S)
    reason = "it has no balance to tell"
    found = None
    async with client.opened():
        try:
            found = evolink.read_balance(await client.ask(evolink.balance()))
        except NoReply as fault:
            reason = fault.reason
    if found is None and terminal.verbose:
        terminal.talk(f"{service.name} was asked for the balance: {words(reason)}")
    return found


def demand(decided: Decided, service: Service, balance: Balance | None, *, narrow: str = NARROW) -> None:
    """`narrow` says how to ask for less. Raises `Refused` where the account does not hold what the plan costs."""
    plan, price = decided.plan, decided.plan.price
    left = balance.remaining if balance else None
    if left is None or price is None or price <= left:
        return
    raise Refused(
        f"{count(len(plan.to_buy), 'take')} to buy for {in_credits(price)}, "
        f"but the account at {service.name} has {in_credits(left)} left",
        notes=(would_fit(plan, left),),
        help=f"add credits to the account, or {narrow}",
    )


def movement(before: Balance | None, after: Balance | None) -> Decimal | None:
    """By how much the used credits have grown; None where that is not known."""
    first, last = before.used if before else None, after.used if after else None
    return None if first is None or last is None or last < first else last - first
