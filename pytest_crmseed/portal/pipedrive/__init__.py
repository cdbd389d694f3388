"""The emulation of Pipedrive's API."""
