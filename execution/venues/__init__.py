"""What a venue is to execution (`interface`), and the clients of real venues."""
