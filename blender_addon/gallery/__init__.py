"""The gallery: every picture that was made of a scene, found again and continued from.

The .blend holds a light entry for each picture (``entries``), and the picture's own file its Recipe
and View, so that hundreds of pictures cost neither memory nor an image datablock. A datablock is
made of a picture that is shown or used (``shown``). ``files``, ``users`` and ``bound`` know the
disk and no Blender; ``keeper`` does in the background what the gallery needs of them.
"""
