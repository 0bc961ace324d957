"""The shipped example is a sound configuration, and the simulator reads it as it is meant."""

from pathlib import Path

from paceline.assembly.configuration_file import read_configuration
from paceline.checks.site import check_configuration
from paceline.model.alarm_conditions import SHIPPED_ALARM_CONDITIONS
from paceline.model.configuration import AlarmCondition, Person, decode_body
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.simulator.site import Site
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder

EXAMPLE = Path(__file__).parents[3] / "examples" / "contact-centre.yaml"


def example() -> ConfigurationSnapshot:
    """The example's objects."""
    site = SnapshotBuilder()
    for change in read_configuration(EXAMPLE.read_text(encoding="utf-8")):
        site.add(change.type, change.name, decode_body(change.type, change.body))
    return site.build()


def test_nothing_is_wrong_with_the_example() -> None:
    """No check of the configuration finds anything."""
    assert check_configuration(example()) == ()


def test_each_medium_has_a_target_and_a_reactive_queue() -> None:
    """Chat, e-mail and callback: a pacing target and a queue for customers who come by themselves."""
    site = Site(FixedConfiguration(example()))
    assert {medium: [t.name for t in targets] for medium, targets in site.targets.items()} == {
        "chat": ["Proactive Chat - chat"],
        "email": ["Proactive E-mail - email"],
        "voice": ["Proactive Callback - voice"],
    }
    assert site.reactive_queues == {"chat": "Chats", "email": "E-mails", "voice": "Callbacks"}
    assert site.policy == "position"


def test_every_agent_has_a_place_and_work() -> None:
    """Nobody is without capacity; two agents never share a place."""
    site = Site(FixedConfiguration(example()))
    assert all(agent.capacity and agent.place for agent in site.agents.values())
    assert len({agent.place for agent in site.agents.values()}) == len(site.agents)


def test_the_site_follows_the_configuration() -> None:
    """An agent who is disabled is one less, at once."""
    before = example()
    configuration = FixedConfiguration(before)
    site = Site(configuration)
    count = len(site.agents)
    item = next(item for item, _ in before.all_of(Person))
    configuration.change(before.with_changes((), [(item.type, item.id)], seq=before.seq + 1))
    assert len(site.agents) == count - 1


def test_its_alarms_are_those_that_are_shipped() -> None:
    """The three of the pacing request, word for word."""
    alarms = {item.name: body for item, body in example().all_of(AlarmCondition)}
    assert set(alarms) == {name for name in SHIPPED_ALARM_CONDITIONS if name.startswith("Pacing")}
    for name, body in alarms.items():
        assert body == SHIPPED_ALARM_CONDITIONS[name]
