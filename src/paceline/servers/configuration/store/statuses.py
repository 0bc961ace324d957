"""Last reports of applications in the database.

Called by live/statuses.py.
"""

import msgspec

from paceline.storage.database import Database, Transaction
from paceline.units.quantities import Millis
from paceline.wire.operations.configuration import ReportStatus


class StatusStore:
    """Table `application_status`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> dict[int, tuple[ReportStatus, Millis]]:
        """Report and machine time of it, by application."""
        rows = await self._database.fetch(
            "SELECT application_id, report, reported_at FROM configuration.application_status"
        )
        return {
            row[0]: (msgspec.json.decode(row[1].encode(), type=ReportStatus), row[2])
            for row in rows
        }

    async def save(self, tenant: int, application: int, report: ReportStatus, at: Millis) -> None:
        """Replaces an application's report."""
        text = msgspec.json.encode(report).decode()

        async def work(transaction: Transaction) -> None:
            key = ("tenant_id", "application_id")
            table = "configuration.application_status"
            await transaction.delete_rows(table, key, [(tenant, application)])
            await transaction.insert_rows(
                table, (*key, "report", "reported_at"), [(tenant, application, text, at)]
            )

        await self._database.transaction(work)
