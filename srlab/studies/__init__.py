"""What the findings of four papers share (`study`, `networks`) and what each alone needs."""
