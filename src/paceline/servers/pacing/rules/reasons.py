"""Reasons of a permit count in words, for people who ask why."""

from paceline.pacer import PermitReason

TEXTS: dict[PermitReason, str] = {
    PermitReason.FORECAST: "the forecast of free agents allows these",
    PermitReason.NO_AGENTS: "no agent of its groups is logged in and ready for the medium",
    PermitReason.NO_CAPACITY_LEFT: "what waits and what is pending will take the agents that get free",
    PermitReason.OVER_GOAL: "too many visitors left before an agent joined; fewer until the share falls",
    PermitReason.COLD_START: "too few acceptances seen yet to trust the measured share alone",
    PermitReason.MISCONFIGURED: "the virtual queue is misconfigured",
    PermitReason.NO_STATISTICS: "the Stat Server does not give the statistics it needs",
    PermitReason.STALE_STATISTICS: "the statistics are older than the cycles they are trusted for",
    PermitReason.ENGINE_UNREACHABLE: "the engagement engine has not answered for two periods",
    PermitReason.STOPPED: "stopped by hand; resume it to go on",
    PermitReason.SHARED_AGENTS: "its agents serve other targets too and are split among them",
    PermitReason.GOAL_ZERO: "goal 0: one invitation per free agent, none ahead",
    PermitReason.NO_LIMIT: "goal 100: no limit",
    PermitReason.PROGRESSIVE: "one invitation per free agent",
    PermitReason.MULTIPLE: "the chosen policy permits a multiple of the agents",
    PermitReason.REACTIVE_GUARD: "other customers wait too long for the same agents",
}


def reason_name(reason: PermitReason) -> str:
    """The enum's name in lower case, as the contract writes it."""
    return reason.name.lower()


def reason_text(reason: PermitReason, detail: str = "") -> str:
    """The reason in words, with what is special about this target."""
    return f"{TEXTS[reason]}: {detail}" if detail else TEXTS[reason]
