"""`maquette train`: trains or finetunes a model directory of the sd2-depth family."""
