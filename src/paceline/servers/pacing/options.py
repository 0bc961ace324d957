"""Options of the pacing cluster application; its nodes inherit them (pacing-service.md §1.2)."""

from paceline.model.options import Kind, Option, OptionTable

OPTIONS = OptionTable(
    "pacing",
    (
        Option(
            "pacing",
            "refreshPeriod",
            Kind.DURATION,
            5,
            "How often permits are computed and sent.",
            unit="s",
            low=1,
            high=60,
            time="business",
        ),
        Option(
            "pacing",
            "algorithm",
            Kind.ENUM,
            "position",
            "How permits are computed: position anticipates acceptances and releases; progressive "
            "permits one invitation per free agent; super_progressive overbooks the free agents within "
            "the goal; queueing_rate sends at a steady rate from the Erlang A formula; ratio adapts a "
            "number of invitations per agent; naive divides free agents by acceptance and keeps no goal.",
            choices=(
                "position",
                "progressive",
                "super_progressive",
                "queueing_rate",
                "ratio",
                "naive",
            ),
        ),
        Option(
            "pacing",
            "optimizationGoal",
            Kind.FLOAT,
            3.0,
            "Highest share of proactive interactions that visitors may leave before an agent joins; "
            "a virtual queue's own goal goes before it. 0 = none, 100 = no limit.",
            unit="%",
            low=0,
            high=100,
        ),
        Option(
            "pacing",
            "minSample",
            Kind.INTEGER,
            20,
            "Acceptances of a target before its measured acceptance is trusted alone.",
            low=0,
            high=1000,
        ),
        Option(
            "pacing",
            "maxInvitesPerPeriod",
            Kind.INTEGER,
            None,
            "Most permits of one target in one period, whatever the forecast says.",
            low=0,
            high=1_000_000,
        ),
        Option(
            "pacingEndpoint",
            "targetEndpoint",
            Kind.TEXT,
            "",
            "Path of the engagement engine's pacing endpoint, appended to base_service_url of the "
            "transaction hybrid_integration. It must be set.",
        ),
        Option(
            "pacingEndpoint",
            "requestTimeout",
            Kind.DURATION,
            None,
            "How long a report may take, retries and pages together; none = 0.8 × refreshPeriod, "
            "at least 250 ms.",
            unit="s",
            low="50ms",
            high=10,
            time="machine",
        ),
        Option(
            "pacingEndpoint",
            "roundTripWarning",
            Kind.FLOAT,
            0.7,
            "Warn when the median of the last 20 round trips is above this share of the smaller of "
            "requestTimeout and refreshPeriod.",
            low=0.1,
            high=1,
        ),
        Option(
            "pacingEndpoint",
            "maxTargetsPerRequest",
            Kind.INTEGER,
            1000,
            "Targets in one request; more go in further pages.",
            low=1,
            high=10_000,
        ),
        Option(
            "pacingEndpoint",
            "retry",
            Kind.INTEGER,
            2,
            "How often a request that failed is repeated within the period.",
            low=0,
            high=10,
        ),
        Option(
            "clustering",
            "maxStoreSilence",
            Kind.DURATION,
            10,
            "How long the master goes on under its epoch while the store of the lease is away.",
            unit="min",
            low="10s",
            high="24h",
            time="machine",
        ),
    ),
)
