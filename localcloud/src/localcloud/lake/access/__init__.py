"""Who may do what in the lake's account: tokens, the actions that calls need, roles and their conditions."""
