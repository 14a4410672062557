"""The local Data Factory: executes the definitions in a factory's Git folder as the service would."""
