"""Ingestion: the only room that sends. requests + tenacity; no factories, no pytest."""
