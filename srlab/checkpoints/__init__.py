"""Weights with their story: files, how they hold numbers, and what others published."""
