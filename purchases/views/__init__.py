"""The pages of the license workspace and of the wizard, one module per place."""
