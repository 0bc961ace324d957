"""Pure rules of pacing: targets, inputs, answers, alarms."""
