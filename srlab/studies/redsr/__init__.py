"""What only the findings of ReDSR need."""
