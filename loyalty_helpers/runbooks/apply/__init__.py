"""Applying a plan: each row once, written down before and after it is sent."""
