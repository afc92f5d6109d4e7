"""Carrying out plans of several calls: what each call sends, what it cost, and the one answer that the client gets."""
