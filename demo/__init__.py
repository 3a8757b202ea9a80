"""The demonstration: the whole main job on a fresh machine, with a crowd of readers that can be counted."""
