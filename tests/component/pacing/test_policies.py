"""The option pacing.algorithm on a running server."""

from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis
from tests.component.pacing.site import site

REASONS = {
    "naive": "multiple",
    "ratio": "multiple",
    "super_progressive": "forecast",
    "queueing_rate": "forecast",
    "progressive": "progressive",
    "position": "cold_start",
}


def test_every_algorithm_takes_over_within_one_period_and_learning_stays() -> None:
    """Each name of the option gives permits for its own reason, without a cautious new start in between."""

    async def main() -> None:
        async with site(virtual_times(Millis(1_763_683_200_000))) as made, made.server():
            await made.cycles(3)
            for name, reason in REASONS.items():
                made.settings.update(
                    {
                        "pacing": {"algorithm": name, "minSample": 10},
                        "pacingEndpoint": {"targetEndpoint": "v2/pacing"},
                    }
                )
                await made.cycles(4)
                assert (name, made.engine.reasons()[-1]) == (name, reason)
                assert sum(made.engine.permits()[-4:]) > 0

    run_virtual(main(), limit_s=1000.0)
