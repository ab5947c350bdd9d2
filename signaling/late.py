"""Parts that know each other: one of them has to be made before the other is there."""

from typing import Any


class Late:
    """Stands for a part that is made later; `become` says which. Composition only."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._part: Any = None

    def become(self, part: Any) -> None:
        """From now on every attribute is the part's."""
        self._part = part

    def __getattr__(self, name: str) -> Any:
        if self._part is None:
            raise RuntimeError(f"the {self._what} is used before it is made")
        found = getattr(self._part, name)
        if callable(found):  # asked for once: the gateway asks for every request
            self.__dict__[name] = found
        return found
