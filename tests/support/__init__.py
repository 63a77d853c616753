"""What the trust tests share: instances and mutants from the model, the oracle, and both backends side by side."""
