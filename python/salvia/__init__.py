"""The script runner and the model server of Salvia's framework images."""
