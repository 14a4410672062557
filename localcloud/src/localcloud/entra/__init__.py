"""Microsoft Entra ID: tokens for the identities of the local cloud, and what services check them by."""
