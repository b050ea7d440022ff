"""The sample massing models that come with the project, made by script."""
