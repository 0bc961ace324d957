"""The configuration file: YAML to changes and back, and mistakes with their line."""

import msgspec
import pytest

from paceline.assembly.configuration_file import read_configuration, write_configuration
from paceline.errors.failure import PacelineError
from paceline.wire.operations.configuration import ObjectRecord

SITE = """\
# A small site.
switches:
  - name: sip
dns:
  - name: Proactive Chat
    number: Proactive Chat
    switch: sip
    options:
      pacing: {media: chat, optimizationGoal: 3.5}
persons:
  - name: anna
    password: {env: ANNAS_PASSWORD}
    is_agent: yes and no
"""


def test_objects_become_changes_in_the_order_of_the_file() -> None:
    """Type, name, tenant and the fields as JSON; the password goes along to the server."""
    text = SITE.replace("yes and no", "true").replace("- name: anna", "- name: anna\n    tenant: 2")
    changes = read_configuration(text)
    assert [(c.type, c.name, c.tenant) for c in changes] == [
        ("switches", "sip", 1),
        ("dns", "Proactive Chat", 1),
        ("persons", "anna", 2),
    ]
    assert msgspec.json.decode(changes[1].body)["options"] == {
        "pacing": {"media": "chat", "optimizationGoal": 3.5}
    }
    assert msgspec.json.decode(changes[2].body)["password"] == {"env": "ANNAS_PASSWORD"}
    assert read_configuration("") == ()
    assert read_configuration("dns:\n") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SITE, ("line 13", "persons 'anna'", "is_agent")),
        ("persns: []", ("line 1", "'persns'", "'persons'")),
        ("skills:\n  - name: A\n    colour: red\n", ("line 3", "skills 'A'", "'colour'")),
        ("skills:\n  - name: A\n  - name: a/b\n", ("line 3", "'/'")),
        ("skills:\n  - name: 7\n", ("line 2", "quotes")),
        ("skills:\n  - A\n", ("line 2", "- name")),
        ("skills:\n  A: {}\n", ("line 1", "list")),
        ("skills:\n  - name: A\n    tenant: x\n", ("line 3", "tenant")),
        ("skills: [\n", ("line 2", "YAML")),
        ("skills: []\nskills: []\n", ("line 2", "duplicate")),
        ("- a\n", ("line 1", "mapping")),
        ("scripts:\n  - name: V\n    script_type: viw\n", ("line 3", "scripts 'V'", "script_type")),
    ],
)
def test_a_mistake_names_line_object_and_field(text: str, words: tuple[str, ...]) -> None:
    """One line of words that leads to the place."""
    with pytest.raises(PacelineError) as caught:
        read_configuration(text)
    assert caught.value.name == "configuration_mistake"
    assert "\n" not in caught.value.message
    assert [word for word in words if word not in caught.value.message] == []


def test_what_is_exported_can_be_applied() -> None:
    """Objects written as a file are read back as the same names and bodies, in order of types."""
    bodies = {
        ("persons", "anna", 1): b'{"is_agent":true,"skills":{"English":5}}',
        ("skills", "English", 2): b"{}",
        ("dns", "", 1): b'{"switch":"sip","number":"007"}',
        ("switches", "sip", 1): b"{}",
    }
    records = [
        ObjectRecord(type=t, id=n, tenant=tenant, name=name, version=1, body=msgspec.Raw(body))
        for n, ((t, name, tenant), body) in enumerate(bodies.items(), 1)
    ]
    changes = read_configuration(write_configuration(records))
    assert {(c.type, c.name, c.tenant): msgspec.json.decode(c.body) for c in changes} == {
        key: msgspec.json.decode(body) for key, body in bodies.items()
    }
    assert [c.type for c in changes] == ["switches", "dns", "skills", "persons"]
    assert write_configuration(()) == ""
