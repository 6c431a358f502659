"""The guards of a process that is asked to stop."""

from tests.guards.guard import Guard

GUARDS = (
    Guard(
        "a signal takes no lock that the main thread may hold",
        "stopping.py",
        "_thread.start_new_thread(stop.set, ())",
        "stop.set()",
        ("house/test_stopping.py::test_it_is_heard[in the lock-SIGTERM]",),
    ),
    Guard(
        "a signal wakes a server that sleeps",
        "api/serve.py",
        "before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)",
        "before = signal.set_wakeup_fd(-1)",
        ("api/test_serve.py::test_a_signal_that_another_thread_gets_wakes_an_idle_server",),
    ),
    Guard(
        "a server ends without Python's last steps",
        "api/serve.py",
        "    end(main())\n",
        "    sys.exit(main())\n",
        ("api/test_serve.py::test_it_ends_without_the_last_steps_of_python",),
    ),
)
