"""Fault injection: killed processes, cut connections, failing disks; and what must not be lost."""
