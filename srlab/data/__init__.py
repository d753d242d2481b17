"""Pictures: image sets by name, with labels, and patches cut from them under degradations."""
