"""Who may do what in local AWS: identities, sessions, signatures and policies."""
