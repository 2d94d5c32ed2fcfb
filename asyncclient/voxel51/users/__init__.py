"""The official modules for users of the platform: ``api``, ``auth``, ``jobs``, ``logging``, ``query``, ``utils``."""
