"""What is painted, put right by what is known to the pixel: the capture's surfaces, its sky, its
openings and its own colours."""
