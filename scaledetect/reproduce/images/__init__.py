"""The paper's figures on natural images, and its claims on them."""
