"""The simulated exchange as a process: time and pace, faults, the journal of commands, and `sluice serve exchange`."""
