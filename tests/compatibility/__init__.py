"""What the program said at one commit, frozen; see README.md."""
