"""Faults made on purpose: processes killed, connections cut, disks that fail; and what must not be lost by them."""
