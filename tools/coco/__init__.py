"""Masks of instances, and a toy data set in the layout of COCO."""
