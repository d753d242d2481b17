"""What only the findings of FAIG need."""
