"""Emergency stops: of all targets or of single ones; stored before they are answered."""


class Stops:
    """What is stopped by hand. A target that is gone keeps its stop for the day it comes back."""

    def __init__(self) -> None:
        self.is_all = False
        self.targets: frozenset[str] = frozenset()

    def restore(self, is_all: bool, targets: frozenset[str]) -> None:
        """Take over what was stored."""
        self.is_all, self.targets = is_all, targets

    def stop(self, target: str) -> None:
        """No permits for this target."""
        self.targets |= {target}

    def resume(self, target: str) -> None:
        """Permits for this target again."""
        self.targets -= {target}
