"""Servers for tests: scripted faults, and real ones in processes of their own."""
