"""What only the findings of DDR need."""
