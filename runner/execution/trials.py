"""Prices that nobody has confirmed: the first purchase of such a model goes alone, so that what the service says of it counts for
all that come after."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class Trials:
    """Of the models whose prices are the project's own."""

    def __init__(self, models: Iterable[str] = ()) -> None:
        self._alone = {model: asyncio.Lock() for model in models}

    @asynccontextmanager
    async def turn(self, model: str) -> AsyncIterator[None]:
        """Around one purchase, from what is set aside for it to the service's answer."""
        alone = self._alone.get(model)
        if alone is not None:
            async with alone:
                if model in self._alone:
                    yield
                    return
        yield

    def heard(self, model: str) -> None:
        """The service has said what it wants for one: others may go at once."""
        self._alone.pop(model, None)
