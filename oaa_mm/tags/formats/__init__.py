"""The forms of image-level labels on disk; one module reads and writes one."""
