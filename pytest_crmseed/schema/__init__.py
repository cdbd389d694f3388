"""What an object is: the model, the legend, the catalog, the validation. Standard library only."""
