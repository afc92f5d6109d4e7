"""Wire dialects. One file each; they translate and never send."""
