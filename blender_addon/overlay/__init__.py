"""Pictures over the 3D view, in register with the model: previews, concepts and Live.

A picture is drawn where its View lies in the region (``placing``): in the camera frame, zoomed and
panned as it may be, or over the whole view for as long as it is the one that was captured. Where a
view is looked through from elsewhere, nothing is drawn, but for Live: its last picture stays on the
model as a ``relief`` until the next one is there. Whether and how strongly is decided for a scene,
or for a view alone (``view_looks``).
"""
