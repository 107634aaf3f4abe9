"""Text, statistics and pictures of masks."""
