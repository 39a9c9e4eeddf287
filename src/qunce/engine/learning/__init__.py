"""Learn from marks and judge by what was learnt: character n-grams, a linear model, lessons that can be taken back."""
