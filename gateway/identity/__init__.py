"""Tokens of an identity provider (OpenID Connect): who signed them, what they claim, and what that allows."""
