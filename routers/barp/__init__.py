"""One policy for any preference between quality and cost (BaRP)."""
