"""Batches: many sources × many recipes into one folder, which says what is done and what is not.

`task` is what was asked for, `manifest` what became of it, `work` does it.
"""
