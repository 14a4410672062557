"""What a load run writes to the lake for the app, as the app reads it.

Whoever may write to a migration's folder may write it: the load runs, with the identity of their cluster.
"""
