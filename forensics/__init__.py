"""How are these two language models related, and how sure can we be?"""

__version__ = "0.1.0"
