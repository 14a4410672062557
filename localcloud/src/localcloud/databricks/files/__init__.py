"""Files: those of the workspace and its volumes, and the lake's behind WebHDFS."""
