"""What very many models cost, and where it ends."""
