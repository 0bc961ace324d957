"""The whole site in one OS process on virtual time, with a faulty world around it, from a seed.

The servers are the real ones, built by assembly. What they touch outside themselves is simulated:
loop.py carries their processes (process.py), network.py their connections and http.py the pacing
reports, database.py their stores; site.py puts a site together and restarts what was killed;
faults.py draws what goes wrong; log.py writes it all down. run.py rehearses: traffic.py uses the
site as clients do, history.py notes every request, invariants judge after every step.

The same seed gives the same log, byte for byte: chance comes from the seed, time is virtual,
nothing depends on addresses or hashes.
"""
