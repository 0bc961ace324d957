"""Pure configuration checks: objects in, findings out.

Called by the Configuration Server, `paceline config check` and `paceline doctor`. A finding names
object, field, consequence and fix. Never reads or changes configuration itself.
"""
