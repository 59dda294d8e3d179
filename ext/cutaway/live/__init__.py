"""The model in the page: figures that compute a recorded pass for any input, and say where any number comes from."""
