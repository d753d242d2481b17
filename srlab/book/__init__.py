"""The executable book: run the notebooks, keep what they found, compile the pages."""
