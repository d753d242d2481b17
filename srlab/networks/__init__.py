"""Anybody's network: read from files of any origin, held to a contract, measured."""
