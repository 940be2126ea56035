"""How much we may ask of an exchange: request weight, broken circuits, repeated reads."""
