"""Engine processes: lease a job, hand it to the engine, write what comes of it. And the supervisor of them all."""
