"""`maquette evaluate`: how well a model follows massings and prompts it never saw."""
