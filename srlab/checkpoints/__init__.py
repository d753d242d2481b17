"""Weights with their story: srlab's own files, and what others published."""
