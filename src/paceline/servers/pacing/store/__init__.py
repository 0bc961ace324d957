"""What survives a restart: the learned state, epoch, sequence, stops and active alarms."""
