"""Training as a service: start a run, follow its worker's reports, finish it, fail it, cancel it."""
