"""Background processes: the relay wakes RQ workers, the schedule stages periodic work, jobs are bound here."""
