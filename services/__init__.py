"""The two services and the program that runs them."""
