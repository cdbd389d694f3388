"""The ways into a portal; each converts to and from its one request type."""
