"""Many subjects at once, on this machine or a cluster: a job, its tasks on Ray, its results."""
