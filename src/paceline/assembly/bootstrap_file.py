"""The Configuration Server's own small file: what it must know before it can read a configuration.

Read by `serve configuration --config FILE`. YAML with the keys of `Bootstrap`.
"""

import difflib
from pathlib import Path

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from paceline.assembly.configuration import ConfigurationHost
from paceline.assembly.data_folder import ADMIN, DataFolder
from paceline.errors.failure import PacelineError
from paceline.model.options import SecretSource
from paceline.runtime.secret import resolve_secret
from paceline.runtime.times import Times
from paceline.storage.access_point import from_url


class Bootstrap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the Configuration Server listens and stores, and who administers a new site.

    `folder` gets the site key and the first administrator's password when they do not exist yet;
    a `site_key_file` elsewhere must exist. `database` is a URL, or `{file: …}` or `{env: …}` of one.
    """

    database: str | dict[str, str]
    folder: str
    host: str = "127.0.0.1"
    port: int
    site_key_file: str | None = None
    user: str = ADMIN


def read_bootstrap(path: Path) -> Bootstrap:
    """The file's content.

    Raises
    ------
    PacelineError
        `start_refused` naming file, field and fix.
    """
    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return msgspec.convert(found or {}, Bootstrap)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    except YAMLError as error:
        why = " ".join(str(error).split())
    except msgspec.ValidationError as error:
        why = _with_hint(str(error), found)
    raise PacelineError("start_refused", f"configuration file {path}: {why}", field="config")


def _with_hint(problem: str, found: object) -> str:
    unknown = set(found) - set(Bootstrap.__struct_fields__) if isinstance(found, dict) else set()
    known = ", ".join(Bootstrap.__struct_fields__)
    for name in sorted(map(str, unknown)):
        near = difflib.get_close_matches(name, Bootstrap.__struct_fields__, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use {known}"
        return f"field '{name}' is unknown; {hint}"
    return f"{problem}; the fields are {known}"


def configuration_host(bootstrap: Bootstrap, times: Times) -> ConfigurationHost:
    """The Configuration Server that the file describes.

    Raises
    ------
    PacelineError
        `start_refused` when a file cannot be read or the URL is wrong.
    """
    folder = DataFolder(Path(bootstrap.folder))
    folder.prepare()
    site_key = folder.site_key() if bootstrap.site_key_file is None else _site_key(bootstrap)
    return ConfigurationHost(
        point=from_url(_database(bootstrap)),
        site_key=site_key,
        admin=(bootstrap.user, folder.password()),
        times=times,
        host=bootstrap.host,
        port=bootstrap.port,
    )


def _site_key(bootstrap: Bootstrap) -> bytes:
    source = SecretSource("file", bootstrap.site_key_file or "")
    return resolve_secret(source, field="site_key_file").reveal().encode()


def _database(bootstrap: Bootstrap) -> str:
    given = bootstrap.database
    if isinstance(given, str):
        return given
    if len(given) != 1 or not given.keys() <= {"file", "env"}:
        raise PacelineError(
            "start_refused", "database: give a URL, {file: …} or {env: …}", field="database"
        )
    [(place, text)] = given.items()
    source = SecretSource("env" if place == "env" else "file", text)
    return resolve_secret(source, field="database").reveal()
