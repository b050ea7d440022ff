"""The openings of a massing's walls: windows and doors in whole bays and storeys, found from exact
depth and laid out on the walls themselves, so that they are regular and the same from every view.

`patches` finds plane, upright pieces of surface in one capture, `walls` joins those of all captures
to walls, `layout` divides walls into bays and storeys, with one of the `kinds` of windows, and
`openings` draws what a capture sees of them. `sight` says what captures see of points of the world.
"""
