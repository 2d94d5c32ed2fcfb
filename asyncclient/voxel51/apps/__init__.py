"""The official modules for applications: ``api`` and ``auth``."""
