"""Textures: pictures of several Views carried onto the surface of the model that they show.

surface     the model's triangles and where they lie in a texture; which texel shows what
projection  where a View sees a point, and whether it sees it
outsides    which side of a face is the outer one, from what views see
matching    one exposure for all views, from what two of them see
bake        every texel's colour from the views that see it best
fill        the texels that no view sees, and the margin around islands
"""
