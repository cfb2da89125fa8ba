"""Contracts and price lists as files: out, and in again after everybody could see what that changes."""
