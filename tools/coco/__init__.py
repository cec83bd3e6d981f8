"""Masks of the instances of COCO."""
