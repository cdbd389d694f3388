"""The orchestrator: the only place where factories and ingest meet."""
