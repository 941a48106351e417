"""Does the keys room keep its promises? Laws by Hypothesis, published vectors, and attacks by their id in attacks.md."""
