"""Message Server: log messages of all servers, and the alarms that they raise and clear.

A request: wire > requests > live (one writer puts what arrives at the same time into one
transaction) > rules (which alarm condition a message's number detects or cancels) > store.

Only alarm conditions in the configuration act. An alarm is unique while it is active by tenant,
condition, application and subject; it ends with the cancel event, by a person or after its
clearance timeout in business time, and stays active over restarts.
"""
