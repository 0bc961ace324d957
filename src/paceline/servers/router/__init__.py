"""Router: runs strategies; pulls from views, finds the agent, delivers.

The way of an interaction:

    tasks/pull_views     one waiting pull per view of a strategy, never more held than the credit
    rules/choose_queue   its virtual queue and the agent groups it may be offered to
    tasks/dispatch       enters the virtual queue, waits in live/waiting, meets the agent who has been
                         ready longest (live/agents), is offered; the delivery result ends it
    tasks/follow_agents  keeps live/agents as the Stat Server's target states say

It keeps nothing that a restart could lose: the Interaction Server holds queue and ticket, and
takes back what a lost router held. Work that cannot be routed is held for a pause, then placed
back, so that it neither turns in a hot loop nor stands in the way of the rest of its view.
"""
