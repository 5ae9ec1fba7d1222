"""Measurements of what the package costs, each beside a baseline measured in the same run."""
