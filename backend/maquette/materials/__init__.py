"""Materials: squares of a surface that repeat without a seam, in metres."""
