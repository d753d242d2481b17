"""What only the findings of LAM need."""
